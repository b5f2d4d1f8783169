import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

/** What playbooks asked for and did not come to be. */
export interface ParkedTask {
  /** Id of the person or account. */
  readonly ref: string
  readonly crm: string
  /** A task or a line of one that the CRM refused, or a start whose texts do not render. */
  readonly object: 'task' | 'line' | 'playbook'
  /** Of the task, where there is one. */
  readonly crmId: string | null
  readonly names: readonly string[]
  readonly property: null
  readonly reason: string | null
  readonly code: null
  readonly correlationId: null
  readonly since: Date
}

/** Lines of what is over are no use to anybody, and an escalation that somebody has forestalled is none. */
const REFUSED_LINES = sql`task_amendment a join task_intent t on t.key = a.task_key
  where a.state = 'refused' and t.state in ('created', 'noted')
    and a.reason is distinct from 'somebody has touched the task'`

/** All of playbooks that is parked, longest first. */
export async function readParkedTasks(db: Db, crm: string | null): Promise<readonly ParkedTask[]> {
  const ofCrm = crm === null ? sql`true` : sql`crm = ${crm}`
  const { rows } = await sql<ParkedTask>`
    select ref, crm, object, "crmId", array[name] as names, null as property, reason,
      null as code, null as "correlationId", since
    from (select coalesce(person_ref, account_ref) as ref, crm, 'task' as object, crm_task_id as "crmId",
        task ->> 'subject' as name, reason, created_at as since
      from task_intent where state = 'parked' and refused
    union all
      select coalesce(t.person_ref, t.account_ref), t.crm, 'line', t.crm_task_id, t.task ->> 'subject',
        a.reason, a.created_at
      from ${REFUSED_LINES}
    union all
      select subject_id, crm, 'playbook', null, playbook, parked, started_at
      from playbook_start where parked is not null) parked
    where ${ofCrm} order by since, ref`.execute(db)
  return rows
}

/**
 * Gives all of it another try.
 * @returns how much it is.
 */
export async function retryParkedTasks(tx: Tx, crm: string): Promise<number> {
  const tasks = await sql`update task_intent set state = 'planned', refused = false, reason = null,
      owner_id = null, assigned_by = null, assigned_at = null
    where crm = ${crm} and state = 'parked' and refused`.execute(tx)
  const lines = await sql`update task_amendment set state = 'planned', reason = null
    where (task_key, id) in (select a.task_key, a.id from ${REFUSED_LINES} and t.crm = ${crm})`.execute(
    tx,
  )
  // It starts again where its evidence is fresh still.
  const starts = await sql`delete from playbook_start
    where crm = ${crm} and parked is not null`.execute(tx)
  const counts = [tasks, lines, starts].map((one) => Number(one.numAffectedRows ?? 0))
  if ((counts[2] ?? 0) > 0) await requestWork(tx, 'desire', 'all')
  return counts.reduce((sum, n) => sum + n, 0)
}
