import type { Playbook, PlaybookCondition, PlaybookSegment } from '../mapping/playbook.ts'
import type { Traits } from '../scoring/features.ts'
import type { Score } from '../scoring/score.ts'
import { traitTest } from '../scoring/traits.ts'

/** What conditions look at: a subject as it stands now. */
export interface Standpoint {
  readonly score: Score
  readonly traits: Traits
}

/** The segment of a playbook that a subject falls into: the first that fits; null when it is not for her. */
export function segmentOf(
  { conditions, segments }: Pick<Playbook, 'conditions' | 'segments'>,
  now: Standpoint,
): PlaybookSegment | null {
  if (!meetsAll(conditions, now)) return null
  return segments.find(({ when }) => meetsAll(when, now)) ?? null
}

/** Whether all conditions are met. */
export const meetsAll = (conditions: readonly PlaybookCondition[], now: Standpoint): boolean =>
  conditions.every((condition) => meets(condition, now))

function meets(condition: PlaybookCondition, { score, traits }: Standpoint): boolean {
  if ('trait' in condition) return traitTest(condition)(traits)
  if ('usage-status' in condition) return condition['usage-status'].includes(score.usageStatus)
  if ('sales-status' in condition) return condition['sales-status'].includes(score.salesStatus)
  if ('trend' in condition) return condition.trend.includes(score.trend)
  const value = amountOf(condition.value, score)
  const { gte = Number.NEGATIVE_INFINITY, lte = Number.POSITIVE_INFINITY } = condition
  return value >= gte && value <= lte
}

function amountOf(what: 'score' | 'active-people' | 'qualified-people', score: Score): number {
  switch (what) {
    case 'score':
      return score.score
    case 'active-people':
      return score.facts.activeUsers
    case 'qualified-people':
      return score.facts.qualifiedUsers
  }
}
