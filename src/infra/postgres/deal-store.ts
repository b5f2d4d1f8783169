import { type RawBuilder, sql } from 'kysely'
import type { CrmDeal, CrmDealState } from '../../core/ports/crm.ts'
import type { FactDeal } from '../../core/scoring/deal-facts.ts'
import type { Db, Tx } from './database.ts'

/** A deal, and the people and accounts of ours that it belongs to. */
export interface SeenDeal {
  readonly deal: CrmDeal
  readonly refs: readonly string[]
}

/**
 * Stores what was seen of the deals of some records: their values, every stage that they have been in, and
 * whose they are. A deal that one of these records has no more is its no more.
 */
export async function storeDeals(
  tx: Tx,
  crm: string,
  refs: readonly string[],
  seen: readonly SeenDeal[],
  at: Date,
): Promise<void> {
  const deals = seen.map(({ deal }) => ({ ...deal, ...nowOf(deal) }))
  await sql`insert into crm_deal (deal_id, crm, name, pipeline, stage, label, state, stage_since,
      state_since, amount, currency, owner_id, created_at, close_at, seen_at)
    select id, ${crm}, name, pipeline, stage, label, state, "stageSince", "stateSince", amount,
      currency, "ownerId", "createdAt", "closeAt", ${at}
    from jsonb_to_recordset(${JSON.stringify(deals)}::jsonb) as n(id text, name text, pipeline text,
      stage text, label text, state text, "stageSince" timestamptz, "stateSince" timestamptz,
      amount numeric, currency text, "ownerId" text, "createdAt" timestamptz, "closeAt" timestamptz)
    on conflict (deal_id, crm) do update set name = excluded.name, pipeline = excluded.pipeline,
      stage = excluded.stage, label = excluded.label, state = excluded.state,
      stage_since = excluded.stage_since, state_since = excluded.state_since,
      amount = excluded.amount, currency = excluded.currency, owner_id = excluded.owner_id,
      created_at = excluded.created_at, close_at = excluded.close_at,
      seen_at = excluded.seen_at`.execute(tx)
  const stages = seen.flatMap(({ deal }) => deal.stages.map((stage) => ({ id: deal.id, ...stage })))
  await sql`insert into crm_deal_stage (deal_id, crm, at, pipeline, stage, label, state)
    select distinct on (id, at, stage) id, ${crm}, at, pipeline, stage, label, state
    from jsonb_to_recordset(${JSON.stringify(stages)}::jsonb)
      as n(id text, at timestamptz, pipeline text, stage text, label text, state text)
    on conflict do nothing`.execute(tx)
  const links = seen.flatMap(({ deal, refs: own }) => own.map((ref) => ({ ref, id: deal.id })))
  const table = sql`jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as n(ref text, id text)`
  await sql`delete from crm_deal_record r where r.crm = ${crm} and r.ref = any(${[...refs]}::text[])
    and not exists (select from ${table} where n.ref = r.ref and n.id = r.deal_id)`.execute(tx)
  await sql`insert into crm_deal_record (ref, crm, deal_id) select distinct ref, ${crm}, id
    from ${table} on conflict do nothing`.execute(tx)
}

/** The stage of now, and since when the deal is open, won or lost. */
function nowOf({ stages, createdAt, pipeline }: CrmDeal) {
  const last = stages.at(-1)
  const state = last?.state ?? 'open'
  const other = stages.findLastIndex((stage) => stage.state !== state)
  return {
    pipeline: last?.pipeline || pipeline,
    stage: last?.stage ?? '',
    label: last?.label ?? '',
    state,
    stageSince: last?.at ?? createdAt,
    stateSince: stages[other + 1]?.at ?? createdAt,
  }
}

/**
 * The select that says whose deals a subject has: a person the own ones, an account those of its company
 * and of its people.
 */
function dealRefs(subjects: readonly string[]): RawBuilder<unknown> {
  const ids = sql`any(${[...subjects]}::text[])`
  return sql`select s as subject, s as ref from unnest(${[...subjects]}::text[]) s
    union select account_id, id from person where account_id = ${ids}
    union select p.account_id, l.id from person p join person_alias l on l.person_id = p.id
      where p.account_id = ${ids}`
}

/** Whom the deals of these records say something about: themselves, and the accounts of people. */
export async function dealSubjects(tx: Tx, refs: readonly string[]): Promise<readonly string[]> {
  const { rows } = await sql<{ subject: string }>`
    select unnest(${[...refs]}::text[]) as subject
    union select p.account_id from person p left join person_alias l on l.person_id = p.id
      where p.account_id is not null
        and (p.id = any(${[...refs]}::text[]) or l.id = any(${[...refs]}::text[]))`.execute(tx)
  return rows.map((row) => row.subject)
}

/** A deal as it is shown and told. Instants are ISO 8601 UTC. */
export interface StoredDeal {
  readonly crm: string
  readonly id: string
  readonly name: string
  readonly pipeline: string
  readonly stage: string
  readonly state: CrmDealState
  readonly since: string
  readonly stageSince: string
  readonly amount: number | null
  readonly currency: string | null
  readonly ownerId: string | null
  readonly createdAt: string
  readonly closeAt: string | null
}

/**
 * Deals by person or account, the newest first.
 * @param crm only of this one; null for all.
 * @param pipelines only of these; undefined for all.
 */
export async function readDealsOf(
  db: Db | Tx,
  crm: string | null,
  subjects: readonly string[],
  pipelines?: readonly string[],
): Promise<ReadonlyMap<string, readonly StoredDeal[]>> {
  const only = pipelines ? sql`d.pipeline = any(${[...pipelines]}::text[])` : sql`true`
  const own = crm === null ? sql`true` : sql`d.crm = ${crm}`
  const { rows } = await sql<DealRow>`
    select distinct w.subject, d.crm, d.deal_id, d.name, d.pipeline, d.label, d.state,
      d.state_since as since, d.stage_since, d.amount::text, d.currency, d.owner_id, d.created_at as created,
      d.close_at
    from (${dealRefs(subjects)}) w join crm_deal_record r on r.ref = w.ref
    join crm_deal d on d.deal_id = r.deal_id and d.crm = r.crm
    where ${own} and ${only} order by w.subject, d.created_at desc, d.deal_id`.execute(db)
  const found = new Map<string, StoredDeal[]>()
  for (const row of rows) {
    const known = found.get(row.subject)
    if (known) known.push(toStoredDeal(row))
    else found.set(row.subject, [toStoredDeal(row)])
  }
  return found
}

interface DealRow {
  readonly subject: string
  readonly crm: string
  readonly deal_id: string
  readonly name: string
  readonly pipeline: string
  readonly label: string
  readonly state: CrmDealState
  readonly since: Date
  readonly stage_since: Date
  readonly amount: string | null
  readonly currency: string | null
  readonly owner_id: string | null
  readonly created: Date
  readonly close_at: Date | null
}

function toStoredDeal(row: DealRow): StoredDeal {
  return {
    crm: row.crm,
    id: row.deal_id,
    name: row.name,
    pipeline: row.pipeline,
    stage: row.label,
    state: row.state,
    since: row.since.toISOString(),
    stageSince: row.stage_since.toISOString(),
    amount: row.amount === null ? null : Number(row.amount),
    currency: row.currency,
    ownerId: row.owner_id,
    createdAt: row.created.toISOString(),
    closeAt: row.close_at?.toISOString() ?? null,
  }
}

/** A deal as far as it says how it stands with sales, and as models may ask about it. */
export function dealWord(deal: StoredDeal): FactDeal {
  const { state, since, stage, stageSince, createdAt, amount, currency } = deal
  return {
    ...{ state, since: Date.parse(since), label: stage, amount, currency },
    stageSince: Date.parse(stageSince),
    createdAt: Date.parse(createdAt),
  }
}
