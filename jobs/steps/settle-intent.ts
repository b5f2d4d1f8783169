import { setTimeout as sleep } from 'node:timers/promises'
import type { Crm, TaskOutcome } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { noteTaskInCrm } from '../../src/infra/postgres/freshness-store.ts'
import type { ConnectedCrm, JobContext, RunNotes } from '../context.ts'

/** A doubtful create is looked for no earlier than the call's deadline plus this. */
const MARGIN_MS = 2_000

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

/** What is made of intents. */
interface Made {
  /** The state while nobody knows whether it is there, and the one when it is. */
  readonly doubtful: 'creating' | 'noting'
  readonly done: 'created' | 'noted'
  /** How it is counted in the notes of the run. */
  readonly counted: string
}

export const TASKS: Made = { doubtful: 'creating', done: 'created', counted: 'tasks' }
export const NOTES: Made = { doubtful: 'noting', done: 'noted', counted: 'notes' }

/** An intent that has all that it needs. */
interface ReadyIntent {
  readonly intent: SettledIntent
  /** What is stored of it with the call. */
  readonly told: { readonly ownerId: string | null; readonly dealId?: string }
}

/**
 * Makes intents in one go: that they are on their way is noted before, and what became of each after.
 * @param make makes all of them; `outcomes[i]` answers `ready[i]`. It says when it sends one, and throws only while nothing was sent.
 */
export async function makeIntents(
  settling: Settling,
  made: Made,
  ready: readonly ReadyIntent[],
  make: (sending: (marker: string) => Promise<void>) => Promise<readonly TaskOutcome[]>,
): Promise<void> {
  const { context, connected } = settling
  const byMarker = new Map(ready.map((one) => [one.intent.marker, one]))
  const settleAt = new Map<string, number>()
  const sending = async (marker: string) => {
    const one = byMarker.get(marker)
    if (!one) return
    const at = Math.max(settleAt.get(marker) ?? 0, Date.now() + connected.callTimeoutMs + MARGIN_MS)
    settleAt.set(marker, at)
    await setState(context.db, one.intent, made.doubtful, {
      settleAfter: new Date(at),
      ...one.told,
    })
  }
  await Promise.all([...byMarker.keys()].map(sending))
  // Said once more when it is sent: pacing may have taken longer than the call's own deadline.
  const outcomes = await make(sending).catch(async (error: unknown) => {
    // There is nothing to look for.
    await Promise.all(ready.map(({ intent }) => setState(context.db, intent, 'planned', {})))
    throw error
  })
  await Promise.all(
    ready.map((one, i) =>
      noteOutcome(settling, made, one, outcomes[i], settleAt.get(one.intent.marker)),
    ),
  )
}

async function noteOutcome(
  settling: Settling,
  made: Made,
  { intent, told }: ReadyIntent,
  outcome: TaskOutcome | undefined,
  settleAt = 0,
): Promise<void> {
  const { db } = settling.context
  if (outcome?.kind === 'created') return isThere(settling, made, intent, outcome.taskId)
  if (outcome?.kind === 'rejected') {
    const { reason, correlationId } = outcome
    await setState(db, intent, 'parked', { reason, isRefused: true })
    return settling.run.note({ ref: intent.key, outcome: 'parked', reason, correlationId })
  }
  // Where nobody said when it was sent, it may have been just now.
  const settleAfter = new Date(Math.max(settleAt, Date.now() + MARGIN_MS))
  await setState(db, intent, made.doubtful, { settleAfter, ...told })
}

/**
 * Looks whether something is there that has no certain outcome; what is not is planned again.
 * @param find gives the CRM's ids by marker.
 */
export async function settleIntent(
  settling: Settling,
  made: Made,
  intent: SettledIntent,
  find: () => Promise<ReadonlyMap<string, string>>,
): Promise<void> {
  const { context, signal } = settling
  const waitMs = Math.max(0, (intent.settleAfter?.getTime() ?? 0) - Date.now())
  await sleep(waitMs, undefined, { signal })
  const id = (await find()).get(intent.marker)
  if (id === undefined) return setState(context.db, intent, 'planned', {})
  return isThere(settling, made, intent, id)
}

async function isThere(
  { context, crm, run }: Settling,
  { done, counted }: Made,
  intent: SettledIntent,
  taskId: string,
): Promise<void> {
  await setState(context.db, intent, done, { taskId })
  await noteTaskInCrm(context.db, crm.name, intent.key)
  run.count(counted)
}

/** Notes how a task, or a note in its place, stands. */
export async function setState(
  db: Db,
  { key }: Pick<SettledIntent, 'key'>,
  state: 'planned' | 'creating' | 'created' | 'noting' | 'noted' | 'parked',
  more: {
    taskId?: string
    reason?: string
    /** The CRM refused it. */
    isRefused?: boolean
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
      refused: more.isRefused ?? false,
      settle_after: more.settleAfter ?? null,
      ...(more.ownerId === undefined ? {} : { owner_id: more.ownerId }),
      ...(more.dealId === undefined ? {} : { deal_id: more.dealId }),
    })
    .where('key', '=', key)
    .execute()
}
