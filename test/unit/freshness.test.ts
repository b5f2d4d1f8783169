import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ageAtArrival } from '../../src/core/freshness/age.ts'
import {
  added,
  BOUNDS_SECONDS,
  NOTHING,
  quantileOf,
  totalOf,
} from '../../src/core/freshness/bounds.ts'
import { readObjective, shortTime, standingOf } from '../../src/core/freshness/objective.ts'

/** Counts as PostgreSQL makes them of times. */
function spreadOf(times: readonly number[]) {
  const counts = [...NOTHING.counts]
  for (const time of times) {
    const place = BOUNDS_SECONDS.findIndex((bound) => time <= bound)
    const at = place === -1 ? BOUNDS_SECONDS.length : place
    counts[at] = (counts[at] ?? 0) + 1
  }
  return { counts, seconds: times.reduce((sum, time) => sum + time, 0) }
}

const times = fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }))

describe('an objective', () => {
  it.each([
    { text: '95% in 15m over 24h', want: { share: 0.95, withinSeconds: 900, overHours: 24 } },
    { text: '99.5 % in 5s over 7d', want: { share: 0.995, withinSeconds: 5, overHours: 168 } },
    { text: '95% in 15m', want: expect.stringContaining('95% in 15m over 24h') },
    { text: '100% in 15m over 24h', want: expect.stringContaining('below 100 %') },
    { text: '95% in 7m over 24h', want: expect.stringContaining('5m, 10m, 15m') },
    { text: '95% in 15m over 31d', want: expect.stringContaining('1h to 30d') },
  ])('$text is read, or refused with what would be right', ({ text, want }) => {
    expect(readObjective(text)).toEqual(want)
  })

  const objective = { share: 0.9, withinSeconds: 10, overHours: 24 }

  it.each([
    { name: 'nothing was due', all: [], late: 0, share: null, isKept: true, budgetUsed: null },
    { name: 'all in time', all: [1, 10], late: 0, share: 1, isKept: true, budgetUsed: 0 },
    {
      name: 'exactly the share',
      all: [...new Array(9).fill(5), 11],
      late: 0,
      share: 0.9,
      isKept: true,
      budgetUsed: 1,
    },
    {
      name: 'one too many',
      all: [...new Array(8).fill(5), 11, 12],
      late: 0,
      share: 0.8,
      isKept: false,
      budgetUsed: 2,
    },
    {
      name: 'late and on the way',
      all: new Array(9).fill(5),
      late: 1,
      share: 0.9,
      isKept: true,
      budgetUsed: 1,
    },
    {
      name: 'nothing came, and it is late',
      all: [],
      late: 3,
      share: 0,
      isKept: false,
      budgetUsed: 10,
    },
  ])('is held against what was counted: $name', ({ all, late, share, isKept, budgetUsed }) => {
    const standing = standingOf(objective, spreadOf(all), late)
    expect({ share: standing.share, isKept: standing.isKept }).toEqual({ share, isKept })
    if (budgetUsed === null) expect(standing.budgetUsed).toBeNull()
    else expect(standing.budgetUsed).toBeCloseTo(budgetUsed)
  })

  it('counts as kept exactly what took no longer, for every bound and any times', () => {
    fc.assert(
      fc.property(times, fc.constantFrom(...BOUNDS_SECONDS), fc.nat(20), (all, within, late) => {
        const standing = standingOf({ ...objective, withinSeconds: within }, spreadOf(all), late)
        expect(standing.total).toBe(all.length + late)
        expect(standing.kept).toBe(all.filter((time) => time <= within).length)
      }),
    )
  })
})

describe('counted times', () => {
  it('tell a bound that so many did not pass, and no lower one', () => {
    fc.assert(
      fc.property(times, fc.constantFrom(0.5, 0.95, 0.99), (all, share) => {
        const bound = quantileOf(spreadOf(all), share)
        if (all.length === 0) return expect(bound).toBeNull()
        const within = (most: number) => all.filter((time) => time <= most).length
        expect(within(bound ?? 0)).toBeGreaterThanOrEqual(all.length * share)
        const lower = BOUNDS_SECONDS.filter((one) => one < (bound ?? 0)).at(-1)
        if (lower !== undefined) expect(within(lower)).toBeLessThan(all.length * share)
      }),
    )
  })

  it('of two add up', () => {
    fc.assert(
      fc.property(times, times, (a, b) => {
        expect(totalOf(added(spreadOf(a), spreadOf(b)))).toBe(a.length + b.length)
      }),
    )
  })

  it('are told shortly', () => {
    expect([1, 90, 900, 7200, 86_400].map(shortTime)).toEqual(['1s', '90s', '15m', '2h', '1d'])
  })
})

describe('the age of what someone did', () => {
  const now = new Date('2026-09-10T08:00:00Z')

  it.each([
    { name: 'is told when it arrived', at: '2026-09-10T07:58:00Z', waitedMs: 60_000, want: 60_000 },
    { name: 'is none of a clock that is fast', at: '2026-09-10T08:01:00Z', waitedMs: 0, want: 0 },
    { name: 'is a day at most', at: '2026-09-09T08:00:00Z', waitedMs: 0, want: 86_400_000 },
    {
      name: 'is nothing to be told of history',
      at: '2026-09-09T07:59:59Z',
      waitedMs: 0,
      want: null,
    },
    { name: 'is unknown of who never did anything', at: null, waitedMs: 0, want: null },
  ])('$name', ({ at, waitedMs, want }) => {
    expect(ageAtArrival(at, now, waitedMs)).toBe(want)
  })
})
