import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { createScorer, type ModelScorer } from '../../src/core/scoring/scorer.ts'
import type { FeaturePlan } from '../../src/core/usage/feature-sql.ts'

/** Where the answer to a need of one model is found. */
export interface Place {
  readonly of: 'person' | 'account'
  readonly place: number
}

/** A compiled model, and where its answers are. */
export interface PlannedScorer extends ModelScorer {
  readonly places: readonly Place[]
  /** Asks about the people of the account. */
  readonly asksForPeople: boolean
}

/** All that the models ask of usage: each question once for all of them. */
export interface ScorePlan {
  /** Models of persons first: those of accounts ask for their scores. */
  readonly scorers: readonly PlannedScorer[]
  readonly person: FeaturePlan
  readonly account: FeaturePlan
  /** The scores of people hang on what their colleagues did. */
  readonly looksAtColleagues: boolean
}

/** Compiles the models of a mapping. */
export function planScores({ models, usage }: MappingSet): ScorePlan {
  const core = Object.entries(usage.actions).flatMap(([name, { core }]) => (core ? [name] : []))
  const asked = { person: new Questions(), account: new Questions() }
  const windows = new Set<number>()
  const inOrder = [...models.values()].sort(
    (a, b) =>
      Number(a.subject === 'account') - Number(b.subject === 'account') || (a.id < b.id ? -1 : 1),
  )
  const scorers = inOrder.map((model): PlannedScorer => {
    const scorer = createScorer(model, core)
    for (const days of scorer.memberWindows) windows.add(days)
    const places = scorer.needs.list.map((need): Place => {
      const of = model.subject === 'account' || need.of === 'account' ? 'account' : 'person'
      return { of, place: asked[of].placeOf({ ...need, of: 'own' }) }
    })
    const asksForPeople =
      model.subject === 'account' ||
      model.signals.some((signal) => 'people' in signal) ||
      places.some(({ of }) => of === 'account')
    return { ...scorer, places, asksForPeople }
  })
  return {
    scorers,
    person: { needs: asked.person.list, windows: [...windows].sort((a, b) => a - b) },
    account: { needs: asked.account.list, windows: [] },
    looksAtColleagues: scorers.some((s) => s.model.subject === 'person' && s.asksForPeople),
  }
}

type Question = FeaturePlan['needs'][number]

/** A list in which nothing stands twice. */
class Questions {
  readonly list: Question[] = []
  readonly #places = new Map<string, number>()

  placeOf(need: Question): number {
    const name = JSON.stringify(need)
    const known = this.#places.get(name)
    if (known !== undefined) return known
    this.#places.set(name, this.list.length)
    return this.list.push(need) - 1
  }
}
