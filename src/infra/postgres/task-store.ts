import type { Updateable } from 'kysely'
import type { CrmTask } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'
import type { Tables, TaskState } from './tables.ts'

/** The baseline of a task that a person has touched, or that we know too little of: it is never closed. */
export const TOUCHED_BASELINE = 'touched'

/** A task of ours that is open in the CRM, or in the middle of being closed. */
export interface FollowedTask {
  readonly key: string
  readonly accountRef: string
  readonly qualifiedAt: Date | null
  readonly state: TaskState
  readonly taskId: string
  readonly baseline: string | null
  readonly note: string | null
  readonly readAt: Date | null
  /** What was asked for. */
  readonly asked: Omit<CrmTask, 'companyId' | 'contactIds'>
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
  return rows.map((row) => ({
    key: row.key,
    accountRef: row.account_ref,
    qualifiedAt: row.qualified_at,
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
  }))
}

export async function changeTask(db: Db | Tx, key: string, change: TaskChange): Promise<void> {
  await db.updateTable('task_intent').set(change).where('key', '=', key).execute()
}
