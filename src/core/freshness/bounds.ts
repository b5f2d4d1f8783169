/**
 * Upper bounds of the times that are told apart, in seconds. What took longer than the last one is counted
 * under the number that follows it.
 */
export const BOUNDS_SECONDS = [
  1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
] as const

/** Counts of one kind: how many took no longer than each bound, and longer than the one before it. */
export interface Spread {
  /** By the place of the bound; one more for what took longer than all of them. */
  readonly counts: readonly number[]
  /** Sum of the times. */
  readonly seconds: number
}

export const NOTHING: Spread = { counts: BOUNDS_SECONDS.map(() => 0).concat(0), seconds: 0 }

export const totalOf = ({ counts }: Spread): number => counts.reduce((sum, n) => sum + n, 0)

/** How many took no longer than a bound. */
export function withinOf({ counts }: Spread, seconds: number): number {
  return counts.reduce((sum, n, i) => {
    const bound = BOUNDS_SECONDS[i]
    return bound !== undefined && bound <= seconds ? sum + n : sum
  }, 0)
}

/**
 * The least bound that this share of all did not pass; null when there are none, infinite when it is
 * beyond the last bound.
 */
export function quantileOf(spread: Spread, share: number): number | null {
  const wanted = totalOf(spread) * share
  if (wanted === 0) return null
  let sum = 0
  for (const [i, n] of spread.counts.entries()) {
    sum += n
    if (sum >= wanted) return BOUNDS_SECONDS[i] ?? Number.POSITIVE_INFINITY
  }
  return Number.POSITIVE_INFINITY
}

/** The same with the counts of both. */
export const added = (a: Spread, b: Spread): Spread => ({
  counts: a.counts.map((n, i) => n + (b.counts[i] ?? 0)),
  seconds: a.seconds + b.seconds,
})
