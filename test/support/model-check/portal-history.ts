import fc from 'fast-check'
import { readParked, retryParked } from '../../../src/infra/postgres/parked-store.ts'
import { type Death, type SyncWorld, writeCalls } from '../sync-world.ts'
import { type OwnHappening, PORTAL_RULES, PortalPerson } from './portal-person.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** People of one history: they share its runs, its faults and its clock. */
export const PEOPLE = 5

type Property = keyof typeof PORTAL_RULES

/** What happens to all of them. */
type CommonHappening =
  | readonly ['reconcile' | 'compare' | 'retry']
  | readonly ['die', Death]
  | readonly ['hear', number]
  | readonly ['fault', 'reset' | 'reset-after' | 'half-body']
  | readonly ['pass', number]

export type Happening =
  | { readonly who: number; readonly what: OwnHappening }
  | { readonly who: null; readonly what: CommonHappening }

const letter = fc.constantFrom('a', 'b', 'c')
const own: fc.Arbitrary<OwnHappening> = fc.oneof(
  fc.tuple(fc.constant('score' as const), fc.integer({ min: 40, max: 60 })),
  fc.tuple(fc.constantFrom('note' as const, 'nick' as const, 'free' as const), letter),
  fc.tuple(fc.constant('plan' as const), fc.constantFrom('free', 'pro')),
  fc.tuple(
    fc.constant('edit' as const),
    fc.constantFrom(...(Object.keys(PORTAL_RULES) as Property[])),
    fc.constantFrom('50', '99', '97', ''),
  ),
  fc.tuple(fc.constantFrom(...(['merge', 'archive', 'restore', 'leave', 'come back'] as const))),
)
const common: fc.Arbitrary<CommonHappening> = fc.oneof(
  fc.tuple(fc.constantFrom(...(['reconcile', 'reconcile', 'compare', 'retry'] as const))),
  fc.tuple(
    fc.constant('die' as const),
    fc.record({ call: fc.integer({ min: 1, max: 6 }), isAfter: fc.boolean() }),
  ),
  fc.tuple(fc.constant('hear' as const), fc.nat(1_000)),
  fc.tuple(fc.constant('fault' as const), fc.constantFrom('reset', 'reset-after', 'half-body')),
  fc.tuple(
    fc.constant('pass' as const),
    fc.constantFrom(MINUTE, HOUR - MINUTE, HOUR, 2 * HOUR - MINUTE, 3 * HOUR, -MINUTE),
  ),
)
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ who: fc.nat(PEOPLE - 1), what: own }),
  fc.record({ who: fc.constant(null), what: common }),
)

/** What happens to the contacts of some people, in a world that earlier histories have used. */
export class PortalHistory {
  readonly #world: SyncWorld
  readonly #people: readonly PortalPerson[]

  constructor(world: SyncWorld, name: string) {
    this.#world = world
    this.#people = Array.from(
      { length: PEOPLE },
      (_, n) => new PortalPerson(world, `per_${name}_${n}`),
    )
  }

  async begin(): Promise<void> {
    for (const person of this.#people) await person.begin()
    await this.#world.reconcile()
    await this.#world.compare()
  }

  async happen({ who, what }: Happening): Promise<void> {
    if (who === null) return this.#toAll(what)
    await this.#people[who]?.happen(what)
  }

  async #toAll([what, ...args]: CommonHappening): Promise<void> {
    const world = this.#world
    const [how] = args
    switch (what) {
      case 'reconcile':
        return this.#reconcile()
      case 'die':
        return this.#reconcile(how as Death)
      case 'compare':
        await world.compare().catch(() => {})
        return
      case 'hear':
        await world.hear({ shuffle: Number(how), repeat: 1 }).catch(() => {})
        return
      case 'retry':
        await retryParked(world.database.db, 'hubspot')
        return
      case 'pass':
        world.now += Number(how)
        if (Number(how) < 0) for (const person of this.#people) person.forget()
        return
      case 'fault': {
        const path = /contacts\/batch\/(update|upsert)/
        world.sandbox.faults.push({ method: 'POST', path, kind: how as 'reset' })
      }
    }
  }

  async #reconcile(death?: Death): Promise<void> {
    // A call without an answer, and a death, are settled by the next run.
    await this.#world.reconcile(death).catch(() => {})
    for (const person of this.#people) person.judge()
  }

  /** Nobody does anything any more: Ripen comes to rest. @returns what is wrong then. */
  async settle(): Promise<string[]> {
    const { sandbox, database } = this.#world
    sandbox.faults.clear()
    for (let round = 0; round < 3; round++) {
      this.#world.now += 25 * HOUR
      await this.#world.hear()
      await this.#world.compare()
      for (const person of this.#people) await person.want()
      await retryParked(database.db, 'hubspot')
      await this.#reconcile()
    }
    const writes = writeCalls(this.#world)
    this.#world.now += 25 * HOUR
    await this.#world.hear({ repeat: 1 })
    await this.#world.compare()
    for (const person of this.#people) await person.want()
    await this.#reconcile()
    const more = writeCalls(this.#world) - writes
    const parked = await readParked(database.db, null)
    return [
      ...(more > 0 ? [`${more} write calls at rest`] : []),
      ...parked.map(({ property, reason }) => `parked ${property}: ${reason}`),
      ...this.#people.flatMap((person) => person.wrong()),
    ]
  }
}
