import { sql } from 'kysely'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { Unassigned } from './assign-intent.ts'
import type { TaskEpisode } from './gone-reasons.ts'
import type { PlannedTask } from './planned-task.ts'

/** A task that is planned, or was on its way to the CRM when somebody looked last. */
export interface Intent extends TaskEpisode, Unassigned {
  readonly marker: string
  readonly state: string
  readonly ownerId: string | null
  readonly assignedAt: Date | null
  readonly settleAfter: Date | null
}

/**
 * Whose tasks: all; those of accounts whose record was read, since sales may have said no on others; or of those the ones whose people
 * and company are in the CRM already, or will not be.
 */
export type WhoseTasks = 'all' | 'read' | 'there'

/** Tasks that are not in the CRM yet, oldest first. */
export async function openIntents(db: Db, crm: string, whose: WhoseTasks): Promise<Intent[]> {
  const rows = await db
    .selectFrom('task_intent')
    .selectAll()
    .where('crm', '=', crm)
    .where('state', 'in', ['planned', 'creating'])
    .$if(whose !== 'all', (q) => q.where(IS_READ))
    .$if(whose === 'there', (q) => q.where(IS_THERE))
    .orderBy('created_at')
    .orderBy('key')
    .execute()
  return rows.map((row) => ({
    key: row.key,
    crm: row.crm,
    playbook: row.playbook,
    accountRef: row.account_ref,
    personRef: row.person_ref,
    segment: (row.task as PlannedTask).segment ?? 'all',
    ownerId: row.owner_id,
    assignedAt: row.assigned_at,
    qualifiedAt: row.qualified_at,
    marker: row.marker,
    state: row.state,
    task: row.task as PlannedTask,
    settleAfter: row.settle_after,
    createdAt: row.created_at,
  }))
}

const IS_READ = sql<boolean>`exists (select from crm_read r
  where r.ref = account_ref and r.crm = task_intent.crm)`

const IS_THERE = sql<boolean>`not exists (select from crm_record r where r.crm = task_intent.crm
  and (r.ref = account_ref or r.ref in (select jsonb_array_elements_text(task -> 'personRefs')))
  and r.crm_id is null and r.state in ('pending', 'writing'))`

/** Notes how a task stands. */
export async function setState(
  db: Db,
  intent: Intent,
  state: 'planned' | 'creating' | 'created' | 'parked',
  more: { taskId?: string; reason?: string; settleAfter?: Date; ownerId?: string | null },
): Promise<void> {
  await db
    .updateTable('task_intent')
    .set({
      state,
      crm_task_id: more.taskId ?? null,
      reason: more.reason ?? null,
      settle_after: more.settleAfter ?? null,
      ...(more.ownerId === undefined ? {} : { owner_id: more.ownerId }),
    })
    .where('key', '=', intent.key)
    .execute()
}
