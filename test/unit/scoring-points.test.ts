import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Model, modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import type { Evidence, Features, Member } from '../../src/core/scoring/features.ts'
import { addPoints } from '../../src/core/scoring/points.ts'
import { scoreSubject } from '../../src/core/scoring/score-subject.ts'
import type { UsageStatus } from '../../src/core/scoring/status.ts'

const NOW = new Date('2026-11-21T10:00:00Z')
const DAY = 86_400_000
const shipped = (name: string): Model => {
  const path = join(import.meta.dirname, `../../mappings/models/${name}.yaml`)
  return parseYaml(readFileSync(path, 'utf8'), `models/${name}.yaml`, modelSchema)
}

const evidence = (count: number, days = 1): Evidence => ({
  count,
  days,
  firstAt: new Date(NOW.getTime() - 2 * DAY),
  lastAt: new Date(NOW.getTime() - DAY),
})

const features = (
  seen: Readonly<Record<string, Evidence>>,
  rest: Partial<Features> = {},
): Features => ({
  subjectId: 'x',
  evidence: new Map(Object.entries({ $ever: evidence(9), ...seen })),
  traits: {},
  members: [],
  ...rest,
})

const member = (personId: string, rest: Partial<Member> = {}): Member => ({
  personId,
  email: `${personId}@acme.com`,
  score: 0,
  qualified: false,
  coreDays: 0,
  lastActiveAt: new Date(NOW.getTime() - DAY),
  ...rest,
})

describe('the shipped model of people', () => {
  const people = shipped('people')
  const scoreOf = (seen: Readonly<Record<string, Evidence>>, rest: Partial<Features> = {}) =>
    scoreSubject(people, features(seen, rest), null, NOW)

  it.each([
    {
      name: 'gives 30 for activation',
      seen: { activated: evidence(1) },
      score: 30,
      status: 'assist',
    },
    {
      name: 'gives 70 for activation and two invitations, and that is qualified',
      seen: { activated: evidence(1), invited: evidence(2) },
      score: 70,
      status: 'qualified',
    },
    {
      name: 'gives 40 at most for invitations',
      seen: { invited: evidence(9) },
      score: 40,
      status: 'assist',
    },
    {
      name: 'gives activation once',
      seen: { activated: evidence(5), pricing: evidence(3) },
      score: 40,
      status: 'assist',
    },
    {
      name: 'gives activation, one invitation and the pricing page 60',
      seen: { activated: evidence(1), invited: evidence(1), pricing: evidence(1) },
      score: 60,
      status: 'qualified',
    },
    {
      name: 'gives log-ins nothing',
      seen: { $active30: evidence(60, 30) },
      score: 0,
      status: 'new',
    },
  ])('$name', ({ seen, score, status }) => {
    expect(scoreOf(seen)).toMatchObject({ score, usageStatus: status })
  })

  it('takes 20 from a private address, and never below 0', () => {
    const traits = { email_kind: ['free'] }
    expect(scoreOf({ activated: evidence(1) }, { traits }).score).toBe(10)
    expect(scoreOf({ pricing: evidence(1) }, { traits }).score).toBe(0)
  })
})

describe('the shipped model of accounts', () => {
  const accounts = shipped('accounts')
  const scoreOf = (
    members: readonly Member[],
    seen: Readonly<Record<string, Evidence>> = {},
    previous: UsageStatus | null = null,
  ) => {
    const before = scoreSubject(accounts, features(seen, { members }), null, NOW)
    const carried = previous ? { ...before, usageStatus: previous } : null
    return scoreSubject(accounts, features(seen, { members }), carried, NOW)
  }
  const active = { coreDays: accounts['active-days'] }
  const idle = { coreDays: accounts['active-days'] - 1 }
  const qualified = { ...active, qualified: true, score: 70 }
  const loud = { sharing: evidence(40), 'near-limit': evidence(3) }

  it('qualifies a company with three active people of whom one is qualified', () => {
    const team = [member('ann', qualified), member('bob', active), member('cyd', active)]
    expect(scoreOf(team)).toMatchObject({ score: 60, usageStatus: 'qualified' })
  })

  it('does not let one loud person carry the company alone', () => {
    const alone = scoreOf([member('ann', { ...qualified, coreDays: 30, score: 100 })], loud)
    expect(alone).toMatchObject({ score: 49, usageStatus: 'assist' })
  })

  it('does not qualify a company for people who did no core work', () => {
    const team = [member('ann', qualified), member('bob', idle), member('cyd', idle)]
    expect(scoreOf(team).usageStatus).toBe('assist')
  })

  it('does not qualify a company where nobody is', () => {
    const team = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => member(id, active))
    expect(scoreOf(team, loud)).toMatchObject({ score: 49, usageStatus: 'assist' })
  })

  it('keeps a company qualified while one of the three rests', () => {
    const team = [member('ann', qualified), member('bob', active), member('cyd', idle)]
    expect(scoreOf(team, {}, 'qualified')).toMatchObject({ score: 50, usageStatus: 'qualified' })
  })
})

const base: Model = shipped('people')
const withSignals = (...signals: Model['signals']): Model => ({ ...base, signals })
const action = { label: 'L', action: 'a', per: 'once', 'at-least': 1 } as const

describe('a signal', () => {
  it.each([
    { name: 'once gives its points once', signal: { points: 7 }, seen: evidence(5, 3), points: 7 },
    {
      name: 'for each occurrence gives them as often as it occurs',
      signal: { points: 7, per: 'occurrence', max: 50 },
      seen: evidence(5, 3),
      points: 35,
    },
    {
      name: 'for each occurrence ends at its bound',
      signal: { points: 7, per: 'occurrence', max: 30 },
      seen: evidence(5, 3),
      points: 30,
    },
    {
      name: 'for each active day counts days',
      signal: { points: 7, per: 'active-day', max: 50 },
      seen: evidence(5, 3),
      points: 21,
    },
    {
      name: 'once is bounded too',
      signal: { points: 7, max: 5 },
      seen: evidence(1),
      points: 5,
    },
    {
      name: 'gives nothing below its least number',
      signal: { points: 7, 'at-least': 3 },
      seen: evidence(2, 2),
      points: 0,
    },
    {
      name: 'gives its points at its least number',
      signal: { points: 7, 'at-least': 3 },
      seen: evidence(3, 1),
      points: 7,
    },
    {
      name: 'for each active day asks for that many days',
      signal: { points: 7, per: 'active-day', max: 50, 'at-least': 3 },
      seen: evidence(9, 2),
      points: 0,
    },
    {
      name: 'for each occurrence counts all from its least number on',
      signal: { points: 7, per: 'occurrence', max: 50, 'at-least': 3 },
      seen: evidence(3, 1),
      points: 21,
    },
    {
      name: 'may take points away',
      signal: { points: -7 },
      seen: evidence(4),
      points: -7,
    },
    {
      name: 'takes no more away than its bound',
      signal: { points: -7, per: 'occurrence', max: 20 },
      seen: evidence(4),
      points: -20,
    },
  ] as const)('$name', ({ signal, seen, points }) => {
    const model = withSignals(
      { id: 'start', ...action, action: 's', points: 50 },
      { id: 'one', ...action, ...signal },
    )
    const result = addPoints(model, features({ start: evidence(1), one: seen }))
    const part = result.contributions.find((c) => c.id === 'one')
    expect(part?.points ?? 0).toBe(points)
    expect(result.score).toBe(50 + points)
  })

  it('tells how many, since when and until when', () => {
    const model = withSignals({ id: 'one', ...action, per: 'active-day', max: 9, points: 1 })
    expect(addPoints(model, features({ one: evidence(5, 3) })).contributions).toEqual([
      {
        id: 'one',
        label: 'L',
        points: 3,
        count: 3,
        unit: 'days',
        since: '2026-11-19T10:00:00.000Z',
        last: '2026-11-20T10:00:00.000Z',
      },
    ])
  })

  it('of people is dated by the newest use of those who count', () => {
    const model = {
      ...withSignals({ id: 'team', label: 'Team', people: 'active', points: 10, max: 40 }),
      'active-days': 2,
    }
    const members = [
      member('a', { coreDays: 2, lastActiveAt: new Date('2026-11-01T00:00:00Z') }),
      member('b', { coreDays: 3, lastActiveAt: null }),
      member('c', { coreDays: 1, lastActiveAt: NOW }),
    ]
    expect(addPoints(model, features({}, { members })).contributions).toEqual([
      expect.objectContaining({
        points: 20,
        count: 2,
        unit: 'people',
        last: '2026-11-01T00:00:00.000Z',
      }),
    ])
  })

  it('of a trait asks whether one of its values is held', () => {
    const model = withSignals({
      id: 't',
      label: 'T',
      trait: 'role',
      in: ['admin', 'owner'],
      points: 9,
    })
    const points = (role: readonly string[]) =>
      addPoints(model, features({}, { traits: { role } })).score
    expect([
      points(['owner']),
      points(['viewer', 'admin']),
      points(['viewer']),
      points([]),
    ]).toEqual([9, 9, 0, 0])
    expect(addPoints(model, features({})).contributions).toEqual([])
  })
})

describe('a score that passes a limit', () => {
  const model = withSignals(
    { id: 'a', ...action, points: 80 },
    { id: 'b', ...action, points: 70 },
    { id: 'c', ...action, points: -90 },
  )

  it.each([
    {
      name: 'ends at 100',
      seen: ['a', 'b'],
      want: [
        ['a', 80],
        ['b', 70],
        ['limit', -50],
      ],
      score: 100,
    },
    {
      name: 'ends at 0',
      seen: ['c'],
      want: [
        ['c', -90],
        ['limit', 90],
      ],
      score: 0,
    },
    {
      name: 'is left alone within them',
      seen: ['a', 'b', 'c'],
      want: [
        ['a', 80],
        ['b', 70],
        ['c', -90],
      ],
      score: 60,
    },
    { name: 'is empty without a signal', seen: [], want: [], score: 0 },
  ])('$name', ({ seen, want, score }) => {
    const given = Object.fromEntries(seen.map((id) => [id, evidence(1)]))
    const result = addPoints(model, features(given))
    expect(result.contributions.map((c) => [c.id, c.points])).toEqual(want)
    expect(result.score).toBe(score)
  })
})

const points = fc.integer({ min: -100, max: 100 })
const bound = fc.integer({ min: 1, max: 100 })
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const signal = fc.oneof(
  fc.record({
    id,
    label: fc.constant('A'),
    action: fc.constant('x'),
    points,
    per: fc.constantFrom('once', 'occurrence', 'active-day'),
    max: bound,
    'at-least': fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    id,
    label: fc.constant('T'),
    trait: fc.constant('t'),
    in: fc.constant(['x', 'y']),
    points,
  }),
  fc.record({
    id,
    label: fc.constant('P'),
    people: fc.constantFrom('active', 'qualified'),
    points,
    max: bound,
  }),
)
const anyModel = fc
  .uniqueArray(signal, { selector: (s) => s.id, minLength: 1, maxLength: 6 })
  .map((signals) => ({ ...base, signals }) as Model)
const anyFeatures = fc
  .record({
    seen: fc.dictionary(
      id,
      fc.record({ count: fc.integer({ min: 1, max: 400 }), days: fc.integer({ min: 1, max: 30 }) }),
    ),
    traits: fc.record({ t: fc.subarray(['x', 'z']) }),
    members: fc.array(
      fc.record({ coreDays: fc.nat(5), qualified: fc.boolean(), score: fc.nat(100) }),
      { maxLength: 8 },
    ),
  })
  .map(({ seen, traits, members }) => {
    const counted = Object.entries(seen).map(([key, { count, days }]) => [
      key,
      evidence(count, days),
    ])
    return features(Object.fromEntries(counted), {
      traits,
      members: members.map((m, index) => member(`p${index}`, m)),
    })
  })

describe('any model on any behaviour', () => {
  it('explains its score to the point', () => {
    fc.assert(
      fc.property(anyModel, anyFeatures, (model, given) => {
        const { score, contributions } = addPoints(model, given)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        expect(contributions.reduce((sum, c) => sum + c.points, 0)).toBe(score)
        for (const part of contributions) {
          expect(Number.isInteger(part.points)).toBe(true)
          expect(part.points).not.toBe(0)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps every signal within its bound', () => {
    fc.assert(
      fc.property(anyModel, anyFeatures, (model, given) => {
        const { contributions } = addPoints(model, given)
        for (const s of model.signals) {
          const part = contributions.find((c) => c.id === s.id)
          const most = 'max' in s && s.max !== undefined ? s.max : 100
          if (part) expect(Math.abs(part.points)).toBeLessThanOrEqual(most)
        }
      }),
    )
  })

  it('scores the same whatever order its signals have', () => {
    fc.assert(
      fc.property(anyModel, anyFeatures, (model, given) => {
        const turned = { ...model, signals: [...model.signals].reverse() }
        expect(addPoints(turned, given)).toEqual(addPoints(model, given))
      }),
    )
  })
})
