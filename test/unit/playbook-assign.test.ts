import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { TeamMember } from '../../src/core/mapping/playbook-assignment.ts'
import {
  type AssignmentInput,
  assignTask,
  type Credits,
  takesTurns,
} from '../../src/core/playbook/assign.ts'
import type { CrmOwner } from '../../src/core/ports/crm.ts'

const person = (id: string, active = true): CrmOwner => ({
  ...{ id, name: id, active },
  email: `${id}@acme.example`,
})
const owners = [person('ada'), person('bob'), person('cyd'), person('gone', false)]
const mail = (id: string) => `${id}@acme.example`
const member = (id: string, more: Partial<TeamMember> = {}): TeamMember => ({
  ...{ owner: mail(id), weight: 1, absent: [] },
  ...more,
})
const input = (more: Partial<AssignmentInput> = {}): AssignmentInput => ({
  owners,
  of: { record: 'ada', account: 'bob', deal: null },
  traits: {},
  workload: () => ({ open: 0, today: 0, day: '2026-11-30' }),
  incumbentId: null,
  credits: {},
  ...more,
})
type Rules = Parameters<typeof assignTask>[0]
const whose = (rules: Partial<Rules>, more: Partial<AssignmentInput> = {}) => {
  const found = assignTask({ assign: ['account-owner'], ...rules }, input(more))
  return found.kind === 'assigned' ? `${found.owner.id} by ${found.by}` : found.kind
}
const territory = { territory: 'region', owners: { emea: mail('cyd'), us: mail('gone') } }
const inTurns = { 'round-robin': [member('ada'), member('bob')] }
const busy = (who: string, n: number) => ({
  workload: ({ id }: CrmOwner) => {
    const count = id === who ? n : 0
    return { open: count, today: count, day: '2026-11-30' }
  },
})

describe('a task goes to', () => {
  it.each<{ name: string; rules: Partial<Rules>; more?: Partial<AssignmentInput>; want: string }>([
    { name: 'the owner of the account', rules: {}, want: 'bob by account-owner' },
    {
      name: 'the owner of the record',
      rules: { assign: ['record-owner'] },
      want: 'ada by record-owner',
    },
    {
      name: 'the next rule when the first names nobody',
      rules: { assign: ['deal-owner', 'record-owner'] },
      want: 'ada by record-owner',
    },
    {
      name: 'the next rule when the owner has left',
      rules: { assign: ['account-owner', 'record-owner'] },
      more: { of: { record: 'ada', account: 'gone', deal: null } },
      want: 'ada by record-owner',
    },
    {
      name: 'the owner of the territory',
      rules: { assign: [territory] },
      more: { traits: { region: ['emea'] } },
      want: 'cyd by territory',
    },
    {
      name: 'the fall-back owner when the territory is nobody’s',
      rules: { assign: [territory], 'fallback-owner': mail('ada') },
      more: { traits: { region: ['us'] } },
      want: 'ada by fallback-owner',
    },
    { name: 'nobody when nobody is named', rules: { assign: ['deal-owner'] }, want: 'nobody' },
    {
      name: 'the next rule when the first has had enough for the day',
      rules: { assign: ['account-owner', 'record-owner'], 'daily-cap': 3 },
      more: busy('bob', 3),
      want: 'ada by record-owner',
    },
    {
      name: 'nobody today when whoever could have it has had enough',
      rules: { 'daily-cap': 3 },
      more: busy('bob', 3),
      want: 'full',
    },
    {
      name: 'the queue when its owner has had enough',
      rules: { 'daily-cap': 3, queue: '77' },
      more: busy('bob', 3),
      want: 'nobody',
    },
    {
      name: 'the one in the team who is there',
      rules: {
        assign: [
          {
            'round-robin': [
              member('ada', { absent: [{ from: '2026-11-30', to: '2026-12-02' }] }),
              member('gone'),
              member('cyd'),
            ],
          },
        ],
      },
      want: 'cyd by round-robin',
    },
    {
      name: 'the one in the team who has room',
      rules: { assign: [{ 'round-robin': [member('ada', { capacity: 2 }), member('cyd')] }] },
      more: { ...busy('ada', 2), credits: { [mail('ada')]: 5 } },
      want: 'cyd by round-robin',
    },
    {
      name: 'whoever of the team has a task of the account already',
      rules: { assign: [{ 'round-robin': [member('ada'), member('cyd')] }] },
      more: { incumbentId: 'cyd' },
      want: 'cyd by round-robin',
    },
  ])('$name', ({ rules, more, want }) => {
    expect(whose(rules, more)).toBe(want)
  })
})

/** The turns of a team, one after another. */
function turns(team: readonly TeamMember[], n: number, day = '2026-11-30'): string[] {
  let credits: Credits = {}
  return Array.from({ length: n }, () => {
    const workload = () => ({ open: 0, today: 0, day })
    const found = assignTask(
      { assign: [{ 'round-robin': [...team] }] },
      input({ credits, workload }),
    )
    if (found.kind !== 'assigned') return found.kind
    credits = found.credits ?? credits
    return found.owner.id
  })
}

describe('turns', () => {
  it('go by weight, and nobody has all of hers at once', () => {
    expect(turns([member('ada', { weight: 3 }), member('bob'), member('cyd')], 5)).toEqual([
      ...['ada', 'bob', 'ada', 'cyd', 'ada'],
    ])
  })

  it('are shared as the weights say, whatever they are', () => {
    const weight = fc.integer({ min: 1, max: 9 })
    fc.assert(
      fc.property(weight, weight, weight, (a, b, c) => {
        const team = [
          member('ada', { weight: a }),
          member('bob', { weight: b }),
          member('cyd', { weight: c }),
        ]
        const got = turns(team, 2 * (a + b + c))
        const times = (id: string) => got.filter((one) => one === id).length
        expect([times('ada'), times('bob'), times('cyd')]).toEqual([2 * a, 2 * b, 2 * c])
      }),
    )
  })
})

describe('whose a task is depends on whose others are', () => {
  it.each<{ name: string; rules: Partial<Rules>; want: boolean }>([
    { name: 'where turns are taken', rules: { assign: ['account-owner', inTurns] }, want: true },
    { name: 'where a day has room for so many', rules: { 'daily-cap': 3 }, want: true },
    {
      name: 'and not where owners and territories are named',
      rules: { assign: ['account-owner', territory] },
      want: false,
    },
  ])('$name', ({ rules, want }) => {
    expect(takesTurns({ assign: ['account-owner'], ...rules })).toBe(want)
  })
})
