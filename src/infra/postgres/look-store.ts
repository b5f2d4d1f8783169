import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

/** A CRM record of which something is due to be read. */
export interface DueLook {
  /** Id of the person or account. */
  readonly ref: string
  readonly object: CrmObject
  readonly crmId: string
}

/** One that has been qualified, or has had a task, of late, and since when. */
export interface DueQualified extends DueLook {
  readonly qualifiedAt: Date
}

interface Due {
  readonly crm: string
  /** What was looked at before this is due. */
  readonly before: Date
  readonly limit: number
}

/** Linked records whose deals were not read since, or under another id; longest ago first. */
export async function dueDealLooks(db: Db, due: Due): Promise<readonly DueLook[]> {
  const { rows } = await sql<DueLook>`
    select r.ref, r.object, r.crm_id as "crmId" from crm_record r
    left join crm_look l on l.ref = r.ref and l.crm = r.crm and l.what = 'deals'
    where r.crm = ${due.crm} and r.crm_id is not null
      and (l.ref is null or l.crm_id <> r.crm_id or l.looked_at <= ${due.before})
    order by l.looked_at nulls first, r.ref limit ${due.limit}`.execute(db)
  return rows
}

/** The same of engagements, of those whom one of these models has qualified since, and of those with a task: one for each instant. */
export async function dueEngagementLooks(
  db: Db,
  due: Due & { readonly models: readonly string[]; readonly qualifiedSince: Date },
): Promise<readonly DueQualified[]> {
  const { rows } = await sql<DueQualified>`
    select r.ref, r.object, r.crm_id as "crmId", s.since as "qualifiedAt"
    from crm_record r
    join (select subject_id as ref, max(qualified_at) as since from score
        where model = any(${[...due.models]}::text[]) and qualified_at > ${due.qualifiedSince}
        group by 1
      union select ref, t.qualified_at from task_intent t, unnest(array[t.account_ref, t.person_ref]) ref
        where t.crm = ${due.crm} and t.state in ('planned', 'creating', 'created')
          and t.qualified_at > ${due.qualifiedSince}) s on s.ref = r.ref
    left join crm_look l on l.ref = r.ref and l.crm = r.crm and l.what = 'engagements'
    where r.crm = ${due.crm} and r.crm_id is not null
      and (l.ref is null or l.crm_id <> r.crm_id or l.looked_at <= ${due.before})
    order by l.looked_at nulls first, r.ref, s.since limit ${due.limit}`.execute(db)
  return rows
}

/** Notes that records were looked at. */
export async function noteLooks(
  tx: Tx,
  crm: string,
  what: 'deals' | 'engagements',
  looks: readonly DueLook[],
  at: Date,
): Promise<void> {
  await sql`insert into crm_look (ref, crm, what, crm_id, looked_at)
    select distinct on (ref) ref, ${crm}, ${what}, "crmId", ${at}
    from jsonb_to_recordset(${JSON.stringify(looks)}::jsonb) as n(ref text, "crmId" text)
    on conflict (ref, crm, what) do update set crm_id = excluded.crm_id,
      looked_at = excluded.looked_at`.execute(tx)
}

/** Reads the deals of these records at once: of those that these deals belong to, and of those by their own ids. */
export async function lookAtDeals(
  tx: Tx,
  crm: string,
  dealIds: readonly string[],
  crmIds: readonly string[],
): Promise<void> {
  const result = await sql`update crm_look l set looked_at = to_timestamp(0) from crm_record r
    where l.crm = ${crm} and l.what = 'deals' and r.crm = l.crm and r.ref = l.ref
      and (r.crm_id = any(${[...crmIds]}::text[]) or exists (select from crm_deal_record d
        where d.crm = l.crm and d.ref = l.ref and d.deal_id = any(${[...dealIds]}::text[])))`.execute(
    tx,
  )
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}

/** Reads these tasks at once, as far as they are ours and open. */
export async function lookAtTasks(tx: Tx, crm: string, taskIds: readonly string[]): Promise<void> {
  const result = await sql`update task_intent set read_at = null
    where crm = ${crm} and state in ('created', 'closing')
      and crm_task_id = any(${[...taskIds]}::text[])`.execute(tx)
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}

/** Reads everybody's deals at once: nobody says whose have changed. */
export async function lookAtAllDeals(tx: Tx, crm: string): Promise<void> {
  const result = await sql`update crm_look set looked_at = to_timestamp(0)
    where crm = ${crm} and what = 'deals'`.execute(tx)
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}

/** Reads all open tasks of ours at once. */
export async function lookAtAllTasks(tx: Tx, crm: string): Promise<void> {
  const result = await sql`update task_intent set read_at = null
    where crm = ${crm} and state in ('created', 'closing')`.execute(tx)
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}

/** Which of these have deals, as far as we have read. */
export async function havingDeals(
  db: Db,
  crm: string,
  refs: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ ref: string }>`select distinct ref from crm_deal_record
    where crm = ${crm} and ref = any(${[...refs]}::text[])`.execute(db)
  return new Set(rows.map(({ ref }) => ref))
}
