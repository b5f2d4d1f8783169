import { mergeTellings, type Telling, type Told } from '../scoring/dated-traits.ts'
import { components, DEFAULT_RULES, type JoinRules, type SharedNode } from './components.ts'
import { companyDomain, type EmailKind, emailKind, normaliseEmail } from './email.ts'
import { graphOf, type IdentityFact, nodeOf } from './graph.ts'
import type { IdentityNode } from './identity-node.ts'
import type { RefusedEdge } from './keep-apart.ts'

export type { IdentityFact } from './graph.ts'

/** A human being, as far as all sources together know. */
export interface Person {
  readonly id: string
  readonly nodes: readonly IdentityNode[]
  readonly email: string | null
  readonly emailKind: EmailKind | 'none'
  /** Registrable domain of the company; null without a business address. */
  readonly domain: string | null
  /** The analytics group that she was seen in last. */
  readonly group: string | null
  /** What usage told of her traits, dated. */
  readonly told: Told
  readonly firstSeen: Date | null
  readonly lastSeen: Date | null
}

export interface People {
  readonly people: readonly Person[]
  /** Person ids that ended in a merge, and the ids that stand for them now. */
  readonly aliases: readonly { readonly id: string; readonly personId: string }[]
  readonly shared: readonly SharedNode[]
  readonly refused: readonly RefusedEdge[]
}

/** How people are joined, besides what usage says. */
export type PeopleRules = Omit<JoinRules, 'users'> & {
  /** Sources in which equal ids of all kinds are one id. */
  readonly oneIdSpace: ReadonlySet<string>
}

const NO_RULES: PeopleRules = { ...DEFAULT_RULES, oneIdSpace: new Set() }

/**
 * Joins vendor identities into people. Known ids stay: a component keeps the person id that most of
 * its nodes had; an id whose nodes all went elsewhere becomes an alias.
 * @param newId names a person that is new, from the smallest node of her component.
 */
export function resolvePeople(
  facts: readonly IdentityFact[],
  known: ReadonlyMap<IdentityNode, string>,
  newId: (node: IdentityNode) => string,
  rules: PeopleRules = NO_RULES,
): People {
  const { nodes, edges, users } = graphOf(facts, rules.oneIdSpace)
  const joined = components(nodes, edges, { ...rules, users })
  const rootsOf = (some: readonly IdentityFact[]) =>
    new Set(some.map((f) => joined.of.get(nodeOf(f))))
  const merged = rootsOf(facts.filter(isMerge))
  const somebody = rootsOf(facts.filter((fact) => !isMerge(fact)))
  const members = new Map<IdentityNode, IdentityNode[]>()
  for (const [node, root] of joined.of) {
    if (merged.has(root) && !somebody.has(root)) continue
    const list = members.get(root)
    if (list) list.push(node)
    else members.set(root, [node])
  }
  const ids = assignIds(members, known, newId)
  const said = new Map<IdentityNode, IdentityFact[]>()
  for (const fact of facts) {
    if (isMerge(fact)) continue
    const root = joined.of.get(nodeOf(fact)) ?? nodeOf(fact)
    const list = said.get(root)
    if (list) list.push(fact)
    else said.set(root, [fact])
  }
  const people = [...members].map(([root, list]) =>
    describePerson(ids.get(root) ?? newId(root), list.sort(), said.get(root) ?? []),
  )
  const { shared, refused } = joined
  return { people, aliases: aliasesOf(people, known), shared, refused }
}

/** That two aliases are one only joins: it makes nobody, and nobody was seen at that time. */
function isMerge({ kind, profile }: IdentityFact): boolean {
  return kind === 'link' && profile.startsWith('a:')
}

function assignIds(
  members: ReadonlyMap<IdentityNode, readonly IdentityNode[]>,
  known: ReadonlyMap<IdentityNode, string>,
  newId: (node: IdentityNode) => string,
): Map<IdentityNode, string> {
  const claims: { root: IdentityNode; id: string; nodes: number }[] = []
  for (const [root, list] of members) {
    const counts = new Map<string, number>()
    for (const node of list) {
      const id = known.get(node)
      if (id) counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    for (const [id, n] of counts) claims.push({ root, id, nodes: n })
  }
  claims.sort((x, y) => y.nodes - x.nodes || compare(x.id, y.id) || compare(x.root, y.root))
  const ids = new Map<IdentityNode, string>()
  const taken = new Set<string>(known.values())
  const given = new Set<string>()
  for (const { root, id } of claims) {
    if (ids.has(root) || given.has(id)) continue
    ids.set(root, id)
    given.add(id)
  }
  for (const root of [...members.keys()].sort()) {
    if (ids.has(root)) continue
    let id = newId(root)
    for (let turn = 2; taken.has(id); turn++) id = newId(`${root}#${turn}`)
    taken.add(id)
    ids.set(root, id)
  }
  return ids
}

function describePerson(
  id: string,
  nodes: readonly IdentityNode[],
  facts: readonly IdentityFact[],
): Person {
  const { email, domain } = addressOf(nodes, facts)
  const told = new Map<string, Telling[]>()
  let group: IdentityFact | null = null
  let [firstSeen, lastSeen] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const fact of facts) {
    firstSeen = Math.min(firstSeen, fact.firstAt.getTime())
    lastSeen = Math.max(lastSeen, fact.lastAt.getTime())
    if (fact.kind === 'account' && (!group || later(fact, group))) group = fact
    if (!fact.kind.startsWith('trait:')) continue
    const name = fact.kind.slice('trait:'.length)
    const telling: Telling = [fact.value, fact.firstAt.getTime(), fact.lastAt.getTime()]
    const tellings = told.get(name)
    if (tellings) tellings.push(telling)
    else told.set(name, [telling])
  }
  return {
    id,
    nodes,
    email,
    emailKind: email ? emailKind(email) : 'none',
    domain,
    group: group?.value ?? null,
    told: Object.fromEntries(
      [...told].sort(([a], [b]) => compare(a, b)).map(([name, all]) => [name, mergeTellings(all)]),
    ),
    firstSeen: facts.length > 0 ? new Date(firstSeen) : null,
    lastSeen: facts.length > 0 ? new Date(lastSeen) : null,
  }
}

/**
 * A business address before any other, then the one seen last, then the first in the alphabet. An
 * address that is another person's, or nobody's, still tells the company.
 */
function addressOf(
  nodes: readonly IdentityNode[],
  facts: readonly IdentityFact[],
): Pick<Person, 'email' | 'domain'> {
  const lastSeen = new Map<string, number>()
  for (const fact of facts) {
    const email = fact.kind === 'email' ? normaliseEmail(fact.value) : null
    if (email) lastSeen.set(email, Math.max(lastSeen.get(email) ?? 0, fact.lastAt.getTime()))
  }
  const rank = (email: string) => (emailKind(email) === 'business' ? 0 : 1)
  const ordered = [...lastSeen]
    .sort(([a, at], [b, bt]) => rank(a) - rank(b) || bt - at || compare(a, b))
    .map(([email]) => email)
  const own = ordered.find((email) => nodes.includes(`email/${email}`)) ?? null
  const first = own ?? ordered[0]
  return { email: own, domain: first === undefined ? null : companyDomain(first) }
}

function aliasesOf(
  people: readonly Person[],
  known: ReadonlyMap<IdentityNode, string>,
): { id: string; personId: string }[] {
  const alive = new Set(people.map((person) => person.id))
  const heirs = new Map<string, Map<string, number>>()
  for (const person of people) {
    for (const node of person.nodes) {
      const old = known.get(node)
      if (!old || alive.has(old)) continue
      const counts = heirs.get(old) ?? new Map<string, number>()
      counts.set(person.id, (counts.get(person.id) ?? 0) + 1)
      heirs.set(old, counts)
    }
  }
  return [...heirs].flatMap(([id, counts]) => {
    const best = [...counts].sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))[0]
    return best ? [{ id, personId: best[0] }] : []
  })
}

function later(a: IdentityFact, b: IdentityFact): boolean {
  const difference = a.lastAt.getTime() - b.lastAt.getTime()
  return difference > 0 || (difference === 0 && a.value < b.value)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
