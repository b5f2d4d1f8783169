import { type Selectable, sql, type Updateable } from 'kysely'
import type { StoryMark } from '../../core/playbook/material-change.ts'
import type { CrmTask, CrmTaskStatus } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'
import type { Tables, TaskState } from './tables.ts'

/** The baseline of a task that a person has touched, or that we know too little of: it is never closed. */
export const TOUCHED_BASELINE = 'touched'

/** A task of ours that is open in the CRM, or in the middle of being closed. */
export interface FollowedTask {
  readonly key: string
  readonly crm: string
  readonly playbook: string
  /** The segment of its playbook. */
  readonly segment: string
  readonly accountRef: string
  /** Null where it is about the account. */
  readonly personRef: string | null
  readonly qualifiedAt: Date | null
  readonly state: TaskState
  readonly taskId: string
  readonly baseline: string | null
  readonly note: string | null
  readonly readAt: Date | null
  /** What was asked for. */
  readonly asked: Omit<CrmTask, 'companyId' | 'contactIds'>
  /** When sales spoke to somebody of the account after the trigger; null while nobody did. */
  readonly contactAt: Date | null
  /** As it was read last; null before that. */
  readonly status: CrmTaskStatus | null
  /** What its reader knows of the score; null in those that an earlier version planned. */
  readonly told: StoryMark | null
  readonly escalatedAt: Date | null
}

export type TaskChange = Updateable<Tables['task_intent']>

/** Tasks that are open in a CRM, oldest first. */
export async function readFollowed(db: Db, crm: string): Promise<readonly FollowedTask[]> {
  const rows = await db
    .selectFrom('task_intent')
    .selectAll()
    .where('crm', '=', crm)
    .where('state', 'in', ['created', 'closing'])
    .where('crm_task_id', 'is not', null)
    .orderBy('created_at')
    .orderBy('key')
    .execute()
  return rows.map(toFollowed)
}

/** Notes of a CRM that were made since an instant, on deals that are open still. */
export async function readNoted(
  db: Db,
  crm: string,
  since: Date,
): Promise<readonly FollowedTask[]> {
  const rows = await db
    .selectFrom('task_intent as t')
    .selectAll('t')
    .where('t.crm', '=', crm)
    .where('t.state', '=', 'noted')
    .where('t.created_at', '>=', since)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('crm_deal as d')
          .select('d.deal_id')
          .whereRef('d.deal_id', '=', 't.deal_id')
          .whereRef('d.crm', '=', 't.crm')
          .where('d.state', '=', 'open'),
      ),
    )
    .orderBy('t.created_at')
    .orderBy('t.key')
    .execute()
  return rows.map(toFollowed)
}

function toFollowed(row: Selectable<Tables['task_intent']>): FollowedTask {
  return {
    key: row.key,
    crm: row.crm,
    playbook: row.playbook,
    segment: (row.task as { segment?: string }).segment ?? 'all',
    accountRef: row.account_ref,
    personRef: row.person_ref,
    qualifiedAt: row.qualified_at,
    contactAt: row.contact_at,
    status: row.status,
    told: row.told as StoryMark | null,
    escalatedAt: row.escalated_at,
    state: row.state,
    taskId: row.crm_task_id ?? '',
    baseline: row.baseline,
    note: row.note,
    readAt: row.read_at,
    asked: {
      ...(row.task as Omit<CrmTask, 'marker' | 'ownerId'>),
      marker: row.marker,
      ownerId: row.owner_id,
    },
  }
}

export async function changeTask(db: Db | Tx, key: string, change: TaskChange): Promise<void> {
  await db.updateTable('task_intent').set(change).where('key', '=', key).execute()
}

/** A task that was given to somebody. */
export interface GivenTask {
  readonly accountRef: string
  readonly ownerId: string
  readonly isOpen: boolean
  readonly assignedAt: Date | null
}

/** Open in the CRM, or given to somebody and about to be: the next one is given before the call of this one is made. */
const IS_OPEN = sql<boolean>`(state in ('creating', 'created', 'closing')
  or (state = 'planned' and assigned_at is not null))`

/** Tasks of a CRM that are open, and those that were given since an instant. */
export async function readGiven(db: Db, crm: string, since: Date): Promise<readonly GivenTask[]> {
  const { rows } = await sql<GivenTask>`
    select account_ref as "accountRef", owner_id as "ownerId", assigned_at as "assignedAt",
      ${IS_OPEN} as "isOpen"
    from task_intent where crm = ${crm} and owner_id is not null
      and (${IS_OPEN} or assigned_at >= ${since})
      and state not in ('merged', 'noting', 'noted')
    order by created_at, key`.execute(db)
  return rows
}

/** Notes whose a task is, and what it asks of her. */
export async function assignIntent(
  tx: Tx,
  key: string,
  to: { readonly ownerId: string | null; readonly by: string; readonly task: unknown },
  now: Date,
): Promise<void> {
  await tx
    .updateTable('task_intent')
    .set({
      owner_id: to.ownerId,
      assigned_by: to.by,
      assigned_at: now,
      task: JSON.stringify(to.task),
    })
    .where('key', '=', key)
    .execute()
}

/** The key of the task that is open for an account and owner; null without one. */
export async function openTaskOf(
  db: Db,
  crm: string,
  accountRef: string,
  ownerId: string | null,
): Promise<string | null> {
  const { rows } = await sql<{ key: string }>`select key from task_intent
    where crm = ${crm} and account_ref = ${accountRef} and state = 'created'
      and owner_id is not distinct from ${ownerId}
    order by created_at, key limit 1`.execute(db)
  return rows[0]?.key ?? null
}

/** The key of the newest note on a deal of an account that was made since an instant; null without one. */
export async function noteOf(
  db: Db,
  crm: string,
  on: { readonly accountRef: string; readonly dealId: string; readonly since: Date },
): Promise<string | null> {
  const { rows } = await sql<{ key: string }>`select key from task_intent
    where crm = ${crm} and account_ref = ${on.accountRef} and state = 'noted'
      and deal_id = ${on.dealId} and created_at >= ${on.since}
    order by created_at desc, key limit 1`.execute(db)
  return rows[0]?.key ?? null
}

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
    await addAmendment(tx, into, { kind: 'reason', note, personRefs })
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
}

export async function addAmendment(
  tx: Tx,
  taskKey: string,
  { kind, note, personRefs = [], ownerId = null, priority = null }: NewAmendment,
): Promise<void> {
  await sql`insert into task_amendment (task_key, kind, note, person_refs, owner_id, priority)
    values (${taskKey}, ${kind}, ${note}, ${[...personRefs]}::text[], ${ownerId}, ${priority})`.execute(
    tx,
  )
}

/** What is to be added to an open task next: one line at a time. */
export interface OpenAmendment extends Required<NewAmendment> {
  readonly id: number
  readonly taskKey: string
  /** The CRM's id of the task or note. */
  readonly taskId: string
}

/** The oldest amendment of each task that is open in a CRM, or of each note. */
export async function nextAmendments(
  db: Db,
  crm: string,
  of: 'tasks' | 'notes' = 'tasks',
): Promise<readonly OpenAmendment[]> {
  const isOf =
    of === 'notes' ? sql`t.state = 'noted'` : sql`t.state = 'created' and t.baseline is not null`
  const { rows } = await sql<OpenAmendment>`select distinct on (a.task_key) a.task_key as "taskKey",
      a.id, a.kind, a.note, a.person_refs as "personRefs", a.owner_id as "ownerId", a.priority,
      t.crm_task_id as "taskId"
    from task_amendment a join task_intent t on t.key = a.task_key
    where t.crm = ${crm} and ${isOf} and a.state = 'planned'
    order by a.task_key, a.id`.execute(db)
  return rows
}

/** Notes what became of an amendment, and how the task is now. */
export async function settleAmendment(
  db: Db,
  { taskKey, id }: Pick<OpenAmendment, 'taskKey' | 'id'>,
  outcome: { readonly state: 'done' | 'refused'; readonly reason?: string },
  task: TaskChange,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('task_amendment')
      .set({ state: outcome.state, reason: outcome.reason ?? null })
      .where('task_key', '=', taskKey)
      .where('id', '=', id)
      .execute()
    if (Object.keys(task).length > 0) {
      await tx.updateTable('task_intent').set(task).where('key', '=', taskKey).execute()
    }
  })
}

/**
 * Notes when sales spoke first after the trigger of each task: by what was logged, else by the task that
 * was done. What was logged late is earlier.
 */
export async function noteContacts(db: Db, crm: string): Promise<void> {
  await sql`update task_intent t set contact_at = f.at, contact_by = f.kind
    from (select distinct on (t.key) t.key, f.at, f.kind from task_intent t
      join first_contact f on f.crm = t.crm and f.ref in (t.account_ref, t.person_ref)
        and f.at >= t.qualified_at
      where t.crm = ${crm} order by t.key, f.at) f
    where t.key = f.key and (t.contact_by is null or t.contact_by = 'completion' or t.contact_at > f.at)`.execute(
    db,
  )
  await sql`update task_intent set contact_at = completed_at, contact_by = 'completion'
    where crm = ${crm} and state = 'done' and completed_at is not null and contact_at is null`.execute(
    db,
  )
}
