import type { MappingSet } from '../core/mapping/mapping-set.ts'
import { createExplainer } from '../core/scoring/explain.ts'
import { readEffective } from '../infra/mappings/published.ts'
import { notCanary } from '../infra/postgres/canary-store.ts'
import type { Db } from '../infra/postgres/database.ts'
import { readScores } from '../infra/postgres/score-store.ts'

/** One row of a ranking of people or accounts. */
export interface Ranked {
  readonly id: string
  /** E-mail address or domain; the id for somebody without an address. */
  readonly name: string
  /** The model that gives her the best score. */
  readonly model: string
  readonly score: number
  readonly grade: string
  readonly usageStatus: string
  readonly trend: string
  readonly reasons: readonly string[]
}

export interface RankingOptions {
  readonly limit: number
  readonly offset?: number
  /** Default: the models that speak to a CRM, or all when none does. */
  readonly models?: readonly string[]
}

/** The models of a subject that speak to a CRM; all of them when none does. */
export function speakingModels(set: MappingSet, subject: 'person' | 'account'): string[] {
  const named = [...set.crms.values()].flatMap(({ objects }) =>
    [objects.contact, objects.company].flatMap((rules) => rules?.model ?? []),
  )
  const all = [...set.models.values()].filter((m) => m.subject === subject).map((m) => m.id)
  const speaking = all.filter((id) => named.includes(id))
  return speaking.length > 0 ? speaking : all
}

/** The best scores of people or accounts, best first; everybody once. */
export async function readRanking(
  db: Db,
  subject: 'person' | 'account',
  { limit, offset = 0, models }: RankingOptions,
): Promise<readonly Ranked[]> {
  const { set } = await readEffective(db)
  const among = models ?? speakingModels(set, subject)
  const best = db
    .selectFrom('score')
    .distinctOn('subject_id')
    .select(['subject_id', 'model', 'score', 'evidence_at'])
    .where('subject', '=', subject)
    .where(notCanary('score.subject_id'))
    .where('model', 'in', among.length > 0 ? [...among] : [''])
    .orderBy('subject_id')
    .orderBy('score', 'desc')
    .orderBy('model')
  const rows = await db
    .selectFrom(best.as('s'))
    .leftJoin('person as p', 'p.id', 's.subject_id')
    .leftJoin('account as a', 'a.id', 's.subject_id')
    .select(['s.subject_id as id', 's.model', 'p.email', 'a.domain', 'a.name'])
    .orderBy('s.score', 'desc')
    .orderBy('s.evidence_at', (o) => o.desc().nullsLast())
    .orderBy('s.subject_id')
    .limit(limit)
    .offset(offset)
    .execute()
  const ids = rows.map((row) => row.id)
  const scores = new Map(
    await Promise.all(among.map(async (id) => [id, await readScores(db, id, ids)] as const)),
  )
  return rows.flatMap((row) => {
    const score = scores.get(row.model)?.get(row.id)
    const model = set.models.get(row.model)
    if (!score || !model) return []
    const { grade, usageStatus, trend } = score
    const reasons = createExplainer(model).reasons(score)
    const name = row.email ?? row.domain ?? row.name ?? row.id
    const told = { score: score.score, grade, usageStatus, trend, reasons }
    return [{ id: row.id, name, model: row.model, ...told }]
  })
}
