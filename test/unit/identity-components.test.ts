import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  components,
  type IdentityEdge,
  MOST_USERS_PER_EMAIL,
} from '../../src/core/identity/components.ts'

const edge = (text: string): IdentityEdge => {
  const [a = '', b = ''] = text.split(' ')
  return { a, b }
}

/** The components as sorted lists of nodes. */
function groups(edges: readonly IdentityEdge[], nodes: readonly string[] = []): string[][] {
  const byRoot = new Map<string, string[]>()
  for (const [node, root] of components(nodes, edges).of) {
    byRoot.set(root, [...(byRoot.get(root) ?? []), node].sort())
  }
  return [...byRoot.values()].sort((x, y) => ((x[0] ?? '') < (y[0] ?? '') ? -1 : 1))
}

describe('the identity graph', () => {
  it.each([
    { name: 'keeps a lone id alone', edges: [], nodes: ['amp/d:1'], want: [['amp/d:1']] },
    {
      name: 'joins a device with its user',
      edges: ['amp/u:ann amp/d:1'],
      want: [['amp/d:1', 'amp/u:ann']],
    },
    {
      name: 'joins two devices over their user',
      edges: ['amp/u:ann amp/d:1', 'amp/u:ann amp/d:2'],
      want: [['amp/d:1', 'amp/d:2', 'amp/u:ann']],
    },
    {
      name: 'joins two tools over one address',
      edges: ['amp/u:ann email/ann@a.co', 'mix/u:7 email/ann@a.co'],
      want: [['amp/u:ann', 'email/ann@a.co', 'mix/u:7']],
    },
    {
      name: 'joins devices without users over one alias',
      edges: ['amp/d:1 amp/a:9', 'amp/d:2 amp/a:9'],
      want: [['amp/a:9', 'amp/d:1', 'amp/d:2']],
    },
    {
      name: 'leaves a device with two users to itself',
      edges: ['amp/u:ann amp/d:1', 'amp/u:bob amp/d:1'],
      want: [['amp/d:1'], ['amp/u:ann'], ['amp/u:bob']],
    },
    {
      name: 'leaves an alias with two users to itself',
      edges: ['mix/u:1 mix/a:9', 'mix/u:2 mix/a:9'],
      want: [['mix/a:9'], ['mix/u:1'], ['mix/u:2']],
    },
    {
      name: 'still joins a shared device’s users over their own devices',
      edges: ['amp/u:ann amp/d:1', 'amp/u:bob amp/d:1', 'amp/u:ann amp/d:2'],
      want: [['amp/d:1'], ['amp/d:2', 'amp/u:ann'], ['amp/u:bob']],
    },
    {
      name: 'joins nobody over an address that is on a shared device alone',
      edges: ['amp/u:ann amp/d:1', 'amp/u:bob amp/d:1', 'amp/d:1 email/c@a.co'],
      want: [['amp/d:1'], ['amp/u:ann'], ['amp/u:bob'], ['email/c@a.co']],
    },
    {
      name: 'counts one user once, however often she is seen',
      edges: ['amp/u:ann amp/d:1', 'amp/u:ann amp/d:1', 'amp/d:1 amp/u:ann'],
      want: [['amp/d:1', 'amp/u:ann']],
    },
    {
      name: 'takes a device whose id looks like a user for a device',
      edges: ['amp/u:ann amp/d:x/u:1', 'amp/u:bob amp/d:x/u:1'],
      want: [['amp/d:x/u:1'], ['amp/u:ann'], ['amp/u:bob']],
    },
    {
      name: 'survives an id that is linked to itself',
      edges: ['amp/d:1 amp/d:1'],
      want: [['amp/d:1']],
    },
  ])('$name', ({ edges, nodes, want }) => {
    expect(groups(edges.map(edge), nodes)).toEqual(want)
  })

  it('joins the users of one address up to the bound, and none of them beyond', () => {
    const users = (n: number) =>
      Array.from({ length: n }, (_, i) => edge(`amp/u:${i} email/team@a.co`))
    expect(groups(users(MOST_USERS_PER_EMAIL))).toHaveLength(1)
    const beyond = components([], users(MOST_USERS_PER_EMAIL + 1))
    expect(new Set(beyond.of.values()).size).toBe(MOST_USERS_PER_EMAIL + 2)
    expect(beyond.shared).toEqual([
      { node: 'email/team@a.co', identities: MOST_USERS_PER_EMAIL + 1, why: 'users' },
    ])
  })

  it('tells which ids are shared and by how many', () => {
    const edges = [
      'amp/u:b amp/d:2',
      'amp/u:a amp/d:2',
      'amp/u:c amp/d:2',
      'amp/u:a amp/d:1',
      'amp/u:b amp/d:1',
    ]
    expect(components([], edges.map(edge)).shared).toEqual([
      { node: 'amp/d:1', identities: 2, why: 'users' },
      { node: 'amp/d:2', identities: 3, why: 'users' },
    ])
  })

  it('splits when the edge that joined is withdrawn', () => {
    const edges = ['amp/u:ann amp/d:1', 'amp/u:ann email/a@a.co', 'mix/u:7 email/a@a.co'].map(edge)
    expect(groups(edges)).toHaveLength(1)
    const nodes = edges.flatMap(({ a, b }) => [a, b])
    expect(groups(edges.slice(0, 2), nodes)).toEqual([
      ['amp/d:1', 'amp/u:ann', 'email/a@a.co'],
      ['mix/u:7'],
    ])
  })
})

const node = fc.oneof(
  fc.nat(7).map((n) => `amp/u:${n}`),
  fc.nat(7).map((n) => `amp/d:${n}`),
  fc.nat(3).map((n) => `mix/a:${n}`),
  fc.nat(5).map((n) => `email/e${n}@a.co`),
)
const graph = fc.array(fc.record({ a: node, b: node }), { maxLength: 30 })

describe('any identity graph', () => {
  it('gives the same people in any order and either direction of its edges', () => {
    fc.assert(
      fc.property(
        graph.chain((edges) =>
          fc.tuple(
            fc.constant(edges),
            fc.shuffledSubarray(edges, { minLength: edges.length }),
            fc.array(fc.boolean(), { minLength: edges.length, maxLength: edges.length }),
          ),
        ),
        ([edges, shuffled, turned]) => {
          const other = shuffled.map((e, i) => (turned[i] ? { a: e.b, b: e.a } : e))
          const sorted = (c: ReturnType<typeof components>) => ({
            of: [...c.of].sort(),
            shared: c.shared,
          })
          expect(sorted(components([], other))).toEqual(sorted(components([], edges)))
        },
      ),
    )
  })

  it('names each person by the smallest of her ids', () => {
    fc.assert(
      fc.property(graph, (edges) => {
        for (const group of groups(edges)) {
          const { of } = components([], edges)
          expect(new Set(group.map((id) => of.get(id)))).toEqual(new Set([group[0]]))
        }
      }),
    )
  })

  it('joins exactly what unshared edges reach', () => {
    fc.assert(
      fc.property(graph, (edges) => {
        const { of, shared } = components([], edges)
        const apart = new Set(shared.map((s) => s.node))
        const reach = new Map([...of.keys()].map((id) => [id, new Set([id])]))
        const kept = edges.filter(({ a, b }) => !apart.has(a) && !apart.has(b))
        for (let turn = 0; turn < of.size; turn++) {
          for (const { a, b } of kept) {
            const all = new Set([...(reach.get(a) ?? []), ...(reach.get(b) ?? [])])
            for (const id of all) reach.set(id, all)
          }
        }
        for (const [x, root] of of) {
          for (const [y, other] of of) expect(root === other).toBe(reach.get(x)?.has(y) === true)
        }
      }),
      { numRuns: 60 },
    )
  })
})
