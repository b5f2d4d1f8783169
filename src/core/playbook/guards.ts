import type { PlaybookGuards } from '../mapping/playbook.ts'
import type { SalesState, Traits } from '../scoring/features.ts'
import { traitTest } from '../scoring/traits.ts'

/** What may keep a playbook from starting for a subject. Instants are milliseconds since 1970 UTC. */
export interface GuardInput {
  readonly now: number
  /** When the playbook was started for the subject last; null if never. */
  readonly startedAt: number | null
  readonly sales: Pick<SalesState, 'status' | 'since'>
  /** Of the person, or of each person of the account whom the task would name. */
  readonly people: readonly GuardedPerson[]
  /** Registrable domain of the account, or of the person's account. */
  readonly domain: string | null
  readonly traits: Traits
}

export interface GuardedPerson {
  readonly id: string
  readonly email: string | null
  readonly traits: Traits
}

/** Why a playbook does not start, and for whom it may. */
export type GuardAnswer =
  | { readonly kind: 'held'; readonly reason: string }
  /** The people who may be named. */
  | { readonly kind: 'free'; readonly people: readonly string[] }

/** Holds the guards of a playbook against a subject. */
export function guard(guards: PlaybookGuards, input: GuardInput): GuardAnswer {
  const { now, startedAt, sales, people, domain, traits } = input
  if (startedAt !== null && now - startedAt < guards['cool-down']) return held('cool-down')
  const isRejected = sales.status === 'rejected' && sales.since !== null
  if (isRejected && now - (sales.since ?? 0) < guards['after-rejection']) {
    return held('sales said no')
  }
  const domains = new Set(guards.suppress.domains.map(lower))
  if (domain !== null && domains.has(lower(domain))) return held('suppressed')
  if (isOptedOut(guards, traits)) return held('opted out')
  const emails = new Set(guards.suppress.emails.map(lower))
  const isNamed = ({ email }: GuardedPerson) => email !== null && emails.has(lower(email))
  const free = people.filter((one) => !isOptedOut(guards, one.traits) && !isNamed(one))
  if (people.length > 0 && free.length === 0) {
    return held(people.every(isNamed) ? 'suppressed' : 'opted out')
  }
  return { kind: 'free', people: free.map(({ id }) => id) }
}

const held = (reason: string): GuardAnswer => ({ kind: 'held', reason })
const lower = (text: string): string => text.toLowerCase()

/** Whether traits say that somebody is to be left alone. */
export function isOptedOut({ 'opted-out': rules }: PlaybookGuards, traits: Traits): boolean {
  return rules.some((rule) => traitTest(rule)(traits))
}
