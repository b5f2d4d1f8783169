import { createForest } from './forest.ts'
import { type IdentityEdge, type IdentityNode, type JoinKind, joinKind } from './identity-node.ts'

type Pair = readonly [IdentityNode, IdentityNode]

/** A join that is not made, since it would have brought together who is not the same. */
export interface RefusedEdge {
  readonly a: IdentityNode
  readonly b: IdentityNode
  readonly kind: JoinKind
}

/** The strongest first: these are kept. */
const STRENGTH: Readonly<Record<JoinKind, number>> = { alias: 0, device: 1, email: 2 }

/**
 * Parts the components that hold a pair which is not one person: their edges are made again,
 * strongest first and then oldest first, but for those that would bring such a pair together. So the
 * weakest and latest joins between the two fall, in whatever order the edges come. All other
 * components stay as they are.
 * @param of every node → the name of its component; changed in place.
 */
export function keepApart(
  of: Map<IdentityNode, IdentityNode>,
  edges: readonly IdentityEdge[],
  pairs: readonly Pair[],
): readonly RefusedEdge[] {
  const broken = pairs.filter(([a, b]) => a !== b && of.has(a) && of.get(a) === of.get(b))
  if (broken.length === 0) return []
  const wrong = new Set(broken.map(([a]) => of.get(a)))
  const inside = edges.filter(({ a }) => wrong.has(of.get(a))).map(ordered)
  const forest = createForest()
  for (const [node, root] of of) if (wrong.has(root)) forest.find(node)
  const enemies = enemiesOf(broken)
  const refused = new Map<string, RefusedEdge>()
  for (const { a, b, kind } of inside.sort(byStrength)) {
    const [ra, rb] = [forest.find(a), forest.find(b)]
    if (ra === rb) continue
    if (areEnemies(enemies, forest.find, ra, rb)) {
      refused.set(`${a} ${b}`, { a, b, kind })
      continue
    }
    forest.join(a, b)
    uniteEnemies(enemies, ra, rb, forest.find(a))
  }
  for (const [node, root] of forest.roots()) of.set(node, root)
  return [...refused.values()].sort((x, y) => compare(x.a, y.a) || compare(x.b, y.b))
}

interface OrderedEdge extends RefusedEdge {
  readonly firstAt: number
}

function ordered({ a, b, firstAt = 0 }: IdentityEdge): OrderedEdge {
  const kind = joinKind({ a, b })
  return a < b ? { a, b, kind, firstAt } : { a: b, b: a, kind, firstAt }
}

function byStrength(x: OrderedEdge, y: OrderedEdge): number {
  return (
    STRENGTH[x.kind] - STRENGTH[y.kind] ||
    x.firstAt - y.firstAt ||
    compare(x.a, y.a) ||
    compare(x.b, y.b)
  )
}

/** By the name of a set: the ids that may not come into it. */
type Enemies = Map<IdentityNode, Set<IdentityNode>>

function enemiesOf(pairs: readonly Pair[]): Enemies {
  const enemies: Enemies = new Map()
  for (const [a, b] of pairs) {
    enemies.set(a, (enemies.get(a) ?? new Set()).add(b))
    enemies.set(b, (enemies.get(b) ?? new Set()).add(a))
  }
  return enemies
}

function areEnemies(
  enemies: Enemies,
  find: (node: IdentityNode) => IdentityNode,
  a: IdentityNode,
  b: IdentityNode,
): boolean {
  const [ofA, ofB] = [enemies.get(a), enemies.get(b)]
  if (!ofA || !ofB) return false
  const [few, other] = ofA.size <= ofB.size ? [ofA, b] : [ofB, a]
  for (const enemy of few) if (find(enemy) === other) return true
  return false
}

function uniteEnemies(
  enemies: Enemies,
  a: IdentityNode,
  b: IdentityNode,
  root: IdentityNode,
): void {
  const [ofA, ofB] = [enemies.get(a), enemies.get(b)]
  if (!ofA && !ofB) return
  const [large, small] = (ofA?.size ?? 0) >= (ofB?.size ?? 0) ? [ofA, ofB] : [ofB, ofA]
  for (const enemy of small ?? []) large?.add(enemy)
  enemies.delete(a)
  enemies.delete(b)
  if (large) enemies.set(root, large)
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
