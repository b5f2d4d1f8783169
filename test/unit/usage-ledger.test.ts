import { describe, expect, it } from '@jest/globals'
import { createDescription, duration } from '../../src/app/cli/progress.ts'
import { estimateMs, findGaps, lagMs } from '../../src/core/usage/ledger.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2026-09-01T00:00:00Z')
const windows = Array.from({ length: 10 }, (_, n) => ({
  key: `h${n}`,
  start: new Date(START + n * HOUR_MS),
  end: new Date(START + (n + 1) * HOUR_MS),
}))
const pulled = (keys: readonly number[], afterHours = 100) =>
  keys.map((n) => ({ key: `h${n}`, pulledAt: new Date(START + afterHours * HOUR_MS) }))

describe('gaps', () => {
  it.each([
    { name: 'are none where nothing was pulled', keys: [], want: [] },
    { name: 'are none between neighbours', keys: [3, 4, 5], want: [] },
    { name: 'are none before the first and after the last', keys: [4], want: [] },
    { name: 'of one window', keys: [1, 3], want: [['h2', 'h2', 1]] },
    {
      name: 'are ranges',
      keys: [0, 4, 5, 7, 9],
      want: [
        ['h1', 'h3', 3],
        ['h6', 'h6', 1],
        ['h8', 'h8', 1],
      ],
    },
  ])('$name', ({ keys, want }) => {
    const gaps = findGaps(windows, pulled(keys))
    expect(gaps.map(({ from, to, windows: n }) => [from, to, n])).toEqual(want)
  })
})

describe('the lag', () => {
  const now = new Date(START + 12 * HOUR_MS)

  it('is the time since the end of the newest window', () => {
    expect(lagMs(windows, pulled([2, 8]), now)).toBe(3 * HOUR_MS)
  })

  it('does not count a window that was pulled before it was over', () => {
    const early = [...pulled([2]), ...pulled([8], 8)]
    expect(lagMs(windows, early, now)).toBe(9 * HOUR_MS)
  })

  it('is unknown before anything is there', () => {
    expect(lagMs(windows, [], now)).toBeNull()
  })
})

describe('an estimate', () => {
  it.each([
    { done: 0, left: 5, elapsed: 100, want: null },
    { done: 2, left: 4, elapsed: 100, want: 200 },
    { done: 5, left: 0, elapsed: 100, want: 0 },
  ])('of $left after $done', ({ done, left, elapsed, want }) => {
    expect(estimateMs(done, left, elapsed)).toBe(want)
  })

  it.each([
    { ms: 4_400, want: '4 s' },
    { ms: 89_000, want: '89 s' },
    { ms: 720_000, want: '12 min' },
    { ms: 12_000_000, want: '3 h 20 min' },
    { ms: 260_000_000, want: '3 days' },
  ])('reads $want', ({ ms, want }) => {
    expect(duration(ms)).toBe(want)
  })
})

describe('progress', () => {
  const at = (done: number, step: 'pull' | 'rebuild' = 'pull') =>
    ({ step, key: 'amplitude', done, total: 12, unit: 'downloads' }) as const

  it('tells the time that is left, from what was done since it began', () => {
    const describeIt = createDescription(false)
    expect(describeIt(at(2), 1_000)).toBe('amplitude: 2/12 downloads')
    expect(describeIt(at(4), 21_000)).toBe('amplitude: 4/12 downloads, about 80 s left')
    expect(describeIt(at(12), 60_000)).toBe('amplitude: 12/12 downloads')
  })

  it('has a bar on a terminal', () => {
    expect(createDescription(true)(at(6), 0)).toMatch(/^amplitude: █{12}░{12} 6\/12 downloads$/)
  })

  it('says that rollups are rebuilt', () => {
    expect(createDescription(false)({ ...at(6, 'rebuild'), unit: 'days' }, 0)).toBe(
      'amplitude: rebuilding rollups 6/12 days',
    )
  })
})
