import { sql } from 'kysely'
import type { Model } from '../../core/mapping/model.ts'
import type { Contribution, Score, ScoreFacts, Trend } from '../../core/scoring/score.ts'
import type { SalesStatus, UsageStatus } from '../../core/scoring/status.ts'
import type { Db, Tx } from './database.ts'

/** The stored scores of one model, by subject id; of some subjects, or of all. */
export async function readScores(
  db: Db | Tx,
  model: string,
  among: readonly string[] | null = null,
): Promise<ReadonlyMap<string, Score>> {
  const rows = await db
    .selectFrom('score')
    .selectAll()
    .where('model', '=', model)
    .$if(among !== null, (q) =>
      q.where(sql<boolean>`subject_id = any(${[...(among ?? [])]}::text[])`),
    )
    .execute()
  return new Map(
    rows.map((row): [string, Score] => [
      row.subject_id,
      {
        subjectId: row.subject_id,
        version: row.model_version,
        score: row.score,
        grade: row.grade,
        usageStatus: row.usage_status as UsageStatus,
        salesStatus: row.sales_status as SalesStatus,
        statusSince: row.status_since.toISOString(),
        heldUntil: row.held_until?.toISOString() ?? null,
        roseLast: row.rose_last,
        qualifiedAt: row.qualified_at?.toISOString() ?? null,
        change: row.change,
        changed: (row.changed as ChangedRow[]).map(([id, from, to]) => ({ id, from, to })),
        trend: row.trend as Trend,
        contributions: (row.contributions as ContributionRow[]).map(contributionOf),
        missing: (row.missing as MissingRow[]).map(([id, points, more, isRequired]) => ({
          id,
          points,
          more,
          isRequired,
        })),
        facts: row.facts as ScoreFacts,
        evidenceAt: row.evidence_at?.toISOString() ?? null,
        nextChangeAt: row.next_change_at?.toISOString() ?? null,
      },
    ]),
  )
}

/** Lists of lists: the names of the fields would be most of what is stored. */
type ContributionRow = readonly [string, number, number, number | null, number | null]
type ChangedRow = readonly [string, number, number]
type MissingRow = readonly [string, number, number, boolean]

const contributionOf = ([id, points, amount, since, last]: ContributionRow): Contribution => ({
  id,
  points,
  amount,
  since,
  last,
})

/** A score as the one parameter of a statement has it. */
function rowOf({ score: s, history }: ScoreToStore) {
  return {
    subject_id: s.subjectId,
    model_version: s.version,
    score: s.score,
    grade: s.grade,
    usage_status: s.usageStatus,
    sales_status: s.salesStatus,
    status_since: s.statusSince,
    held_until: s.heldUntil,
    rose_last: s.roseLast,
    qualified_at: s.qualifiedAt,
    change: s.change,
    changed: s.changed.map((c): ChangedRow => [c.id, c.from, c.to]),
    trend: s.trend,
    contributions: s.contributions.map(
      (c): ContributionRow => [c.id, c.points, c.amount, c.since, c.last],
    ),
    missing: s.missing.map((m): MissingRow => [m.id, m.points, m.more, m.isRequired]),
    facts: s.facts,
    evidence_at: s.evidenceAt,
    next_change_at: s.nextChangeAt,
    cause: history?.cause ?? null,
    from_score: history?.previous?.score ?? null,
    from_status: history?.previous?.usageStatus ?? null,
    told_at: history?.evidenceAt ?? null,
  }
}

/** A new or changed score, and the line that it adds to the append-only history, if it adds one. */
export interface ScoreToStore {
  readonly score: Score
  readonly history: ScoreHistory | null
}

export interface ScoreHistory {
  readonly previous: Score | null
  readonly cause: string
  /** The newest behaviour that brought the change about. */
  readonly evidenceAt: string | null
}

/** For which instant scores were worked out. */
export interface ScoreTime {
  readonly asOf: Date
  /** Whether scores of a later instant are written over, as one does who asks for the past. */
  readonly isAsked: boolean
}

/** Rows of one statement: what PostgreSQL parses at a time. */
const CHUNK = 5_000

/**
 * Stores new and changed scores with their history; the caller leaves out what did not change. A score
 * of a later instant stays: whoever worked it out knew more.
 * @returns how many were stored.
 */
export async function storeScores(
  tx: Tx,
  model: Model,
  time: ScoreTime,
  changed: readonly ScoreToStore[],
): Promise<number> {
  let stored = 0
  // In the order of their ids: two who store the same scores then never wait for each other in a ring.
  const sorted = [...changed].sort((a, b) => (a.score.subjectId < b.score.subjectId ? -1 : 1))
  for (let at = 0; at < sorted.length; at += CHUNK) {
    stored += await storeChunk(tx, model, time, sorted.slice(at, at + CHUNK))
  }
  return stored
}

async function storeChunk(
  tx: Tx,
  model: Model,
  { asOf, isAsked }: ScoreTime,
  some: readonly ScoreToStore[],
): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with n as (select * from json_to_recordset(${JSON.stringify(some.map(rowOf))}::json) as n(
        subject_id text, model_version int, score smallint, grade text, usage_status text,
        sales_status text, status_since timestamptz, held_until timestamptz, rose_last boolean,
        qualified_at timestamptz, change smallint, changed jsonb, trend text, contributions jsonb,
        missing jsonb, facts jsonb, evidence_at timestamptz, next_change_at timestamptz, cause text,
        from_score smallint, from_status text, told_at timestamptz)),
    stored as (insert into score (subject_id, subject, model, model_version, score, grade, usage_status,
        sales_status, status_since, held_until, rose_last, qualified_at, change, changed, trend,
        contributions, missing, facts, evidence_at, next_change_at, as_of)
      select subject_id, ${model.subject}, ${model.id}, model_version, score, grade, usage_status,
        sales_status, status_since, held_until, rose_last, qualified_at, change, changed, trend,
        contributions, missing, facts, evidence_at, next_change_at, ${asOf} from n
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
  const result = await sql`insert into touched (step, subject)
    select 'score', d.subject_id from (select distinct subject_id from score
      where next_change_at <= ${now} and model = any(${[...models]}::text[])) d
    where not exists (select from touched t where t.step = 'score' and t.subject = d.subject_id)`.execute(
    db,
  )
  return Number(result.numAffectedRows ?? 0)
}
