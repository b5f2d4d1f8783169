import { createExplainer } from '../core/scoring/explain.ts'
import type { Contribution } from '../core/scoring/score.ts'
import { readEffective } from '../infra/mappings/published.ts'
import type { Db } from '../infra/postgres/database.ts'
import { readScores } from '../infra/postgres/score-store.ts'

/** One score in the customer's words. Instants are ISO 8601 UTC. */
export interface ExplainedScore {
  readonly model: string
  readonly version: number
  readonly score: number
  readonly grade: string
  readonly usageStatus: string
  readonly salesStatus: string
  readonly statusSince: string
  readonly change: number
  readonly trend: string
  /** One line about the whole. */
  readonly summary: string
  /** The strongest three, with their points. */
  readonly reasons: readonly string[]
  /** What made the last change of the score; empty before there was one. */
  readonly whatChanged: string
  /** What would qualify; empty for who is qualified. */
  readonly toQualify: string
  readonly asOf: string
  readonly nextChangeAt: string | null
  /** They sum to the score. */
  readonly contributions: readonly ExplainedContribution[]
}

export interface ExplainedContribution {
  readonly id: string
  readonly points: number
  /** What was done, how much and when. */
  readonly text: string
  readonly amount: number
  readonly since: string | null
  readonly last: string | null
}

const MOST_REASONS = 3

/** Every score of one person or account, by model id. */
export async function explainScores(db: Db, id: string): Promise<ExplainedScore[]> {
  const rows = await db
    .selectFrom('score')
    .select(['model', 'as_of'])
    .where('subject_id', '=', id)
    .orderBy('model')
    .execute()
  if (rows.length === 0) return []
  const { set } = await readEffective(db)
  const explained: ExplainedScore[] = []
  for (const { model: name, as_of } of rows) {
    const score = (await readScores(db, name, [id])).get(id)
    const model = set.models.get(name)
    if (!score || !model) continue
    const words = createExplainer(model)
    const { version, grade, usageStatus, salesStatus, statusSince, change, trend } = score
    explained.push({
      model: name,
      version,
      score: score.score,
      grade,
      usageStatus,
      salesStatus,
      statusSince,
      change,
      trend,
      summary: words.summary(score),
      reasons: words.reasons(score).slice(0, MOST_REASONS),
      whatChanged: words.changed(score),
      toQualify: words.toQualify(score),
      asOf: as_of.toISOString(),
      nextChangeAt: score.nextChangeAt,
      contributions: score.contributions.map((part) => told(part, words.line(part, score))),
    })
  }
  return explained
}

function told(part: Contribution, line: string): ExplainedContribution {
  const { id, points, amount, since, last } = part
  const text = line.slice(line.indexOf(' ') + 1)
  return { id, points, text, amount, since: instant(since), last: instant(last) }
}

const instant = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString()
