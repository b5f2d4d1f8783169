import { describe, expect, it } from '@jest/globals'
import type { Evidence } from '../../src/core/scoring/features.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { at, featuresOf, memberOf, modelOf, NOW, seen } from '../support/features.ts'

const scorer = createScorer(
  modelOf(
    [
      '  - { id: big, label: Big, action: big, points: 60 }',
      '  - { id: mid, label: Mid, action: mid, points: 42 }',
      '  - { id: small, label: Small, action: small, points: 10 }',
      '  - { id: bad, label: Bad, action: bad, points: -10 }',
    ].join('\n'),
    'population: [{ trait: plan, in: [free, trial] }]',
  ),
  [],
)
const traits = { plan: ['free'] }
const later = (days: number) => new Date(at(days))

/** The score at `day`, of behaviour that is a day old then. */
function score(ids: readonly string[], previous: Score | null, day: number): Score {
  const evidence = Object.fromEntries(ids.map((id) => [id, seen(1, 1, day - 1, day - 1)]))
  const given = featuresOf(scorer, evidence, { traits, activity: { lastAt: at(day - 1) } })
  const next = scorer.score(given, previous, later(day))
  if (!next) throw new Error('outside the population')
  return next
}

describe('a first score', () => {
  it('holds since now and has changed by nothing', () => {
    expect(score(['big'], null, 0)).toMatchObject({
      subjectId: 'per_1',
      version: 1,
      score: 60,
      grade: 'B',
      usageStatus: 'qualified',
      salesStatus: 'none',
      statusSince: '2026-11-21T10:00:00.000Z',
      qualifiedAt: '2026-11-21T10:00:00.000Z',
      change: 0,
      changed: [],
    })
  })

  it('below enter was never qualified', () => {
    expect(score(['mid'], null, 0).qualifiedAt).toBeNull()
  })

  it('is not given to whom the model does not apply', () => {
    const given = featuresOf(scorer, { big: seen(1) }, { traits: { plan: ['pro'] } })
    expect(scorer.score(given, null, NOW)).toBeNull()
    expect(scorer.score({ ...given, traits: {} }, null, NOW)).toBeNull()
  })
})

describe('a score after another', () => {
  const first = score(['big'], null, 0)

  it('keeps the date of its status while the status stays, and tells what changed', () => {
    expect(score(['mid'], first, 3)).toMatchObject({
      score: 42,
      usageStatus: 'qualified',
      statusSince: first.statusSince,
      qualifiedAt: first.qualifiedAt,
      change: -18,
      changed: [
        { id: 'big', from: 60, to: 0 },
        { id: 'mid', from: 0, to: 42 },
      ],
    })
  })

  it('keeps the last change while it stays the same', () => {
    const second = score(['mid'], first, 3)
    expect(score(['mid'], second, 4)).toMatchObject({ change: -18, changed: second.changed })
  })

  it('dates a new status, and remembers when it was qualified last', () => {
    const colder = score(['mid', 'bad'], score(['mid'], first, 3), 5)
    expect(colder).toMatchObject({
      score: 32,
      usageStatus: 'cooling',
      statusSince: later(5).toISOString(),
      qualifiedAt: first.qualifiedAt,
    })
    expect(score(['big'], colder, 6)).toMatchObject({
      usageStatus: 'qualified',
      statusSince: later(6).toISOString(),
      qualifiedAt: later(6).toISOString(),
      change: 28,
    })
  })

  it('is the same when nothing happened', () => {
    expect(score(['big'], first, 0)).toEqual(first)
  })
})

describe('the evidence of a score', () => {
  const evidenceAt = (evidence: Readonly<Record<string, Evidence>>) =>
    scorer.score(featuresOf(scorer, evidence, { traits }), null, NOW)?.evidenceAt

  it('is the newest behaviour that gave points', () => {
    const given = { big: seen(1, 1, -9, -3), small: seen(1, 1, -9, -5), bad: seen(1, 1, -9, -1) }
    expect(evidenceAt(given)).toBe(later(-3).toISOString())
  })

  it('is nothing without points', () => {
    expect(evidenceAt({ bad: seen(1) })).toBeNull()
  })
})

describe('the next change without news', () => {
  const quiet = {
    firstAt: at(-20),
    lastAt: at(-20),
    first30At: null,
    recentFirstAt: null,
    earlierFirstAt: null,
  }
  const nextOf = (signal: string, evidence: Evidence, activity: object = quiet) => {
    const one = createScorer(modelOf(`  - { id: one, label: One, ${signal} }`), [])
    return one.score(featuresOf(one, { one: evidence }, { activity }), null, NOW)?.nextChangeAt
  }

  it.each([
    {
      name: 'is when the oldest leaves the window',
      signal: 'action: a, points: 60',
      evidence: seen(3, 3, -20, -2),
      want: '2026-12-01T00:00:00.001Z',
    },
    {
      name: 'is when the oldest leaves the window of the signal',
      signal: 'action: a, points: 60, within: 22d',
      evidence: seen(3, 3, -20, -2),
      want: '2026-11-23T00:00:00.001Z',
    },
    {
      name: 'is when the oldest leaves the window before',
      signal: 'action: a, measure: velocity, within: 7d, against: 14d, points: 60',
      evidence: {
        count: 0,
        days: 0,
        firstAt: null,
        lastAt: null,
        earlier: 9,
        earlierFirstAt: at(-20),
      },
      want: '2026-11-22T00:00:00.001Z',
    },
    {
      name: 'is the next midnight while points fade',
      signal: 'action: a, points: 60, half-life: 9d',
      evidence: seen(1, 1, -2, -2),
      want: '2026-11-22T00:00:00.001Z',
    },
    {
      name: 'is when somebody becomes stale',
      signal: 'action: a, points: 60, within: 90d',
      evidence: seen(1, 1, -20, -20),
      want: '2026-12-16T10:00:00.001Z',
    },
  ])('$name', ({ signal, evidence, want }) => {
    expect(nextOf(signal, evidence)).toBe(want)
  })

  it('never comes once nothing is left to move', () => {
    const gone = { ...quiet, firstAt: at(-99), lastAt: at(-99) }
    const nothing = { count: 0, days: 0, firstAt: null, lastAt: null }
    expect(nextOf('action: a, points: 60', nothing, gone)).toBeNull()
  })

  it('is when the days of activity that are told change', () => {
    const nothing = { count: 0, days: 0, firstAt: null, lastAt: null }
    const active = { ...quiet, first30At: at(-20), recentFirstAt: at(-13) }
    expect(nextOf('action: a, points: 60', nothing, active)).toBe('2026-11-22T00:00:00.001Z')
  })
})

describe('an account', () => {
  const accounts = createScorer(
    modelOf(
      '  - { id: team, label: Team, people: active, points: 30, per: 1, max: 90 }\n  - { id: loud, label: Loud, action: a, points: 60 }',
      'subject: account\npeople-model: people\nactive-days: 2',
    ),
    [],
  )
  const scoreOf = (members: ReturnType<typeof memberOf>[]) =>
    accounts.score(featuresOf(accounts, { loud: seen(99) }, { members }), null, NOW)

  it('asks for core work within the window of the model', () => {
    expect(accounts.memberWindows).toEqual([30])
  })

  it('counts active and qualified people, and names the champion and the others', () => {
    const members = [
      memberOf('c', 2, { score: 30 }),
      memberOf('b', 2, { score: 30 }),
      memberOf('idle', 1, { score: 40, qualified: true }),
      memberOf('a', 2, { score: 70, qualified: true }),
    ]
    expect(scoreOf(members)?.facts).toMatchObject({
      activeUsers: 3,
      qualifiedUsers: 2,
      championId: 'a',
      otherIds: ['b', 'c'],
    })
  })

  it('is not qualified by one loud person, whatever the score', () => {
    expect(scoreOf([memberOf('a', 30), memberOf('b', 1)])).toMatchObject({
      score: 90,
      usageStatus: 'assist',
      missing: [{ id: 'least-active', more: 1, isRequired: true }],
    })
    expect(scoreOf([memberOf('a', 30), memberOf('b', 2)])?.usageStatus).toBe('qualified')
  })

  it('names as champion who works most among equals, and nobody who did nothing', () => {
    expect(scoreOf([memberOf('a', 2), memberOf('b', 3)])?.facts.championId).toBe('b')
    expect(scoreOf([memberOf('b', 2), memberOf('a', 2)])?.facts.championId).toBe('a')
    expect(scoreOf([memberOf('a', 0)])?.facts.championId).toBeNull()
  })
})
