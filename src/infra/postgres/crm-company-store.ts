import { sql } from 'kysely'
import type { CrmCompany } from '../../core/identity/accounts.ts'
import type { Db, Tx } from './database.ts'

/** The company that a CRM itself has a contact of ours under. */
export interface SeenCompany {
  readonly ref: string
  readonly companyId: string | null
  readonly domain: string | null
}

/** Contacts in the CRM whose company was not looked at since `before`, a slice of them: CRM id by our id. */
export async function unseenCompanies(
  db: Db,
  crm: string,
  before: Date,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('crm_record as r')
    .leftJoin('crm_contact_company as c', (join) =>
      join.onRef('c.ref', '=', 'r.ref').onRef('c.crm', '=', 'r.crm'),
    )
    .select(['r.ref', 'r.crm_id'])
    .where('r.crm', '=', crm)
    .where('r.object', '=', 'contact')
    .where('r.crm_id', 'is not', null)
    .where('r.ref', '>', after)
    .where((e) => e.or([e('c.seen_at', 'is', null), e('c.seen_at', '<', before)]))
    .orderBy('r.ref')
    .limit(limit)
    .execute()
  return new Map(rows.flatMap(({ ref, crm_id }) => (crm_id === null ? [] : [[ref, crm_id]])))
}

/**
 * Notes what was seen. A company that only we put a contact under is not the CRM's own word and is left
 * out, or it would hold for good what was our guess.
 * @returns how many people may belong to another account by it.
 */
export async function storeSeenCompanies(
  tx: Tx,
  crm: string,
  seen: readonly SeenCompany[],
  at: Date,
): Promise<number> {
  if (seen.length === 0) return 0
  const table = sql`jsonb_to_recordset(${JSON.stringify(seen)}::jsonb)
    as n(ref text, "companyId" text, domain text)`
  const { rows } = await sql<{ ref: string }>`
    with before as (select c.* from crm_contact_company c
      where c.crm = ${crm} and c.ref = any(${seen.map(({ ref }) => ref)}::text[])),
    own as (
      select n.ref, case when o.own then n."companyId" end as company_id,
        case when o.own then n.domain end as domain, a.crm_id as ours
      from ${table} join crm_record r on r.crm = ${crm} and r.ref = n.ref
      left join before b on b.ref = n.ref
      left join crm_record a on a.crm = r.crm and a.ref = r.company_ref
      cross join lateral (select n."companyId" is distinct from r.company_linked
        or n."companyId" is not distinct from b.company_id as own) o),
    stored as (
      insert into crm_contact_company (ref, crm, company_id, domain, seen_at)
      select ref, ${crm}, company_id, domain, ${at} from own
      on conflict (ref, crm) do update set company_id = excluded.company_id, domain = excluded.domain,
        seen_at = excluded.seen_at)
    select own.ref from own left join before b on b.ref = own.ref
    where (own.company_id, own.domain) is distinct from (b.company_id, b.domain)
      and (own.company_id is distinct from own.ours or b.company_id is not null)`.execute(tx)
  return rows.length
}

/** By person id: the company that a CRM has her under. */
export async function readCrmCompanies(db: Db): Promise<ReadonlyMap<string, CrmCompany>> {
  const rows = await db
    .selectFrom('crm_contact_company as c')
    .leftJoin('crm_record as r', (join) =>
      join
        .onRef('r.crm', '=', 'c.crm')
        .onRef('r.crm_id', '=', 'c.company_id')
        .on('r.object', '=', 'company'),
    )
    .leftJoin('account as a', 'a.id', 'r.ref')
    .select(['c.ref', 'c.crm', 'c.domain', 'a.key as accountKey'])
    .where('c.company_id', 'is not', null)
    .orderBy('c.ref')
    .orderBy('c.crm', 'desc')
    .orderBy('r.ref', 'desc')
    .execute()
  return new Map(rows.map(({ ref, ...company }) => [ref, company]))
}
