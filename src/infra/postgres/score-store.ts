import { sql } from 'kysely'
import type { Model } from '../../core/mapping/model.ts'
import type { Trend } from '../../core/scoring/explain.ts'
import type { Contribution } from '../../core/scoring/points.ts'
import type { Score, ScoreFacts } from '../../core/scoring/score-subject.ts'
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
    rows.map((row) => [
      row.subject_id,
      {
        subjectId: row.subject_id,
        score: row.score,
        grade: row.grade,
        usageStatus: row.usage_status as UsageStatus,
        salesStatus: row.sales_status as SalesStatus,
        statusSince: row.status_since.toISOString(),
        qualifiedAt: row.qualified_at?.toISOString() ?? null,
        change: row.change,
        trend: row.trend as Trend,
        contributions: row.contributions as Contribution[],
        reasons: row.reasons as string[],
        facts: row.facts as ScoreFacts,
        evidenceAt: row.evidence_at?.toISOString() ?? null,
        nextChangeAt: row.next_change_at?.toISOString() ?? null,
      },
    ]),
  )
}

/** One line of the append-only history. */
export interface ScoreChange {
  readonly score: Score
  readonly previous: Score | null
  readonly cause: string
  /** The newest behaviour that brought the change about. */
  readonly evidenceAt: string | null
}

/** Stores new and changed scores and their history; the caller leaves out what did not change. */
export async function storeScores(
  tx: Tx,
  model: Model,
  asOf: Date,
  changed: readonly Score[],
  history: readonly ScoreChange[],
): Promise<void> {
  const rows = changed.map((s) => ({ ...s, reasons: s.reasons, as_of: asOf.toISOString() }))
  await sql`insert into score (subject_id, subject, model, model_version, score, grade, usage_status,
      sales_status, status_since, qualified_at, change, trend, contributions, reasons, facts,
      evidence_at, next_change_at, as_of)
    select n."subjectId", ${model.subject}, ${model.id}, ${model.version}, n.score, n.grade,
      n."usageStatus", n."salesStatus", n."statusSince", n."qualifiedAt", n.change, n.trend,
      n.contributions, n.reasons, n.facts, n."evidenceAt", n."nextChangeAt", ${asOf}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n("subjectId" text, score smallint,
      grade text, "usageStatus" text, "salesStatus" text, "statusSince" timestamptz,
      "qualifiedAt" timestamptz, change smallint, trend text, contributions jsonb, reasons jsonb,
      facts jsonb, "evidenceAt" timestamptz, "nextChangeAt" timestamptz)
    on conflict (subject_id, model) do update set model_version = excluded.model_version,
      score = excluded.score, grade = excluded.grade, usage_status = excluded.usage_status,
      status_since = excluded.status_since, qualified_at = excluded.qualified_at,
      change = excluded.change, trend = excluded.trend, contributions = excluded.contributions,
      reasons = excluded.reasons, facts = excluded.facts, evidence_at = excluded.evidence_at,
      next_change_at = excluded.next_change_at, as_of = excluded.as_of`.execute(tx)
  await storeHistory(tx, model, asOf, history)
}

/** Takes away the scores of subjects that no usage up to `asOf` speaks of, with a line of history each. */
export async function dropScores(
  tx: Tx,
  model: Model,
  asOf: Date,
  gone: readonly Score[],
): Promise<void> {
  if (gone.length === 0) return
  const ids = gone.map((score) => score.subjectId)
  await sql`insert into score_change (subject_id, model, model_version, cause, from_score, to_score,
      from_status, to_status, contributions, as_of)
    select subject_id, model, ${model.version}, 'no usage', score, 0, usage_status, 'none', '[]', ${asOf}
    from score where model = ${model.id} and subject_id = any(${ids}::text[])`.execute(tx)
  await sql`delete from score where model = ${model.id} and subject_id = any(${ids}::text[])`.execute(
    tx,
  )
}

async function storeHistory(
  tx: Tx,
  model: Model,
  asOf: Date,
  history: readonly ScoreChange[],
): Promise<void> {
  const rows = history.map(({ score, previous, cause, evidenceAt }) => ({
    subject_id: score.subjectId,
    cause,
    from_score: previous?.score ?? null,
    to_score: score.score,
    from_status: previous?.usageStatus ?? null,
    to_status: score.usageStatus,
    contributions: score.contributions,
    evidence_at: evidenceAt,
  }))
  await sql`insert into score_change (subject_id, model, model_version, cause, from_score, to_score,
      from_status, to_status, contributions, evidence_at, as_of)
    select n.subject_id, ${model.id}, ${model.version}, n.cause, n.from_score, n.to_score,
      n.from_status, n.to_status, n.contributions, n.evidence_at, ${asOf}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(subject_id text, cause text,
      from_score smallint, to_score smallint, from_status text, to_status text,
      contributions jsonb, evidence_at timestamptz)`.execute(tx)
}
