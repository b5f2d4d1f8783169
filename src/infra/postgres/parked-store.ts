import { type RawBuilder, sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** A record, or a property of one, that waits for a person. */
export interface ParkedEntry {
  /** Id of the person or account. */
  readonly ref: string
  readonly crm: string
  readonly object: CrmObject
  readonly crmId: string | null
  /** E-mail addresses or domains that it is looked for by. */
  readonly names: readonly string[]
  /** Null when the whole record is parked. */
  readonly property: string | null
  /** In the CRM's own words where it refused the record. */
  readonly reason: string | null
  readonly code: string | null
  readonly correlationId: string | null
  readonly since: Date
}

/** Why a property is parked. */
const FIGHT =
  'somebody else put another value back after three writes within an hour; end that, or leave the property to them'

/** All that is parked, longest first. */
export async function readParked(db: Db, crm: string | null): Promise<readonly ParkedEntry[]> {
  const ofCrm = crm === null ? sql`true` : sql`r.crm = ${crm}`
  const { rows } = await sql<ParkedEntry & { lookup: Lookup }>`
    select ref, crm, object, crm_id as "crmId", lookup, null as property, reason, code,
      correlation_id as "correlationId", changed_at as since
    from crm_record r where state = 'parked' and ${ofCrm}
    union all
    select r.ref, r.crm, r.object, r.crm_id, r.lookup, f.key, ${FIGHT}, 'FIGHT', null,
      to_timestamp((f.value ->> 'parked')::float8 / 1000)
    from crm_record r, jsonb_each(r.ledger) f
    where r.has_parked and f.value ? 'parked' and ${ofCrm}
    order by since, ref, property nulls first`.execute(db)
  return rows.map(({ lookup, ...row }) => ({
    ...row,
    names: [...(lookup.emails ?? []), ...(lookup.domains ?? [])],
  }))
}

interface Lookup {
  readonly emails?: readonly string[]
  readonly domains?: readonly string[]
}

/** How many properties of records are parked, by CRM. */
export async function countParkedFields(db: Db): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ crm: string; n: number }>`
    select r.crm, count(*) as n from crm_record r, jsonb_each(r.ledger) f
    where r.has_parked and f.value ? 'parked' group by r.crm`.execute(db)
  return new Map(rows.map(({ crm, n }) => [crm, Number(n)]))
}

/**
 * Gives all that is parked another try.
 * @returns how many records.
 */
export async function retryParked(db: Db | Tx, crm: string): Promise<number> {
  const result = await sql`update crm_record r set ${RETRIED}
    where r.crm = ${crm} and (r.state = 'parked' or r.has_parked)`.execute(db)
  return Number(result.numAffectedRows ?? 0)
}

/** What was in doubt stays so; rounds are counted anew. */
const RETRIED: RawBuilder<unknown> = sql`
  state = case when r.state = 'writing' then 'writing' else 'pending' end, turn = r.turn + 1,
  reason = null, code = null, correlation_id = null,
  ledger = coalesce((select jsonb_object_agg(f.key, f.value - 'parked' - 'rounds')
    from jsonb_each(r.ledger) f), '{}')`

/**
 * Has the records of an object held against its rules anew when those are others than before: what was parked,
 * what waited and what was left alone may be written by them.
 * @returns how many records.
 */
export async function takeRules(
  db: Db,
  {
    crm,
    object,
    hash,
  }: { readonly crm: string; readonly object: CrmObject; readonly hash: string },
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql`insert into crm_rules as k (crm, object, hash)
      values (${crm}, ${object}, ${hash})
      on conflict (crm, object) do update set hash = excluded.hash where k.hash <> excluded.hash
      returning k.crm`.execute(tx)
    if (rows.length === 0) return 0
    const result = await sql`update crm_record r set ${RETRIED}
      where r.crm = ${crm} and r.object = ${object} and r.state in ('in-sync', 'parked')`.execute(
      tx,
    )
    return Number(result.numAffectedRows ?? 0)
  })
}

/** True when something that waited is to be written now. */
export async function hasDueHolds(db: Db, crm: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('crm_record')
    .select('ref')
    .where('crm', '=', crm)
    .where('state', '=', 'in-sync')
    .where('due_at', '<=', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Opens the records of which something waited until now. */
export async function openDueHolds(db: Db, crm: string, now: Date): Promise<void> {
  await sql`update crm_record set state = 'pending', due_at = null
    where crm = ${crm} and state = 'in-sync' and due_at <= ${now}`.execute(db)
}
