import { describe, expect, it } from '@jest/globals'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { wholePoints } from '../../src/core/scoring/points.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { at, featuresOf, memberOf, modelOf, NOW, seen } from '../support/features.ts'

/** Enough points elsewhere that a model is one. */
const REST = '  - { id: rest, label: Rest, action: rest, points: 60 }\n'

function pointsOf(signal: string, evidence: Evidence | readonly (Evidence | undefined)[]) {
  const scorer = createScorer(modelOf(`${REST}  - { id: one, label: One, ${signal} }`), ['a', 'b'])
  const score = scorer.score(featuresOf(scorer, { rest: seen(1), one: evidence }), null, NOW)
  return score?.contributions.find(({ id }) => id === 'one')?.points ?? 0
}

const kept = { sum: 2500, max: 900, last: 300, lastAt: at(-1), distinct: 4, isCapped: false }

describe('a signal', () => {
  it.each([
    { name: 'gives flat points once', signal: 'action: a, points: 7', of: seen(5), want: 7 },
    {
      name: 'gives points for each',
      signal: 'action: a, points: 7, per: 1, max: 50',
      of: seen(5),
      want: 35,
    },
    {
      name: 'gives no more than max',
      signal: 'action: a, points: 7, per: 1, max: 30',
      of: seen(5),
      want: 30,
    },
    {
      name: 'takes no more away than max',
      signal: 'action: a, points: -7, per: 1, max: 20',
      of: seen(4),
      want: -20,
    },
    {
      name: 'gives points in proportion',
      signal: 'action: a, points: 10, per: 4, max: 50',
      of: seen(6),
      want: 15,
    },
    {
      name: 'counts days',
      signal: 'action: a, measure: active-days, points: 7, per: 1, max: 50',
      of: seen(5, 3),
      want: 21,
    },
    {
      name: 'gives nothing below its least',
      signal: 'action: a, at-least: 3, points: 7',
      of: seen(2),
      want: 0,
    },
    {
      name: 'gives its points at its least',
      signal: 'action: a, at-least: 3, points: 7',
      of: seen(3),
      want: 7,
    },
    {
      name: 'gives nothing above its most',
      signal: 'action: a, at-most: 3, points: 7',
      of: seen(4),
      want: 0,
    },
    {
      name: 'takes the last tier that is reached',
      signal:
        'action: a, tiers: [{ from: 1, points: 2 }, { from: 5, points: 9 }, { from: 8, points: 20 }]',
      of: seen(7),
      want: 9,
    },
    {
      name: 'takes no tier that is not reached',
      signal: 'action: a, tiers: [{ from: 8, points: 20 }]',
      of: seen(7),
      want: 0,
    },
    {
      name: 'adds kept values up',
      signal: 'action: a, measure: sum, points: 10, per: 1000, max: 50',
      of: { ...seen(3), value: kept },
      want: 25,
    },
    {
      name: 'takes the greatest kept value',
      signal: 'action: a, measure: max, at-least: 900, points: 5',
      of: { ...seen(3), value: kept },
      want: 5,
    },
    {
      name: 'takes the latest kept value',
      signal: 'action: a, measure: last, at-least: 301, points: 5',
      of: { ...seen(3), value: kept },
      want: 0,
    },
    {
      name: 'counts different values',
      signal: 'action: a, measure: distinct, points: 2, per: 1, max: 50',
      of: { ...seen(9), value: kept },
      want: 8,
    },
    {
      name: 'knows a first use ever',
      signal: 'action: a, measure: first-ever, points: 5',
      of: { ...seen(3), everAt: at(-2) },
      want: 5,
    },
    {
      name: 'knows that it was used before',
      signal: 'action: a, measure: first-ever, points: 5',
      of: { ...seen(3), everAt: at(-200) },
      want: 0,
    },
    {
      name: 'counts days in a row',
      signal: 'action: a, measure: streak, at-least: 5, points: 5',
      of: { ...seen(9), streak: 5 },
      want: 5,
    },
    {
      name: 'counts times in a week',
      signal: 'action: a, measure: week, at-least: 7, points: 5',
      of: { ...seen(9), week: 6, weekDays: 7 },
      want: 0,
    },
    {
      name: 'counts days in a week',
      signal: 'action: a, measure: week-days, at-least: 3, points: 5',
      of: { ...seen(9), week: 6, weekDays: 3 },
      want: 5,
    },
    {
      name: 'compares with the time before',
      signal: 'action: a, measure: velocity, within: 7d, against: 28d, at-least: 200, points: 5',
      of: { ...seen(4), earlier: 8 },
      want: 5,
    },
    {
      name: 'compares speeds, not numbers',
      signal: 'action: a, measure: velocity, within: 7d, against: 28d, at-least: 201, points: 5',
      of: { ...seen(4), earlier: 8 },
      want: 0,
    },
    {
      name: 'compares nothing below its volume',
      signal: 'action: a, measure: velocity, at-most: 1000, volume: 10, points: 5',
      of: { ...seen(4), earlier: 5 },
      want: 0,
    },
    {
      name: 'calls a start from nothing ten times as fast',
      signal: 'action: a, measure: velocity, at-least: 1000, points: 5',
      of: { ...seen(6), earlier: 0 },
      want: 5,
    },
    {
      name: 'sees that it fell silent',
      signal: 'action: a, measure: velocity, at-most: 50, points: -5',
      of: { count: 0, days: 0, firstAt: null, lastAt: null, earlier: 6 },
      want: -5,
    },
    {
      name: 'compares with a number',
      signal: 'action: a, measure: ratio, limit: 375, at-least: 80, points: 5',
      of: { ...seen(1), value: kept },
      want: 5,
    },
    {
      name: 'compares with what another action told',
      signal:
        'action: a, measure: ratio, value: max, limit: { action: b }, at-least: 80, points: 5',
      of: [
        { ...seen(1), value: kept },
        { ...seen(1), value: { ...kept, last: 1000 } },
      ],
      want: 5,
    },
    {
      name: 'has no ratio to a limit that nobody told',
      signal: 'action: a, measure: ratio, limit: { action: b }, at-most: 500, points: 5',
      of: [{ ...seen(1), value: kept }, undefined],
      want: 0,
    },
    {
      name: 'counts different actions',
      signal: 'actions: [a, b], points: 3, per: 1, max: 9',
      of: [seen(1), seen(7)],
      want: 6,
    },
    {
      name: 'counts core actions',
      signal: 'actions: core, at-least: 2, points: 3',
      of: [seen(1), undefined],
      want: 0,
    },
    {
      name: 'measures the time between two first uses',
      signal: 'time-from: a, to: b, at-most: 2, points: 4',
      of: [
        { ...seen(1), everAt: at(-4) },
        { ...seen(1), everAt: at(-2) },
      ],
      want: 4,
    },
    {
      name: 'gives nothing when it took longer',
      signal: 'time-from: a, to: b, at-most: 2, points: 4',
      of: [
        { ...seen(1), everAt: at(-5) },
        { ...seen(1), everAt: at(-2) },
      ],
      want: 0,
    },
    {
      name: 'forgets what was reached before the window',
      signal: 'time-from: a, to: b, at-most: 2, points: 4',
      of: [
        { ...seen(1), everAt: at(-51) },
        { ...seen(1), everAt: at(-50) },
      ],
      want: 0,
    },
  ])('$name', ({ signal, of, want }) => {
    expect(pointsOf(signal, of)).toBe(want)
  })

  it.each([
    {
      name: 'holds for nothing at all under at-most',
      signal: 'action: a, at-most: 0, points: -9',
      want: -9,
    },
    { name: 'needs something without bounds', signal: 'action: a, points: 9', want: 0 },
    {
      name: 'has no kept value for nothing',
      signal: 'action: a, measure: sum, at-most: 5, points: 9',
      want: 0,
    },
    {
      name: 'is not reached for nothing',
      signal: 'time-from: a, to: b, at-most: 2, points: 4',
      want: 0,
    },
  ])('without any use $name', ({ signal, want }) => {
    expect(pointsOf(signal, [])).toBe(want)
  })
})

describe('points that fade', () => {
  it.each([
    {
      name: 'are whole on the day itself',
      signal: 'action: a, points: 40, half-life: 10d',
      of: seen(1, 1, 0, 0),
      want: 40,
    },
    {
      name: 'are halved after the half-life',
      signal: 'action: a, points: 40, half-life: 10d',
      of: seen(1, 1, -10, -10),
      want: 20,
    },
    {
      name: 'fade by the last use',
      signal: 'action: a, points: 40, half-life: 10d',
      of: seen(2, 2, -20, -10),
      want: 20,
    },
    {
      name: 'fade day by day when they are counted',
      signal: 'action: a, points: 10, per: 1, max: 90, half-life: 10d',
      of: { ...seen(4, 2), faded: 2.5 },
      want: 25,
    },
    {
      name: 'are bounded after fading',
      signal: 'action: a, points: 10, per: 1, max: 20, half-life: 10d',
      of: { ...seen(4, 2), faded: 2.5 },
      want: 20,
    },
  ])('$name', ({ signal, of, want }) => {
    expect(pointsOf(signal, of)).toBe(want)
  })

  it('still hold when little is left', () => {
    const model = modelOf(
      `${REST}  - { id: one, label: One, action: a, points: 1, half-life: 1d }\n  - { id: both, label: Both, all: [one], points: 5 }`,
    )
    const scorer = createScorer(model, [])
    const given = featuresOf(scorer, { rest: seen(1), one: seen(1, 1, -20, -20) })
    expect(scorer.score(given, null, NOW)?.contributions.map(({ id }) => id)).toEqual([
      'rest',
      'both',
    ])
  })
})

describe('a signal about traits', () => {
  const scoreWith = (condition: string, values: readonly string[]) => {
    const scorer = createScorer(
      modelOf(`${REST}  - { id: one, label: One, trait: t, ${condition} }`),
      [],
    )
    const given = featuresOf(scorer, { rest: seen(1) }, { traits: { t: values } })
    return (scorer.score(given, null, NOW)?.score ?? 0) - 60
  }

  it.each([
    {
      name: 'equals a value',
      condition: 'equals: pro, points: 9',
      values: ['free', 'pro'],
      want: 9,
    },
    { name: 'compares numbers as text', condition: 'equals: 5, points: 9', values: ['5'], want: 9 },
    { name: 'is one of several', condition: 'in: [a, b], points: 9', values: ['b'], want: 9 },
    { name: 'is none of several', condition: 'in: [a, b], points: 9', values: ['c'], want: 0 },
    {
      name: 'lies in a range',
      condition: 'gte: 50, lte: 200, points: 9',
      values: ['200'],
      want: 9,
    },
    {
      name: 'needs one value that meets all',
      condition: 'gte: 50, lte: 200, points: 9',
      values: ['10', '900'],
      want: 0,
    },
    {
      name: 'is not compared when it is no number',
      condition: 'gte: 0, points: 9',
      values: ['many', ''],
      want: 0,
    },
    {
      name: 'matches a pattern',
      condition: "matches: '(?i)^(vp|head)\\b', points: 9",
      values: ['VP Engineering'],
      want: 9,
    },
    { name: 'exists', condition: 'exists: true, points: 9', values: ['x'], want: 9 },
    { name: 'does not exist', condition: 'exists: false, points: 9', values: [], want: 9 },
    {
      name: 'falls into tiers',
      condition: 'tiers: [{ from: 50, points: 5 }, { from: 1000, points: 9 }]',
      values: ['120', '70'],
      want: 5,
    },
  ])('$name', ({ condition, values, want }) => {
    expect(scoreWith(condition, values)).toBe(want)
  })
})

describe('a signal about the people of an account', () => {
  const team = [
    memberOf('a', 5, { score: 70, qualified: true }),
    memberOf('b', 1),
    memberOf('c', 0, { firstAt: at(-400) }),
    memberOf('d', 0, { firstAt: null, lastAt: null }),
  ]

  it.each([
    { people: 'known', want: 3 },
    { people: 'active', want: 2 },
    { people: 'new', want: 2 },
    { people: 'qualified', want: 1 },
    { people: 'share-active', want: 67 },
    { people: 'growth', want: 2 },
    { people: 'champion', want: 70 },
  ])('counts $people', ({ people, want }) => {
    const model = modelOf(
      `${REST}  - { id: one, label: One, people: ${people}, points: 1, per: 1, max: 100 }`,
      'subject: account\npeople-model: people\nstatus: { enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }',
    )
    const scorer = createScorer(model, [])
    const score = scorer.score(featuresOf(scorer, {}, { members: team }), null, NOW)
    expect(score?.contributions).toEqual([expect.objectContaining({ id: 'one', points: want })])
  })

  it('has nothing to say about somebody without an account', () => {
    const model = modelOf(
      `${REST}  - { id: one, label: One, people: active, at-most: 0, points: 9 }`,
    )
    const scorer = createScorer(model, [])
    expect(scorer.score(featuresOf(scorer, {}), null, NOW)?.score).toBe(0)
  })
})

describe('a combination', () => {
  const signals = [
    '  - { id: x, label: X, action: x, points: 0 }',
    '  - { id: y, label: Y, action: y, points: 0 }',
    '  - { id: deep, label: Deep, all: [shallow], points: 60 }',
    '  - { id: shallow, label: Shallow, any: [x, y], points: 0 }',
    '  - { id: only, label: Only, all: [x], none: [y], points: 5 }',
  ].join('\n')
  const scorer = createScorer(modelOf(signals), [])

  it.each([
    { name: 'holds by one of any, through another one', given: { y: seen(1) }, want: 60 },
    { name: 'holds without what none names', given: { x: seen(1) }, want: 65 },
    { name: 'does not hold with what none names', given: { x: seen(1), y: seen(1) }, want: 60 },
    { name: 'does not hold without anything', given: {}, want: 0 },
  ])('$name', ({ given, want }) => {
    expect(scorer.score(featuresOf(scorer, given), null, NOW)?.score).toBe(want)
  })
})

describe('components', () => {
  const weighted = [
    'components:',
    '  - { id: who, label: Who, weight: 40 }',
    '  - { id: breadth, label: Breadth, weight: 30 }',
    '  - { id: depth, label: Depth, weight: 30, full: 50 }',
  ].join('\n')
  const signals = [
    '  - { id: w, label: W, action: w, points: 50, component: who }',
    '  - { id: v, label: V, action: v, points: 100, component: who }',
    '  - { id: b, label: B, action: b, points: 50, component: breadth }',
    '  - { id: d, label: D, action: d, points: 25, per: 1, max: 100, component: depth }',
  ].join('\n')
  const scorer = createScorer(modelOf(signals, weighted), [])
  const parts = (given: Readonly<Record<string, Evidence>>) => {
    const score = scorer.score(featuresOf(scorer, given), null, NOW)
    return Object.fromEntries(score?.contributions.map(({ id, points }) => [id, points]) ?? [])
  }

  it.each([
    { name: 'weigh their points', given: { w: seen(1), b: seen(1) }, want: { w: 20, b: 15 } },
    { name: 'are full at full', given: { d: seen(2) }, want: { d: 30 } },
    {
      name: 'make points smaller alike when they would give too much',
      given: { w: seen(1), v: seen(1) },
      want: { v: 27, w: 13 },
    },
    {
      name: 'are 100 together',
      given: { v: seen(1), b: seen(2), d: seen(9) },
      want: { v: 40, b: 15, d: 30 },
    },
  ])('$name', ({ given, want }) => {
    expect(parts(given)).toEqual(want)
  })

  it('are bounded by max, with what takes away', () => {
    const model = modelOf(
      [
        '  - { id: plus, label: P, action: p, points: 60, component: one }',
        '  - { id: more, label: M, action: m, points: 30, component: one }',
        '  - { id: minus, label: N, action: n, points: -15, component: one }',
      ].join('\n'),
      'components: [{ id: one, label: One, max: 60 }]',
    )
    const bounded = createScorer(model, [])
    const given = { plus: seen(1), more: seen(1), minus: seen(1) }
    const score = bounded.score(featuresOf(bounded, given), null, NOW)
    expect(score?.contributions.map(({ id, points }) => [id, points])).toEqual([
      ['plus', 50],
      ['more', 25],
      ['minus', -15],
    ])
  })
})

describe('whole points', () => {
  it.each([
    { name: 'stay as they are', raw: [30, 20, -5], points: [30, 20, -5], sum: 45 },
    { name: 'go to the largest remainder', raw: [1.2, 1.3, 1.5], points: [1, 1, 2], sum: 4 },
    {
      name: 'go to the first of equal ones',
      raw: [0.5, 0.5, 0.5, 0.5],
      points: [1, 1, 0, 0],
      sum: 2,
    },
    { name: 'are rounded half up', raw: [0.5], points: [1], sum: 1 },
    { name: 'are rounded half up below zero', raw: [-0.5], points: [0], sum: 0 },
    { name: 'below zero go down first', raw: [-1.4, 0.1], points: [-1, 0], sum: -1 },
    {
      name: 'do not lose thirds',
      raw: [100 / 3, 100 / 3, 100 / 3],
      points: [34, 33, 33],
      sum: 100,
    },
  ])('$name', ({ raw, points, sum }) => {
    const whole = wholePoints(Float64Array.from(raw))
    expect([...whole.points]).toEqual(points)
    expect(whole.sum).toBe(sum)
  })
})

describe('a score that passes a bound', () => {
  const model = modelOf(
    [
      '  - { id: a, label: A, action: a, points: 80 }',
      '  - { id: b, label: B, action: b, points: 70 }',
      '  - { id: c, label: C, action: c, points: -90 }',
    ].join('\n'),
    'exclude: [{ label: Competitor, trait: type, equals: competitor }]',
  )
  const scorer = createScorer(model, [])

  it.each([
    {
      name: 'ends at 100',
      ids: ['a', 'b'],
      want: [
        ['a', 80],
        ['b', 70],
        ['limit', -50],
      ],
    },
    {
      name: 'ends at 0',
      ids: ['c'],
      want: [
        ['c', -90],
        ['limit', 90],
      ],
    },
    {
      name: 'is left alone within them',
      ids: ['a', 'c', 'b'],
      want: [
        ['a', 80],
        ['b', 70],
        ['c', -90],
      ],
    },
    { name: 'is empty without a signal', ids: [], want: [] },
  ])('$name', ({ ids, want }) => {
    const given = featuresOf(scorer, Object.fromEntries(ids.map((id) => [id, seen(1)])))
    const score = scorer.score(given, null, NOW)
    expect(score?.contributions.map(({ id, points }) => [id, points])).toEqual(want)
    expect(score?.score).toBe(want.reduce((sum, [, points]) => sum + Number(points), 0))
  })

  it('is taken away from who is excluded', () => {
    const traits = { type: ['competitor'] }
    const given = featuresOf(scorer, { a: seen(1), b: seen(1) }, { traits })
    expect(scorer.score(given, null, NOW)).toMatchObject({
      score: 0,
      usageStatus: 'nurture',
      missing: [],
      facts: { excludedBy: 'Competitor' },
      contributions: [{ id: 'a' }, { id: 'b' }, { id: 'limit' }, { id: 'excluded', points: -100 }],
    })
  })
})
