import { describe, expect, it } from '@jest/globals'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { featuresOf, modelOf, NOW, seen } from '../support/features.ts'

const SIGNALS = [
  '  - { id: activated, label: Reached activation, action: activated, points: 30 }',
  '  - { id: invited, label: Invited colleagues, action: invited, points: 20, per: 1, max: 40 }',
  '  - { id: key, label: Created an API key, action: key, points: 15 }',
  '  - { id: pricing, label: Looked at prices, action: pricing, points: 10 }',
  '  - { id: private, label: Private address, trait: email_kind, equals: free, points: -20 }',
].join('\n')

function toldOf(given: Readonly<Record<string, Evidence>>, rest = '', signals = SIGNALS) {
  const model = modelOf(signals, rest)
  const scorer = createScorer(model, [])
  const score = scorer.score(featuresOf(scorer, given), null, NOW)
  if (!score) throw new Error('outside the population')
  return { missing: score.missing, words: createExplainer(model).toQualify(score) }
}

describe('what would qualify', () => {
  it('is one of the signals that are enough alone, least effort first', () => {
    const { missing, words } = toldOf({ activated: seen(1), pricing: seen(1) })
    expect(missing).toEqual([
      { id: 'key', points: 15, more: 1, isRequired: false },
      { id: 'invited', points: 20, more: 1, isRequired: false },
    ])
    expect(words).toBe('10 points to go: created an API key (+15) or invited colleagues (+20)')
  })

  it('says how many more it takes', () => {
    const { words } = toldOf({ key: seen(1) })
    expect(words).toBe('35 points to go: invited colleagues 2 more (+40)')
  })

  it('is several signals together when none is enough', () => {
    const { missing, words } = toldOf({})
    expect(missing.map(({ id, points }) => [id, points])).toEqual([
      ['invited', 40],
      ['activated', 30],
    ])
    expect(words).toBe(
      '50 points to go: invited colleagues 2 more (+40) and reached activation (+30)',
    )
  })

  it('begins with what is required', () => {
    const { missing, words } = toldOf({ invited: seen(2), key: seen(1) }, 'requires: [activated]')
    expect(missing).toEqual([{ id: 'activated', points: 0, more: 1, isRequired: true }])
    expect(words).toBe('needs reached activation')
  })

  it('is nothing for who is qualified', () => {
    expect(toldOf({ activated: seen(1), invited: seen(2) })).toEqual({ missing: [], words: '' })
  })

  it('aims at the tier that closes the gap', () => {
    const signals =
      '  - { id: rows, label: Loaded rows, action: rows, tiers: [{ from: 10, points: 20 }, { from: 100, points: 50 }, { from: 900, points: 60 }] }'
    expect(toldOf({ rows: seen(12) }, '', signals).missing).toEqual([
      { id: 'rows', points: 30, more: 88, isRequired: false },
    ])
  })

  it('counts what a component lets through', () => {
    const signals = [
      '  - { id: a, label: A, action: a, points: 100, component: one }',
      '  - { id: b, label: B, action: b, points: 100, component: two }',
    ].join('\n')
    const components =
      'components: [{ id: one, label: One, weight: 60 }, { id: two, label: Two, weight: 40 }]'
    expect(toldOf({ b: seen(1) }, components, signals).missing).toEqual([
      { id: 'a', points: 60, more: 1, isRequired: false },
    ])
  })

  it('names nothing that nobody can bring about', () => {
    const signals = [
      '  - { id: vp, label: Leads, trait: title, equals: VP, points: 50 }',
      '  - { id: both, label: Both, all: [vp], points: 10 }',
    ].join('\n')
    expect(toldOf({}, '', signals)).toEqual({ missing: [], words: '' })
  })
})
