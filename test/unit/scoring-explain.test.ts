import { describe, expect, it } from '@jest/globals'
import {
  behaviourOf,
  championOf,
  reasonOf,
  reasonsOf,
  summaryOf,
  trendOf,
} from '../../src/core/scoring/explain.ts'
import type { Evidence, Features, Member } from '../../src/core/scoring/features.ts'
import type { Contribution } from '../../src/core/scoring/points.ts'

const NOW = new Date('2026-11-21T00:00:00Z')
const seen = (count: number): Evidence => ({ count, days: 1, firstAt: NOW, lastAt: NOW })
const features = (recent: number, earlier: number): Features => ({
  subjectId: 'x',
  evidence: new Map([
    ...(recent > 0 ? [['$recent', seen(recent)] as const] : []),
    ...(earlier > 0 ? [['$earlier', seen(earlier)] as const] : []),
  ]),
  traits: {},
  members: [],
})

describe('a trend', () => {
  it.each([
    { recent: 0, earlier: 0, trend: 'quiet' },
    { recent: 0, earlier: 90, trend: 'quiet' },
    { recent: 5, earlier: 0, trend: 'steady' },
    { recent: 1, earlier: 4, trend: 'steady' },
    { recent: 6, earlier: 0, trend: 'rising' },
    { recent: 15, earlier: 10, trend: 'rising' },
    { recent: 14, earlier: 10, trend: 'steady' },
    { recent: 10, earlier: 10, trend: 'steady' },
    { recent: 6, earlier: 10, trend: 'steady' },
    { recent: 5, earlier: 10, trend: 'falling' },
    { recent: 1, earlier: 5, trend: 'falling' },
  ])('of $recent uses after $earlier is $trend', ({ recent, earlier, trend }) => {
    expect(trendOf(features(recent, earlier))).toBe(trend)
  })
})

const part = (id: string, points: number, rest: Partial<Contribution> = {}): Contribution => ({
  id,
  label: `Did ${id}`,
  points,
  count: 1,
  unit: 'times',
  since: null,
  last: null,
  ...rest,
})
const last = '2026-11-20T09:30:00.000Z'

describe('a reason', () => {
  it.each([
    { name: 'of a trait', given: part('a', -20), want: '-20 Did a' },
    {
      name: 'of one occurrence',
      given: part('a', 30, { last }),
      want: '+30 Did a (on 2026-11-20)',
    },
    {
      name: 'of several occurrences',
      given: part('a', 40, { last, count: 2 }),
      want: '+40 Did a (2 times, last on 2026-11-20)',
    },
    {
      name: 'of several days',
      given: part('a', 3, { last, count: 3, unit: 'days' }),
      want: '+3 Did a (3 days, last on 2026-11-20)',
    },
    {
      name: 'of one person',
      given: part('a', 10, { last, unit: 'people' }),
      want: '+10 Did a (1 person, last on 2026-11-20)',
    },
    {
      name: 'of people without a date',
      given: part('a', 10, { count: 4, unit: 'people' }),
      want: '+10 Did a (4 people)',
    },
  ] as const)('$name reads well', ({ given, want }) => {
    expect(reasonOf(given)).toBe(want)
    expect(behaviourOf(given)).toBe(want.replace(/^[+-]\d+ /, ''))
  })

  it('that weighs more comes first, whether it gives or takes; the clamp is none', () => {
    const parts = [part('b', 10), part('limit', -30), part('a', 10), part('c', -20), part('d', 15)]
    expect(reasonsOf(parts)).toEqual(['-20 Did c', '+15 Did d', '+10 Did a', '+10 Did b'])
  })
})

describe('a summary', () => {
  it('names status, score, trend and the three strongest signals', () => {
    const parts = [part('a', 40), part('b', 30), part('c', 20), part('d', 15), part('limit', -5)]
    expect(summaryOf('qualified', 100, 'rising', parts)).toBe(
      'qualified, 100 of 100, rising: did a, did b, did c',
    )
  })

  it.each([
    { name: 'nothing', parts: [] },
    { name: 'what takes points away', parts: [part('a', -20), part('limit', 20)] },
  ])('says that there is no signal when there is only $name', ({ parts }) => {
    expect(summaryOf('nurture', 0, 'quiet', parts)).toBe(
      'nurture, 0 of 100, quiet: no signal within the window',
    )
  })
})

describe('the champion', () => {
  const member = (personId: string, score: number, coreDays: number): Member => ({
    personId,
    email: null,
    score,
    qualified: false,
    coreDays,
    lastActiveAt: null,
  })

  it.each([
    { name: 'has the best score', members: [member('a', 10, 9), member('b', 70, 1)], want: 'b' },
    {
      name: 'did most of two with one score',
      members: [member('a', 70, 1), member('b', 70, 2)],
      want: 'b',
    },
    {
      name: 'is the same of two who are equal',
      members: [member('b', 70, 1), member('a', 70, 1)],
      want: 'a',
    },
    { name: 'may have done work for no points', members: [member('a', 0, 1)], want: 'a' },
    { name: 'is nobody where nobody did anything', members: [member('a', 0, 0)], want: undefined },
    { name: 'is nobody where nobody is', members: [], want: undefined },
  ])('$name', ({ members, want }) => {
    expect(championOf(members)?.personId).toBe(want)
  })
})
