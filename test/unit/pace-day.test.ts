import { describe, expect, it } from '@jest/globals'
import { dayPauseEnds, leftOfShare } from '../../src/core/pace/day.ts'
import { isNarrow, regained, slower, stepMs } from '../../src/core/pace/shape.ts'

describe('when the day of an account ends', () => {
  it.each([
    { zone: 'UTC', now: '2026-11-20T15:00:00Z', ends: '2026-11-21T00:00:00.000Z' },
    { zone: 'America/New_York', now: '2026-11-20T15:00:00Z', ends: '2026-11-21T05:00:00.000Z' },
    { zone: 'America/New_York', now: '2026-11-21T04:30:00Z', ends: '2026-11-21T05:00:00.000Z' },
    { zone: 'Asia/Kolkata', now: '2026-11-20T12:00:00Z', ends: '2026-11-20T18:30:00.000Z' },
    { zone: 'Europe/Berlin', now: '2026-10-24T23:00:00Z', ends: '2026-10-25T23:00:00.000Z' },
    { zone: 'Europe/Berlin', now: '2026-03-29T08:00:00Z', ends: '2026-03-29T22:00:00.000Z' },
    // Midnight is left out where clocks go forward at midnight.
    { zone: 'America/Santiago', now: '2026-09-05T20:00:00Z', ends: '2026-09-06T04:00:00.000Z' },
  ])('$zone at $now', ({ zone, now, ends }) => {
    expect(dayPauseEnds(new Date(now), zone).toISOString()).toBe(ends)
  })

  it('is looked at soon where the day has only begun: the vendor may still count the old one', () => {
    const at = dayPauseEnds(new Date('2026-11-20T00:03:00Z'), 'UTC')
    expect(at.toISOString()).toBe('2026-11-20T00:08:00.000Z')
  })

  it('is looked at in a quarter of an hour where nobody knows the zone', () => {
    const at = dayPauseEnds(new Date('2026-11-20T15:00:00Z'), null)
    expect(at.toISOString()).toBe('2026-11-20T15:15:00.000Z')
  })
})

it.each([
  { calls: 1_000, left: 201, share: 0.8, want: 1 },
  { calls: 1_000, left: 200, share: 0.8, want: 0 },
  { calls: 1_000, left: 0, share: 1, want: 0 },
])('a share of $share leaves $want of $left', ({ calls, left, share, want }) => {
  expect(leftOfShare({ calls, left }, share)).toBe(want)
})

describe('the shape of an allowance', () => {
  it.each([
    { calls: 100, intervalMs: 10_000, least: 0.95 },
    { calls: 190, intervalMs: 10_000, least: 0.95 },
    { calls: 250, intervalMs: 10_000, least: 0.95 },
    { calls: 5, intervalMs: 1_000, least: 0.9 },
  ])('uses $least of $calls in $intervalMs ms and fits into any window', (window) => {
    const step = stepMs(window)
    expect(window.intervalMs / step / window.calls).toBeGreaterThan(window.least)
    // The closed window holds one more turn than gaps; a tenth of an interval, or 200 ms, may go astray.
    const astrayMs = Math.min(200, window.intervalMs / 20)
    const held = Math.floor((window.intervalMs + astrayMs) / step) + 1
    expect(held).toBeLessThanOrEqual(window.calls)
  })

  it('is a tenth smaller after a refusal, comes back with time, and never ends', () => {
    expect(slower(1)).toBeCloseTo(0.9)
    expect(regained(0.9, 0)).toBeCloseTo(0.9)
    expect(regained(0.9, 90_000)).toBeCloseTo(0.95)
    expect(regained(0.9, 3_600_000)).toBe(1)
    expect([...Array(50)].reduce<number>((share) => slower(share), 1)).toBeGreaterThan(0.2)
  })

  it('is narrow below one in a hundred', () => {
    expect([isNarrow(190, 1), isNarrow(190, 2), isNarrow(100, 0), isNarrow(100, 1)]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
})
