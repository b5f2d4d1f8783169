import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MOST_USERS_PER_EMAIL } from '../../src/core/identity/components.ts'
import { type IdentityFact, type People, resolvePeople } from '../../src/core/identity/people.ts'
import { valueAt } from '../../src/core/scoring/dated-traits.ts'

const DAY = 86_400_000
const START = Date.parse('2026-09-01T00:00:00Z')
const at = (day: number) => new Date(START + day * DAY)

/** `source/profile kind value`, seen from one day to another. */
function fact(text: string, first = 0, last = first): IdentityFact {
  const [node = '', kind = '', value = ''] = text.split(' ')
  const slash = node.indexOf('/')
  return {
    source: node.slice(0, slash),
    profile: node.slice(slash + 1),
    kind,
    value,
    firstAt: at(first),
    lastAt: at(last),
  }
}
const facts = (...texts: string[]) => texts.map((text) => fact(text))
const newId = (node: string) => `id(${node})`

/** What the next run knows: every node with its person. */
const knownOf = ({ people }: People) =>
  new Map(people.flatMap((person) => person.nodes.map((node) => [node, person.id] as const)))

const resolve = (given: readonly IdentityFact[], before?: People) =>
  resolvePeople(given, before ? knownOf(before) : new Map(), newId)

const nodesById = ({ people }: People) =>
  Object.fromEntries(people.map((person) => [person.id, person.nodes]))

describe('a person', () => {
  it('is named by the smallest of her ids when she is new', () => {
    const { people, aliases, shared } = resolve(facts('amp/u:ann link d:1', 'amp/u:ann seen'))
    expect(people.map((p) => p.id)).toEqual(['id(amp/d:1)'])
    expect(people[0]?.nodes).toEqual(['amp/d:1', 'amp/u:ann'])
    expect({ aliases, shared }).toEqual({ aliases: [], shared: [] })
  })

  it('is one over two sources with one address, however it is written', () => {
    const { people } = resolve(facts('amp/u:ann email Ann@Acme.com', 'mix/u:7 email ann@acme.com'))
    expect(people).toHaveLength(1)
    expect(people[0]).toMatchObject({
      nodes: ['amp/u:ann', 'email/ann@acme.com', 'mix/u:7'],
      email: 'ann@acme.com',
      emailKind: 'business',
      domain: 'acme.com',
    })
  })

  it('is not joined over what is no address', () => {
    expect(resolve(facts('amp/u:ann email n/a', 'mix/u:7 email n/a')).people).toHaveLength(2)
  })

  it('is not joined over one id in two sources', () => {
    expect(resolve(facts('amp/u:1 seen', 'mix/u:1 seen')).people).toHaveLength(2)
  })

  it('keeps what she did before she signed up', () => {
    const before = resolve([fact('amp/d:1 seen', 0, 2)])
    const after = resolve(
      [
        fact('amp/d:1 seen', 0, 2),
        fact('amp/u:ann seen', 3, 4),
        fact('amp/u:ann link d:1', 3, 3),
        fact('amp/u:ann email ann@acme.com', 3, 3),
      ],
      before,
    )
    expect(after.people).toHaveLength(1)
    expect(after.people[0]).toMatchObject({
      id: before.people[0]?.id,
      email: 'ann@acme.com',
      firstSeen: at(0),
      lastSeen: at(4),
    })
    expect(after.aliases).toEqual([])
  })

  it('has no address and no company before she gives one', () => {
    expect(resolve(facts('amp/d:1 seen')).people[0]).toMatchObject({
      email: null,
      emailKind: 'none',
      domain: null,
      told: {},
    })
  })
})

describe('the address of a person with several', () => {
  it.each([
    {
      name: 'is that of her company before a private one',
      given: [fact('a/u:1 email ann@gmail.com', 5), fact('a/u:1 email ann@acme.com', 1)],
      want: 'ann@acme.com',
    },
    {
      name: 'is the one seen last',
      given: [fact('a/u:1 email ann@acme.com', 1, 9), fact('a/u:1 email lee@acme.com', 5)],
      want: 'ann@acme.com',
    },
    {
      name: 'is the first in the alphabet when both were seen at once',
      given: [fact('a/u:1 email lee@acme.com'), fact('a/u:1 email ann@acme.com')],
      want: 'ann@acme.com',
    },
    {
      name: 'is a private one when there is no other',
      given: [fact('a/u:1 email ann@gmail.com', 5), fact('a/u:1 email nonsense', 9)],
      want: 'ann@gmail.com',
    },
  ])('$name', ({ given, want }) => {
    expect(resolve(given).people[0]?.email).toBe(want)
  })
})

describe('the traits of a person', () => {
  it.each([
    {
      name: 'are the latest of all her ids',
      given: [
        fact('a/u:1 link d:1'),
        fact('a/u:1 trait:plan free', 0, 3),
        fact('a/d:1 trait:plan pro', 1, 4),
        fact('a/u:1 trait:role admin', 2),
      ],
      want: { plan: 'pro', role: 'admin' },
    },
    {
      name: 'are the first in the alphabet when two were seen at once',
      given: [fact('a/u:1 trait:plan pro', 1), fact('a/u:1 trait:plan free', 1)],
      want: { plan: 'free' },
    },
    {
      name: 'are that in the other order too',
      given: [fact('a/u:1 trait:plan free', 1), fact('a/u:1 trait:plan pro', 1)],
      want: { plan: 'free' },
    },
  ])('$name', ({ given, want }) => {
    const told = Object.entries(resolve(given).people[0]?.told ?? {})
    const asOf = new Date('2100-01-01')
    const values = told.map(([name, tellings]) => [name, valueAt(tellings, { asOf })?.value])
    expect(Object.fromEntries(values)).toEqual(want)
  })
})

describe('the id of a person', () => {
  it('stays when smaller ids join her', () => {
    const before = resolve(facts('mix/u:7 seen'))
    const after = resolve(facts('mix/u:7 email a@acme.com', 'amp/d:1 email a@acme.com'), before)
    expect(nodesById(after)).toEqual({
      'id(mix/u:7)': ['amp/d:1', 'email/a@acme.com', 'mix/u:7'],
    })
    expect(after.aliases).toEqual([])
  })

  it('is that of the larger part after a merge, and the other one becomes its alias', () => {
    const apart = facts('amp/u:ann link d:1', 'amp/u:ann link d:2', 'mix/u:7 seen')
    const before = resolve(apart)
    const after = resolve(
      [...apart, ...facts('amp/u:ann email a@acme.com', 'mix/u:7 email a@acme.com')],
      before,
    )
    expect(after.people.map((p) => p.id)).toEqual(['id(amp/d:1)'])
    expect(after.aliases).toEqual([{ id: 'id(mix/u:7)', personId: 'id(amp/d:1)' }])
  })

  it('stays with the larger part after a split, and the other part gets a new one', () => {
    const whole = facts(
      'amp/u:ann link d:1',
      'amp/u:ann link d:2',
      'amp/u:ann email a@acme.com',
      'aaa/u:7 email a@acme.com',
    )
    const before = resolve(whole)
    expect(before.people.map((p) => p.id)).toEqual(['id(aaa/u:7)'])
    const after = resolve([...whole.slice(0, 3), fact('aaa/u:7 seen')], before)
    expect(nodesById(after)).toEqual({
      'id(aaa/u:7)': ['amp/d:1', 'amp/d:2', 'amp/u:ann', 'email/a@acme.com'],
      'id(aaa/u:7#2)': ['aaa/u:7'],
    })
    expect(after.aliases).toEqual([])
  })

  it('comes back to nobody else after a merge and a split', () => {
    const apart = facts('amp/u:ann link d:1', 'mix/u:7 seen')
    const joined = facts('amp/u:ann email a@acme.com', 'mix/u:7 email a@acme.com')
    const first = resolve(apart)
    const merged = resolve([...apart, ...joined], first)
    const split = resolve(apart, merged)
    expect(nodesById(split)).toEqual({
      'id(amp/d:1)': ['amp/d:1', 'amp/u:ann'],
      'id(mix/u:7)': ['mix/u:7'],
    })
  })

  it('is free again when nobody has her ids any more', () => {
    const before = resolve(facts('amp/u:ann seen', 'amp/u:bob seen'))
    const after = resolve(facts('amp/u:ann seen'), before)
    expect(after).toMatchObject({ people: [{ id: 'id(amp/u:ann)' }], aliases: [] })
  })
})

describe('an id that too many people share', () => {
  const team = (n: number) =>
    Array.from({ length: n }, (_, i) => fact(`amp/u:${i} email team@acme.com`, i))

  it('joins the people of a small team address into one', () => {
    const { people, shared } = resolve(team(MOST_USERS_PER_EMAIL))
    expect(people).toHaveLength(1)
    expect(shared).toEqual([])
  })

  it('joins nobody when it is an address of many', () => {
    const { people, shared } = resolve(team(MOST_USERS_PER_EMAIL + 1))
    expect(people.filter((p) => p.firstSeen !== null)).toHaveLength(MOST_USERS_PER_EMAIL + 1)
    expect(shared).toEqual([
      { node: 'email/team@acme.com', identities: MOST_USERS_PER_EMAIL + 1, why: 'users' },
    ])
  })

  it('stays a person of its own when it is a device', () => {
    const { people } = resolve(facts('amp/u:ann link d:1', 'amp/u:bob link d:1', 'amp/d:1 seen'))
    expect(people.map((p) => p.nodes).sort()).toEqual([['amp/d:1'], ['amp/u:ann'], ['amp/u:bob']])
  })
})

const anyFact = fc
  .record({
    source: fc.constantFrom('amp', 'mix'),
    profile: fc.constantFrom('u:1', 'u:2', 'u:3', 'd:1', 'd:2', 'a:1'),
    said: fc.constantFrom(
      'seen ',
      'link d:1',
      'link d:2',
      'link a:1',
      'email a@acme.com',
      'email b@gmail.com',
      'email nonsense',
      'trait:plan free',
      'trait:plan pro',
    ),
    first: fc.nat(3),
    length: fc.nat(3),
  })
  .map(({ source, profile, said, first, length }) =>
    fact(`${source}/${profile} ${said}`, first, first + length),
  )
const history = fc.array(anyFact, { maxLength: 25 })

const canonical = ({ people, aliases, shared }: People) => ({
  people: [...people].sort((a, b) => (a.id < b.id ? -1 : 1)),
  aliases: [...aliases].sort((a, b) => (a.id < b.id ? -1 : 1)),
  shared,
})

describe('any history', () => {
  it('gives the same people whatever order its facts come in', () => {
    fc.assert(
      fc.property(
        history,
        history.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
        ),
        (earlier, [given, shuffled]) => {
          const before = resolve(earlier)
          expect(canonical(resolve(shuffled, before))).toEqual(canonical(resolve(given, before)))
        },
      ),
    )
  })

  it('changes nothing when it is read again', () => {
    fc.assert(
      fc.property(history, history, (earlier, given) => {
        const once = resolve(given, resolve(earlier))
        const twice = resolve(given, once)
        expect(canonical({ ...twice, aliases: [] })).toEqual(canonical({ ...once, aliases: [] }))
        expect(twice.aliases).toEqual([])
      }),
    )
  })

  it('puts every id with one person, and gives no person id twice', () => {
    fc.assert(
      fc.property(history, history, (earlier, given) => {
        const { people, aliases } = resolve(given, resolve(earlier))
        const nodes = people.flatMap((p) => p.nodes)
        expect(new Set(nodes).size).toBe(nodes.length)
        const ids = people.map((p) => p.id)
        expect(new Set(ids).size).toBe(ids.length)
        for (const { id, personId } of aliases) {
          expect(ids).toContain(personId)
          expect(ids).not.toContain(id)
        }
      }),
    )
  })
})
