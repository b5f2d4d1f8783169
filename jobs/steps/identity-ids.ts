import { createHash } from 'node:crypto'
import type { IdentityNode } from '../../src/core/identity/components.ts'
import type { Person } from '../../src/core/identity/people.ts'

/** Names a new person, from the smallest node of her component. */
export const personIdOf = (node: IdentityNode): string => `per_${digest(node)}`

/** Account id by registrable domain. */
export function accountsOf(people: readonly Person[]): Map<string, string> {
  const accounts = new Map<string, string>()
  for (const { domain } of people) {
    if (domain) accounts.set(domain, `acc_${digest(domain)}`)
  }
  return accounts
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20)
}
