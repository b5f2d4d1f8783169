import { setTimeout as sleep } from 'node:timers/promises'
import type { Crm, TaskOutcome } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { noteTaskInCrm } from '../../src/infra/postgres/freshness-store.ts'
import type { ConnectedCrm, JobContext, RunNotes } from '../context.ts'

/** A doubtful create is looked for no earlier than the call's deadline plus this. */
export const MARGIN_MS = 2_000

/** What settling works with. */
export interface Settling {
  readonly context: Pick<JobContext, 'db' | 'clock'>
  readonly connected: Pick<ConnectedCrm, 'callTimeoutMs'>
  readonly crm: Crm
  readonly signal: AbortSignal
  readonly run: RunNotes
}

/** A task, or a note in its place, that is to be made once. */
export interface SettledIntent {
  readonly key: string
  readonly marker: string
  readonly state: string
  readonly settleAfter: Date | null
}

/** What is made of an intent, and how. */
export interface Making {
  /** The state while nobody knows whether it is there, and the one when it is. */
  readonly doubtful: 'creating' | 'noting'
  readonly done: 'created' | 'noted'
  /** How it is counted in the notes of the run. */
  readonly counted: string
  /** What is stored before the call. */
  readonly told: { readonly ownerId?: string | null; readonly dealId?: string }
  /** The CRM's id of what is there already. */
  readonly find: () => Promise<string | undefined>
  readonly make: (sending: () => Promise<void>) => Promise<TaskOutcome | undefined>
}

/**
 * Makes it once: the intent is noted before the call, and a doubtful outcome is settled by looking for the marker, never by
 * repeating the call.
 */
export async function settleIntent(
  { context, connected, crm, signal, run }: Settling,
  intent: SettledIntent,
  { doubtful, done, counted, told, find, make }: Making,
): Promise<void> {
  const { db } = context
  const isThere = async (taskId: string) => {
    await setState(db, intent, done, { taskId })
    await noteTaskInCrm(db, crm.name, intent.key)
    run.count(counted)
  }
  if (intent.state === doubtful) {
    const waitMs = Math.max(0, (intent.settleAfter?.getTime() ?? 0) - Date.now())
    await sleep(waitMs, undefined, { signal })
    const taskId = await find()
    return taskId === undefined ? setState(db, intent, 'planned', {}) : isThere(taskId)
  }
  let settleAt = 0
  const sending = async () => {
    settleAt = Math.max(settleAt, Date.now() + connected.callTimeoutMs + MARGIN_MS)
    await setState(db, intent, doubtful, { settleAfter: new Date(settleAt), ...told })
  }
  await sending()
  // Said once more when it is sent: pacing may have taken longer than the call's own deadline.
  const outcome = await make(sending).catch(async (error: unknown) => {
    // It throws only while nothing was sent: there is nothing to look for.
    await setState(db, intent, 'planned', {})
    throw error
  })
  if (outcome?.kind === 'created') return isThere(outcome.taskId)
  if (outcome?.kind === 'rejected') {
    const { reason, correlationId } = outcome
    await setState(db, intent, 'parked', { reason })
    return run.note({ ref: intent.key, outcome: 'parked', reason, correlationId })
  }
  // Where nobody said when it was sent, it may have been just now.
  const settleAfter = new Date(Math.max(settleAt, Date.now() + MARGIN_MS))
  await setState(db, intent, doubtful, { settleAfter, ...told })
}

export async function setState(
  db: Db,
  { key }: Pick<SettledIntent, 'key'>,
  state: 'planned' | 'creating' | 'created' | 'noting' | 'noted' | 'parked',
  more: {
    taskId?: string
    reason?: string
    settleAfter?: Date
    ownerId?: string | null
    dealId?: string
  },
): Promise<void> {
  await db
    .updateTable('task_intent')
    .set({
      state,
      crm_task_id: more.taskId ?? null,
      reason: more.reason ?? null,
      settle_after: more.settleAfter ?? null,
      ...(more.ownerId === undefined ? {} : { owner_id: more.ownerId }),
      ...(more.dealId === undefined ? {} : { deal_id: more.dealId }),
    })
    .where('key', '=', key)
    .execute()
}
