import fc from 'fast-check'
import { ACTIONS, CORE_ACTIONS, TRAITS } from './arbitrary-signals.ts'
import type { KnownPerson, PersonScore, Scene } from './scene.ts'
import type { Deed } from './tracking-plan.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** The day that all generated histories are about. */
export const TODAY = Date.parse('2026-09-10T00:00:00Z')

/** A midnight, when windows end with the day before, or some time within a day. */
export const anyAsOf: fc.Arbitrary<number> = fc.constantFrom(
  TODAY,
  TODAY + 1,
  TODAY + 8 * HOUR_MS,
  TODAY + DAY_MS - 1,
)

const value = fc.constantFrom(null, '0', '1', '2.5', '12', '19.999999', '-3', 'many', 'few')

/** Most lie in the last weeks, and many at the same hour or on the edge of a day. */
const instant = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -16, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: -100, max: 1 }) },
    ),
    fc.constantFrom(0, 0, 7, 8, 23),
    fc.constantFrom(0, 0, 1),
  )
  .map(([day, hour, ms]) => TODAY + day * DAY_MS + hour * HOUR_MS + ms)

const someActions = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...ACTIONS).map((action) => [action]) },
  { weight: 1, arbitrary: fc.subarray([...ACTIONS], { maxLength: 2 }) },
)

/** One deed of a person. */
export function anyDeed(person: string, at: fc.Arbitrary<number> = instant): fc.Arbitrary<Deed> {
  return fc.tuple(at, someActions, value).map(([when, actions, told]) => ({
    person,
    at: when,
    day: Math.floor(when / DAY_MS),
    isCore: actions.some((action) => CORE_ACTIONS.includes(action)),
    actions: new Map(actions.map((action) => [action, told])),
  }))
}

const anyPerson = (id: string): fc.Arbitrary<KnownPerson> =>
  fc
    .tuple(
      fc.constantFrom(null, 'acme', 'acme', 'bolt'),
      fc.record(
        {
          plan: fc.constantFrom(...TRAITS.plan),
          seats: fc.constantFrom(...TRAITS.seats),
          email_kind: fc.constantFrom(...TRAITS.email_kind),
        },
        { requiredKeys: ['email_kind'] },
      ),
    )
    .map(([accountId, traits]) => ({ id, accountId, traits: traits as Record<string, string> }))

/** Up to five people of two accounts, or of none, and what they did in a hundred days. */
export const anyScene: fc.Arbitrary<Scene> = fc
  .integer({ min: 1, max: 5 })
  .chain((size) => {
    const ids = Array.from({ length: size }, (_, n) => `p${n}`)
    return fc.record({
      asOf: anyAsOf,
      people: fc.tuple(...ids.map(anyPerson)),
      deeds: fc.tuple(...ids.map((id) => fc.array(anyDeed(id), { maxLength: 30, size: '+1' }))),
    })
  })
  .map(({ asOf, people, deeds }) => ({
    asOf,
    people,
    deeds: new Map(people.map(({ id }, place) => [id, deeds[place] ?? []])),
    coreActions: CORE_ACTIONS,
  }))

/** What people have by the model that an account model asks. */
export const anyScores: fc.Arbitrary<ReadonlyMap<string, PersonScore>> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.boolean()), { minLength: 5, maxLength: 5 })
  .map(
    (all) =>
      new Map(all.map(([score, isQualified], n) => [`p${n}`, { score, isQualified }] as const)),
  )
