import { setTimeout as sleep } from 'node:timers/promises'
import type { CrmTask, TaskOutcome } from '../../src/core/ports/crm.ts'
import { noteTaskInCrm } from '../../src/infra/postgres/freshness-store.ts'
import type { Intent } from './open-intents.ts'
import { MARGIN_MS, type Settling, setState } from './settle-intent.ts'

/** A task that has all that it needs. */
export interface ReadyTask {
  readonly intent: Intent
  readonly task: CrmTask
}

/** Sends tasks in one go: that they are on their way is noted before, and what became of each after. */
export async function sendTasks(sending: Settling, ready: readonly ReadyTask[]): Promise<void> {
  const { context, connected, crm, signal } = sending
  const { db } = context
  const byMarker = new Map(ready.map((one) => [one.task.marker, one]))
  const settleAt = new Map<string, number>()
  const note = async (marker: string) => {
    const one = byMarker.get(marker)
    if (!one) return
    const at = Math.max(settleAt.get(marker) ?? 0, Date.now() + connected.callTimeoutMs + MARGIN_MS)
    settleAt.set(marker, at)
    const told = { settleAfter: new Date(at), ownerId: one.task.ownerId }
    await setState(db, one.intent, 'creating', told)
  }
  await Promise.all([...byMarker.keys()].map(note))
  // Said once more when it is sent: pacing may have taken longer than the call's own deadline.
  const sent = crm.createTasks(
    ready.map(({ task }) => task),
    signal,
    { sending: note },
  )
  const outcomes = await sent.catch(async (error: unknown) => {
    // It throws only while nothing was sent: there is nothing to look for.
    await Promise.all(ready.map(({ intent }) => setState(db, intent, 'planned', {})))
    throw error
  })
  await Promise.all(
    ready.map((one, i) => noteOutcome(sending, one, outcomes[i], settleAt.get(one.task.marker))),
  )
}

async function noteOutcome(
  { context, crm, run }: Settling,
  { intent, task }: ReadyTask,
  outcome: TaskOutcome | undefined,
  settleAt = 0,
): Promise<void> {
  if (outcome?.kind === 'created') {
    await setState(context.db, intent, 'created', { taskId: outcome.taskId })
    await noteTaskInCrm(context.db, crm.name, intent.key)
    run.count('tasks')
    return
  }
  if (outcome?.kind === 'rejected') {
    await setState(context.db, intent, 'parked', { reason: outcome.reason })
    const { reason, correlationId } = outcome
    run.note({ ref: intent.key, outcome: 'parked', reason, correlationId })
    return
  }
  // Where nobody said when it was sent, it may have been just now.
  const settleAfter = new Date(Math.max(settleAt, Date.now() + MARGIN_MS))
  await setState(context.db, intent, 'creating', { settleAfter, ownerId: task.ownerId })
}

/** Looks whether a task is there whose create has no certain outcome; one that is not is planned again. */
export async function settleTask(
  { context, crm, signal, run }: Settling,
  { intent, task }: ReadyTask,
): Promise<void> {
  await sleep(Math.max(0, (intent.settleAfter?.getTime() ?? 0) - Date.now()), undefined, { signal })
  const { marker, companyId, contactIds } = task
  const found = await crm.findTasks([{ marker, companyId, contactIds }], signal)
  const taskId = found.get(marker)
  if (taskId === undefined) return setState(context.db, intent, 'planned', {})
  await setState(context.db, intent, 'created', { taskId })
  await noteTaskInCrm(context.db, crm.name, intent.key)
  run.count('tasks')
}
