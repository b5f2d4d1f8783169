import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type Components,
  components,
  DEFAULT_RULES,
  type IdentityEdge,
  type JoinRules,
} from '../../src/core/identity/components.ts'

/** `a b` or `a b first seen`. */
const edge = (text: string): IdentityEdge => {
  const [a = '', b = '', at = '0'] = text.split(' ')
  return { a, b, firstAt: Number(at) }
}
const edges = (...texts: string[]) => texts.map(edge)
const apart = (...pairs: [string, string][]): JoinRules => ({ ...DEFAULT_RULES, apart: pairs })

function groups({ of }: Components): string[][] {
  const byRoot = new Map<string, string[]>()
  for (const [node, root] of of) byRoot.set(root, [...(byRoot.get(root) ?? []), node].sort())
  return [...byRoot.values()].sort((x, y) => ((x[0] ?? '') < (y[0] ?? '') ? -1 : 1))
}

describe('two ids that are not one person', () => {
  it.each([
    {
      name: 'lose the address that both have, which stays with the first',
      given: edges('amp/u:ann email/x@a.co 1', 'mix/u:bob email/x@a.co 2'),
      pair: ['amp/u:ann', 'mix/u:bob'] as [string, string],
      want: [['amp/u:ann', 'email/x@a.co'], ['mix/u:bob']],
      refused: [{ a: 'email/x@a.co', b: 'mix/u:bob', kind: 'email' }],
    },
    {
      name: 'are parted at the address before the device, even if it is older',
      given: edges('amp/u:ann email/x@a.co 1', 'amp/d:1 email/x@a.co 0', 'amp/d:1 amp/a:9 3'),
      pair: ['amp/u:ann', 'amp/a:9'] as [string, string],
      want: [['amp/a:9', 'amp/d:1', 'email/x@a.co'], ['amp/u:ann']],
      refused: [{ a: 'amp/u:ann', b: 'email/x@a.co', kind: 'email' }],
    },
    {
      name: 'are parted at the device before the alias',
      given: edges('amp/d:1 amp/a:9 1', 'amp/u:ann amp/a:9 2'),
      pair: ['amp/u:ann', 'amp/d:1'] as [string, string],
      want: [['amp/a:9', 'amp/u:ann'], ['amp/d:1']],
      refused: [{ a: 'amp/a:9', b: 'amp/d:1', kind: 'device' }],
    },
    {
      name: 'stay as they are when nothing joins them',
      given: edges('amp/u:ann amp/d:1', 'mix/u:bob mix/d:1'),
      pair: ['amp/u:ann', 'mix/u:bob'] as [string, string],
      want: [
        ['amp/d:1', 'amp/u:ann'],
        ['mix/d:1', 'mix/u:bob'],
      ],
      refused: [],
    },
  ])('$name', ({ given, pair, want, refused }) => {
    const got = components([], given, apart(pair))
    expect(groups(got)).toEqual(want)
    expect(got.refused).toEqual(refused)
  })

  it('stay apart while everybody else stays together', () => {
    const given = edges(
      's/u:1 email/x@a.co 1',
      't/u:2 email/x@a.co 2',
      't/u:2 t/d:2 3',
      's/u:9 s/d:9',
    )
    expect(groups(components([], given, apart(['s/u:1', 't/u:2'])))).toEqual([
      ['email/x@a.co', 's/u:1'],
      ['s/d:9', 's/u:9'],
      ['t/d:2', 't/u:2'],
    ])
  })
})

describe('an id that joins nobody', () => {
  it('may be declared', () => {
    const rules = { ...DEFAULT_RULES, shared: new Set(['amp/d:kiosk']) }
    const got = components([], edges('amp/u:ann amp/d:kiosk'), rules)
    expect(groups(got)).toEqual([['amp/d:kiosk'], ['amp/u:ann']])
    expect(got.shared).toEqual([{ node: 'amp/d:kiosk', identities: 1, why: 'declared' }])
  })

  it.each([
    { name: 'a user', node: 'amp/u:robot', other: (i: number) => `amp/d:${i}` },
    { name: 'an address', node: 'email/x@a.co', other: (i: number) => `amp/d:${i}` },
  ])('is $name with more ids than anybody has', ({ node, other }) => {
    const rules = { ...DEFAULT_RULES, caps: { ...DEFAULT_RULES.caps, links: 3 } }
    const star = (n: number) => Array.from({ length: n }, (_, i) => ({ a: node, b: other(i) }))
    expect(groups(components([], star(3), rules))).toHaveLength(1)
    const beyond = components([], star(4), rules)
    expect(groups(beyond)).toHaveLength(5)
    expect(beyond.shared).toEqual([{ node, identities: 4, why: 'links' }])
  })
})

describe('users whom the vendor declares to be one', () => {
  it('count as one on a device', () => {
    const merge = { a: 'mix/u:1', b: 'mix/u:2', declared: true }
    const given = edges('mix/u:1 mix/d:1', 'mix/u:2 mix/d:1')
    expect(groups(components([], [...given, merge]))).toEqual([['mix/d:1', 'mix/u:1', 'mix/u:2']])
    expect(groups(components([], given))).toHaveLength(3)
  })
})

const node = fc.oneof(
  fc.nat(5).map((n) => `amp/u:${n}`),
  fc.nat(5).map((n) => `amp/d:${n}`),
  fc.nat(3).map((n) => `amp/a:${n}`),
  fc.nat(3).map((n) => `email/e${n}@a.co`),
)
const graph = fc.array(fc.record({ a: node, b: node, firstAt: fc.nat(3) }), { maxLength: 40 })
const pairs = fc.array(fc.tuple(node, node), { maxLength: 5 })
/** Caps that no graph here reaches: only the pairs part anybody. */
const most = { usersPerEmail: 99, usersPerDevice: 99, usersPerAlias: 99, links: 99 }
const rulesOf = (apart: [string, string][]): JoinRules => ({ ...DEFAULT_RULES, caps: most, apart })

describe('any graph with pairs that are not one person', () => {
  it('never holds such a pair in one person', () => {
    fc.assert(
      fc.property(graph, pairs, (given, kept) => {
        const { of } = components([], given, rulesOf(kept))
        for (const [a, b] of kept) {
          if (a !== b && of.has(a) && of.has(b)) expect(of.get(a)).not.toBe(of.get(b))
        }
      }),
    )
  })

  it('gives the same people in any order and either direction of its edges and pairs', () => {
    fc.assert(
      fc.property(
        graph.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
        ),
        pairs,
        ([given, shuffled], kept) => {
          const turned = shuffled.map((e) => ({ ...e, a: e.b, b: e.a }))
          const swapped = kept.map(([a, b]): [string, string] => [b, a]).reverse()
          const [one, other] = [
            components([], given, rulesOf(kept)),
            components([], turned, rulesOf(swapped)),
          ]
          expect(groups(other)).toEqual(groups(one))
          expect(other.refused).toEqual(one.refused)
        },
      ),
    )
  })

  it('leaves out only joins between two people, and no more than it must', () => {
    fc.assert(
      fc.property(graph, pairs, (given, kept) => {
        const { of, refused } = components([], given, rulesOf(kept))
        const out = new Set(refused.map(({ a, b }) => `${a} ${b}`))
        for (const { a, b } of given) {
          const left = out.has([a, b].sort().join(' '))
          expect(of.get(a) !== of.get(b)).toBe(left)
          // Had it been made, a pair would be together.
          if (left) {
            const sides = [of.get(a), of.get(b)]
            const parts = kept.some(
              ([x, y]) =>
                x !== y &&
                sides.includes(of.get(x)) &&
                sides.includes(of.get(y)) &&
                of.get(x) !== of.get(y),
            )
            expect(parts).toBe(true)
          }
        }
      }),
    )
  })
})
