import { sql } from 'kysely'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { Unassigned } from './assign-intent.ts'
import type { TaskEpisode } from './gone-reasons.ts'
import type { PlannedTask } from './planned-task.ts'
import type { SettledIntent } from './settle-intent.ts'

/** A task that is planned, or was on its way to the CRM when somebody looked last. */
export interface Intent extends SettledIntent, TaskEpisode, Unassigned {
  readonly ownerId: string | null
  readonly assignedAt: Date | null
  /** Of the note that is made in its place. */
  readonly dealId: string | null
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
    .where('state', 'in', ['planned', 'creating', 'noting'])
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
    dealId: row.deal_id,
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
