import { describe, expect, it } from '@jest/globals'
import { type IdentityFact, resolvePeople } from '../../src/core/identity/people.ts'

const DAY = 86_400_000
const START = Date.parse('2026-09-01T00:00:00Z')
const at = (day: number) => new Date(START + day * DAY)

/** `profile kind value` on one day. */
function fact(text: string, day = 0): IdentityFact {
  const [profile = '', kind = '', value = ''] = text.split(' ')
  return { source: 'amp', profile, kind, value, firstAt: at(day), lastAt: at(day) }
}
const SEEN = ['u:ann link a:1', 'u:ann seen', 'd:x link a:2', 'd:x seen'].map((text) => fact(text))
const peopleOf = (given: readonly IdentityFact[]) =>
  resolvePeople(given, new Map(), (node) => `id(${node})`).people

describe('two aliases that the vendor calls one', () => {
  it.each([{ merge: 'a:1 link a:2' }, { merge: 'a:2 link a:1' }])(
    'join who was seen with them, at the time when they were seen: $merge',
    ({ merge }) => {
      expect(peopleOf(SEEN)).toHaveLength(2)
      const people = peopleOf([...SEEN, fact(merge, 5)])
      expect(people.map(({ nodes }) => nodes)).toEqual([
        ['amp/a:1', 'amp/a:2', 'amp/d:x', 'amp/u:ann'],
      ])
      expect(people[0]).toMatchObject({ firstSeen: at(0), lastSeen: at(0) })
    },
  )

  it('make nobody by themselves', () => {
    expect(peopleOf([...SEEN, fact('a:7 link a:8')])).toHaveLength(2)
  })
})
