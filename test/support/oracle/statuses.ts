import type { Model } from '../../../src/core/mapping/model.ts'
import { type Evidence, type Features, NO_SALES } from '../../../src/core/scoring/features.ts'
import type { Score } from '../../../src/core/scoring/score.ts'
import { createScorer } from '../../../src/core/scoring/scorer.ts'
import { TODAY } from './arbitrary-scenes.ts'

const DAY_MS = 86_400_000

/** What is found some hours after the step before. */
export interface Step {
  readonly hours: number
  readonly score: number
  /** Whether the last use was just now, or too long ago. */
  readonly isActive: boolean
  /** Whether what is required holds. */
  readonly isMet: boolean
}

/** A model whose score is the last value of an action, so that a test may say what it is. */
export const statusModel = (status: object): object => ({
  id: 'statuses',
  version: 1,
  subject: 'person',
  kind: 'conversion',
  predicts: 'paid',
  window: '30d',
  signals: [
    { id: 'level', label: 'Level', action: 'level', measure: 'last', points: 1, per: 1, max: 100 },
    { id: 'met', label: 'Met', action: 'met', points: 0 },
  ],
  requires: ['met'],
  status: { 'new-for': '7d', 'stale-after': '30d', ...status },
  bands: [{ grade: 'A', from: 0 }],
})

/** The status after each step; the first score is not a change. */
export function statusesOver(model: Model, steps: readonly Step[]): string[] {
  const scorer = createScorer(model, [])
  let [at, previous]: [number, Score | null] = [TODAY + 8 * 3_600_000, null]
  return steps.map((step) => {
    at += step.hours * 3_600_000
    const features = featuresAt(at, step)
    previous = scorer.score(features, previous, new Date(at))
    return previous?.usageStatus ?? 'none'
  })
}

function featuresAt(at: number, step: Step): Features {
  const lastAt = step.isActive ? at - 1 : at - 40 * DAY_MS
  const one: Evidence = { count: 1, days: 1, firstAt: at - 1, lastAt: at - 1 }
  const { score } = step
  const value = {
    sum: score,
    max: score,
    last: score,
    lastAt: at - 1,
    distinct: 1,
    isCapped: false,
  }
  return {
    subjectId: 'p0',
    activity: {
      firstAt: TODAY,
      lastAt: Math.max(TODAY, lastAt),
      days30: 1,
      first30At: at - 1,
      recent: 1,
      recentFirstAt: at - 1,
      earlier: 0,
      earlierFirstAt: null,
    },
    evidence: [{ ...one, value }, step.isMet ? one : undefined],
    traits: {},
    members: [],
    sales: NO_SALES,
  }
}
