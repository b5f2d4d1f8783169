/**
 * A vendor id as a node of the identity graph: `<source>/u:<user id>`, `<source>/d:<device id>`,
 * `<source>/a:<alias id>`, or `email/<address>`.
 */
export type IdentityNode = string

export interface IdentityEdge {
  readonly a: IdentityNode
  readonly b: IdentityNode
}

export interface Components {
  /** Every node → the name of its component (its smallest node). */
  readonly of: ReadonlyMap<IdentityNode, IdentityNode>
  /** Nodes that were seen with too many identities to join them. */
  readonly shared: readonly { readonly node: IdentityNode; readonly identities: number }[]
}

/** More user ids than this on one e-mail address: a test or team address, which joins nobody. */
export const MOST_USERS_PER_EMAIL = 10

/**
 * Joins ids into people. Two rules keep strangers apart: a device or alias that was seen with more
 * than one user id joins none of them (a shared computer), and neither does an e-mail address with
 * more than `MOST_USERS_PER_EMAIL` user ids.
 */
export function components(
  nodes: Iterable<IdentityNode>,
  edges: readonly IdentityEdge[],
): Components {
  const shared = sharedNodes(edges)
  const sharedSet = new Set(shared.map((s) => s.node))
  const parent = new Map<IdentityNode, IdentityNode>()
  for (const node of nodes) parent.set(node, node)
  const find = (node: IdentityNode): IdentityNode => {
    let root = node
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root))
      root = up
    for (let at = node; at !== root; ) {
      const next = parent.get(at) ?? root
      parent.set(at, root)
      at = next
    }
    if (!parent.has(root)) parent.set(root, root)
    return root
  }
  for (const { a, b } of edges) {
    if (sharedSet.has(a) || sharedSet.has(b)) {
      find(a)
      find(b)
      continue
    }
    const [ra, rb] = [find(a), find(b)]
    if (ra === rb) continue
    if (ra < rb) parent.set(rb, ra)
    else parent.set(ra, rb)
  }
  const of = new Map<IdentityNode, IdentityNode>()
  for (const node of [...parent.keys()]) of.set(node, find(node))
  return { of, shared }
}

function sharedNodes(edges: readonly IdentityEdge[]): { node: IdentityNode; identities: number }[] {
  const usersOf = new Map<IdentityNode, Set<IdentityNode>>()
  const note = (node: IdentityNode, user: IdentityNode) => {
    if (isUser(node) || !isUser(user)) return
    const users = usersOf.get(node)
    if (users) users.add(user)
    else usersOf.set(node, new Set([user]))
  }
  for (const { a, b } of edges) {
    note(a, b)
    note(b, a)
  }
  return [...usersOf]
    .map(([node, users]) => ({ node, identities: users.size }))
    .filter(({ node, identities }) => identities > (isEmail(node) ? MOST_USERS_PER_EMAIL : 1))
    .sort((x, y) => (x.node < y.node ? -1 : 1))
}

const isUser = (node: IdentityNode): boolean =>
  node.startsWith('/u:', node.indexOf('/')) && !isEmail(node)
const isEmail = (node: IdentityNode): boolean => node.startsWith('email/')
