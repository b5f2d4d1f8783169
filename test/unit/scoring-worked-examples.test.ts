import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Model, modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { featuresOf } from '../support/oracle/features-of.ts'
import { type PersonScore, type Scene, subjectsOf } from '../support/oracle/scene.ts'
import type { Deed } from '../support/oracle/tracking-plan.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-09-10T08:00:00Z')
const CORE = [
  'source_connected',
  'activated',
  'dashboard_built',
  'query_run',
  'report_exported',
  'api_key_created',
  'colleague_invited',
  'dashboard_shared',
]

const shipped = (file: string): Model => {
  const path = join(import.meta.dirname, '../../mappings', file)
  return parseYaml(readFileSync(path, 'utf8'), file, modelSchema)
}

/** What somebody did: how many times each day, so many days ago. */
interface Did {
  readonly action: string
  readonly daysAgo?: readonly number[]
  readonly times?: number
  readonly value?: number
}

interface Who {
  readonly did: readonly Did[]
  readonly traits?: Readonly<Record<string, string>>
}

const days = (n: number): number[] => Array.from({ length: n }, (_, ago) => ago)

function deedsOf(person: string, all: readonly Did[]): Deed[] {
  return all.flatMap(({ action, daysAgo = [1], times = 1, value }) =>
    daysAgo.flatMap((ago) =>
      Array.from({ length: times }, (_, n) => {
        const at = NOW - ago * DAY_MS - 3_600_000 - n
        const actions = new Map([[action, value === undefined ? null : String(value)]])
        return { person, at, day: Math.floor(at / DAY_MS), isCore: CORE.includes(action), actions }
      }),
    ),
  )
}

/** Scores of some people of one company, or of the company, by subject. */
function scoresOf(
  model: Model,
  people: Readonly<Record<string, Who>>,
  known: ReadonlyMap<string, PersonScore> = new Map(),
): Map<string, Score> {
  const scene: Scene = {
    asOf: NOW,
    people: Object.entries(people).map(([id, { traits }]) => ({
      id,
      accountId: 'acme',
      traits: { email_kind: 'business', ...traits },
    })),
    deeds: new Map(Object.entries(people).map(([id, { did }]) => [id, deedsOf(id, did)])),
    coreActions: CORE,
  }
  const scorer = createScorer(model, CORE)
  const scores = new Map<string, Score>()
  for (const subject of subjectsOf(scene, model, known)) {
    const features = featuresOf(scorer, scene, subject)
    const score = features && scorer.score(features, null, new Date(NOW))
    if (score) scores.set(subject.id, score)
  }
  return scores
}

const scoreOf = (model: Model, who: Who): Score | undefined =>
  scoresOf(model, { her: who }).get('her')

const ACTIVATED = { action: 'activated' }
const INVITED = (times: number) => ({ action: 'colleague_invited', times })

describe('points', () => {
  const people = shipped('models/people.yaml')

  it.each([
    { name: 'an activation gives 30', did: [ACTIVATED], score: 30, status: 'assist' },
    { name: 'two invitations give 40', did: [INVITED(2)], score: 40, status: 'assist' },
    {
      name: 'somebody who activates and invites two has 70 and qualifies',
      did: [ACTIVATED, INVITED(2)],
      score: 70,
      status: 'qualified',
    },
    {
      name: 'a third invitation gives no more',
      did: [ACTIVATED, INVITED(3)],
      score: 70,
      status: 'qualified',
    },
    {
      name: 'an activation and one invitation are 50 and enough',
      did: [ACTIVATED, INVITED(1)],
      score: 50,
      status: 'qualified',
    },
    {
      name: 'an activation, an API key and no more are 45 and not enough',
      did: [ACTIVATED, { action: 'api_key_created' }],
      score: 45,
      status: 'assist',
    },
    {
      name: 'prices and 80 % of a limit give 10 each',
      did: [{ action: 'pricing_viewed' }, { action: 'limit_80', value: 80 }],
      score: 20,
      status: 'new',
    },
    {
      name: 'everything is 100 and no more',
      did: [
        ACTIVATED,
        INVITED(4),
        { action: 'api_key_created' },
        { action: 'pricing_viewed' },
        { action: 'limit_80', value: 90 },
      ],
      score: 100,
      status: 'qualified',
    },
  ])('$name', ({ did, score, status }) => {
    expect(scoreOf(people, { did })).toMatchObject({ score, usageStatus: status })
  })

  it('a threshold met six weeks ago counts no more', () => {
    const did = [
      { ...ACTIVATED, daysAgo: [42] },
      { ...INVITED(2), daysAgo: [42] },
    ]
    expect(scoreOf(people, { did })).toMatchObject({ score: 0, usageStatus: 'nurture' })
  })

  it('a newcomer with a throw-away address is left out, and at most for nurture', () => {
    const who = { did: [ACTIVATED, INVITED(2)], traits: { email_kind: 'disposable' } }
    expect(scoreOf(people, who)).toMatchObject({ score: 0, usageStatus: 'nurture' })
  })

  it('daily use without a core workflow qualifies nobody', () => {
    const did = [{ action: 'dashboard_viewed', daysAgo: days(30), times: 9 }]
    expect(scoreOf(people, { did })).toMatchObject({ score: 0, usageStatus: 'nurture' })
  })
})

describe('the company of the activating inviter', () => {
  const [people, accounts] = [shipped('models/people.yaml'), shipped('models/accounts.yaml')]
  const inviter: Who = { did: [ACTIVATED, INVITED(2)] }
  const builder: Who = { did: [{ action: 'dashboard_built' }] }
  const visitor: Who = { did: [{ action: 'pricing_viewed' }] }

  const accountOf = (team: Readonly<Record<string, Who>>) => {
    const known = [...scoresOf(people, team)].map(
      ([id, { score, usageStatus }]) =>
        [id, { score, isQualified: usageStatus === 'qualified' }] as const,
    )
    return scoresOf(accounts, team, new Map(known)).get('acme')
  }

  it.each([
    { name: 'alone is no qualified account', team: { ana: inviter }, active: 1, isPqa: false },
    {
      name: 'with one more who builds is none either',
      team: { ana: inviter, bo: builder },
      active: 2,
      isPqa: false,
    },
    {
      name: 'with two more who only look around is none',
      team: { ana: inviter, bo: visitor, cy: visitor },
      active: 1,
      isPqa: false,
    },
    {
      name: 'with three active people is one',
      team: { ana: inviter, bo: builder, cy: builder },
      active: 3,
      isPqa: true,
    },
    {
      name: 'with five active people is one',
      team: { ana: inviter, bo: builder, cy: builder, di: builder, ed: builder },
      active: 5,
      isPqa: true,
    },
    {
      name: 'five who began to build together are one, though nobody of them qualifies',
      team: { ana: builder, bo: builder, cy: builder, di: builder, ed: builder },
      active: 5,
      isPqa: true,
    },
    {
      name: 'four who build and nobody who qualifies are none yet',
      team: { ana: builder, bo: builder, cy: builder, di: builder },
      active: 4,
      isPqa: false,
    },
  ])('$name', ({ team, active, isPqa }) => {
    const account = accountOf(team)
    expect(account?.facts.activeUsers).toBe(active)
    expect(account?.usageStatus === 'qualified').toBe(isPqa)
  })

  it('names her as the one to call first, and the other active ones', () => {
    const account = accountOf({ bo: builder, ana: inviter, cy: builder, vi: visitor })
    expect(account?.facts).toMatchObject({ championId: 'ana', otherIds: ['bo', 'cy'] })
  })
})

describe('weighted parts', () => {
  const weighted = shipped('presets/weighted.yaml')
  const ofAll = { role: 'Head of Data', company_size: '120' }
  const kinds = (n: number): Did[] =>
    CORE.filter((action) => action !== 'query_run')
      .slice(0, n)
      .map((action) => ({ action }))
  const queries = (n: number, times = 1): Did => ({ action: 'query_run', daysAgo: days(n), times })

  it.each([
    {
      name: 'identity is 40 of 100',
      who: { did: [{ action: 'page' }], traits: ofAll },
      score: 40,
    },
    {
      name: 'identity and breadth are 70 of 100',
      who: { did: kinds(6), traits: ofAll },
      score: 70,
    },
    {
      name: 'all parts in full are 100',
      who: { did: [...kinds(5), queries(12, 50)], traits: ofAll },
      score: 100,
    },
    {
      name: 'the example of its file has 88',
      who: { did: [...kinds(4), queries(8, 70)], traits: ofAll },
      score: 88,
    },
    {
      name: 'nobody is taken for what she is from her address alone',
      who: { did: [{ action: 'page' }], traits: { email_kind: 'free' } },
      score: 0,
    },
  ])('$name', ({ who, score }) => {
    expect(scoreOf(weighted, who)?.score).toBe(score)
  })
})

/** Bands at their edges: a model whose score is the last value that was told. */
describe('bands', () => {
  const weighted = shipped('presets/weighted.yaml')
  const model = modelSchema.parse({
    id: 'edges',
    version: 1,
    subject: 'person',
    kind: 'conversion',
    predicts: 'won',
    window: '30d',
    signals: [
      { id: 'told', label: 'Told', action: 'told', measure: 'last', points: 1, per: 1, max: 100 },
    ],
    status: { enter: 81, exit: 71, assist: 51, 'new-for': '7d', 'stale-after': '45d' },
    bands: weighted.bands,
  })

  it.each([
    { score: 1, grade: 'nurture', status: 'new' },
    { score: 50, grade: 'nurture', status: 'new' },
    { score: 51, grade: 'sales assist', status: 'assist' },
    { score: 80, grade: 'sales assist', status: 'assist' },
    { score: 81, grade: 'account executive', status: 'qualified' },
    { score: 100, grade: 'account executive', status: 'qualified' },
  ])('$score is $grade', ({ score, grade, status }) => {
    const got = scoreOf(model, { did: [{ action: 'told', value: score }] })
    expect(got).toMatchObject({ score, grade, usageStatus: status })
  })
})

describe('points with frequency', () => {
  const frequency = shipped('presets/frequency.yaml')
  const daily = (n: number): Did => ({ action: 'query_run', daysAgo: days(n) })

  it.each([
    {
      name: 'six days of use in a row are no week',
      did: [daily(6)],
      score: 0,
      grade: 'leave alone',
    },
    { name: 'daily use for a week gives 15', did: [daily(7)], score: 15, grade: 'leave alone' },
    {
      name: 'many uses on one day are no daily use',
      did: [{ action: 'query_run', times: 40 }],
      score: 0,
      grade: 'leave alone',
    },
    {
      name: 'an activation and an invitation are for nurture',
      did: [ACTIVATED, INVITED(1)],
      score: 50,
      grade: 'nurture',
    },
    {
      name: 'and with a week of daily use for sales now',
      did: [ACTIVATED, INVITED(1), daily(7)],
      score: 65,
      grade: 'sales now',
    },
    {
      name: 'a limit is not reached at 99 %',
      did: [{ action: 'limit_80', value: 99 }],
      score: 0,
      grade: 'leave alone',
    },
    {
      name: 'a limit that is reached gives 25',
      did: [{ action: 'limit_80', value: 100 }],
      score: 25,
      grade: 'leave alone',
    },
    {
      name: 'everything is 90',
      did: [ACTIVATED, INVITED(5), daily(9), { action: 'limit_80', value: 104 }],
      score: 90,
      grade: 'sales now',
    },
  ])('$name', ({ did, score, grade }) => {
    expect(scoreOf(frequency, { did })).toMatchObject({ score, grade })
  })
})

describe('compound thresholds', () => {
  const thresholds = shipped('presets/thresholds.yaml')
  const sources = (times: number): Did => ({ action: 'source_connected', times })
  const isQualified = (did: readonly Did[]) =>
    scoreOf(thresholds, { did })?.usageStatus === 'qualified'

  it.each([
    { name: 'two sources alone do not qualify', did: [sources(2)], want: false },
    { name: 'one source and an invitation do not', did: [sources(1), INVITED(1)], want: false },
    { name: 'two sources and an invitation do', did: [sources(2), INVITED(1)], want: true },
    { name: '1,999 queries do not', did: [{ action: 'query_run', times: 1999 }], want: false },
    { name: '2,000 queries do', did: [{ action: 'query_run', times: 2000 }], want: true },
    {
      name: 'two days of one week do not',
      did: [{ action: 'query_run', daysAgo: [1, 3] }],
      want: false,
    },
    {
      name: 'three days of one week do',
      did: [{ action: 'query_run', daysAgo: [1, 3, 7] }],
      want: true,
    },
    {
      name: 'three days of eight do not',
      did: [{ action: 'query_run', daysAgo: [1, 3, 8] }],
      want: false,
    },
  ])('$name', ({ did, want }) => {
    expect(isQualified(did)).toBe(want)
  })

  it.each([
    { people: 2, want: false },
    { people: 3, want: true },
  ])('$people users of one company: $want', ({ people, want }) => {
    const team = Array.from({ length: people }, (_, n) => [`p${n}`, { did: [{ action: 'page' }] }])
    const scores = scoresOf(thresholds, Object.fromEntries(team))
    expect([...scores.values()].map((s) => s.usageStatus === 'qualified')).toEqual(
      team.map(() => want),
    )
  })
})
