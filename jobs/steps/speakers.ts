import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { winnerOf } from '../../src/core/scoring/winner.ts'
import type { Db, Tx } from '../../src/infra/postgres/database.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'

/** The score that speaks for a subject, and the model that gave it. */
export interface Spoken {
  readonly score: Score
  readonly model: Model
}

/** Where scores of a model are read; those that are stored, or those of a draft. */
export type ScoreReader = (
  model: string,
  among: readonly string[] | null,
) => Promise<ReadonlyMap<string, Score>>

/** Of everybody, or of some, whom one of the models of a CRM object scores: the score that speaks for her. */
export async function speakers(
  db: Db | Tx,
  set: Pick<MappingSet, 'models'>,
  { model: names, winner }: Pick<ObjectMapping, 'model' | 'winner'>,
  among: readonly string[] | null = null,
  read: ScoreReader = (model, ids) => readScores(db, model, ids),
): Promise<Spoken[]> {
  const bySubject = new Map<string, Map<string, Score>>()
  for (const name of names) {
    for (const [id, score] of await read(name, among)) {
      const scores = bySubject.get(id) ?? new Map<string, Score>()
      bySubject.set(id, scores.set(name, score))
    }
  }
  return [...bySubject.values()].flatMap((scores) => {
    const spoken = winnerOf(winner, names, scores)
    const model = set.models.get(spoken?.model ?? '')
    return spoken && model ? [{ score: spoken.score, model }] : []
  })
}
