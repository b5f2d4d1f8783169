import { components, type IdentityEdge, type IdentityNode } from './components.ts'
import { companyDomain, type EmailKind, emailKind, normaliseEmail } from './email.ts'

/** One thing that usage says about a vendor identity; see the lake's facts. */
export interface IdentityFact {
  readonly source: string
  /** `u:<user id>`, `d:<device id>` or `a:<alias id>`. */
  readonly profile: string
  /** `seen`, `link`, `email` or `trait:<name>`. */
  readonly kind: string
  readonly value: string
  readonly firstAt: Date
  readonly lastAt: Date
}

/** A human being, as far as all sources together know. */
export interface Person {
  readonly id: string
  readonly nodes: readonly IdentityNode[]
  readonly email: string | null
  readonly emailKind: EmailKind | 'none'
  /** Registrable domain of the company; null without a business address. */
  readonly domain: string | null
  readonly traits: Readonly<Record<string, string>>
  readonly firstSeen: Date | null
  readonly lastSeen: Date | null
}

export interface People {
  readonly people: readonly Person[]
  /** Person ids that ended in a merge, and the ids that stand for them now. */
  readonly aliases: readonly { readonly id: string; readonly personId: string }[]
  readonly shared: readonly { readonly node: IdentityNode; readonly identities: number }[]
}

/**
 * Joins vendor identities into people. Known ids stay: a component keeps the person id that most of
 * its nodes had; an id whose nodes all went elsewhere becomes an alias.
 * @param newId names a person that is new, from the smallest node of her component.
 */
export function resolvePeople(
  facts: readonly IdentityFact[],
  known: ReadonlyMap<IdentityNode, string>,
  newId: (node: IdentityNode) => string,
): People {
  const { nodes, edges } = graphOf(facts)
  const joined = components(nodes, edges)
  const somebody = new Set(facts.filter((f) => !isMerge(f)).map((f) => joined.of.get(nodeOf(f))))
  const members = new Map<IdentityNode, IdentityNode[]>()
  for (const [node, root] of joined.of) {
    if (!somebody.has(root)) continue
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
  return { people, aliases: aliasesOf(people, known), shared: joined.shared }
}

export function nodeOf(fact: Pick<IdentityFact, 'source' | 'profile'>): IdentityNode {
  return `${fact.source}/${fact.profile}`
}

/** That two aliases are one only joins: it makes nobody, and nobody was seen at that time. */
function isMerge({ kind, profile }: IdentityFact): boolean {
  return kind === 'link' && profile.startsWith('a:')
}

function graphOf(facts: readonly IdentityFact[]): {
  nodes: Set<IdentityNode>
  edges: IdentityEdge[]
} {
  const nodes = new Set<IdentityNode>()
  const edges: IdentityEdge[] = []
  for (const fact of facts) {
    const a = nodeOf(fact)
    nodes.add(a)
    if (fact.kind === 'link') edges.push({ a, b: `${fact.source}/${fact.value}` })
    if (fact.kind === 'email') {
      const email = normaliseEmail(fact.value)
      if (email) edges.push({ a, b: `email/${email}` })
    }
  }
  return { nodes, edges }
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
  const email = bestEmail(facts)
  const latest = new Map<string, IdentityFact>()
  for (const fact of facts) {
    if (!fact.kind.startsWith('trait:')) continue
    const best = latest.get(fact.kind)
    if (!best || later(fact, best)) latest.set(fact.kind, fact)
  }
  const traits = [...latest].map(([kind, fact]) => [kind.slice('trait:'.length), fact.value])
  return {
    id,
    nodes,
    email,
    emailKind: email ? emailKind(email) : 'none',
    domain: email ? companyDomain(email) : null,
    traits: Object.fromEntries(traits.sort()),
    firstSeen: edge(
      facts.map((f) => f.firstAt),
      Math.min,
    ),
    lastSeen: edge(
      facts.map((f) => f.lastAt),
      Math.max,
    ),
  }
}

/** A business address before any other, then the one seen last, then the first in the alphabet. */
function bestEmail(facts: readonly IdentityFact[]): string | null {
  const lastSeen = new Map<string, number>()
  for (const fact of facts) {
    const email = fact.kind === 'email' ? normaliseEmail(fact.value) : null
    if (email) lastSeen.set(email, Math.max(lastSeen.get(email) ?? 0, fact.lastAt.getTime()))
  }
  const rank = (email: string) => (emailKind(email) === 'business' ? 0 : 1)
  const ordered = [...lastSeen].sort(
    ([a, at], [b, bt]) => rank(a) - rank(b) || bt - at || compare(a, b),
  )
  return ordered[0]?.[0] ?? null
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

function edge(dates: readonly Date[], pick: (...values: number[]) => number): Date | null {
  if (dates.length === 0) return null
  return new Date(dates.map((d) => d.getTime()).reduce((a, b) => pick(a, b)))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
