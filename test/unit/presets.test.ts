import { describe, expect, it } from '@jest/globals'
import { memberOf, seen } from '../support/features.ts'
import {
  BUSINESS,
  type Given,
  inWeek,
  kept,
  type Rest,
  scoreBy,
} from '../support/shipped-models.ts'

const colleagues = (known: number) => ({
  ...BUSINESS,
  members: Array.from({ length: known }, (_, n) => memberOf(`per_${n}`, 0)),
})

describe('weighted parts (presets/weighted.yaml)', () => {
  const file = 'presets/weighted.yaml'
  const who = (role: string, size: string, kind = 'business') => ({
    traits: { email_kind: [kind], role: [role], company_size: [size] },
  })
  /** Different kinds of core work, days with queries, and how many. */
  const did = (kinds: number, days: number, queries: number): Given => ({
    'kinds-of-work': Array.from({ length: kinds }, () => seen(1)),
    days: seen(queries, days),
  })

  it.each([
    {
      name: 'the worked example: 40 + 24 + 24',
      who: who('Head of Data', '420'),
      did: did(5, 8, 500),
      score: 88,
      grade: 'account executive',
      status: 'qualified',
    },
    {
      name: 'nothing but who she is',
      who: who('Head of Data', '420'),
      did: {},
      score: 40,
      grade: 'nurture',
      status: 'nurture',
    },
    {
      name: 'nothing but use, all of it',
      who: who('Student', '', 'free'),
      did: did(8, 12, 600),
      score: 60,
      grade: 'sales assist',
      status: 'assist',
    },
    {
      name: 'everything',
      who: who('Founder', '50'),
      did: did(6, 20, 900),
      score: 100,
      grade: 'account executive',
      status: 'qualified',
    },
    {
      name: 'the end of the first band: 30 + 6 + 13.5',
      who: who('Data Director', '12'),
      did: did(2, 9, 90),
      score: 50,
      grade: 'nurture',
      status: 'nurture',
    },
    {
      name: 'one more day, and sales helps',
      who: who('Data Director', '12'),
      did: did(2, 10, 90),
      score: 51,
      grade: 'sales assist',
      status: 'assist',
    },
    {
      name: 'the end of the second band: 30 + 24 + 25.5',
      who: who('Data Director', '12'),
      did: did(5, 9, 500),
      score: 80,
      grade: 'sales assist',
      status: 'assist',
    },
    {
      name: 'one more day, and an account executive calls',
      who: who('Data Director', '12'),
      did: did(5, 10, 500),
      score: 81,
      grade: 'account executive',
      status: 'qualified',
    },
  ])('$name', ({ who, did, score, grade, status }) => {
    expect(scoreBy(file, did, who)).toMatchObject({ score, grade, usageStatus: status })
  })

  it('leaves out who signs up from a throw-away address', () => {
    const told = scoreBy(file, did(6, 20, 900), who('Founder', '50', 'disposable'))
    expect(told).toMatchObject({ score: 0, facts: { excludedBy: 'Throw-away address' } })
    expect(told?.contributions.at(-1)).toMatchObject({ id: 'excluded' })
  })
})

describe('points with frequency (presets/frequency.yaml)', () => {
  const parts = {
    activated: { activated: seen(1) },
    invited: { invited: seen(3) },
    daily: { daily: inWeek(7) },
    limit: { 'limit-reached': kept(100) },
  }

  it.each<{ did: (keyof typeof parts)[]; score: number; grade: string }>([
    { did: ['activated'], score: 30, grade: 'nurture' },
    { did: ['invited'], score: 20, grade: 'leave alone' },
    { did: ['daily'], score: 15, grade: 'leave alone' },
    { did: ['limit'], score: 25, grade: 'leave alone' },
    { did: ['activated', 'limit'], score: 55, grade: 'nurture' },
    { did: ['invited', 'daily', 'limit'], score: 60, grade: 'sales now' },
    { did: ['activated', 'invited', 'daily'], score: 65, grade: 'sales now' },
    { did: ['activated', 'invited', 'daily', 'limit'], score: 90, grade: 'sales now' },
  ])('$did give $score: $grade', ({ did, score, grade }) => {
    const given = Object.assign({}, ...did.map((part) => parts[part])) as Given
    expect(scoreBy('presets/frequency.yaml', given)).toMatchObject({ score, grade })
  })

  it.each([
    { name: 'six days of a week', given: { daily: inWeek(6) } },
    { name: '99 % of a limit', given: { 'limit-reached': kept(99) } },
  ])('$name is not enough', ({ given }) => {
    expect(scoreBy('presets/frequency.yaml', given)?.score).toBe(0)
  })
})

describe('compound thresholds (presets/thresholds.yaml)', () => {
  it.each<{ name: string; given: Given; rest?: Rest; score: number }>([
    {
      name: 'two sources and a colleague invited',
      given: { 'two-sources': seen(2), invited: seen(1) },
      score: 50,
    },
    {
      name: 'one source and a colleague invited',
      given: { 'two-sources': seen(1), invited: seen(1) },
      score: 0,
    },
    { name: 'two sources and nobody invited', given: { 'two-sources': seen(5) }, score: 0 },
    { name: '2,000 queries', given: { volume: seen(2000) }, score: 50 },
    { name: '1,999 queries', given: { volume: seen(1999) }, score: 0 },
    { name: 'three returns within a week', given: { returns: inWeek(3) }, score: 50 },
    { name: 'more than three returns within a week', given: { returns: inWeek(6) }, score: 50 },
    { name: 'two returns within a week', given: { returns: inWeek(2) }, score: 0 },
    { name: 'three users of one domain', given: {}, rest: colleagues(3), score: 50 },
    { name: 'two users of one domain', given: {}, rest: colleagues(2), score: 0 },
    { name: 'two thresholds', given: { volume: seen(2000) }, rest: colleagues(4), score: 100 },
  ])('$name: $score', ({ given, rest = BUSINESS, score }) => {
    const told = scoreBy('presets/thresholds.yaml', given, rest)
    expect(told).toMatchObject({ score, usageStatus: score >= 50 ? 'qualified' : 'nurture' })
  })
})
