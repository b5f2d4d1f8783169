import { describe, expect, it } from '@jest/globals'
import { createExplainer, trendOf } from '../../src/core/scoring/explain.ts'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { at, featuresOf, memberOf, modelOf, NOW, seen } from '../support/features.ts'

describe('the trend', () => {
  it.each([
    { name: 'is quiet without use in two weeks', recent: 0, earlier: 9, want: 'quiet' },
    { name: 'is steady below six uses', recent: 5, earlier: 0, want: 'steady' },
    { name: 'is rising from half more on', recent: 9, earlier: 6, want: 'rising' },
    { name: 'is steady in between', recent: 8, earlier: 6, want: 'steady' },
    { name: 'is falling from half on', recent: 3, earlier: 6, want: 'falling' },
    { name: 'is rising from nothing', recent: 6, earlier: 0, want: 'rising' },
  ])('$name', ({ recent, earlier, want }) => {
    expect(trendOf({ recent, earlier })).toBe(want)
  })
})

function lineOf(
  signal: string,
  evidence: Evidence | readonly Evidence[],
  members = [memberOf('a', 3)],
) {
  const isAboutPeople = signal.includes('people')
  const model = modelOf(
    `  - { id: one, label: Did it, points: 60, ${signal} }`,
    isAboutPeople ? 'subject: account\npeople-model: people' : '',
  )
  const scorer = createScorer(model, ['a', 'b'])
  const given = featuresOf(scorer, { one: evidence }, { traits: { t: ['x'] }, members })
  const score = scorer.score(given, null, NOW)
  return score ? createExplainer(model).table(score) : ''
}

const value = { sum: 12_500.25, max: 9, last: 7, lastAt: at(-1), distinct: 3, isCapped: false }

describe('a reason', () => {
  it.each([
    {
      name: 'of one time has its day',
      signal: 'action: a',
      of: seen(1, 1, -1, -1),
      want: '+60 Did it (on 2026-11-20)',
    },
    {
      name: 'of several times has number and days',
      signal: 'action: a',
      of: seen(3),
      want: '+60 Did it (3 times since 2026-11-19, last on 2026-11-20)',
    },
    {
      name: 'of several times on one day has that day',
      signal: 'action: a',
      of: seen(3, 1, -1, -1),
      want: '+60 Did it (3 times, last on 2026-11-20)',
    },
    {
      name: 'of days',
      signal: 'action: a, measure: active-days',
      of: seen(3, 2, -1, -1),
      want: '+60 Did it (on 2 days, last on 2026-11-20)',
    },
    {
      name: 'of values added up',
      signal: 'action: a, measure: sum',
      of: { ...seen(3, 1, -1, -1), value },
      want: '+60 Did it (12,500.3, last on 2026-11-20)',
    },
    {
      name: 'of different values',
      signal: 'action: a, measure: distinct',
      of: { ...seen(3, 1, -1, -1), value },
      want: '+60 Did it (3 different values, last on 2026-11-20)',
    },
    {
      name: 'of the greatest value',
      signal: 'action: a, measure: max',
      of: { ...seen(3, 1, -1, -1), value },
      want: '+60 Did it (up to 9, last on 2026-11-20)',
    },
    {
      name: 'of a first use',
      signal: 'action: a, measure: first-ever',
      of: { ...seen(1, 1, -1, -1), everAt: at(-1) },
      want: '+60 Did it (for the first time, last on 2026-11-20)',
    },
    {
      name: 'of days in a row',
      signal: 'action: a, measure: streak',
      of: { ...seen(1, 1, -1, -1), streak: 1 },
      want: '+60 Did it (1 day in a row, last on 2026-11-20)',
    },
    {
      name: 'of a week',
      signal: 'action: a, measure: week',
      of: { ...seen(1, 1, -1, -1), week: 9 },
      want: '+60 Did it (9 times in a week, last on 2026-11-20)',
    },
    {
      name: 'of a pace',
      signal: 'action: a, measure: velocity',
      of: { ...seen(9, 1, -1, -1), earlier: 3 },
      want: '+60 Did it (300 % of the pace before, last on 2026-11-20)',
    },
    {
      name: 'of a limit',
      signal: 'action: a, measure: ratio, limit: 8',
      of: { ...seen(9, 1, -1, -1), value },
      want: '+60 Did it (87.5 % of the limit, last on 2026-11-20)',
    },
    {
      name: 'of different actions',
      signal: 'actions: core',
      of: [seen(1), seen(1)],
      want: '+60 Did it (2 different ones since 2026-11-19, last on 2026-11-20)',
    },
    {
      name: 'of a time that it took',
      signal: 'time-from: a, to: b',
      of: [
        { ...seen(1), everAt: at(-3) },
        { ...seen(1), everAt: at(-1.5) },
      ],
      want: '+60 Did it (after 1.5 days, last on 2026-11-19)',
    },
    { name: 'of a trait', signal: 'trait: t, equals: x', of: [], want: '+60 Did it' },
  ])('$name', ({ signal, of, want }) => {
    expect(lineOf(signal, of)).toBe(want)
  })

  it('of one of the people', () => {
    expect(lineOf('people: active, at-least: 1', [])).toBe(
      '+60 Did it (1 person, last on 2026-11-20)',
    )
  })
})

describe('the whole', () => {
  const model = modelOf(
    [
      '  - { id: a, label: Reached activation, action: a, points: 30 }',
      '  - { id: b, label: Invited colleagues, action: b, points: 20, per: 1, max: 90 }',
      '  - { id: c, label: Looked at prices, action: c, points: 10 }',
      '  - { id: d, label: API keys, action: d, points: 5 }',
      '  - { id: e, label: Private address, trait: email_kind, equals: free, points: -15 }',
    ].join('\n'),
    'exclude: [{ label: Competitor, trait: type, equals: competitor }]',
  )
  const scorer = createScorer(model, [])
  const words = createExplainer(model)
  const all = { a: seen(1), b: seen(4), c: seen(1), d: seen(1) }
  const scored = (given: object, traits: Record<string, string[]> = {}) => {
    const score = scorer.score(featuresOf(scorer, given as never, { traits }), null, NOW)
    if (!score) throw new Error('outside the population')
    return score
  }

  it('is one line with the three best reasons', () => {
    expect(words.summary(scored(all))).toBe(
      'qualified, 100 of 100, steady: invited colleagues, reached activation, looked at prices',
    )
  })

  it('is said without a reason too', () => {
    expect(words.summary(scored({}))).toBe('nurture, 0 of 100, steady: no signal within the window')
  })

  it('says who is left out, and why', () => {
    const score = scored(all, { type: ['competitor'] })
    expect(words.summary(score)).toBe('nurture, 0 of 100, steady: left out (Competitor)')
    expect(words.table(score).split('\n').at(-1)).toBe('-100 Left out: Competitor')
  })

  it('is a table whose points add up to the score', () => {
    const score = scored(all, { email_kind: ['free'] })
    const points = words
      .table(score)
      .split('\n')
      .map((line) => Number(line.split(' ')[0]))
    expect(points.reduce((sum, n) => sum + n, 0)).toBe(score.score)
    expect(words.table(score)).toContain('-10 The score ends at 100')
  })

  it('has its reasons by strength, whatever their sign', () => {
    const reasons = words.reasons(scored({ c: seen(1) }, { email_kind: ['free'] }))
    expect(reasons).toEqual(['-15 Private address', '+10 Looked at prices (on 2026-11-20)'])
  })

  it('tells what changed', () => {
    const before = scored({ a: seen(1) })
    const next = scorer.score(
      featuresOf(scorer, { a: seen(1), b: seen(1), c: seen(1) }),
      before,
      NOW,
    )
    expect(next && words.changed(next)).toBe('+30: +20 invited colleagues, +10 looked at prices')
    expect(words.changed(before)).toBe('')
  })
})
