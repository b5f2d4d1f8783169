import { type RawBuilder, sql } from 'kysely'
import type { Model } from '../../core/mapping/model.ts'
import { isoOf } from '../../core/scoring/instant.ts'
import type { Contribution, Score, ScoreFacts, Standing, Trend } from '../../core/scoring/score.ts'
import type { SalesStatus, UsageStatus } from '../../core/scoring/status.ts'
import type { Db, Tx } from './database.ts'
import type { ChangedRow, ContributionRow, MissingRow, ScoreRows } from './score-rows.ts'

/** A stored row; instants in milliseconds since 1970 UTC. */
interface ScoreRow {
  readonly id: string
  readonly version: number
  readonly score: number
  readonly grade: string
  readonly usageStatus: string
  readonly salesStatus: string
  readonly statusSince: number
  readonly heldUntil: number | null
  readonly roseLast: boolean
  readonly qualifiedAt: number | null
  readonly change: number
  readonly changed: readonly ChangedRow[]
  readonly trend: string
  readonly contributions: readonly ContributionRow[]
  readonly missing: readonly MissingRow[]
  readonly facts: ScoreFacts
  readonly evidenceAt: number | null
  readonly nextChangeAt: number | null
}

/** The stored scores of one model, by subject id; of some subjects, or of all. */
export async function readScores(
  db: Db | Tx,
  model: string,
  among: readonly string[] | null = null,
): Promise<ReadonlyMap<string, Score>> {
  // As numbers: to read texts of instants costs more than all the rest.
  const { rows } =
    await sql<ScoreRow>`select subject_id as id, model_version as version, score, grade,
      usage_status as "usageStatus", sales_status as "salesStatus",
      date_part('epoch', status_since) * 1000 as "statusSince",
      date_part('epoch', held_until) * 1000 as "heldUntil", rose_last as "roseLast",
      date_part('epoch', qualified_at) * 1000 as "qualifiedAt", change, changed, trend, contributions,
      missing, facts, date_part('epoch', evidence_at) * 1000 as "evidenceAt",
      date_part('epoch', next_change_at) * 1000 as "nextChangeAt"
    from ${scoresOf(model, among)}`.execute(db)
  return new Map(rows.map((row): [string, Score] => [row.id, scoreOf(row)]))
}

/**
 * Stored scores as a table. Each subject is looked for by the primary key: given the list of them, PostgreSQL
 * reads the whole model where its statistics are old, as they are after every look at everybody.
 */
function scoresOf(model: string, among: readonly string[] | null) {
  if (among === null) return sql`(select * from score where model = ${model}) s`
  return sql`unnest(${[...among]}::text[]) wanted(id)
    cross join lateral (select * from score where subject_id = wanted.id and model = ${model} offset 0) s`
}

/** How people stand whose scores are not worked out again. */
export async function readStandings(
  db: Db | Tx,
  model: string,
  among: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  if (among.length === 0) return new Map()
  const { rows } = await sql<{ id: string; score: number; usageStatus: string }>`
    select subject_id as id, score, usage_status as "usageStatus"
    from ${scoresOf(model, among)}`.execute(db)
  return new Map(
    rows.map(({ id, score, usageStatus }) => [
      id,
      { score, usageStatus: usageStatus as UsageStatus },
    ]),
  )
}

const iso = (ms: number): string => isoOf(Math.round(ms))
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))

function scoreOf(row: ScoreRow): Score {
  return {
    subjectId: row.id,
    version: row.version,
    score: row.score,
    grade: row.grade,
    usageStatus: row.usageStatus as UsageStatus,
    salesStatus: row.salesStatus as SalesStatus,
    statusSince: iso(row.statusSince),
    heldUntil: isoOrNull(row.heldUntil),
    roseLast: row.roseLast,
    qualifiedAt: isoOrNull(row.qualifiedAt),
    change: row.change,
    changed: row.changed.map(([id, from, to]) => ({ id, from, to })),
    trend: row.trend as Trend,
    contributions: row.contributions.map(contributionOf),
    missing: row.missing.map(([id, points, more, isRequired]) => ({
      id,
      points,
      more,
      isRequired,
    })),
    facts: row.facts,
    evidenceAt: isoOrNull(row.evidenceAt),
    nextChangeAt: isoOrNull(row.nextChangeAt),
  }
}

const contributionOf = ([id, points, amount, since, last]: ContributionRow): Contribution => ({
  id,
  points,
  amount,
  since,
  last,
})

/** For which instant scores were worked out. */
export interface ScoreTime {
  readonly asOf: Date
  /** Whether scores of a later instant are written over, as one does who asks for the past. */
  readonly isAsked: boolean
}

/**
 * Stores new and changed scores with their history; the caller leaves out what did not change. A score
 * of a later instant stays: whoever worked it out knew more.
 * @param changed in the order of the subjects' ids: two who store the same scores then never wait for each other in a ring.
 * @returns how many were stored.
 */
export async function storeScores(
  tx: Tx,
  model: Model,
  time: ScoreTime,
  changed: ScoreRows,
): Promise<number> {
  let stored = 0
  for (const rows of changed.statements()) stored += await storeChunk(tx, model, time, rows)
  return stored
}

async function storeChunk(
  tx: Tx,
  model: Model,
  { asOf, isAsked }: ScoreTime,
  some: RawBuilder<unknown>,
): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with n as (select * from ${some}),
    stored as (insert into score (subject_id, subject, model, model_version, score, grade, usage_status,
        sales_status, status_since, held_until, rose_last, qualified_at, change, changed, trend,
        contributions, missing, facts, evidence_at, next_change_at, as_of)
      select subject_id, ${model.subject}, ${model.id}, model_version, score, grade, usage_status,
        sales_status, status_since, held_until, rose_last, qualified_at, change, changed, trend,
        contributions, missing, facts::jsonb, evidence_at, next_change_at, ${asOf} from n
      on conflict (subject_id, model) do update set model_version = excluded.model_version,
        score = excluded.score, grade = excluded.grade, usage_status = excluded.usage_status,
        sales_status = excluded.sales_status, status_since = excluded.status_since,
        held_until = excluded.held_until, rose_last = excluded.rose_last,
        qualified_at = excluded.qualified_at, change = excluded.change, changed = excluded.changed,
        trend = excluded.trend, contributions = excluded.contributions, missing = excluded.missing,
        facts = excluded.facts, evidence_at = excluded.evidence_at,
        next_change_at = excluded.next_change_at, as_of = excluded.as_of
        where ${isAsked}::boolean or score.as_of <= excluded.as_of
      returning subject_id),
    told as (insert into score_change (subject_id, model, model_version, cause, from_score, to_score,
        from_status, to_status, contributions, evidence_at, as_of)
      select subject_id, ${model.id}, model_version, cause, from_score, score, from_status, usage_status,
        contributions, told_at, ${asOf}
      from n join stored using (subject_id) where cause is not null)
    select count(*) as n from stored`.execute(tx)
  return Number(rows[0]?.n ?? 0)
}

/**
 * Takes away scores, with a line of history each: of subjects that no usage up to `asOf` speaks of, and of
 * those that the model does not apply to any more.
 */
export async function dropScores(
  tx: Tx,
  model: { readonly id: string; readonly version: number },
  { asOf, isAsked }: ScoreTime,
  cause: 'no usage' | 'left the population' | 'model removed',
  subjectIds: readonly string[],
): Promise<void> {
  if (subjectIds.length === 0) return
  await sql`with gone as (delete from score
      where model = ${model.id} and subject_id = any(${[...subjectIds]}::text[])
        and (${isAsked}::boolean or as_of <= ${asOf})
      returning subject_id, score, usage_status)
    insert into score_change (subject_id, model, model_version, cause, from_score, to_score,
      from_status, to_status, contributions, as_of)
    select subject_id, ${model.id}, ${model.version}::int, ${cause}, score, 0, usage_status, 'none', '[]', ${asOf}
    from gone`.execute(tx)
}

/** Scores of subjects that are nobody any more, and those of models that are not published, by model. */
export async function findOrphans(
  db: Db | Tx,
  models: readonly string[],
): Promise<
  readonly { readonly model: string; readonly version: number; readonly subjectIds: string[] }[]
> {
  const { rows } = await sql<{ model: string; version: number; subjectIds: string[] }>`
    select model, model_version as version, array_agg(subject_id) as "subjectIds" from score s
    where not model = any(${[...models]}::text[])
      or (subject = 'person' and not exists (select from person p where p.id = s.subject_id))
      or (subject = 'account' and not exists (select from person p where p.account_id = s.subject_id))
    group by model, model_version`.execute(db)
  return rows
}

/** Marks whose score could have changed with time alone, unless they are marked already. */
export async function markDue(db: Db | Tx, models: readonly string[], now: Date): Promise<number> {
  const result = await sql`insert into touched (step, subject, arrived_at)
    select 'score', d.subject_id, null from (select distinct subject_id from score
      where next_change_at <= ${now} and model = any(${[...models]}::text[])) d
    where not exists (select from touched t where t.step = 'score' and t.subject = d.subject_id)`.execute(
    db,
  )
  return Number(result.numAffectedRows ?? 0)
}
