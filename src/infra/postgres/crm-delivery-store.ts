import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import { knownAccount, noteAccount } from './crm-account-store.ts'
import type { Db, Tx } from './database.ts'

export interface Delivery {
  readonly id: number
  readonly body: string
}

/** How long what was taken is kept, for a person who wants to see what came. */
const KEEP_TAKEN = '3 days'

/** Stores what a CRM told, as it came. */
export async function storeDelivery(db: Db | Tx, crm: string, body: string): Promise<number> {
  // NUL is no text for PostgreSQL, nor has it a place in JSON.
  const values = { crm, body: body.replaceAll('\0', '') }
  const row = await db
    .insertInto('crm_delivery')
    .values(values)
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

/** What nobody has taken yet, oldest first. */
export async function openDeliveries(
  db: Db,
  crm: string,
  limit: number,
): Promise<readonly Delivery[]> {
  return db
    .selectFrom('crm_delivery')
    .select(['id', 'body'])
    .where('crm', '=', crm)
    .where('taken_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function noteTaken(tx: Tx, deliveries: readonly Delivery[]): Promise<void> {
  const ids = deliveries.map(({ id }) => id)
  await sql`update crm_delivery set taken_at = now() where id = any(${ids}::bigint[])`.execute(tx)
}

/** Removes what was taken long enough ago. */
export async function dropTaken(db: Db): Promise<void> {
  await sql`delete from crm_delivery
    where taken_at < now() - ${KEEP_TAKEN}::interval`.execute(db)
}

/**
 * The CRM's id of the account that this database belongs to; asked for once.
 * @param ask is called when it is not known yet.
 */
export async function accountOf(db: Db, crm: string, ask: () => Promise<string>): Promise<string> {
  const known = await knownAccount(db, crm)
  if (known !== null) return known
  const id = await ask()
  await noteAccount(db, crm, id)
  return id
}

/** A record that the CRM holds of somebody whose other record it deleted for good. */
export interface LeftBehind {
  readonly personId: string
  readonly crm: string
  readonly object: CrmObject
  readonly id: string
}

/**
 * Lets go of the records that a CRM deleted for good: nobody may look for them, or make them again.
 * @returns those that were made or found under other ids meanwhile, and that the CRM still has.
 */
export async function dropErased(
  tx: Tx,
  { crm, object }: { readonly crm: string; readonly object: CrmObject },
  crmIds: readonly string[],
): Promise<readonly LeftBehind[]> {
  const ids = sql`any(${[...crmIds]}::text[])`
  await sql`insert into crm_former as f (crm, object, crm_id, ref, erased)
    select crm, object, crm_id, ref, true from crm_record
    where crm = ${crm} and object = ${object} and crm_id = ${ids}
    on conflict (crm, object, crm_id, ref) do update set erased = true`.execute(tx)
  await sql`update crm_former set erased = true
    where crm = ${crm} and object = ${object} and crm_id = ${ids}`.execute(tx)
  const refs = sql`(select ref from crm_former where crm = ${crm} and erased)`
  const { rows } = await sql<LeftBehind>`with gone as (delete from crm_record
      where crm = ${crm} and ref in ${refs} returning ref, crm, object, crm_id)
    select coalesce(a.person_id, g.ref) as "personId", g.crm, g.object, g.crm_id as id
    from gone g left join person_alias a on a.id = g.ref
    where g.crm_id is not null and not g.crm_id = ${ids}`.execute(tx)
  await sql`delete from crm_read where crm = ${crm} and ref in ${refs}`.execute(tx)
  // Of a record that was merged just before, we may not have heard yet.
  await sql`insert into crm_former (crm, object, crm_id, ref, erased)
    select ${crm}, ${object}, unnest(${[...crmIds]}::text[]), '', true
    on conflict do nothing`.execute(tx)
  return rows
}

/** Remembers under which id a record is said to lie since it was merged. */
export async function noteMergers(
  tx: Tx,
  { crm, object }: { readonly crm: string; readonly object: CrmObject },
  mergers: readonly { readonly crmId: string; readonly mergedInto: string }[],
): Promise<void> {
  if (mergers.length === 0) return
  await sql`insert into crm_former (crm, object, crm_id, ref)
    select distinct ${crm}, ${object}, n."mergedInto", t.ref
    from jsonb_to_recordset(${JSON.stringify(mergers)}::jsonb) as n("crmId" text, "mergedInto" text)
    join (select crm, object, crm_id, ref from crm_record
      union select crm, object, crm_id, ref from crm_former where ref <> '') t
      on t.crm = ${crm} and t.object = ${object} and t.crm_id = n."crmId"
    where n."mergedInto" <> n."crmId"
    on conflict do nothing`.execute(tx)
}

/** Which of these records a CRM is known to have deleted for good. */
export async function erasedAmong(
  tx: Tx,
  { crm, object }: { readonly crm: string; readonly object: CrmObject },
  crmIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('crm_former')
    .select('crm_id')
    .where('crm', '=', crm)
    .where('object', '=', object)
    .where('erased', '=', true)
    .where(sql<boolean>`crm_id = any(${[...crmIds]}::text[])`)
    .execute()
  return new Set(rows.map((row) => row.crm_id))
}

/** Nodes of the identity graph of the people behind these records, by person. */
export async function nodesBehind(
  tx: Tx,
  { crm, object }: { readonly crm: string; readonly object: CrmObject },
  crmIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const ids = sql`any(${[...crmIds]}::text[])`
  const { rows } = await sql<{ personId: string; nodes: string[] }>`
    with told as (
      select ref from crm_record where crm = ${crm} and object = ${object} and crm_id = ${ids}
      union select ref from crm_former where crm = ${crm} and object = ${object} and crm_id = ${ids}),
    people as (select coalesce(a.person_id, t.ref) as id from told t left join person_alias a on a.id = t.ref)
    select n.person_id as "personId", array_agg(n.node) as nodes from identity_node n
    where n.person_id in (select id from people) group by n.person_id`.execute(tx)
  return new Map(rows.map(({ personId, nodes }) => [personId, nodes]))
}
