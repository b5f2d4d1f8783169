import { type Selectable, sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { DesiredRecord, Properties } from '../../core/sync/desired-record.ts'
import type { Ledger } from '../../core/sync/ledger.ts'
import type { Db, Tx } from './database.ts'
import type { LeaseHolder } from './record-leases.ts'
import type { Tables } from './tables.ts'

export type RecordState = 'pending' | 'writing' | 'in-sync' | 'parked' | 'unlinked'

/** Code of a record that somebody else held in the CRM: it is pending, and the next run sends it. */
export const BUSY = 'BUSY'

/** True when records wait for somebody who held them. */
export async function hasBusy(db: Db, crm: string): Promise<boolean> {
  const row = await db
    .selectFrom('crm_record')
    .select('ref')
    .where('crm', '=', crm)
    .where(IS_OPEN)
    .where('code', '=', BUSY)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** What Postgres knows about one CRM record of ours. */
export interface CrmRecordRow {
  readonly ref: string
  readonly object: CrmObject
  readonly crmId: string | null
  readonly ownerId: string | null
  readonly mayCreate: boolean
  readonly lookup: {
    readonly emails: readonly string[]
    readonly domains: readonly string[]
    readonly thorough: boolean
  }
  readonly desired: Properties
  readonly onCreate: Properties
  /** What we know the record to say; null before the first write. */
  readonly written: Properties | null
  readonly state: RecordState
  readonly companyRef: string | null
  /** CRM id of the company that the contact is associated with. */
  readonly companyLinked: string | null
  /** We made the record in the CRM. */
  readonly created: boolean
  readonly onLeave: 'archive' | null
  /** Ids of the records that it might have been, when there were several. */
  readonly candidates: readonly string[] | null
  /** The CRM had it, and has it no more; nobody here took it away. */
  readonly deleted: boolean
  /** To be written before others. */
  readonly urgent: boolean
  /** Since when it waits, to the microsecond, as PostgreSQL writes it. */
  readonly changedAt: string
  readonly ledger: Ledger
  /** Another one after whatever was written or found there. */
  readonly turn: number
}

export interface WantedRecord extends DesiredRecord {
  readonly object: CrmObject
  readonly companyRef: string | null
}

/**
 * Takes records of one object that are open and that nobody is at work on: a slice of them. Whoever is to be called now goes first, then
 * what waits longest; where those of one company follow each other, their companies go in the order of names.
 */
export async function takeOpen(
  db: Db,
  holder: LeaseHolder,
  slice: OpenSlice,
): Promise<readonly CrmRecordRow[]> {
  const taken: CrmRecordRow[] = []
  for (;;) {
    const limit = slice.limit - taken.length
    const { rows, found } = await takeSome(db, holder, { ...slice, limit })
    taken.push(...rows)
    // Where somebody else was faster by a moment there are others: a slice is full while there are enough.
    if (found < limit || rows.length === limit) return taken
  }
}

async function takeSome(db: Db, { crm, id }: LeaseHolder, slice: OpenSlice) {
  const { after, limit, byCompany, pass } = slice
  const order = byCompany
    ? sql`not urgent, coalesce(company_ref, ''), ref`
    : sql`not urgent, changed_at, ref`
  const isAfter =
    after === null
      ? sql`true`
      : sql`(not urgent, coalesce(company_ref, ''), ref) > (${!after.urgent}, ${after.companyRef ?? ''}, ${after.ref})`
  // What another session is just taking or storing is passed over, and comes next time.
  const { rows } = await sql<Row & { is_taken: boolean }>`
    with open as (select r.*, r.changed_at::text as changed_text from crm_record r
        where r.crm = ${crm} and r.object = ${slice.object} and ${IS_OPEN} and ${isAfter}
          and ${slice.isHot ? IS_HOT : sql`true`} and not exists (select from crm_lease l
            where l.ref = r.ref and l.crm = r.crm and (l.holder <> ${id} or l.pass >= ${pass}))
        order by ${order} limit ${limit} for no key update skip locked),
      taken as (insert into crm_lease as l (ref, crm, holder, pass) select ref, ${crm}, ${id}, ${pass} from open
        on conflict (ref, crm) do update set pass = excluded.pass where l.holder = excluded.holder
        returning ref)
    select open.*, taken.ref is not null as is_taken from open left join taken using (ref)
    order by ${order}`.execute(db)
  return { found: rows.length, rows: rows.filter((row) => row.is_taken).map(toRow) }
}

export interface OpenSlice {
  readonly object: CrmObject
  /** The last record of the slice before, where those of one company follow each other; else null. */
  readonly after: Pick<CrmRecordRow, 'urgent' | 'companyRef' | 'ref'> | null
  readonly limit: number
  /** Those of one company follow each other; else by the time of their change. */
  readonly byCompany: boolean
  /** Those of who is qualified and that are due, alone. */
  readonly isHot: boolean
  /** In each pass of its holder a record is taken once. */
  readonly pass: number
}

/** How many records are open that nobody else is at work on. */
export async function countOpen(
  db: Db,
  { crm, id }: LeaseHolder,
  object: CrmObject,
  isHot: boolean,
): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from crm_record r
    where r.crm = ${crm} and r.object = ${object} and ${IS_OPEN} and ${isHot ? IS_HOT : sql`true`}
      and not exists (select from crm_lease l
        where l.ref = r.ref and l.crm = r.crm and l.holder <> ${id})`.execute(db)
  return rows[0]?.n ?? 0
}

/** In these words, so that PostgreSQL takes the index of the open ones. */
const IS_OPEN = sql<boolean>`state in ('pending', 'writing')`

/** Something has happened that is not in the CRM yet, and it is about who is qualified. */
const IS_HOT = sql<boolean>`exists (select from freshness f where f.ref = r.ref
  and f.crm = r.crm and f.qualified and f.due_since is not null)`

/** The records of these people or accounts, by our id. */
export async function recordsOf(
  db: Db | Tx,
  crm: string,
  refs: readonly string[],
): Promise<ReadonlyMap<string, CrmRecordRow>> {
  const rows = await db
    .selectFrom('crm_record')
    .selectAll()
    .select(CHANGED)
    .where('crm', '=', crm)
    .where(sql<boolean>`ref = any(${[...refs]}::text[])`)
    .execute()
  return new Map(rows.map((row) => [row.ref, toRow(row)]))
}

type Row = Selectable<Tables['crm_record']> & { readonly changed_text: string }

/** A `Date` would lose the microseconds by which records that were changed together are told apart. */
const CHANGED = sql<string>`changed_at::text`.as('changed_text')

function toRow(row: Row): CrmRecordRow {
  return {
    ref: row.ref,
    object: row.object,
    crmId: row.crm_id,
    ownerId: row.owner_id,
    mayCreate: row.may_create,
    lookup: row.lookup as CrmRecordRow['lookup'],
    desired: row.desired as Properties,
    onCreate: row.desired_on_create as Properties,
    written: row.written as Properties | null,
    state: row.state,
    companyRef: row.company_ref,
    companyLinked: row.company_linked,
    created: row.created,
    onLeave: row.on_leave,
    candidates: row.candidates,
    deleted: row.deleted_at !== null,
    urgent: row.urgent,
    changedAt: row.changed_text,
    ledger: row.ledger as Ledger,
    turn: row.turn,
  }
}

/**
 * Stores what records should say from now on; a parked record gets another try because it changed. Whom the
 * CRM deleted for good and who is not forgotten yet gets no record.
 */
export async function storeDesired(
  tx: Tx,
  crm: string,
  wanted: readonly WantedRecord[],
): Promise<void> {
  const rows = wanted.map((w) => ({
    ref: w.ref,
    object: w.object,
    may_create: w.mayCreate,
    lookup: { emails: w.emails, domains: w.domains, thorough: w.thorough },
    desired: w.properties,
    on_create: w.onCreate,
    company_ref: w.companyRef,
    on_leave: w.onLeave,
    urgent: w.urgent,
  }))
  await sql`insert into crm_record (ref, crm, object, may_create, lookup, desired, desired_on_create,
      company_ref, on_leave, urgent, state)
    select ref, ${crm}, object, may_create, lookup, desired, on_create, company_ref, on_leave, urgent,
      'pending'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(ref text, object text,
      may_create boolean, lookup jsonb, desired jsonb, on_create jsonb, company_ref text, on_leave text,
      urgent boolean)
    where not exists (select from crm_former f where f.ref = n.ref and f.erased)
    -- In one order, as outcomes are: two who store the same records then never wait for each other in a ring.
    order by ref
    on conflict (ref, crm) do update set may_create = excluded.may_create,
      lookup = excluded.lookup, desired = excluded.desired,
      desired_on_create = excluded.desired_on_create, company_ref = excluded.company_ref,
      on_leave = excluded.on_leave, urgent = excluded.urgent,
      state = case when crm_record.state = 'writing' then 'writing' else 'pending' end,
      reason = null, code = null, correlation_id = null, changed_at = now()`.execute(tx)
}

/** How one record stands after a look at the CRM or a write. */
export interface RecordUpdate {
  readonly ref: string
  /** What it was to say when we looked; if that has changed since, the record is pending again. */
  readonly desired: Properties
  readonly state: RecordState
  readonly crmId: string | null
  readonly ownerId: string | null
  readonly written: Properties | null
  readonly created: boolean
  readonly candidates: readonly string[] | null
  readonly reason: string | null
  readonly code: string | null
  readonly correlationId: string | null
  readonly ledger: Ledger
  /** When to look again with nothing else changed. */
  readonly dueAt: Date | null
  /** As it was when we looked; of a record that was looked at otherwise since, nothing is stored. Null stores anyway. */
  readonly turn: number | null
  /** The CRM has it no more. */
  readonly gone?: boolean
}

/** Outcomes of one statement: PostgreSQL takes 256 MB of JSON. */
const MOST_OUTCOMES = 5_000

/**
 * Stores outcomes, each at once.
 * @returns whose were stored.
 */
export async function storeOutcomes(
  db: Db | Tx,
  crm: string,
  updates: readonly RecordUpdate[],
): Promise<ReadonlySet<string>> {
  const stored = new Set<string>()
  for (let at = 0; at < updates.length; at += MOST_OUTCOMES) {
    const some = await storeSome(db, crm, updates.slice(at, at + MOST_OUTCOMES))
    for (const ref of some) stored.add(ref)
  }
  return stored
}

async function storeSome(
  db: Db | Tx,
  crm: string,
  updates: readonly RecordUpdate[],
): Promise<readonly string[]> {
  const refs = updates.map(({ ref }) => ref)
  const { rows } = await sql<{
    ref: string
  }>`with held as materialized (select h.ref from crm_record h
      where h.crm = ${crm} and h.ref = any(${refs}::text[]) order by h.ref for no key update)
    update crm_record r set
      -- A write in doubt stays in doubt, whatever is wanted by now: it is settled by reading first.
      state = case when n.state = 'writing' or r.desired = n.desired then n.state else 'pending' end, crm_id = n."crmId", owner_id = n."ownerId",
      written = n.written, reason = n.reason, code = n.code, correlation_id = n."correlationId",
      created = n.created, candidates = n.candidates, deleted_at = case when n."crmId" is not null then null
        when n.gone then now() else r.deleted_at end,
      ledger = n.ledger, due_at = n."dueAt", turn = r.turn + 1
    from jsonb_to_recordset(${JSON.stringify(updates)}::jsonb) as n(ref text, state text, "crmId" text,
      "ownerId" text, written jsonb, desired jsonb, reason text, code text, "correlationId" text,
      created boolean, candidates text[], gone boolean, ledger jsonb, "dueAt" timestamptz, turn bigint)
      join held using (ref)
    where r.crm = ${crm} and r.ref = n.ref and (n.turn is null or r.turn = n.turn)
    returning r.ref`.execute(db)
  return rows.map((row) => row.ref)
}
