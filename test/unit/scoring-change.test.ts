import { describe, expect, it } from '@jest/globals'
import { causeOf } from '../../src/core/scoring/change.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { winnerOf } from '../../src/core/scoring/winner.ts'
import { at, featuresOf, modelOf, NOW, seen } from '../support/features.ts'

const model = modelOf(
  '  - { id: big, label: Big, action: big, points: 60 }\n  - { id: role, label: Role, trait: role, equals: vp, points: 10 }',
)
const scorer = createScorer(model, [])
function scored(rest: Parameters<typeof featuresOf>[2] = {}, evidence = { big: seen(1) }): Score {
  const score = scorer.score(featuresOf(scorer, evidence, rest), null, NOW)
  if (!score) throw new Error('outside the population')
  return score
}
const one = scored()

describe('the cause of a change', () => {
  const moved = (
    rest: Parameters<typeof featuresOf>[2],
    evidence?: { big: ReturnType<typeof seen> },
  ) => {
    const given = featuresOf(scorer, evidence ?? { big: seen(1) }, rest)
    return scorer.score(given, one, NOW) as Score
  }

  it.each([
    {
      name: 'is the model when its version is another one',
      next: { ...one, version: 2 },
      want: 'model',
    },
    {
      name: 'is sales',
      next: moved({ sales: { status: 'rejected', since: at(-1), scoreThen: 60 } }),
      want: 'sales',
    },
    { name: 'is new usage', next: moved({ activity: { lastAt: at(0) } }), want: 'usage' },
    {
      name: 'is new usage of one signal',
      next: moved({}, { big: seen(2, 2, -2, 0) }),
      want: 'usage',
    },
    {
      name: 'is usage that went to somebody else',
      next: moved({ activity: { lastAt: at(-5) } }),
      want: 'identity',
    },
    {
      name: 'is older usage that came in',
      next: moved({ activity: { firstAt: at(-90) } }),
      want: 'identity',
    },
    { name: 'is a trait', next: moved({ traits: { role: ['vp'] } }), want: 'traits' },
    {
      name: 'is time when nothing else is',
      next: moved({}, { big: { ...seen(1), count: 0 } }),
      want: 'time',
    },
  ])('$name', ({ next, want }) => {
    expect(causeOf(model, one, next)).toBe(want)
  })

  it('of a first score is that it is the first', () => {
    expect(causeOf(model, null, one)).toBe('first score')
  })
})

describe('of several models', () => {
  const with_ = (score: number, usageStatus: Score['usageStatus']): Score => ({
    ...one,
    score,
    usageStatus,
  })
  const scores = new Map([
    ['a', with_(40, 'assist')],
    ['b', with_(45, 'assist')],
    ['c', with_(30, 'cooling')],
    ['d', with_(10, 'qualified')],
  ])

  it.each([
    {
      name: 'the first speaks that scores the subject',
      rule: 'first',
      models: ['x', 'b', 'a'],
      want: 'b',
    },
    { name: 'the best status speaks', rule: 'highest', models: ['a', 'b', 'd'], want: 'd' },
    {
      name: 'the highest score speaks among equal statuses',
      rule: 'highest',
      models: ['c', 'a', 'b'],
      want: 'b',
    },
    { name: 'none speaks for whom none scores', rule: 'highest', models: ['x'], want: undefined },
  ] as const)('$name', ({ rule, models, want }) => {
    expect(winnerOf(rule, models, scores)?.model).toBe(want)
  })

  it('the one named first speaks among equal ones', () => {
    const same = new Map([
      ['a', one],
      ['b', one],
    ])
    expect(winnerOf('highest', ['b', 'a'], same)?.model).toBe('b')
  })
})
