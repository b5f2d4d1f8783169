import { normaliseEmail } from './email.ts'
import { type IdentityEdge, type IdentityNode, nameOf } from './identity-node.ts'

/** One thing that usage says about a vendor identity; see the lake's facts. */
export interface IdentityFact {
  readonly source: string
  /** `u:<user id>`, `d:<device id>` or `a:<alias id>`. */
  readonly profile: string
  /**
   * `seen`, `link` (seen with another id), `merge` (the vendor says that another id is the same),
   * `email`, `account` or `trait:<name>`.
   */
  readonly kind: string
  readonly value: string
  readonly firstAt: Date
  readonly lastAt: Date
}

/** The identity graph that facts draw. */
export interface Graph {
  readonly nodes: Set<IdentityNode>
  readonly edges: IdentityEdge[]
  /** Aliases that count as users do. */
  readonly users: Set<IdentityNode>
}

export function nodeOf(fact: Pick<IdentityFact, 'source' | 'profile'>): IdentityNode {
  return `${fact.source}/${fact.profile}`
}

/** The join that a fact speaks of; null when it speaks of none. */
export function edgeOf(fact: IdentityFact): IdentityEdge | null {
  const [a, firstAt] = [nodeOf(fact), fact.firstAt.getTime()]
  switch (fact.kind) {
    case 'link':
      return { a, b: `${fact.source}/${fact.value}`, firstAt }
    case 'merge':
      return { a, b: `${fact.source}/${fact.value}`, firstAt, declared: true }
    case 'email': {
      const email = normaliseEmail(fact.value)
      return email ? { a, b: `email/${email}`, firstAt } : null
    }
    default:
      return null
  }
}

/** @param oneIdSpace sources in which equal ids of all kinds are one id. */
export function graphOf(
  facts: readonly IdentityFact[],
  oneIdSpace: ReadonlySet<string> = new Set(),
): Graph {
  const nodes = new Set<IdentityNode>()
  const edges: IdentityEdge[] = []
  for (const fact of facts) {
    nodes.add(nodeOf(fact))
    const edge = edgeOf(fact)
    if (!edge) continue
    nodes.add(edge.b)
    edges.push(edge)
  }
  const { edges: same, users } = sameNames(nodes, oneIdSpace)
  return { nodes, edges: [...edges, ...same], users }
}

/**
 * Where a tool has one name space, an alias is the device or user of the same name. One that is no
 * device is what the customer calls the person, so it counts as a user.
 */
function sameNames(
  nodes: ReadonlySet<IdentityNode>,
  oneIdSpace: ReadonlySet<string>,
): { edges: IdentityEdge[]; users: Set<IdentityNode> } {
  const edges: IdentityEdge[] = []
  const users = new Set<IdentityNode>()
  for (const a of oneIdSpace.size > 0 ? nodes : []) {
    const slash = a.indexOf('/')
    if (!oneIdSpace.has(a.slice(0, slash)) || !a.startsWith('/a:', slash)) continue
    const name = nameOf(a).slice(slash + 1)
    const [user, device] = ['u', 'd'].map((kind) => `${a.slice(0, slash)}/${kind}:${name}`)
    if (user !== undefined && nodes.has(user)) edges.push({ a, b: user, declared: true })
    if (device !== undefined && nodes.has(device)) edges.push({ a, b: device })
    else users.add(a)
  }
  return { edges, users }
}
