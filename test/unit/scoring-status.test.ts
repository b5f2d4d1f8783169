import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { gradeOf, nextStatus, type UsageStatus } from '../../src/core/scoring/status.ts'

const NOW = new Date('2026-11-21T00:00:00Z')
const DAY = 86_400_000
const ago = (days: number) => new Date(NOW.getTime() - days * DAY)
const rules = { enter: 50, exit: 40, assist: 25, 'new-for': 7, 'stale-after': 45 }

const next = (
  previous: UsageStatus | null,
  score: number,
  { firstSeen = 20, idle = 1 }: { firstSeen?: number; idle?: number } = {},
) =>
  nextStatus(rules, {
    score,
    previous,
    firstSeenAt: ago(firstSeen),
    lastActiveAt: ago(idle),
    asOf: NOW,
  })

describe('a status', () => {
  it.each([
    { name: 'is new in the first days', from: null, score: 24, firstSeen: 6.9, to: 'new' },
    { name: 'is nurture after them', from: null, score: 24, firstSeen: 7, to: 'nurture' },
    { name: 'leaves new with time', from: 'new', score: 24, firstSeen: 7, to: 'nurture' },
    { name: 'is assist from assist on', from: 'nurture', score: 25, to: 'assist' },
    { name: 'is assist for somebody new too', from: 'new', score: 25, firstSeen: 1, to: 'assist' },
    { name: 'stays assist right below enter', from: 'assist', score: 49, to: 'assist' },
    { name: 'stays assist a little below assist', from: 'assist', score: 15, to: 'assist' },
    {
      name: 'leaves assist as far below it as exit is below enter',
      from: 'assist',
      score: 14,
      to: 'nurture',
    },
    { name: 'is qualified from enter on', from: 'assist', score: 50, to: 'qualified' },
    { name: 'is qualified at once', from: null, score: 100, to: 'qualified' },
    { name: 'stays qualified at exit', from: 'qualified', score: 40, to: 'qualified' },
    { name: 'cools below exit', from: 'qualified', score: 39, to: 'cooling' },
    { name: 'does not enter at exit', from: 'assist', score: 40, to: 'assist' },
    { name: 'stays cooling right below enter', from: 'cooling', score: 49, to: 'cooling' },
    { name: 'stays cooling at assist', from: 'cooling', score: 25, to: 'cooling' },
    {
      name: 'is qualified again from cooling at enter',
      from: 'cooling',
      score: 50,
      to: 'qualified',
    },
    { name: 'leaves cooling far below assist', from: 'cooling', score: 14, to: 'nurture' },
    { name: 'falls from qualified to nurture at once', from: 'qualified', score: 0, to: 'nurture' },
    {
      name: 'is not stale on the last day',
      from: 'qualified',
      score: 60,
      idle: 45,
      to: 'qualified',
    },
    {
      name: 'is stale after it, whatever the score',
      from: 'qualified',
      score: 60,
      idle: 45.1,
      to: 'stale',
    },
    { name: 'wakes from stale', from: 'stale', score: 30, idle: 0, to: 'assist' },
    { name: 'wakes from stale to qualified', from: 'stale', score: 50, idle: 0, to: 'qualified' },
    { name: 'wakes from stale to nurture', from: 'stale', score: 0, idle: 0, to: 'nurture' },
  ] as const)('$name', ({ from, score, to, ...when }) => {
    expect(next(from, score, when)).toBe(to)
  })

  it('is stale for somebody who was never active', () => {
    const nobody = { score: 99, previous: null, firstSeenAt: null, lastActiveAt: null, asOf: NOW }
    expect(nextStatus(rules, nobody)).toBe('stale')
  })
})

const STATUSES = ['new', 'nurture', 'assist', 'qualified', 'cooling', 'stale'] as const
const anyRules = fc
  .record({
    assist: fc.integer({ min: 1, max: 98 }),
    above: fc.nat(97),
    gap: fc.integer({ min: 1, max: 99 }),
  })
  .map(({ assist, above, gap }) => {
    const exit = Math.min(99, assist + above)
    return { ...rules, assist, exit, enter: Math.min(100, exit + gap) }
  })
const anyStatus = fc.constantFrom(null, ...STATUSES)

describe('any rules', () => {
  it('give the same status again when nothing happened', () => {
    fc.assert(
      fc.property(
        anyRules,
        anyStatus,
        fc.nat(100),
        fc.nat(60),
        fc.nat(60),
        (some, previous, score, firstSeen, idle) => {
          const input = { score, firstSeenAt: ago(firstSeen), lastActiveAt: ago(idle), asOf: NOW }
          const once = nextStatus(some, { ...input, previous })
          expect(nextStatus(some, { ...input, previous: once })).toBe(once)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('let noise below the gap of enter and exit change the status twice at most', () => {
    const noisy = anyRules.chain((some) =>
      fc.tuple(
        fc.constant(some),
        anyStatus,
        fc.nat(100),
        fc.array(fc.nat(some.enter - some.exit - 1), { maxLength: 30 }),
      ),
    )
    fc.assert(
      fc.property(noisy, ([some, start, low, noise]) => {
        let status = start
        let changes = 0
        for (const extra of noise) {
          const score = Math.min(100, low + extra)
          const input = { score, firstSeenAt: ago(20), lastActiveAt: ago(1), asOf: NOW }
          const to = nextStatus(some, { ...input, previous: status })
          if (to !== status) changes++
          status = to
        }
        expect(changes).toBeLessThanOrEqual(2)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a grade', () => {
  const bands = [
    { grade: 'D', from: 0 },
    { grade: 'C', from: 25 },
    { grade: 'B', from: 50 },
    { grade: 'A', from: 80 },
  ]
  it.each([
    { score: 0, grade: 'D' },
    { score: 24, grade: 'D' },
    { score: 25, grade: 'C' },
    { score: 49, grade: 'C' },
    { score: 50, grade: 'B' },
    { score: 79, grade: 'B' },
    { score: 80, grade: 'A' },
    { score: 100, grade: 'A' },
  ])('of $score is $grade', ({ score, grade }) => {
    expect(gradeOf(bands, score)).toBe(grade)
  })
})
