import type { Finding } from './alert.ts'

type Level = Finding['level']

/** Of a share that has passed its limit, so much must be gone before it is good again. */
const BACK = 0.8

/** The level of a figure that is bad from `limit` on. */
export function levelAbove(value: number, limit: number): Level {
  if (value >= limit) return 'bad'
  return value < limit * BACK ? 'good' : 'between'
}

/** The level of a figure that is bad below `limit`. */
export function levelBelow(value: number, limit: number): Level {
  if (value < limit) return 'bad'
  return value >= limit / BACK ? 'good' : 'between'
}

/** Few parked records are no share of anything. */
const LEAST_PARKED = 5

/** How the parked records of a CRM stand. */
export function parkedLevel(parked: number, records: number, limit: number): Level {
  if (parked < LEAST_PARKED || records === 0) return 'good'
  return levelAbove(parked / records, limit)
}
