import { describe, expect, it } from '@jest/globals'
import { type PlaybookGuards, playbookSchema } from '../../src/core/mapping/playbook.ts'
import { meetsAll } from '../../src/core/playbook/conditions.ts'
import { type GuardInput, guard } from '../../src/core/playbook/guards.ts'
import { markOf, materialChanges, type StoryMark } from '../../src/core/playbook/material-change.ts'
import { lapsed, standsNow } from '../../src/core/playbook/triggers.ts'
import type { Score } from '../../src/core/scoring/score.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const score = {
  score: 62,
  grade: 'B',
  usageStatus: 'qualified',
  salesStatus: 'none',
  trend: 'rising',
  contributions: [{ id: 'seats', points: 5, amount: 84, since: null, last: null }],
  facts: { activeUsers: 3, qualifiedUsers: 1, championId: 'p1', otherIds: [] },
} as unknown as Score

describe('a condition', () => {
  const now = { score, traits: { plan: ['pro'], head_count: ['250'] } }
  it.each<{ name: string; when: Parameters<typeof meetsAll>[0]; want: boolean }>([
    { name: 'that there is none of is met', when: [], want: true },
    { name: 'on a trait', when: [{ trait: 'head_count', gte: 200 }], want: true },
    {
      name: 'on a trait that nobody tells',
      when: [{ trait: 'region', equals: 'us' }],
      want: false,
    },
    { name: 'on the score', when: [{ value: 'score', gte: 62, lte: 62 }], want: true },
    { name: 'on people', when: [{ value: 'active-people', gte: 4 }], want: false },
    { name: 'on qualified people', when: [{ value: 'qualified-people', lte: 1 }], want: true },
    { name: 'on the usage status', when: [{ 'usage-status': ['assist'] }], want: false },
    { name: 'on the sales status', when: [{ 'sales-status': ['none', 'lost'] }], want: true },
    { name: 'on the trend', when: [{ trend: ['rising'] }], want: true },
    {
      name: 'counts beside all others',
      when: [{ trend: ['rising'] }, { value: 'score', gte: 80 }],
      want: false,
    },
  ])('$name', ({ when, want }) => {
    expect(meetsAll(when, now)).toBe(want)
  })
})

describe('a guard', () => {
  const guards: PlaybookGuards = {
    'evidence-within': DAY_MS,
    'cool-down': 14 * DAY_MS,
    'after-rejection': 90 * DAY_MS,
    'opted-out': [{ trait: 'opted_out', equals: 'true' }],
    suppress: { domains: ['Rival.example'], emails: ['no@acme.example'] },
  }
  const ann = { id: 'p1', email: 'ann@acme.example', traits: {} }
  const bob = { id: 'p2', email: 'bob@acme.example', traits: { opted_out: ['true'] } }
  const free: GuardInput = {
    now: NOW,
    startedAt: null,
    sales: { status: 'none', since: null },
    people: [ann, bob],
    domain: 'acme.example',
    traits: {},
  }
  it.each<{ name: string; is: Partial<GuardInput>; want: string | readonly string[] }>([
    { name: 'leaves out who opted out, and names the others', is: {}, want: ['p1'] },
    { name: 'holds where everybody opted out', is: { people: [bob] }, want: 'opted out' },
    { name: 'lets pass an account without people', is: { people: [] }, want: [] },
    {
      name: 'holds during the cool-down',
      is: { startedAt: NOW - 14 * DAY_MS + 1 },
      want: 'cool-down',
    },
    { name: 'lets pass after the cool-down', is: { startedAt: NOW - 14 * DAY_MS }, want: ['p1'] },
    {
      name: 'holds after a rejection',
      is: { sales: { status: 'rejected', since: NOW - 90 * DAY_MS + 1 } },
      want: 'sales said no',
    },
    {
      name: 'lets pass long after a rejection',
      is: { sales: { status: 'rejected', since: NOW - 90 * DAY_MS } },
      want: ['p1'],
    },
    { name: 'holds a suppressed domain', is: { domain: 'rival.example' }, want: 'suppressed' },
    {
      name: 'holds a suppressed address',
      is: { people: [{ ...ann, email: 'No@acme.example' }] },
      want: 'suppressed',
    },
    {
      name: 'holds an account that opted out itself',
      is: { traits: { opted_out: ['true'] } },
      want: 'opted out',
    },
  ])('$name', ({ is, want }) => {
    const answer = guard(guards, { ...free, ...is })
    expect(answer.kind === 'held' ? answer.reason : answer.people).toEqual(want)
  })
})

describe('a story', () => {
  const before: StoryMark = markOf(score)
  it.each<{ name: string; is: Partial<StoryMark>; want: readonly RegExp[] }>([
    { name: 'that is as it was is no news', is: {}, want: [] },
    { name: 'that wavers is no news', is: { score: 71, activeUsers: 4 }, want: [] },
    { name: 'whose score moved', is: { score: 72 }, want: [/from 62 \(B\) to 72 \(B\)/] },
    { name: 'whose grade changed', is: { score: 80, grade: 'A' }, want: [/to 80 \(A\)/] },
    { name: 'that turned', is: { trend: 'falling' }, want: [/use is falling now/] },
    { name: 'that calmed down is no news', is: { trend: 'steady' }, want: [] },
    { name: 'with more people', is: { activeUsers: 5 }, want: [/5 people are active, before 3/] },
    { name: 'with another champion', is: { championId: 'p2' }, want: [/mail of p2 now/] },
    { name: 'without a champion is no news', is: { championId: null }, want: [] },
  ])('$name', ({ is, want }) => {
    const changes = materialChanges(before, { ...before, ...is }, (id) => `mail of ${id}`)
    expect(changes).toEqual(want.map((one) => expect.stringMatching(one)))
  })
})

describe('a trigger', () => {
  it.each<{
    name: string
    trigger: Parameters<typeof standsNow>[0]
    stands: boolean
    why?: RegExp
  }>([
    { name: 'of a status that is', trigger: { 'status-entered': 'qualified' }, stands: true },
    {
      name: 'of a status that was',
      trigger: { 'status-entered': 'assist' },
      stands: false,
      why: /qualified by now/,
    },
    { name: 'of a score', trigger: { 'score-crossed': 62 }, stands: true },
    {
      name: 'of a score that fell',
      trigger: { 'score-crossed': 63 },
      stands: false,
      why: /below 63/,
    },
    { name: 'of people', trigger: { 'people-active': 3 }, stands: true },
    { name: 'of people who left', trigger: { 'people-active': 4 }, stands: false, why: /fewer/ },
    { name: 'of a limit', trigger: { 'limit-reached': 'seats', percent: 80 }, stands: true },
    {
      name: 'of a limit with room',
      trigger: { 'limit-reached': 'seats', percent: 85 },
      stands: false,
      why: /room/,
    },
    { name: 'of what was done once', trigger: { 'action-first': 'api_key' }, stands: true },
  ])('$name', ({ trigger, stands, why }) => {
    expect(standsNow(trigger, score)).toBe(stands)
    const reason = lapsed(trigger, score)
    if (why) expect(reason).toMatch(why)
    else expect(reason).toBeNull()
    expect(lapsed(trigger, null)).toMatch(/nobody scores/)
  })
})

describe('a playbook', () => {
  const task = { subject: 's', body: 'b', 'due-in': '4h' }
  const plain = {
    ...{ id: 'x', label: 'X', crm: 'hubspot', subject: 'account' },
    trigger: { 'people-active': 3 },
    segments: [{ name: 'all', motion: 'sales', actions: [{ task }] }],
  }
  it('is guarded without a word: fresh evidence, a cool-down, one open task, a note beside an open deal, nobody who opted out', () => {
    const read = playbookSchema.parse(plain)
    expect(read).toMatchObject({
      enabled: true,
      guards: {
        'evidence-within': DAY_MS,
        'cool-down': 14 * DAY_MS,
        'after-rejection': 90 * DAY_MS,
        'opted-out': [{ trait: 'opted_out', equals: 'true' }],
      },
    })
    expect(read.segments[0]?.actions[0]).toMatchObject({
      task: {
        'one-open': true,
        'open-deal': 'note',
        'when-gone': 'close',
        assign: ['account-owner'],
      },
    })
  })
})
