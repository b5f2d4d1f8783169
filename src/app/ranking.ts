import type { Db } from '../infra/postgres/database.ts'

/** One row of a ranking of people or accounts. */
export interface Ranked {
  readonly id: string
  /** E-mail address or domain; the id for somebody without an address. */
  readonly name: string
  readonly score: number
  readonly grade: string
  readonly usageStatus: string
  readonly trend: string
  readonly reasons: readonly string[]
}

export interface RankingOptions {
  readonly limit: number
  readonly offset?: number
  readonly model?: string
}

/** The best scores of people or accounts, best first. */
export async function readRanking(
  db: Db,
  subject: 'person' | 'account',
  { limit, offset = 0, model }: RankingOptions,
): Promise<readonly Ranked[]> {
  const rows = await db
    .selectFrom('score as s')
    .leftJoin('person as p', 'p.id', 's.subject_id')
    .leftJoin('account as a', 'a.id', 's.subject_id')
    .select([
      's.subject_id as id',
      'p.email',
      'a.domain',
      's.score',
      's.grade',
      's.usage_status',
      's.trend',
      's.reasons',
    ])
    .where('s.subject', '=', subject)
    .$if(model !== undefined, (q) => q.where('s.model', '=', model ?? ''))
    .orderBy('s.score', 'desc')
    .orderBy('s.evidence_at', (o) => o.desc().nullsLast())
    .orderBy('s.subject_id')
    .limit(limit)
    .offset(offset)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.email ?? row.domain ?? row.id,
    score: row.score,
    grade: row.grade,
    usageStatus: row.usage_status,
    trend: row.trend,
    reasons: row.reasons as string[],
  }))
}
