import { hostOf } from './email.ts'
import type { Person } from './people.ts'

/** What put somebody into an account; the first that says anything decides. */
export type AccountRule = 'override' | 'crm' | 'group' | 'domain'

export interface AccountRules {
  /** The account's domain for a host name: folded and aliased; null where there is no company. */
  readonly domainOf: (host: string) => string | null
  /** By node of the identity graph or by domain; null means no account. */
  readonly overrides: ReadonlyMap<string, string | null>
  /** By analytics group key; null means no account. */
  readonly groups: ReadonlyMap<string, string | null>
}

/** The company that a CRM has somebody under. */
export interface CrmCompany {
  readonly crm: string
  /** The account whose record it is, if it is one of ours. */
  readonly accountKey: string | null
  readonly domain: string | null
}

export interface Account {
  /** `domain:<domain>` or `group:<analytics group key>`. */
  readonly key: string
  /** By which a CRM finds it; null where nothing says. No two accounts have one domain. */
  readonly domain: string | null
  readonly name: string
}

export interface Membership {
  /** Null where somebody decided that there is none. */
  readonly key: string | null
  readonly rule: AccountRule
  /** What the rule went by, for people. */
  readonly value: string
}

export interface Accounts {
  readonly accounts: readonly Account[]
  /** By person id; absent where no rule says anything. */
  readonly of: ReadonlyMap<string, Membership>
}

const DOMAIN = 'domain:'
const GROUP = 'group:'

/**
 * Puts people into accounts: by a person's decision, by the CRM, by the analytics group, by the
 * domain of the company, in this order. A group is the account of the domain that most of its people
 * have; of several groups with one domain, the largest is.
 * @param crmCompanies by person id.
 */
export function resolveAccounts(
  people: readonly Person[],
  rules: AccountRules,
  crmCompanies: ReadonlyMap<string, CrmCompany> = new Map(),
): Accounts {
  const of = new Map<string, Membership>()
  for (const person of people) {
    const found = membershipOf(person, rules, crmCompanies.get(person.id))
    if (found) of.set(person.id, found)
  }
  const holders = groupDomains(people, of, rules)
  const groupOf = new Map([...holders].map(([group, domain]) => [DOMAIN + domain, group]))
  const accounts = new Map<string, Account>()
  for (const [id, membership] of of) {
    const key = membership.key === null ? null : (groupOf.get(membership.key) ?? membership.key)
    of.set(id, { ...membership, key })
    if (key !== null && !accounts.has(key)) accounts.set(key, accountOf(key, holders))
  }
  return { accounts: [...accounts.values()], of }
}

function membershipOf(
  person: Person,
  rules: AccountRules,
  crm: CrmCompany | undefined,
): Membership | null {
  const override = overrideOf(person, rules)
  if (override) return override
  const crmKey = crm?.accountKey ?? domainKey(rules.domainOf(crm?.domain ?? ''))
  if (crm && crmKey) return { key: crmKey, rule: 'crm', value: crm.domain ?? crm.crm }
  const group = person.group === null ? null : groupMembership(person.group, rules)
  if (group) return group
  const key = domainKey(companyOf(person, rules))
  return key ? { key, rule: 'domain', value: person.domain ?? '' } : null
}

function overrideOf({ nodes, email, domain }: Person, rules: AccountRules): Membership | null {
  if (rules.overrides.size === 0) return null
  const host = email === null ? null : hostOf(email)
  const company = domain === null ? null : rules.domainOf(domain)
  for (const value of [...nodes, host, domain, company]) {
    const target = value === null ? undefined : rules.overrides.get(value)
    if (value === null || target === undefined) continue
    return { key: domainKey(target), rule: 'override', value: value.replace(/^email\//, '') }
  }
  return null
}

/** A group that is named by a domain is that company; free mail is none. */
function groupMembership(group: string, rules: AccountRules): Membership | null {
  const declared = rules.groups.get(group)
  if (declared !== undefined) return { key: domainKey(declared), rule: 'group', value: group }
  if (!DOMAIN_SHAPE.test(group)) return { key: GROUP + group, rule: 'group', value: group }
  const key = domainKey(rules.domainOf(group.toLowerCase()))
  return key ? { key, rule: 'group', value: group } : null
}

const DOMAIN_SHAPE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}$/i

const domainKey = (domain: string | null): string | null => (domain ? DOMAIN + domain : null)

/** The domain of somebody's company, from the address if she has one of her own. */
function companyOf({ email, domain }: Person, rules: AccountRules): string | null {
  return rules.domainOf(email === null ? (domain ?? '') : hostOf(email)) ?? null
}

/** The domain of each group that has one clearly: more than half of its people with a company share it. */
function groupDomains(
  people: readonly Person[],
  of: ReadonlyMap<string, Membership>,
  rules: AccountRules,
): Map<string, string> {
  const counts = new Map<string, Map<string, number>>()
  for (const person of people) {
    const key = of.get(person.id)?.key
    const domain = key?.startsWith(GROUP) ? companyOf(person, rules) : null
    if (!key || domain === null) continue
    const ofGroup = counts.get(key) ?? new Map<string, number>()
    ofGroup.set(domain, (ofGroup.get(domain) ?? 0) + 1)
    counts.set(key, ofGroup)
  }
  const best = new Map<string, { group: string; people: number }>()
  for (const [group, domains] of counts) {
    const all = [...domains.values()].reduce((sum, n) => sum + n, 0)
    const [domain, n] = [...domains].find(([, some]) => some * 2 > all) ?? [null, 0]
    const rival = domain === null ? undefined : best.get(domain)
    const wins = !rival || n > rival.people || (n === rival.people && group < rival.group)
    if (domain !== null && wins) best.set(domain, { group, people: n })
  }
  return new Map([...best].map(([domain, { group }]) => [group, domain]))
}

function accountOf(key: string, holders: ReadonlyMap<string, string>): Account {
  if (key.startsWith(DOMAIN)) {
    const domain = key.slice(DOMAIN.length)
    return { key, domain, name: domain }
  }
  return { key, domain: holders.get(key) ?? null, name: key.slice(GROUP.length) }
}
