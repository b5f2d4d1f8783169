/**
 * One value of a trait and when it was told: the value, and the first and the last time in milliseconds
 * since 1970 UTC. A list, because the database holds one for every value of every person.
 */
export type Telling = readonly [value: string, firstAt: number, lastAt: number]

/** What usage told of one subject, by the name of the trait. */
export type Told = Readonly<Record<string, readonly Telling[]>>

/** Which moment is asked about. */
export interface TraitTime {
  /** What usage told at this instant or later does not count; what CRMs and files say from it on does. */
  readonly asOf: Date
  /** Nothing that Ripen learnt later than this counts; without it, all that it knows. */
  readonly knownAt?: Date
}

/** A value and when it was told last, as far as somebody at that moment can say. */
export interface CurrentValue {
  readonly value: string
  readonly toldAt: number
}

/** Most values of one trait that are kept of one subject: those that were told last. */
const MOST_VALUES = 50

/**
 * The value at `asOf`: of those that were told before, the one that was told last. A value that was told
 * before and after `asOf` counts as told then; of several, the one that came up last does, and then the
 * first in the alphabet.
 */
export function valueAt(tellings: readonly Telling[], at: TraitTime): CurrentValue | null {
  const asOf = at.asOf.getTime()
  const until = Math.min(asOf, at.knownAt?.getTime() ?? asOf)
  let best: { telling: Telling; toldAt: number } | null = null
  for (const telling of tellings) {
    const [, firstAt, lastAt] = telling
    if (firstAt >= asOf || firstAt > until) continue
    const next = { telling, toldAt: Math.min(lastAt, until) }
    if (!best || isLater(next, best)) best = next
  }
  return best && { value: best.telling[0], toldAt: best.toldAt }
}

/** Of two that were told at one time, the one that came up later stands, then the smaller text. */
function isLater(
  a: { readonly telling: Telling; readonly toldAt: number },
  b: { readonly telling: Telling; readonly toldAt: number },
): boolean {
  if (a.toldAt !== b.toldAt) return a.toldAt > b.toldAt
  const [[aValue, aFirst], [bValue, bFirst]] = [a.telling, b.telling]
  return aFirst !== bFirst ? aFirst > bFirst : aValue < bValue
}

/**
 * Puts together what several identities of one subject told of a trait: one telling for each value,
 * first told first.
 */
export function mergeTellings(tellings: readonly Telling[]): Telling[] {
  const byValue = new Map<string, Telling>()
  for (const telling of tellings) {
    const [value, firstAt, lastAt] = telling
    const known = byValue.get(value)
    byValue.set(
      value,
      known ? [value, Math.min(known[1], firstAt), Math.max(known[2], lastAt)] : telling,
    )
  }
  const order = (a: Telling, b: Telling) => a[1] - b[1] || a[2] - b[2] || (a[0] < b[0] ? -1 : 1)
  const kept = [...byValue.values()].sort((a, b) => b[2] - a[2] || order(b, a))
  return kept.slice(0, MOST_VALUES).sort(order)
}
