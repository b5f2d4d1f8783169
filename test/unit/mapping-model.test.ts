import { describe, expect, it } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { modelSchema } from '../../src/core/mapping/model.ts'
import { mostPoints } from '../../src/core/mapping/model-signals.ts'
import { account, person, problemsOf, read, withFields, withSignal } from '../support/model-text.ts'

describe('a scoring model', () => {
  it('is read with days, counts, people who are active after a day, and a rule for the rejected', () => {
    const model = read(person)
    expect(model).toMatchObject({ window: 30, 'active-days': 1, population: [], exclude: [] })
    expect(model.status).toEqual({
      enter: 50,
      exit: 40,
      assist: 25,
      'new-for': 7,
      'stale-after': 45,
      'after-rejection': { 'cool-down': 90, gain: 0 },
    })
    expect(model.signals[0]).toMatchObject({ measure: 'count', of: 'own' })
  })

  it('of accounts counts people', () => {
    expect(read(account).signals[0]).toMatchObject({ people: 'active', per: 1, max: 40 })
  })

  it('may call a signal as any action may be called', () => {
    expect(problemsOf(person.replace('action: invited', 'action: to_string'))).toEqual([])
  })

  it.each([
    'action: a, measure: velocity, within: 7d, against: 21d, volume: 10, at-least: 150, points: 20',
    'action: a, measure: ratio, value: max, limit: { trait: seats }, at-least: 80, points: 20',
    'action: a, measure: ratio, limit: { action: b }, tiers: [{ from: 80, points: 20 }]',
    'action: a, half-life: 7d, points: 5, per: 1, max: 20',
    'action: a, of: account, measure: people, at-least: 3, points: 20',
    'action: a, measure: streak, at-least: 30, points: 20',
    'action: a, measure: week-days, at-least: 7, points: 20',
    'action: a, at-most: 0, points: 20',
    'actions: core, at-least: 3, points: 20',
    'actions: [a, b, c], at-least: 3, points: 20',
    'time-from: a, to: b, at-most: 2, points: 20',
    'trait: seats, tiers: [{ from: 10, points: 5 }, { from: 50, points: 20 }]',
    'trait: role, matches: "(?i)head", points: 20',
    'trait: role, exists: false, points: 20',
    'people: growth, points: 20',
    'people: share-active, at-least: 50, within: 14d, points: 20',
    'all: [activated], none: [activated], points: 20',
  ])('may say %s', (signal) => {
    expect(problemsOf(withSignal(signal))).toEqual([])
  })
})

describe('the reach of a model', () => {
  const withSignals = (signals: readonly unknown[], enter: number, components: unknown[] = []) => {
    const value = parse(person)
    return stringify({
      ...value,
      components,
      signals,
      status: { ...value.status, enter, exit: 1, assist: 1 },
    })
  }
  const base = { label: 'L', action: 'a' }
  const expectReach = (signals: readonly unknown[], reach: number, components: unknown[] = []) => {
    expect(problemsOf(withSignals(signals, reach, components))).toEqual([])
    if (reach === 100) return
    expect(problemsOf(withSignals(signals, reach + 1, components))).toEqual([
      expect.stringMatching(`nobody can qualify: .* ${reach} points`),
    ])
  }

  it.each([
    {
      name: 'counts what a signal takes away as nothing',
      rest: { points: -10, per: 1, max: 60 },
      reach: 30,
    },
    {
      name: 'counts a bound above what flat points give as what they give',
      rest: { points: 10, max: 60 },
      reach: 40,
    },
    {
      name: 'counts a bound below the points as the bound',
      rest: { points: 30, max: 20 },
      reach: 50,
    },
    {
      name: 'counts points for each up to their bound',
      rest: { points: 20, per: 1, max: 70 },
      reach: 100,
    },
    {
      name: 'counts the best of the tiers',
      rest: {
        tiers: [
          { from: 1, points: 25 },
          { from: 9, points: 5 },
        ],
      },
      reach: 55,
    },
  ])('$name', ({ rest, reach }) => {
    expectReach(
      [
        { id: 'one', ...base, points: 30 },
        { id: 'two', ...base, ...rest },
      ],
      reach,
    )
  })

  it('ends at the bounds of components', () => {
    const signals = [
      { id: 'one', ...base, component: 'x', points: 60 },
      { id: 'two', ...base, component: 'y', points: 60 },
    ]
    const component = { label: 'C', max: 35 }
    expectReach(signals, 70, [
      { id: 'x', ...component },
      { id: 'y', ...component },
    ])
  })

  it('is weighed by components', () => {
    const signals = [
      { id: 'one', ...base, component: 'x', points: 50 },
      { id: 'two', ...base, component: 'y', points: 90 },
    ]
    const components = [
      { id: 'x', label: 'X', weight: 60 },
      { id: 'y', label: 'Y', weight: 40, full: 60 },
    ]
    // 50 × 60 ÷ 100, and 90 × 40 ÷ 60, which is bounded by 40.
    expectReach(signals, 70, components)
  })

  it('does not matter where a hand may be raised', () => {
    const text = withFields('hand-raiser: [activated]').replace('enter: 50', 'enter: 100')
    expect(problemsOf(text)).toEqual([])
  })

  it('of a trait is its points', () => {
    expect(mostPoints({ id: 't', label: 'T', trait: 'plan', in: ['pro'], points: 12 })).toBe(12)
  })
})

describe('the JSON Schema of a model', () => {
  const undescribed = (schema: unknown, path: string): string[] => {
    if (typeof schema !== 'object' || schema === null) return []
    const { properties = {}, ...rest } = schema as { properties?: Record<string, object> }
    const own = Object.entries(properties).flatMap(([name, field]) => [
      ...('description' in field ? [] : [`${path}.${name}`]),
      ...undescribed(field, `${path}.${name}`),
    ])
    return [...own, ...Object.values(rest).flatMap((inner) => undescribed(inner, path))]
  }

  it('describes every field to those who write one in an editor', () => {
    const schema = z.toJSONSchema(modelSchema, { io: 'input' })
    expect(Object.keys(schema.properties ?? {})).toContain('signals')
    expect(undescribed(schema, 'model')).toEqual([])
  })
})
