import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** A CRM record of which something is due to be read. */
export interface DueLook {
  /** Id of the person or account. */
  readonly ref: string
  readonly object: CrmObject
  readonly crmId: string
}

/** One that has been qualified of late, and since when. */
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

/** The same of engagements, of those whom one of these models has qualified since. */
export async function dueEngagementLooks(
  db: Db,
  due: Due & { readonly models: readonly string[]; readonly qualifiedSince: Date },
): Promise<readonly DueQualified[]> {
  const { rows } = await sql<DueQualified>`
    select r.ref, r.object, r.crm_id as "crmId", max(s.qualified_at) as "qualifiedAt"
    from crm_record r
    join score s on s.subject_id = r.ref and s.model = any(${[...due.models]}::text[])
      and s.qualified_at > ${due.qualifiedSince}
    left join crm_look l on l.ref = r.ref and l.crm = r.crm and l.what = 'engagements'
    where r.crm = ${due.crm} and r.crm_id is not null
      and (l.ref is null or l.crm_id <> r.crm_id or l.looked_at <= ${due.before})
    group by r.ref, r.object, r.crm_id, l.looked_at
    order by l.looked_at nulls first, r.ref limit ${due.limit}`.execute(db)
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
    select ref, ${crm}, ${what}, "crmId", ${at}
    from jsonb_to_recordset(${JSON.stringify(looks)}::jsonb) as n(ref text, "crmId" text)
    on conflict (ref, crm, what) do update set crm_id = excluded.crm_id,
      looked_at = excluded.looked_at`.execute(tx)
}
