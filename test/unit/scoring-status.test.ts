import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { StatusRules } from '../../src/core/mapping/model.ts'
import { NO_SALES, type SalesState } from '../../src/core/scoring/features.ts'
import {
  gradeOf,
  nextStatus,
  type StatusAnswer,
  type StatusInput,
  type UsageStatus,
} from '../../src/core/scoring/status.ts'

const NOW = Date.parse('2026-11-21T00:00:00Z')
const DAY = 86_400_000
const ago = (days: number) => NOW - days * DAY
const rules: StatusRules = {
  enter: 50,
  exit: 40,
  assist: 25,
  'new-for': 7,
  'stale-after': 45,
  'after-rejection': { 'cool-down': 90, gain: 0 },
}
const dwelling: StatusRules = { ...rules, 'min-dwell': 3 * DAY }

const inputOf = (score: number, rest: Partial<StatusInput> = {}): StatusInput => ({
  score,
  previous: null,
  firstAt: ago(20),
  lastAt: ago(1),
  sales: NO_SALES,
  mayQualify: true,
  isExcluded: false,
  raisedAt: null,
  asOf: NOW,
  ...rest,
})
const was = (
  status: UsageStatus | null,
  rest: Partial<NonNullable<StatusInput['previous']>> = {},
) => (status === null ? null : { status, heldUntil: null, roseLast: true, ...rest })

const next = (
  previous: UsageStatus | null,
  score: number,
  { firstSeen = 20, idle = 1 }: { firstSeen?: number; idle?: number } = {},
) =>
  nextStatus(
    rules,
    inputOf(score, { previous: was(previous), firstAt: ago(firstSeen), lastAt: ago(idle) }),
  ).status

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
})

describe('whoever may not qualify', () => {
  const rejected = (days: number, scoreThen = 60): SalesState => ({
    status: 'rejected',
    since: ago(days),
    scoreThen,
  })

  it.each<{
    name: string
    from: UsageStatus | null
    score: number
    rest: Partial<StatusInput>
    by?: StatusRules
    to: UsageStatus
  }>([
    {
      name: 'is assist at most without what is required',
      from: null,
      score: 90,
      rest: { mayQualify: false },
      to: 'assist',
    },
    {
      name: 'cools when what is required is gone',
      from: 'qualified',
      score: 90,
      rest: { mayQualify: false },
      to: 'cooling',
    },
    {
      name: 'is nurture when excluded',
      from: 'qualified',
      score: 0,
      rest: { isExcluded: true, raisedAt: ago(1) },
      to: 'nurture',
    },
    {
      name: 'rests after a rejection',
      from: 'qualified',
      score: 90,
      rest: { sales: rejected(89) },
      to: 'cooling',
    },
    {
      name: 'is assist while she rests',
      from: 'nurture',
      score: 90,
      rest: { sales: rejected(89) },
      to: 'assist',
    },
    {
      name: 'may qualify again after the cool-down',
      from: 'assist',
      score: 90,
      rest: { sales: rejected(90) },
      to: 'qualified',
    },
    {
      name: 'rests until the score has grown',
      from: 'assist',
      score: 69,
      rest: { sales: rejected(91) },
      by: { ...rules, 'after-rejection': { 'cool-down': 90, gain: 10 } },
      to: 'assist',
    },
    {
      name: 'may qualify again once the score has grown',
      from: 'assist',
      score: 70,
      rest: { sales: rejected(91) },
      by: { ...rules, 'after-rejection': { 'cool-down': 90, gain: 10 } },
      to: 'qualified',
    },
    {
      name: 'rests forever when the model says so',
      from: 'assist',
      score: 99,
      rest: { sales: rejected(4000) },
      by: { ...rules, 'after-rejection': 'never' },
      to: 'assist',
    },
    {
      name: 'is qualified by a hand that she raised afterwards',
      from: 'assist',
      score: 10,
      rest: { sales: rejected(3), raisedAt: ago(2) },
      to: 'qualified',
    },
    {
      name: 'is not by one that she raised before',
      from: 'assist',
      score: 30,
      rest: { sales: rejected(2), raisedAt: ago(3) },
      to: 'assist',
    },
    {
      name: 'is qualified by a raised hand whatever the score',
      from: 'stale',
      score: 0,
      rest: { raisedAt: ago(1), lastAt: ago(80) },
      to: 'qualified',
    },
    {
      name: 'is not held back by won and lost deals',
      from: 'assist',
      score: 60,
      rest: { sales: { status: 'lost', since: ago(1), scoreThen: null } },
      to: 'qualified',
    },
  ])('$name', ({ from, score, rest, by = rules, to }) => {
    expect(nextStatus(by, inputOf(score, { ...rest, previous: was(from) })).status).toBe(to)
  })
})

describe('a dwell', () => {
  const held = { heldUntil: NOW + DAY, roseLast: false }

  it.each<{
    name: string
    from: UsageStatus
    score: number
    rest?: Partial<StatusInput>
    hold?: Partial<NonNullable<StatusInput['previous']>>
    to: UsageStatus
  }>([
    {
      name: 'keeps a status that would fall',
      from: 'qualified',
      score: 5,
      hold: { ...held, roseLast: true },
      to: 'qualified',
    },
    {
      name: 'keeps a status that would rise after it fell',
      from: 'cooling',
      score: 90,
      hold: held,
      to: 'cooling',
    },
    {
      name: 'lets a status rise that rose before',
      from: 'assist',
      score: 90,
      hold: { ...held, roseLast: true },
      to: 'qualified',
    },
    {
      name: 'is over in time',
      from: 'cooling',
      score: 90,
      hold: { ...held, heldUntil: NOW },
      to: 'qualified',
    },
    {
      name: 'does not hold back a raised hand',
      from: 'cooling',
      score: 5,
      rest: { raisedAt: ago(0) },
      hold: held,
      to: 'qualified',
    },
    {
      name: 'does not keep whom sales rejected',
      from: 'qualified',
      score: 90,
      rest: { sales: { status: 'rejected', since: ago(0), scoreThen: 90 } },
      hold: held,
      to: 'cooling',
    },
    {
      name: 'does not keep who is excluded',
      from: 'qualified',
      score: 0,
      rest: { isExcluded: true },
      hold: held,
      to: 'nurture',
    },
  ])('$name', ({ from, score, rest = {}, hold = {}, to }) => {
    expect(
      nextStatus(dwelling, inputOf(score, { ...rest, previous: was(from, hold) })).status,
    ).toBe(to)
  })

  it('adds up when a status rises twice', () => {
    const first = nextStatus(dwelling, inputOf(30, { previous: was('nurture') }))
    expect(first).toMatchObject({ status: 'assist', heldUntil: NOW + 3 * DAY, roseLast: true })
    const second = nextStatus(dwelling, inputOf(60, { previous: first }))
    expect(second).toMatchObject({ status: 'qualified', heldUntil: NOW + 6 * DAY })
  })

  it('says when it could end', () => {
    const answer = nextStatus(
      dwelling,
      inputOf(5, { previous: was('qualified', { heldUntil: NOW + DAY }) }),
    )
    expect(answer).toMatchObject({ status: 'qualified', nextAt: NOW + DAY })
  })
})

describe('a status says when time alone moves it:', () => {
  it.each<{ name: string; score: number; rest: Partial<StatusInput>; days: number }>([
    { name: 'when somebody is new no more', score: 0, rest: { firstAt: ago(3) }, days: 4 },
    {
      name: 'when the cool-down ends',
      score: 60,
      rest: { sales: { status: 'rejected', since: ago(60), scoreThen: 0 } },
      days: 30,
    },
  ])('$name', ({ score, rest, days }) => {
    expect(nextStatus(rules, inputOf(score, rest)).nextAt).toBe(NOW + days * DAY)
  })

  it('when somebody becomes stale', () => {
    expect(nextStatus(rules, inputOf(60)).nextAt).toBe(ago(1) + 45 * DAY + 1)
    expect(nextStatus(rules, inputOf(60, { lastAt: ago(50) })).nextAt).toBe(
      Number.POSITIVE_INFINITY,
    )
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
const anyDwell = fc.integer({ min: 1, max: 20 }).map((days) => days * DAY)
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
          const input = inputOf(score, { firstAt: ago(firstSeen), lastAt: ago(idle) })
          const once = nextStatus(some, { ...input, previous: was(previous) })
          expect(nextStatus(some, { ...input, previous: once })).toEqual(once)
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
        let previous = was(start)
        let changes = 0
        for (const extra of noise) {
          const score = Math.min(100, low + extra)
          const to = nextStatus(some, inputOf(score, { previous }))
          if (to.status !== previous?.status) changes++
          previous = to
        }
        expect(changes).toBeLessThanOrEqual(2)
      }),
      { numRuns: 1000 },
    )
  })

  it('let any noise change the status once for each dwell at most, over ninety days', () => {
    const days = fc.array(fc.nat(100), { minLength: 90, maxLength: 90 })
    fc.assert(
      fc.property(anyRules, anyDwell, fc.boolean(), days, (some, dwell, isNew, scores) => {
        const firstAt = isNew ? NOW : ago(100)
        let previous: StatusAnswer | null = null
        const changedAt: number[] = []
        scores.forEach((score, day) => {
          const asOf = NOW + day * DAY
          const input = inputOf(score, { asOf, previous, firstAt, lastAt: asOf })
          const to = nextStatus({ ...some, 'min-dwell': dwell }, input)
          if (previous && to.status !== previous.status) changedAt.push(asOf)
          previous = to
        })
        const first = changedAt[0] ?? 0
        const span = (changedAt.at(-1) ?? first) - first
        // The climb from assist to qualified may come early; what follows waits for it.
        expect(changedAt.length).toBeLessThanOrEqual(2 + Math.floor(span / dwell))
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
