import type { CrmTask } from '../../src/core/ports/crm.ts'
import type { Intent } from './open-intents.ts'
import { makeIntents, type Settling, settleIntent, TASKS } from './settle-intent.ts'

/** A task that has all that it needs. */
export interface ReadyTask {
  readonly intent: Intent
  readonly task: CrmTask
}

/** Sends tasks in one go. */
export function sendTasks(settling: Settling, ready: readonly ReadyTask[]): Promise<void> {
  const { crm, signal } = settling
  const told = ready.map(({ intent, task: { ownerId } }) => ({ intent, told: { ownerId } }))
  const tasks = ready.map(({ task }) => task)
  return makeIntents(settling, TASKS, told, (sending) =>
    crm.createTasks(tasks, signal, { sending }),
  )
}

/** Looks whether a task is there whose create has no certain outcome. */
export function settleTask(settling: Settling, { intent, task }: ReadyTask): Promise<void> {
  const { crm, signal } = settling
  const { marker, companyId, contactIds } = task
  return settleIntent(settling, TASKS, intent, () =>
    crm.findTasks([{ marker, companyId, contactIds }], signal),
  )
}
