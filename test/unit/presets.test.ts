import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import { modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Evidence, Features } from '../../src/core/scoring/features.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { at, featuresOf, memberOf, NOW, seen } from '../support/features.ts'

type Given = Readonly<Record<string, Evidence | readonly (Evidence | undefined)[]>>
type Rest = Partial<Omit<Features, 'activity'>>

let files: Readonly<Record<string, string>> = {}
let coreActions: readonly string[] = []
beforeAll(async () => {
  files = await readMappingFolder(join(import.meta.dirname, '../../mappings'))
  const { actions } = parseMappingSet(files).usage
  coreActions = Object.keys(actions).filter((name) => actions[name]?.core)
})

const modelIn = (file: string): Model => parseYaml(files[file] ?? '', file, modelSchema)

function scoreBy(file: string, given: Given, rest: Rest = {}): Score | null {
  const scorer = createScorer(modelIn(file), coreActions)
  return scorer.score(featuresOf(scorer, given, rest), null, NOW)
}

const kept = (n: number): Evidence => ({
  ...seen(1),
  value: { sum: n, max: n, last: n, lastAt: at(-1), distinct: 1, isCapped: false },
})
const inWeek = (weekDays: number): Evidence => ({ ...seen(20), week: 20, weekDays })
const business = { traits: { email_kind: ['business'] } }
const colleagues = (known: number) => ({
  ...business,
  members: Array.from({ length: known }, (_, n) => memberOf(`per_${n}`, 0)),
})

describe('points (models/people.yaml)', () => {
  const people = 'models/people.yaml'

  it.each<{ name: string; given: Given; score: number; status: string }>([
    {
      name: 'activation and two invitations are 70, and a PQL',
      given: { activated: seen(1), invited: seen(2) },
      score: 70,
      status: 'qualified',
    },
    {
      name: 'more than two invitations are worth no more',
      given: { activated: seen(1), invited: seen(5) },
      score: 70,
      status: 'qualified',
    },
    {
      name: 'activation and one invitation are 50, and a PQL',
      given: { activated: seen(1), invited: seen(1) },
      score: 50,
      status: 'qualified',
    },
    {
      name: 'an invitation, an API key and the pricing page are 45, and none',
      given: { invited: seen(1), 'api-key': seen(3), pricing: seen(2) },
      score: 45,
      status: 'assist',
    },
    {
      name: 'an API key, the pricing page and 80 % of a limit are 35',
      given: { 'api-key': seen(1), pricing: seen(1), 'near-limit': seen(4) },
      score: 35,
      status: 'assist',
    },
    {
      name: 'everything together ends at 100',
      given: {
        activated: seen(1),
        invited: seen(2),
        'api-key': seen(1),
        pricing: seen(1),
        'near-limit': seen(1),
      },
      score: 100,
      status: 'qualified',
    },
  ])('$name', ({ given, score, status }) => {
    expect(scoreBy(people, given, business)).toMatchObject({ score, usageStatus: status })
  })

  it.each([
    { kind: 'business', score: 70, status: 'qualified' },
    { kind: 'free', score: 50, status: 'qualified' },
    { kind: 'disposable', score: 0, status: 'nurture' },
  ])('70 points are $score from a $kind address', ({ kind, score, status }) => {
    const given = { activated: seen(1), invited: seen(2) }
    const told = scoreBy(people, given, { traits: { email_kind: [kind] } })
    expect(told).toMatchObject({ score, usageStatus: status })
  })
})

describe('points for companies (models/accounts.yaml)', () => {
  const team = (active: number, qualified: number, known = active) =>
    Array.from({ length: known }, (_, n) =>
      memberOf(`per_${n}`, n < active ? 3 : 0, {
        qualified: n < qualified,
        score: n === 0 ? 70 : 0,
      }),
    )

  it.each([
    {
      name: 'three active people, one a PQL, are 60, and a PQA',
      active: 3,
      qualified: 1,
      score: 60,
      status: 'qualified',
    },
    {
      name: 'five active colleagues, one a PQL, are a PQA',
      active: 5,
      qualified: 1,
      score: 70,
      status: 'qualified',
    },
    {
      name: 'two active people, one a PQL, are none',
      active: 2,
      qualified: 1,
      score: 50,
      status: 'assist',
    },
    { name: 'one PQL alone is none', active: 1, qualified: 1, score: 40, status: 'assist' },
    {
      name: 'four active people without a PQL are none',
      active: 4,
      qualified: 0,
      score: 40,
      status: 'assist',
    },
  ])('$name', ({ active, qualified, score, status }) => {
    const told = scoreBy(
      'models/accounts.yaml',
      {},
      { members: team(active, qualified, active + 2) },
    )
    expect(told).toMatchObject({ score, usageStatus: status, facts: { championId: 'per_0' } })
  })

  it('one loud user does not carry an account, whatever she does', () => {
    const model = modelIn('models/accounts.yaml')
    const loud = createScorer({ ...model, status: { ...model.status, enter: 45, exit: 40 } }, [])
    const given = { 'near-limit': seen(40), sharing: seen(99) }
    const alone = featuresOf(loud, given, { members: team(1, 1, 1) })
    const two = featuresOf(loud, given, { members: team(2, 1, 2) })
    expect(loud.score(alone, null, NOW)).toMatchObject({ score: 49, usageStatus: 'assist' })
    expect(loud.score(two, null, NOW)).toMatchObject({ score: 59, usageStatus: 'qualified' })
  })
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
  ])('$name: $score', ({ given, rest = business, score }) => {
    const told = scoreBy('presets/thresholds.yaml', given, rest)
    expect(told).toMatchObject({ score, usageStatus: score >= 50 ? 'qualified' : 'nurture' })
  })
})

describe('expansion (models/expansion.yaml)', () => {
  const file = 'models/expansion.yaml'
  const paying = (plan: string, joined = 0) => ({
    traits: { plan: [plan] },
    members: [
      memberOf('per_1', 3, { firstAt: at(-200) }),
      ...Array.from({ length: joined }, (_, n) => memberOf(`new_${n}`, 2, { firstAt: at(-9) })),
    ],
  })
  const pace = (recent: number, earlier: number): Evidence => ({ ...seen(recent, 5), earlier })

  it.each<{ name: string; given: Given; rest: Rest; score: number; status: string }>([
    {
      name: 'the worked example: 85 % of a limit, three new colleagues, two invitations',
      given: { 'near-limit': kept(85), invited: seen(2) },
      rest: paying('pro', 3),
      score: 65,
      status: 'qualified',
    },
    {
      name: 'a limit that is nearly reached, and twice the pace',
      given: { 'near-limit': kept(96), faster: pace(60, 30) },
      rest: paying('enterprise'),
      score: 55,
      status: 'assist',
    },
    {
      name: 'half as fast again, of too few to tell',
      given: { faster: pace(11, 7) },
      rest: paying('pro'),
      score: 0,
      status: 'nurture',
    },
    {
      name: 'half as fast again',
      given: { faster: pace(18, 12) },
      rest: paying('pro'),
      score: 10,
      status: 'nurture',
    },
    {
      name: 'all of the paid features',
      given: { 'paid-features': [seen(1), seen(9), seen(1)] },
      rest: paying('pro'),
      score: 20,
      status: 'nurture',
    },
  ])('$name: $score', ({ given, rest, score, status }) => {
    expect(scoreBy(file, given, rest)).toMatchObject({ score, usageStatus: status })
  })

  it.each(['free', 'trial'])('says nothing of who is on the plan %s', (plan) => {
    expect(scoreBy(file, { 'near-limit': kept(99) }, paying(plan, 3))).toBeNull()
  })
})

describe('every model that is shipped', () => {
  it('explains a score whose contributions add up to it, and what is missing', () => {
    const names = Object.keys(files).filter((name) => /^(models|presets)\//.test(name))
    expect(names.length).toBeGreaterThanOrEqual(6)
    for (const name of names) {
      const model = modelIn(name)
      const scorer = createScorer(model, coreActions)
      const did = Object.fromEntries(
        model.signals.map(({ id }) => [id, Array.from({ length: 9 }, () => kept(85))]),
      )
      const traits = { email_kind: ['business'], plan: ['pro'] }
      const members = [memberOf('per_1', 3), memberOf('per_2', 0)]
      const score = scorer.score(featuresOf(scorer, did, { traits, members }), null, NOW)
      if (!score) throw new Error(`${name} scores nobody`)
      const sum = score.contributions.reduce((total, { points }) => total + points, 0)
      expect({ name, sum }).toEqual({ name, sum: score.score })
      const words = createExplainer(model)
      expect(words.table(score).split('\n').filter(Boolean)).toHaveLength(score.contributions.length)
      if (score.usageStatus !== 'qualified') expect(words.toQualify(score)).not.toBe('')
    }
  })
})
