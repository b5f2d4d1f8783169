import type { MappingFiles } from '../../../src/core/mapping/mapping-set.ts'
import type { Db } from '../../../src/infra/postgres/database.ts'
import { type Answer, answersOfAll } from './answers.ts'
import { type Difference, differences } from './compare.ts'
import { readModel } from './model-file.ts'
import { readAnswers, readWho } from './product.ts'
import type { RawEvent } from './raw-events.ts'
import { deedsOf, readPlan } from './tracking-plan.ts'

/** What was held against one another for one model. */
export interface Held {
  readonly model: string
  /** Ids of its signals. */
  readonly signals: readonly string[]
  /** How many have a score by the oracle, and how many of them one above 0. */
  readonly subjects: number
  readonly above0: number
  readonly differences: readonly Difference[]
  readonly answers: ReadonlyMap<string, Answer>
}

/**
 * Reads the mapping files over raw events and holds every stored score against that.
 * @param asOf when the product scored, for the first time.
 */
export async function holdAgainst(
  db: Db,
  files: MappingFiles,
  events: readonly RawEvent[],
  asOf: Date,
): Promise<Held[]> {
  const plan = readPlan(files['usage.yaml'] ?? '')
  const { people, personOf } = await readWho(db)
  const scene = {
    asOf: asOf.getTime(),
    people,
    deeds: deedsOf(events, plan, personOf),
    coreActions: Object.keys(plan.actions).filter((action) => plan.actions[action]?.core === true),
  }
  const models = Object.keys(files)
    .filter((name) => name.startsWith('models/'))
    .map((name) => readModel(files[name] ?? ''))
  const answers = answersOfAll(scene, models)
  const held: Held[] = []
  for (const { id: model, signals } of models) {
    const meant = answers.get(model) ?? new Map<string, Answer>()
    const scores = [...meant.values()].filter(({ score }) => score > 0)
    held.push({
      model,
      signals: signals.map(({ id }) => id),
      subjects: meant.size,
      above0: scores.length,
      differences: differences(await readAnswers(db, model), meant),
      answers: meant,
    })
  }
  return held
}
