import type { SalesState } from '../scoring/features.ts'

/** What sales said of a subject, and when. */
export type SalesSaid = Pick<SalesState, 'status' | 'since'>

/** A no of sales. */
export const REJECTION: ReadonlySet<SalesState['status']> = new Set(['rejected'])

/** What ends the reason of a task. */
export const ENDING: ReadonlySet<SalesState['status']> = new Set(['rejected', 'won', 'lost'])

const NOTHING_SAID: SalesSaid = { status: 'none', since: null }

/**
 * The later one of what sales said of a person and of her account, among some words. That it says nothing of one of them
 * takes nothing back of what it said of the other.
 */
export function lastWord(
  said: readonly (SalesSaid | undefined)[],
  among: ReadonlySet<SalesState['status']>,
): SalesSaid {
  let last = NOTHING_SAID
  for (const one of said) {
    if (!one || !among.has(one.status)) continue
    if (last.status === 'none' || (one.since ?? 0) > (last.since ?? 0)) last = one
  }
  return last
}
