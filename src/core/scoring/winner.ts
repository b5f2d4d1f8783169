import type { Score } from './score.ts'
import type { UsageStatus } from './status.ts'

/** Which of several models speaks for a subject: see `winnerOf`. */
export const WINNERS = ['first', 'highest'] as const
export type Winner = (typeof WINNERS)[number]

/** From best to worst, for the rule `highest`. */
const ORDER: readonly UsageStatus[] = ['qualified', 'assist', 'cooling', 'new', 'nurture', 'stale']

/**
 * The model that speaks for a subject among those that score it. `first`: the one that is named first.
 * `highest`: the best usage status, then the highest score, then the one that is named first.
 * @param scores of one subject by model id.
 */
export function winnerOf(
  rule: Winner,
  models: readonly string[],
  scores: ReadonlyMap<string, Score>,
): { readonly model: string; readonly score: Score } | null {
  const known = models.flatMap((model) => {
    const score = scores.get(model)
    return score ? [{ model, score }] : []
  })
  if (rule === 'highest') {
    // Sorting is stable: equal ones stay in the order in which they are named.
    known.sort(
      (a, b) =>
        ORDER.indexOf(a.score.usageStatus) - ORDER.indexOf(b.score.usageStatus) ||
        b.score.score - a.score.score,
    )
  }
  return known[0] ?? null
}
