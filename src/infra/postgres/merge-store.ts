import { sql } from 'kysely'
import type { CrmTask } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

/** A planned task that another one takes in. */
export interface MergedIntent {
  readonly key: string
  readonly playbook: string
  readonly qualifiedAt: Date | null
  readonly personRefs: readonly string[]
  readonly task: { readonly reason?: string; readonly subject: string }
}

/** Has an open task take in a planned one: its reason and its people are added to it. */
export async function mergeIntent(
  db: Db,
  intent: MergedIntent,
  into: string,
  now: Date,
): Promise<void> {
  const { key, playbook, qualifiedAt, personRefs, task } = intent
  await db.transaction().execute(async (tx) => {
    await sql`update task_intent set state = 'merged', merged_into = ${into}
      where key = ${key}`.execute(tx)
    // Of the same reason: the open task is about the newer episode from now on.
    await sql`update task_intent set qualified_at = greatest(qualified_at, ${qualifiedAt})
      where key = ${into} and playbook = ${playbook}`.execute(tx)
    const note = `Added by Ripen on ${now.toISOString().slice(0, 10)}: ${task.reason ?? task.subject}`
    await addAmendment(tx, into, { kind: 'reason', note, personRefs, intentKey: key })
  })
}

/** What is to be added to a task that is open. */
export interface NewAmendment {
  readonly kind: 'reason' | 'story' | 'escalation'
  /** One line. */
  readonly note: string
  readonly personRefs?: readonly string[]
  readonly ownerId?: string | null
  readonly priority?: CrmTask['priority'] | null
  /** The task that was taken in. */
  readonly intentKey?: string | null
}

export async function addAmendment(
  tx: Tx,
  taskKey: string,
  { kind, note, personRefs = [], ownerId = null, priority = null, intentKey = null }: NewAmendment,
): Promise<void> {
  await sql`insert into task_amendment (task_key, kind, note, person_refs, owner_id, priority, intent_key)
    values (${taskKey}, ${kind}, ${note}, ${[...personRefs]}::text[], ${ownerId}, ${priority}, ${intentKey})`.execute(
    tx,
  )
}

/** How a task ended that others were taken into. */
export interface EndedTask {
  readonly key: string
  readonly crm: string
  /** Why nothing is added to it any more. */
  readonly reason: string
  /** Nobody has read it: also what it told already is told again. */
  readonly isUnread?: boolean
}

/**
 * Plans again, once, what a task took in and did not come to tell before it ended: whoever ended it knew nothing
 * of that.
 */
export async function returnMerged(
  tx: Tx,
  { key, crm, reason, isUnread = false }: EndedTask,
  now: Date,
): Promise<void> {
  const result = await sql`with lost as (
      update task_amendment set state = 'refused', reason = ${reason}
      where task_key = ${key} and state = 'planned' returning intent_key)
    update task_intent set state = 'planned', merged_into = null, owner_id = null,
      assigned_by = null, assigned_at = null, returned_at = ${now}
    where merged_into = ${key} and state = 'merged' and returned_at is null
      and (${isUnread}::boolean or key in (select intent_key from lost))`.execute(tx)
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}
