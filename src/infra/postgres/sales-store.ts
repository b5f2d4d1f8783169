import { type RawBuilder, sql } from 'kysely'
import type { TraitTime } from '../../core/scoring/dated-traits.ts'
import { NO_SALES, type SalesState } from '../../core/scoring/features.ts'
import {
  nextWord,
  type SalesWord,
  type SourcedWord,
  standingWord,
} from '../../core/scoring/sales.ts'
import { dealsSource } from '../../core/scoring/told-by.ts'
import type { Db, Tx } from './database.ts'
import { aboutSql } from './trait-subjects.ts'

/** What sales said last about a subject, with what a person wants to know of it. */
export interface StoredSales extends SalesState {
  /** The CRM that says so; null for `none`. */
  readonly source: string | null
  /** The CRM's own words; null where it gives none. */
  readonly reason: string | null
  /** By model: the scores when it was said. */
  readonly scores: Readonly<Record<string, number>>
}

interface StoredWord extends SourcedWord {
  readonly scores: Readonly<Record<string, number>>
}

/**
 * What sales said last about people and accounts. Who is absent was never spoken of.
 * @param subjects ids; null for all.
 * @param model whose score at the rejection is told; without it, the greatest of all models'.
 */
export async function readSalesStates(
  db: Db | Tx,
  subjects: readonly string[] | null,
  model: string | null = null,
): Promise<ReadonlyMap<string, StoredSales>> {
  const words = await readWords(db, subjects)
  return new Map([...words].map(([subject, word]) => [subject, stateOf(word, model)]))
}

/**
 * As `readSalesStates`, of several models.
 * @param past a moment that is asked about: only what was said by then counts, and only what had been learnt
 *   by `knownAt`. Without it, what is said now.
 */
export async function readSalesByModel(
  db: Db | Tx,
  subjects: readonly string[] | null,
  models: readonly string[],
  past: TraitTime | null = null,
): Promise<ReadonlyMap<string, ReadonlyMap<string, StoredSales>>> {
  const words = [...(await readWords(db, subjects, past))]
  const statesOf = (model: string) =>
    new Map(words.map(([subject, word]) => [subject, stateOf(word, model)]))
  return new Map(models.map((model) => [model, statesOf(model)]))
}

/** The last word about each subject. */
async function readWords(
  db: Db | Tx,
  subjects: readonly string[] | null,
  past: TraitTime | null = null,
): Promise<ReadonlyMap<string, StoredWord | null>> {
  // Where no CRM ever spoke, nobody is looked for.
  const { rows: some } = await sql`select from sales_state limit 1`.execute(db)
  if (some.length === 0) return new Map()
  const { rows } = await sql<{
    subject: string
    source: string
    status: string
    since: Date
    reason: string | null
    weight: number
    scores: Record<string, number>
  }>`select w.subject, s.* from (${aboutSql(subjects)}) w
    join (${past ? wordsBy(past) : sql`select * from sales_state`}) s on s.about = w.about
    order by w.subject, s.source, s.about`.execute(db)
  const words = new Map<string, StoredWord[]>()
  for (const { subject, source, status, since, reason, weight, scores } of rows) {
    const said = { status: status as SalesWord['status'], since: since.getTime(), reason }
    const word = { ...said, source, weight }
    const known = words.get(subject)
    if (known) known.push({ ...word, scores })
    else words.set(subject, [{ ...word, scores }])
  }
  return new Map([...words].map(([subject, all]) => [subject, standingWord(all)]))
}

/** The select of what each source had said last by a moment in the past. */
function wordsBy({ asOf, knownAt }: TraitTime): RawBuilder<unknown> {
  const learnt = knownAt ? sql`recorded_at <= ${knownAt}` : sql`true`
  return sql`select distinct on (about, source) about, source, status, since, reason, weight, scores
    from sales_word where since <= ${asOf} and ${learnt} order by about, source, id desc`
}

function stateOf(word: StoredWord | null, model: string | null): StoredSales {
  if (!word || word.status === 'none')
    return { ...NO_SALES, source: null, reason: null, scores: {} }
  const { status, since, source, reason, scores } = word
  const then = model === null ? Object.values(scores) : [scores[model] ?? []].flat()
  return {
    status,
    since,
    scoreThen: status === 'rejected' && then.length > 0 ? Math.max(...then) : null,
    source,
    reason,
    scores,
  }
}

/** What a record of a CRM says now. */
export interface SeenSales extends Omit<SalesWord, 'since'> {
  /** Id of the person or account. */
  readonly about: string
  /** When it was said, in milliseconds since 1970 UTC, where the CRM tells. */
  readonly since?: number | undefined
}

/**
 * Notes what a source says of some people and accounts now. A changed sales status is one row of the history
 * for every model that scores the subject.
 * @returns of whom it says something else than before.
 */
export async function storeSeenSales(
  tx: Tx,
  source: string,
  seen: readonly SeenSales[],
  at: Date,
): Promise<readonly string[]> {
  const before = await wordsBefore(tx, source, seen)
  const news = seen.flatMap(({ about, status, reason, since: told }) => {
    const old = before.get(about) ?? null
    // What is seen now came after what was seen before, whatever the CRM says: a record that was merged tells
    // what the other one had said long ago.
    const isLater = told !== undefined && told > (old?.since ?? 0)
    const since = isLater ? Math.min(at.getTime(), told) : at.getTime()
    const next = nextWord(old, { status, since, reason })
    return next ? [{ about, ...next, weight: 0, changed: next.status !== old?.status }] : []
  })
  return storeNews(tx, source, news, at)
}

/** What deals say of somebody, with the time that the CRM gives for it; null for nothing any more. */
export interface SeenDealWord {
  readonly about: string
  readonly word: SalesWord | null
}

/**
 * The same of deals. They are seen all at once, so that the new word replaces the old one even if it is
 * older: a deal that is gone leaves what the others say.
 * @param weight against that of properties, which is 0.
 */
export async function storeDealSales(
  tx: Tx,
  crm: string,
  seen: readonly SeenDealWord[],
  weight: number,
  at: Date,
): Promise<readonly string[]> {
  const before = await wordsBefore(tx, dealsSource(crm), seen)
  const news = seen.flatMap(({ about, word }) => {
    const old = before.get(about) ?? null
    if (old === null && word === null) return []
    const next = word ?? { status: 'none' as const, since: at.getTime(), reason: null }
    const isSame = old?.status === next.status && old.reason === next.reason
    const isAsOld = word === null || old?.since === next.since
    if (isSame && isAsOld && old.weight === weight) return []
    const reweighed = old !== null && old.weight !== weight
    return [{ about, ...next, weight, reweighed, changed: next.status !== old?.status }]
  })
  return storeNews(tx, dealsSource(crm), news, at)
}

type News = SalesWord & {
  readonly about: string
  readonly weight: number
  readonly reweighed?: boolean
  readonly changed: boolean
}

async function wordsBefore(
  tx: Tx,
  source: string,
  seen: readonly { readonly about: string }[],
): Promise<ReadonlyMap<string, SalesWord & { readonly weight: number }>> {
  const abouts = seen.map((one) => one.about)
  const known = await tx
    .selectFrom('sales_state')
    .selectAll()
    .where('source', '=', source)
    .where(sql<boolean>`about = any(${abouts}::text[])`)
    .execute()
  return new Map(
    known.map(({ about, status, since, reason, weight }) => [
      about,
      { status: status as SalesWord['status'], since: since.getTime(), reason, weight },
    ]),
  )
}

async function storeNews(
  tx: Tx,
  source: string,
  news: readonly News[],
  at: Date,
): Promise<readonly string[]> {
  if (news.length === 0) return []
  const subjects = await subjectsOf(
    tx,
    news.map((one) => one.about),
  )
  const was = await readSalesStates(tx, subjects)
  await storeWords(tx, source, news, at)
  const is = await readSalesStates(tx, subjects)
  await storeHistory(tx, subjects, was, is, at)
  return news.filter((one) => one.changed || one.reweighed).map((one) => one.about)
}

async function subjectsOf(tx: Tx, abouts: readonly string[]): Promise<readonly string[]> {
  const aliases = await tx
    .selectFrom('person_alias')
    .selectAll()
    .where(sql<boolean>`id = any(${[...abouts]}::text[])`)
    .execute()
  const heirs = new Map(aliases.map((row) => [row.id, row.person_id]))
  return [...new Set(abouts.map((about) => heirs.get(about) ?? about))]
}

/** The scores of the moment go with what was said; words that only have another reason keep theirs. */
async function storeWords(tx: Tx, source: string, news: readonly News[], at: Date): Promise<void> {
  const rows = news.map((one) => ({ ...one, since: new Date(one.since).toISOString() }))
  await sql`with n as (select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as n(about text, status text, since timestamptz, reason text, weight smallint, changed boolean))
    insert into sales_state (about, source, status, since, reason, weight, scores)
    select n.about, ${source}, n.status, n.since, n.reason, n.weight, case when n.changed then coalesce(
      (select jsonb_object_agg(s.model, s.score) from score s where s.subject_id = coalesce(
        (select l.person_id from person_alias l where l.id = n.about), n.about)), '{}')
      else (select o.scores from sales_state o where o.about = n.about and o.source = ${source}) end
    from n
    on conflict (about, source) do update set status = excluded.status, reason = excluded.reason,
      since = excluded.since, weight = excluded.weight, scores = excluded.scores`.execute(tx)
  await sql`insert into sales_word (about, source, status, since, reason, weight, scores, recorded_at)
    select about, source, status, since, reason, weight, scores, ${at} from sales_state
    where source = ${source} and about = any(${news.map(({ about }) => about)}::text[])`.execute(tx)
}

async function storeHistory(
  tx: Tx,
  subjects: readonly string[],
  was: ReadonlyMap<string, StoredSales>,
  is: ReadonlyMap<string, StoredSales>,
  at: Date,
): Promise<void> {
  const changes = subjects.flatMap((subject) => {
    const [from, to] = [was.get(subject)?.status ?? 'none', is.get(subject)?.status ?? 'none']
    return from === to ? [] : [{ subject, from, to }]
  })
  await sql`insert into score_change (subject_id, model, model_version, cause, from_score, to_score,
      from_status, to_status, from_sales, to_sales, contributions, evidence_at, as_of)
    select s.subject_id, s.model, s.model_version, 'sales: ' || n."to", s.score, s.score,
      s.usage_status, s.usage_status, n."from", n."to", s.contributions, s.evidence_at, ${at}
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb)
      as n(subject text, "from" text, "to" text) join score s on s.subject_id = n.subject`.execute(
    tx,
  )
}
