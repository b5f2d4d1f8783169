import { describe, expect, it } from '@jest/globals'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { at, featuresOf, memberOf, NOW, seen } from '../support/features.ts'
import {
  BUSINESS,
  CORE_ACTIONS,
  type Given,
  kept,
  MODEL_FILES,
  modelIn,
  type Rest,
  scoreBy,
} from '../support/shipped-models.ts'

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
    expect(scoreBy(people, given, BUSINESS)).toMatchObject({ score, usageStatus: status })
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
      score: 90,
      status: 'qualified',
    },
    {
      name: 'five colleagues who began to build together are a PQA without a PQL',
      active: 5,
      qualified: 0,
      score: 60,
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
    expect(MODEL_FILES.length).toBeGreaterThanOrEqual(6)
    for (const name of MODEL_FILES) {
      const model = modelIn(name)
      const scorer = createScorer(model, CORE_ACTIONS)
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
      expect(words.table(score).split('\n').filter(Boolean)).toHaveLength(
        score.contributions.length,
      )
      if (score.usageStatus !== 'qualified') expect(words.toQualify(score)).not.toBe('')
    }
  })
})
