import { createForest } from './forest.ts'
import {
  type IdentityEdge,
  type IdentityNode,
  isDevice,
  isEmail,
  isUser as isUserId,
  joinKind,
  nameOf,
} from './identity-node.ts'
import { keepApart, type RefusedEdge } from './keep-apart.ts'

export type { IdentityEdge, IdentityNode } from './identity-node.ts'

/** How many identities one id may be seen with before it joins nobody. */
export interface Caps {
  readonly usersPerEmail: number
  readonly usersPerDevice: number
  readonly usersPerAlias: number
  /** Ids of any kind on one id. */
  readonly links: number
}

/** What RevOps and the vendors say about joining, besides the edges. */
export interface JoinRules {
  readonly caps: Caps
  /** Ids that never join anybody. */
  readonly shared: ReadonlySet<IdentityNode>
  /** Ids that are never one person. */
  readonly apart: readonly (readonly [IdentityNode, IdentityNode])[]
  /** Aliases that count as users do. */
  readonly users: ReadonlySet<IdentityNode>
}

export interface SharedNode {
  readonly node: IdentityNode
  readonly identities: number
  readonly why: 'users' | 'links' | 'declared'
}

export interface Components {
  /** Every node → the name of its component (its smallest node). */
  readonly of: ReadonlyMap<IdentityNode, IdentityNode>
  /** Nodes that were seen with too many identities to join them, or that may not. */
  readonly shared: readonly SharedNode[]
  /** Edges that would have made one person of two who are not the same. */
  readonly refused: readonly RefusedEdge[]
}

/** More user ids than this on one e-mail address: a test or team address, which joins nobody. */
export const MOST_USERS_PER_EMAIL = 10

export const DEFAULT_CAPS: Caps = {
  usersPerEmail: MOST_USERS_PER_EMAIL,
  usersPerDevice: 1,
  usersPerAlias: 1,
  links: 500,
}

/** What holds where nobody said otherwise. */
export const DEFAULT_RULES: JoinRules = {
  caps: DEFAULT_CAPS,
  shared: new Set(),
  apart: [],
  users: new Set(),
}

/**
 * Joins ids into people. Two rules keep strangers apart: an id that was seen with too many others
 * joins none of them (a shared computer, a team's address), and ids that are declared not to be the
 * same never come together, whatever joins them.
 */
export function components(
  nodes: Iterable<IdentityNode>,
  edges: readonly IdentityEdge[],
  rules: JoinRules = DEFAULT_RULES,
): Components {
  const shared = sharedNodes(edges, rules)
  const joining = edges.filter(({ a, b }) => !shared.has(a) && !shared.has(b))
  const forest = createForest(nodes)
  for (const { a, b } of edges) {
    forest.find(a)
    forest.find(b)
  }
  for (const { a, b } of joining) forest.join(a, b)
  const of = forest.roots()
  const refused = keepApart(of, joining, rules.apart)
  return { of, shared: [...shared.values()].sort((x, y) => (x.node < y.node ? -1 : 1)), refused }
}

function sharedNodes(
  edges: readonly IdentityEdge[],
  rules: JoinRules,
): Map<IdentityNode, SharedNode> {
  const { caps, users } = rules
  const shared = new Map<IdentityNode, SharedNode>()
  const note = (
    counts: ReadonlyMap<IdentityNode, number>,
    why: SharedNode['why'],
    most: (node: IdentityNode) => number,
  ) => {
    for (const [node, identities] of counts) {
      if (identities > most(node) && !shared.has(node)) shared.set(node, { node, identities, why })
    }
  }
  const all = () => true
  const declaredMost = (node: IdentityNode) =>
    rules.shared.has(node) ? 0 : Number.POSITIVE_INFINITY
  if (rules.shared.size > 0)
    note(countNeighbours(edges, all, declaredMost), 'declared', declaredMost)
  note(
    countNeighbours(edges, all, () => caps.links),
    'links',
    () => caps.links,
  )
  const counts = (node: IdentityNode, other: IdentityNode) =>
    !isUserId(node) &&
    (isUserId(other) || users.has(other)) &&
    !(users.has(node) && nameOf(node) === nameOf(other))
  const most = (node: IdentityNode) => mostUsers(node, caps)
  const joins = ({ a, b }: IdentityEdge) => !shared.has(a) && !shared.has(b)
  // Who is one by what the vendor declares counts once; then aliases, and then who they make one.
  const ones = createForest()
  const aliasEdges = edges.filter(isAliasEdge)
  for (const edge of aliasEdges) if (edge.declared && joins(edge)) ones.join(edge.a, edge.b)
  note(countNeighbours(aliasEdges, counts, most, ones.find), 'users', most)
  for (const edge of aliasEdges) if (joins(edge)) ones.join(edge.a, edge.b)
  const others = edges.filter((edge) => !isAliasEdge(edge))
  note(countNeighbours(others, counts, most, ones.find), 'users', most)
  return shared
}

/**
 * How many different neighbours nodes have, of those that are looked for; only of nodes with more than
 * `most` edges, since most nodes have few and need no set of their own.
 */
function countNeighbours(
  edges: readonly IdentityEdge[],
  counts: (node: IdentityNode, other: IdentityNode) => boolean,
  most: (node: IdentityNode) => number,
  one: (node: IdentityNode) => IdentityNode = (node) => node,
): Map<IdentityNode, number> {
  const touched = new Map<IdentityNode, number>()
  const touch = (node: IdentityNode, other: IdentityNode) => {
    if (counts(node, other)) touched.set(node, (touched.get(node) ?? 0) + 1)
  }
  for (const { a, b } of edges) {
    touch(a, b)
    touch(b, a)
  }
  const seen = new Map<IdentityNode, Set<IdentityNode>>()
  for (const [node, n] of touched) if (n > most(node)) seen.set(node, new Set())
  if (seen.size === 0) return new Map()
  const note = (node: IdentityNode, other: IdentityNode) => {
    const others = seen.get(node)
    if (others && counts(node, other)) others.add(one(other))
  }
  for (const { a, b } of edges) {
    note(a, b)
    note(b, a)
  }
  return new Map([...seen].map(([node, others]) => [node, others.size]))
}

function mostUsers(node: IdentityNode, caps: Caps): number {
  if (isEmail(node)) return caps.usersPerEmail
  return isDevice(node) ? caps.usersPerDevice : caps.usersPerAlias
}

/** Neither an address nor a device: one id of an account and another. */
const isAliasEdge = (edge: IdentityEdge): boolean => joinKind(edge) === 'alias'
