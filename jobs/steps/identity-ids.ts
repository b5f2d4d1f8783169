import { createHash } from 'node:crypto'
import type { Account } from '../../src/core/identity/accounts.ts'
import type { IdentityNode } from '../../src/core/identity/identity-node.ts'

/** Names a new person, from the smallest node of her component. */
export const personIdOf = (node: IdentityNode): string => `per_${digest(node)}`

/**
 * Account ids by account key. The id of a domain's account is that of the domain alone, as it was
 * before there were groups.
 */
export function accountIds(accounts: readonly Account[]): Map<string, string> {
  return new Map(accounts.map(({ key }) => [key, `acc_${digest(key.replace(/^domain:/, ''))}`]))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20)
}
