import type { PlaybookTask } from '../mapping/playbook.ts'
import type { TaskAssignment, TeamMember } from '../mapping/playbook-assignment.ts'
import type { CrmOwner } from '../ports/crm.ts'
import type { Traits } from '../scoring/features.ts'

/** Whose the records around a task are; ids of owners, null where they have none. */
export interface Owners {
  readonly record: string | null
  readonly account: string | null
  readonly deal: string | null
}

/** How much somebody has to do already. */
export interface Workload {
  /** Tasks of ours that are open. */
  readonly open: number
  /** Tasks that were given today, where the owner is. */
  readonly today: number
  /** The day of today where the owner is, `YYYY-MM-DD`. */
  readonly day: string
}

/** What an assignment is made from. */
export interface AssignmentInput {
  readonly owners: readonly CrmOwner[]
  readonly of: Owners
  /** Of whom the task is about. */
  readonly traits: Traits
  readonly workload: (owner: CrmOwner) => Workload
  /** Whose task of the same account is open: nobody else of the team gets another one. */
  readonly incumbentId: string | null
  /** What each member of the team is ahead or behind, by address; what is absent is 0. */
  readonly credits: Credits
}

export type Credits = Readonly<Record<string, number>>

export type Assignment =
  | {
      readonly kind: 'assigned'
      readonly owner: CrmOwner
      readonly by: string
      /** What to keep for the next turn; null where nobody took a turn. */
      readonly credits: Credits | null
    }
  /** Nobody is named who is there: the task is nobody's, or that of its queue. */
  | { readonly kind: 'nobody' }
  /** Whoever could have it has had enough today. */
  | { readonly kind: 'full' }

type Rules = Pick<PlaybookTask, 'assign' | 'fallback-owner' | 'daily-cap' | 'queue'>

/**
 * Whose a task is: the first rule that names somebody who is active, there and below the daily cap; then the
 * fall-back owner; then the queue. It assigns the task, never a record.
 */
export function assignTask(rules: Rules, input: AssignmentInput): Assignment {
  let isFull = false
  for (const rule of rules.assign) {
    const found = byRule(rule, rules, input)
    if (found.kind === 'assigned') return found
    isFull ||= found.kind === 'full'
  }
  const last = byAddress(rules['fallback-owner'], input.owners)
  if (last && hasRoom(last, rules, input)) {
    return { kind: 'assigned', owner: last, by: 'fallback-owner', credits: null }
  }
  isFull ||= last !== null
  return isFull && rules.queue === undefined ? { kind: 'full' } : { kind: 'nobody' }
}

/** Whether whose a task becomes depends on whose others are: turns are taken, or somebody may have had enough for the day. */
export const takesTurns = (rules: Pick<Rules, 'assign' | 'daily-cap'>): boolean =>
  rules['daily-cap'] !== undefined ||
  rules.assign.some((rule) => typeof rule !== 'string' && 'round-robin' in rule)

function byRule(rule: TaskAssignment, rules: Rules, input: AssignmentInput): Assignment {
  if (typeof rule === 'string') {
    const id =
      input.of[rule === 'record-owner' ? 'record' : rule === 'deal-owner' ? 'deal' : 'account']
    return toOne(input.owners.find((one) => one.active && one.id === id) ?? null, rule)
  }
  if ('territory' in rule) {
    const values = input.traits[rule.territory] ?? []
    const address = values.map((value) => rule.owners[value]).find(Boolean)
    return toOne(byAddress(address, input.owners), 'territory')
  }
  return byTurn(rule['round-robin'], rules, input)

  function toOne(owner: CrmOwner | null, by: string): Assignment {
    if (!owner) return { kind: 'nobody' }
    return hasRoom(owner, rules, input)
      ? { kind: 'assigned', owner, by, credits: null }
      : { kind: 'full' }
  }
}

/**
 * Smooth weighted round robin: each who is there gains the weight, whoever is furthest ahead has the turn and pays what all
 * gained. Who is away neither gains nor pays, so that nobody comes back to a heap.
 */
function byTurn(team: readonly TeamMember[], rules: Rules, input: AssignmentInput): Assignment {
  const incumbent = input.owners.find((one) => one.active && one.id === input.incumbentId)
  if (
    incumbent &&
    team.some((member) => member.owner.toLowerCase() === incumbent.email?.toLowerCase())
  ) {
    return { kind: 'assigned', owner: incumbent, by: 'round-robin', credits: null }
  }
  const there = team.flatMap((member) => {
    const owner = byAddress(member.owner, input.owners)
    return owner && isThere(member, owner, input) ? [{ member, owner }] : []
  })
  const able = there.filter(({ owner }) => hasRoom(owner, rules, input))
  if (able.length === 0) return { kind: there.length > 0 ? 'full' : 'nobody' }
  const credits: Record<string, number> = { ...input.credits }
  let total = 0
  for (const { member } of able) {
    credits[member.owner] = (credits[member.owner] ?? 0) + member.weight
    total += member.weight
  }
  const next = able.reduce((best, one) =>
    (credits[one.member.owner] ?? 0) > (credits[best.member.owner] ?? 0) ? one : best,
  )
  credits[next.member.owner] = (credits[next.member.owner] ?? 0) - total
  return { kind: 'assigned', owner: next.owner, by: 'round-robin', credits }
}

function isThere(
  { absent, capacity }: TeamMember,
  owner: CrmOwner,
  { workload }: AssignmentInput,
): boolean {
  const { day, open } = workload(owner)
  if (absent.some(({ from, to }) => from <= day && day <= to)) return false
  return capacity === undefined || open < capacity
}

function hasRoom(owner: CrmOwner, rules: Rules, { workload }: AssignmentInput): boolean {
  const cap = rules['daily-cap']
  return cap === undefined || workload(owner).today < cap
}

/** The active owner with an address, whatever its case; null for nobody. */
export function byAddress(
  address: string | undefined,
  owners: readonly CrmOwner[],
): CrmOwner | null {
  if (address === undefined) return null
  const wanted = address.toLowerCase()
  return owners.find((one) => one.active && one.email?.toLowerCase() === wanted) ?? null
}
