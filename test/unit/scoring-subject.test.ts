import { describe, expect, it } from '@jest/globals'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Evidence, Features, Member } from '../../src/core/scoring/features.ts'
import { type Score, sameScore, scoreSubject } from '../../src/core/scoring/score-subject.ts'

const DAY = 86_400_000
const START = new Date('2026-11-21T10:00:00Z')
const later = (days: number) => new Date(START.getTime() + days * DAY)

const action = { label: 'Did it', action: 'a', per: 'once', 'at-least': 1 } as const
const model: Model = {
  id: 'people',
  version: 1,
  subject: 'person',
  kind: 'conversion',
  predicts: 'x',
  window: 30,
  'active-days': 2,
  signals: [
    { id: 'big', ...action, points: 60 },
    { id: 'mid', ...action, points: 42 },
    { id: 'small', ...action, points: 10 },
    { id: 'bad', ...action, points: -10 },
  ],
  status: { enter: 50, exit: 40, assist: 25, 'new-for': 7, 'stale-after': 45 },
  bands: [
    { grade: 'D', from: 0 },
    { grade: 'B', from: 50 },
  ],
}

const evidence = (from: number, to = from, count = 1): Evidence => ({
  count,
  days: 1,
  firstAt: later(from),
  lastAt: later(to),
})
const features = (
  seen: Readonly<Record<string, Evidence>>,
  rest: Partial<Features> = {},
): Features => ({
  subjectId: 'per_1',
  evidence: new Map(Object.entries({ $ever: evidence(-20, -1, 9), ...seen })),
  traits: {},
  members: [],
  ...rest,
})
const score = (
  seen: Readonly<Record<string, Evidence>>,
  previous: Score | null,
  day: number,
): Score => scoreSubject(model, features(seen), previous, later(day))

describe('a first score', () => {
  it('holds since now and has changed by nothing', () => {
    expect(score({ big: evidence(-1) }, null, 0)).toMatchObject({
      subjectId: 'per_1',
      score: 60,
      grade: 'B',
      usageStatus: 'qualified',
      salesStatus: 'none',
      statusSince: '2026-11-21T10:00:00.000Z',
      qualifiedAt: '2026-11-21T10:00:00.000Z',
      change: 0,
    })
  })

  it('below enter was never qualified', () => {
    expect(score({ mid: evidence(-1) }, null, 0).qualifiedAt).toBeNull()
  })
})

describe('a score after another', () => {
  const first = score({ big: evidence(-1) }, null, 0)

  it('keeps the date of its status while the status stays', () => {
    const next = score({ mid: evidence(-1) }, first, 3)
    expect(next).toMatchObject({
      score: 42,
      usageStatus: 'qualified',
      statusSince: first.statusSince,
      qualifiedAt: first.qualifiedAt,
      change: -18,
    })
  })

  it('keeps the last change while it stays the same', () => {
    const second = score({ mid: evidence(-1) }, first, 3)
    expect(score({ mid: evidence(-1) }, second, 4).change).toBe(-18)
  })

  it('dates a new status, and remembers when it was qualified last', () => {
    const held = score({ small: evidence(-1), mid: evidence(-1), bad: evidence(-1) }, first, 3)
    expect(held.usageStatus).toBe('qualified')
    const colder = score({ mid: evidence(-1), bad: evidence(-1) }, held, 5)
    expect(colder).toMatchObject({
      score: 32,
      usageStatus: 'cooling',
      statusSince: later(5).toISOString(),
      qualifiedAt: first.qualifiedAt,
      change: -10,
    })
    const back = score({ big: evidence(-1) }, colder, 6)
    expect(back).toMatchObject({
      usageStatus: 'qualified',
      statusSince: later(6).toISOString(),
      qualifiedAt: later(6).toISOString(),
      change: 28,
    })
  })

  it('leaves what sales says alone', () => {
    const accepted: Score = { ...first, salesStatus: 'accepted' }
    expect(score({}, accepted, 3).salesStatus).toBe('accepted')
  })

  it('is the same when nothing happened', () => {
    expect(sameScore(score({ big: evidence(-1) }, first, 0), first)).toBe(true)
  })
})

describe('the evidence of a score', () => {
  it('is the newest behaviour that gave points', () => {
    const seen = { big: evidence(-9, -3), small: evidence(-9, -5), bad: evidence(-9, -1) }
    expect(score(seen, null, 0).evidenceAt).toBe(later(-3).toISOString())
  })

  it('is nothing without points', () => {
    expect(score({ bad: evidence(-1) }, null, 0).evidenceAt).toBeNull()
  })
})

describe('the next change without a new event', () => {
  it('is the next midnight', () => {
    expect(score({}, null, 0).nextChangeAt).toBe('2026-11-22T00:00:00.000Z')
    const midnight = scoreSubject(model, features({}), null, new Date('2026-11-22T00:00:00Z'))
    expect(midnight.nextChangeAt).toBe('2026-11-23T00:00:00.000Z')
  })

  it('never comes once the last use has left every window', () => {
    expect(score({}, null, 44).nextChangeAt).not.toBeNull()
    expect(score({}, null, 46).nextChangeAt).toBeNull()
    const wide = { ...model, signals: [{ id: 'w', ...action, points: 60, within: 90 }] }
    expect(scoreSubject(wide, features({}), null, later(46)).nextChangeAt).not.toBeNull()
    expect(scoreSubject(wide, features({}), null, later(91)).nextChangeAt).toBeNull()
  })

  it('never comes for somebody who was never seen', () => {
    const nobody: Features = { ...features({}), evidence: new Map() }
    expect(scoreSubject(model, nobody, null, START)).toMatchObject({
      nextChangeAt: null,
      usageStatus: 'stale',
      facts: { lastActive: null, firstSeen: null, activeDays30: 0 },
    })
  })
})

describe('what is told beside a score', () => {
  const member = (personId: string, rest: Partial<Member> = {}): Member => ({
    personId,
    email: null,
    score: 0,
    qualified: false,
    coreDays: 2,
    lastActiveAt: START,
    ...rest,
  })

  it('counts active and qualified people, and names the champion and the others', () => {
    const members = [
      member('c', { score: 30 }),
      member('b', { score: 30 }),
      member('idle', { coreDays: 1, score: 40, qualified: true }),
      member('a', { score: 70, qualified: true }),
    ]
    expect(scoreSubject(model, features({}, { members }), null, START).facts).toMatchObject({
      activeUsers: 3,
      qualifiedUsers: 2,
      championId: 'a',
      otherIds: ['b', 'c'],
    })
  })

  it('holds first and last use and the days of the last thirty', () => {
    const seen = { $active30: { ...evidence(-9), days: 7 } }
    expect(score(seen, null, 0).facts).toMatchObject({
      firstSeen: later(-20).toISOString(),
      lastActive: later(-1).toISOString(),
      activeDays30: 7,
      summary: 'nurture, 0 of 100, quiet: no signal within the window',
    })
  })
})

describe('two scores', () => {
  const one = score({ big: evidence(-1) }, null, 0)

  it.each<{ name: string; other: Partial<Score>; same: boolean }>([
    {
      name: 'are the same when only the next change differs',
      other: { nextChangeAt: null },
      same: true,
    },
    { name: 'differ by value', other: { score: 61 }, same: false },
    { name: 'differ by status', other: { usageStatus: 'assist' }, same: false },
    { name: 'differ by what sales says', other: { salesStatus: 'won' }, same: false },
    { name: 'differ by a reason', other: { reasons: [] }, same: false },
    { name: 'differ by a date', other: { evidenceAt: null }, same: false },
  ])('$name', ({ other, same }) => {
    expect(sameScore(one, { ...one, ...other })).toBe(same)
  })

  it('are the same in another order of their fields', () => {
    const turned = Object.fromEntries(Object.entries(one).reverse()) as unknown as Score
    expect(sameScore(one, turned)).toBe(true)
  })
})
