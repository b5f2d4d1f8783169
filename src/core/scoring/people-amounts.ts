import type { PeopleSignal } from '../mapping/model-signals.ts'
import { dayOf, endDay, leavesAt } from './day.ts'
import type { Member } from './features.ts'

/** What one signal measured. */
export interface Reading {
  /** Null when there is none. */
  readonly amount: number | null
  /** First and last evidence, in milliseconds since 1970 UTC; null where it has no date. */
  readonly since: number | null
  readonly last: number | null
}

export const NOTHING: Reading = { amount: null, since: null, last: null }

/** What a signal about the people of an account measures. */
export function peopleReading(
  signal: PeopleSignal,
  days: number,
  activeDays: number,
  members: readonly Member[],
  asOf: number,
): Reading {
  const isActive = (m: Member) => (m.core.get(days)?.days ?? 0) >= activeDays
  const wasActive = (m: Member) => (m.core.get(days)?.earlierDays ?? 0) >= activeDays
  const isKnown = (m: Member) => m.firstAt !== null
  const number = (keep: (m: Member) => boolean) => {
    const some = members.filter(keep)
    return { amount: some.length, since: null, last: latest(some) }
  }
  switch (signal.people) {
    case 'known':
      return number(isKnown)
    case 'active':
      return number(isActive)
    case 'new':
      return number((m) => m.firstAt !== null && dayOf(m.firstAt) >= endDay(asOf) - days)
    case 'qualified':
      return number((m) => m.qualified)
    case 'share-active': {
      const known = members.filter(isKnown).length
      const active = members.filter(isActive)
      if (known === 0) return NOTHING
      return { amount: (100 * active.length) / known, since: null, last: latest(active) }
    }
    case 'growth': {
      const active = members.filter(isActive)
      const amount = active.length - members.filter(wasActive).length
      return { amount, since: null, last: latest(active) }
    }
    case 'champion': {
      const best = members.reduce((most, m) => Math.max(most, m.score), 0)
      return { amount: best, since: null, last: latest(members.filter((m) => m.score === best)) }
    }
  }
}

function latest(members: readonly Member[]): number | null {
  let last: number | null = null
  for (const { lastAt } of members) if (lastAt !== null && lastAt > (last ?? 0)) last = lastAt
  return last
}

/** The first instant at which one of the members' windows of so many days holds something else. */
export function membersChangeAt(members: readonly Member[], days: number): number {
  let next = Number.POSITIVE_INFINITY
  const at = (ms: number | null | undefined, length: number) => {
    if (ms !== null && ms !== undefined) next = Math.min(next, leavesAt(ms, length))
  }
  for (const { core } of members) {
    const work = core.get(days)
    at(work?.firstAt, days)
    at(work?.earlierFirstAt, 2 * days)
  }
  return next
}

/** The first instant after `asOf` at which somebody is new within so many days no more. */
export function newcomersChangeAt(members: readonly Member[], days: number, asOf: number): number {
  let next = Number.POSITIVE_INFINITY
  for (const { firstAt } of members) {
    const leaves = firstAt === null ? 0 : leavesAt(firstAt, days)
    if (leaves > asOf) next = Math.min(next, leaves)
  }
  return next
}

/** Whom to call first: the best score, then the most core work within so many days. */
export function championOf(members: readonly Member[], days: number): Member | null {
  const coreDays = (m: Member) => m.core.get(days)?.days ?? 0
  const ranked = [...members].sort(
    (a, b) => b.score - a.score || coreDays(b) - coreDays(a) || (a.personId < b.personId ? -1 : 1),
  )
  const best = ranked[0]
  return best && (coreDays(best) > 0 || best.score > 0) ? best : null
}
