import type { IdentityMapping } from '../mapping/identity-mapping.ts'
import type { AccountRules } from './accounts.ts'
import { businessDomain, normaliseEmail } from './email.ts'
import type { IdentityNode } from './identity-node.ts'
import type { PeopleRules } from './people.ts'

/** What identity.yaml says, as people are joined by it. */
export function peopleRules(
  mapping: IdentityMapping,
  oneIdSpace: ReadonlySet<string>,
): PeopleRules {
  const { caps } = mapping
  return {
    caps: {
      usersPerEmail: caps['users-per-email'],
      usersPerDevice: caps['users-per-device'],
      usersPerAlias: caps['users-per-alias'],
      links: caps.links,
    },
    shared: new Set(mapping.shared.map(nodeNamed)),
    apart: mapping['not-the-same'].map(([a, b]) => [nodeNamed(a), nodeNamed(b)]),
    oneIdSpace,
  }
}

/** What identity.yaml says, as people are put into accounts by it. */
export function accountRules(mapping: IdentityMapping): AccountRules {
  const aliases = new Map(Object.entries(mapping['domain-aliases']))
  const folded = (host: string): string | null => {
    const domain = businessDomain(host)
    const alias = aliases.get(host) ?? (domain === null ? undefined : aliases.get(domain))
    return alias ?? domain
  }
  const target = (domain: string) => (domain === 'none' ? null : folded(domain))
  const entries = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).map(([key, domain]) => [nodeNamed(key), target(domain)] as const)
  return {
    domainOf: folded,
    overrides: new Map(entries(mapping.accounts)),
    groups: new Map(Object.entries(mapping.groups).map(([key, d]) => [key, target(d)])),
  }
}

/** An address as it stands in the identity graph; a vendor's id or a domain stands for itself. */
function nodeNamed(text: string): IdentityNode {
  const email = text.includes('/') ? null : normaliseEmail(text)
  return email ? `email/${email}` : text
}
