import { fileURLToPath } from 'node:url'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Evidence, Features } from '../../src/core/scoring/features.ts'
import { NO_SALES } from '../../src/core/scoring/features.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { tuneHeap } from '../../src/infra/heap.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { contender } from '../child.ts'
import { AS_OF } from './company.ts'

export interface PureInput {
  readonly people: number
}

export interface Pure {
  readonly people: number
  /** So that nothing of it can be left out. */
  readonly sum: number
}

const MAPPINGS = fileURLToPath(new URL('mappings', import.meta.url))
const DAY_MS = 86_400_000
/** Rounds over the same people; the first ones warm the code up. */
const WARM = 2
const ROUNDS = 10

tuneHeap()
await contender(async ({ people }: PureInput) => {
  const { models } = parseMappingSet(await readMappingFolder(MAPPINGS))
  const model = models.get('people')
  if (!model) throw new Error('no model')
  const scorer = createScorer(model, ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'])
  const all = Array.from({ length: people }, (_, i) => featuresOf(i, scorer.needs.list.length))
  const before = all.map((one) => scorer.score(one, null, AS_OF))
  let sum = 0
  // What it gives is looked at and let go, as by whoever finds that nothing changed.
  const round = () => {
    for (let i = 0; i < all.length; i++) {
      const one = all[i]
      if (one) sum += scorer.score(one, before[i] ?? null, AS_OF)?.score ?? 0
    }
  }
  for (let i = 0; i < WARM; i++) round()
  const start = performance.now()
  for (let i = 0; i < ROUNDS; i++) round()
  return { seconds: (performance.now() - start) / 1000, people: people * ROUNDS, sum }
})

/** Somebody who did most things some days ago. */
function featuresOf(i: number, needs: number): Features {
  const now = AS_OF.getTime()
  const evidence = Array.from({ length: needs }, (_, place): Evidence | undefined => {
    if ((i * 7 + place * 13) % 3 === 0) return undefined
    const lastAt = now - ((i + place) % 20) * DAY_MS - 3_600_000
    return {
      count: 1 + ((i + place) % 9),
      days: 1 + ((i + place) % 4),
      firstAt: lastAt - 5 * DAY_MS,
      lastAt,
      faded: ((i + place) % 50) / 10,
      streak: 1 + (i % 3),
      earlier: i % 5,
      earlierFirstAt: null,
      everAt: lastAt - 5 * DAY_MS,
    }
  })
  return {
    subjectId: `per_${i}`,
    activity: {
      firstAt: now - 50 * DAY_MS,
      lastAt: now - DAY_MS,
      days30: 6,
      first30At: now - 28 * DAY_MS,
      recent: 8,
      recentFirstAt: now - 12 * DAY_MS,
      earlier: 7,
      earlierFirstAt: now - 25 * DAY_MS,
    },
    evidence,
    traits: { email_kind: [i % 10 === 0 ? 'free' : 'business'] },
    members: [],
    sales: NO_SALES,
  }
}
