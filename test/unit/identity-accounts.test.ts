import { describe, expect, it } from '@jest/globals'
import { type CrmCompany, resolveAccounts } from '../../src/core/identity/accounts.ts'
import { companyDomain, emailKind } from '../../src/core/identity/email.ts'
import type { Person } from '../../src/core/identity/people.ts'
import { accountRules } from '../../src/core/identity/rules.ts'
import { identityMappingSchema } from '../../src/core/mapping/identity-mapping.ts'

/** Somebody with an address and perhaps a group; her id is her address. */
function person(email: string, group: string | null = null): Person {
  return {
    id: email,
    nodes: [`amplitude/u:${email}`, `email/${email}`],
    email,
    emailKind: emailKind(email),
    domain: companyDomain(email),
    group,
    told: {},
    firstSeen: null,
    lastSeen: null,
  }
}

type Mapping = Readonly<Record<string, unknown>>
function resolve(
  people: readonly Person[],
  mapping: Mapping = {},
  crm: Readonly<Record<string, Partial<CrmCompany>>> = {},
) {
  const rules = accountRules(identityMappingSchema.parse({ version: 1, ...mapping }))
  const none = { crm: 'hubspot', accountKey: null, domain: null }
  const companies = Object.entries(crm).map(([id, c]) => [id, { ...none, ...c }] as const)
  return resolveAccounts(people, rules, new Map(companies))
}

const ANN = 'ann@acme.com'
const FREE = 'ann@gmail.com'

describe('the account of a person', () => {
  it.each<{
    name: string
    who: Person
    mapping?: Mapping
    crm?: Partial<CrmCompany>
    want: unknown
  }>([
    {
      name: 'is what identity.yaml says, before everything else',
      who: person(ANN, 'ws-1'),
      mapping: { accounts: { [ANN]: 'other.com' } },
      crm: { domain: 'crm.com' },
      want: { key: 'domain:other.com', rule: 'override', value: ANN },
    },
    {
      name: 'is what it says for her domain',
      who: person('ann@eu.acme.com'),
      mapping: { accounts: { 'acme.com': 'other.com' } },
      want: { key: 'domain:other.com', rule: 'override', value: 'acme.com' },
    },
    {
      name: 'is what it says for a vendor id',
      who: person(FREE),
      mapping: { accounts: { [`amplitude/u:${FREE}`]: 'other.com' } },
      want: { key: 'domain:other.com', rule: 'override', value: `amplitude/u:${FREE}` },
    },
    {
      name: 'is none where it says so',
      who: person(ANN, 'ws-1'),
      mapping: { accounts: { 'acme.com': 'none' } },
      want: { key: null, rule: 'override', value: 'acme.com' },
    },
    {
      name: 'is where the CRM has her, before the group',
      who: person(ANN, 'ws-1'),
      crm: { domain: 'www.crm.com' },
      want: { key: 'domain:crm.com', rule: 'crm', value: 'www.crm.com' },
    },
    {
      name: 'is our own account where the CRM has her under its record',
      who: person(FREE),
      crm: { accountKey: 'group:ws-7' },
      want: { key: 'group:ws-7', rule: 'crm', value: 'hubspot' },
    },
    {
      name: 'is not a free-mail company of the CRM',
      who: person(ANN),
      crm: { domain: 'gmail.com' },
      want: { key: 'domain:acme.com', rule: 'domain', value: 'acme.com' },
    },
    {
      name: 'is the analytics group, before the domain',
      who: person(FREE, 'ws-1'),
      want: { key: 'group:ws-1', rule: 'group', value: 'ws-1' },
    },
    {
      name: 'is the company that the group is named by',
      who: person(FREE, 'App.Acme.com'),
      want: { key: 'domain:acme.com', rule: 'group', value: 'App.Acme.com' },
    },
    {
      name: 'is not a group that is named by free mail',
      who: person(ANN, 'gmail.com'),
      want: { key: 'domain:acme.com', rule: 'domain', value: 'acme.com' },
    },
    {
      name: 'is the company that identity.yaml names for the group',
      who: person(FREE, 'ws-1'),
      mapping: { groups: { 'ws-1': 'acme.com' } },
      want: { key: 'domain:acme.com', rule: 'group', value: 'ws-1' },
    },
    {
      name: 'is none for a group that identity.yaml calls none',
      who: person(ANN, 'ws-1'),
      mapping: { groups: { 'ws-1': 'none' } },
      want: { key: null, rule: 'group', value: 'ws-1' },
    },
    {
      name: 'is the domain of the address',
      who: person('ann@eu.acme.com'),
      want: { key: 'domain:acme.com', rule: 'domain', value: 'acme.com' },
    },
    {
      name: 'is the one that the domain is another name of',
      who: person('ann@acme.de'),
      mapping: { 'domain-aliases': { 'acme.de': 'acme.com' } },
      want: { key: 'domain:acme.com', rule: 'domain', value: 'acme.de' },
    },
    {
      name: 'may be that of a part of a company',
      who: person('ann@labs.acme.com'),
      mapping: { 'domain-aliases': { 'labs.acme.com': 'acme-labs.com' } },
      want: { key: 'domain:acme-labs.com', rule: 'domain', value: 'acme.com' },
    },
    { name: 'is none for free mail', who: person(FREE), want: undefined },
    { name: 'is none for throw-away mail', who: person('x@mailinator.com'), want: undefined },
  ])('$name', ({ who, mapping = {}, crm, want }) => {
    expect(resolve([who], mapping, crm ? { [who.id]: crm } : {}).of.get(who.id)).toEqual(want)
  })
})

describe('the domain of a group’s account', () => {
  const accountsOf = (...people: Person[]) => resolve(people).accounts

  it('is the one that most of its people have', () => {
    expect(
      accountsOf(
        person(ANN, 'ws-1'),
        person('bo@acme.com', 'ws-1'),
        person('guest@other.com', 'ws-1'),
        person(FREE, 'ws-1'),
      ),
    ).toEqual([{ key: 'group:ws-1', domain: 'acme.com', name: 'ws-1' }])
  })

  it('is none where no domain has more than half', () => {
    expect(accountsOf(person(ANN, 'ws-1'), person('bo@other.com', 'ws-1'))).toEqual([
      { key: 'group:ws-1', domain: null, name: 'ws-1' },
    ])
  })

  it('takes in the colleagues who are in no group', () => {
    const { accounts, of } = resolve([person(ANN, 'ws-1'), person('bo@acme.com')])
    expect(accounts).toEqual([{ key: 'group:ws-1', domain: 'acme.com', name: 'ws-1' }])
    expect(of.get('bo@acme.com')).toEqual({ key: 'group:ws-1', rule: 'domain', value: 'acme.com' })
  })

  it('goes to the larger of two groups, in any order', () => {
    const people = [
      person(ANN, 'ws-1'),
      person('bo@acme.com', 'ws-2'),
      person('cy@acme.com', 'ws-2'),
    ]
    for (const given of [people, people.toReversed()]) {
      const domains = resolve(given).accounts.map(({ key, domain }) => [key, domain])
      expect(Object.fromEntries(domains)).toEqual({ 'group:ws-1': null, 'group:ws-2': 'acme.com' })
    }
  })
})
