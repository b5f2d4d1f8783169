import { type ModelText, numberOf, type TraitRule } from './model-file.ts'
import { type Deed, meetsAll } from './tracking-plan.ts'

/** Somebody whom the product knows, and what it knows of her. */
export interface KnownPerson {
  readonly id: string
  readonly accountId: string | null
  /** `email_kind` among them. */
  readonly traits: Readonly<Record<string, string>>
}

/** What a person has by the model that an account model asks. */
export interface PersonScore {
  readonly score: number
  readonly isQualified: boolean
}

/** All that is known at `asOf`. */
export interface Scene {
  /** Milliseconds since 1970 UTC. */
  readonly asOf: number
  readonly people: readonly KnownPerson[]
  /** By person, in any order; what lies at `asOf` or later is not read. */
  readonly deeds: ReadonlyMap<string, readonly Deed[]>
  /** The actions with `core: true`. */
  readonly coreActions: readonly string[]
}

/** Whom a model scores: one person, or the people of one account. */
export interface Subject {
  readonly id: string
  readonly own: readonly KnownPerson[]
  /** The people of the account: of a person that of hers; nobody without one. */
  readonly colleagues: readonly KnownPerson[]
  /** By person, for accounts. */
  readonly scores: ReadonlyMap<string, PersonScore>
  /** Amounts of one model that were worked out already, by signal. */
  readonly amounts: Map<string, number | null>
}

const DAY_MS = 86_400_000

/** The last UTC day of all windows: that of `asOf`, or the one that ends at it. */
export const lastDay = (asOf: number): number => Math.ceil(asOf / DAY_MS) - 1

const known = new WeakMap<Scene, WeakMap<readonly KnownPerson[], Deed[]>>()

/** Everything that these people did before `asOf`. */
export function deedsUpTo(scene: Scene, people: readonly KnownPerson[]): Deed[] {
  const ofScene = known.get(scene) ?? new WeakMap<readonly KnownPerson[], Deed[]>()
  known.set(scene, ofScene)
  const deeds =
    ofScene.get(people) ??
    people.flatMap(({ id }) => (scene.deeds.get(id) ?? []).filter(({ at }) => at < scene.asOf))
  ofScene.set(people, deeds)
  return deeds
}

/** Whether a day is one of the last `days`, or of as many days that end `before` days earlier. */
export function inWindow(scene: Scene, day: number, days: number, before: number = 0): boolean {
  const end = lastDay(scene.asOf) - before
  return day <= end && day > end - days
}

export const within = (
  scene: Scene,
  deeds: readonly Deed[],
  days: number,
  before: number = 0,
): Deed[] => deeds.filter(({ day }) => inWindow(scene, day, days, before))

/** How many different ones. */
export const different = <T>(things: readonly T[]): number => new Set(things).size

/** Everybody (or every account) that a model may be about, whether it has a score or not. */
export function subjectsOf(
  scene: Scene,
  model: Pick<ModelText, 'subject'>,
  scores: ReadonlyMap<string, PersonScore>,
): Subject[] {
  const accounts = new Map<string, KnownPerson[]>()
  for (const person of scene.people) {
    if (person.accountId === null) continue
    const people = accounts.get(person.accountId) ?? []
    people.push(person)
    accounts.set(person.accountId, people)
  }
  if (model.subject === 'account') {
    return [...accounts].map(([id, own]) => ({
      id,
      own,
      colleagues: own,
      scores,
      amounts: new Map(),
    }))
  }
  return scene.people.map((person) => ({
    id: person.id,
    own: [person],
    colleagues: person.accountId === null ? [] : (accounts.get(person.accountId) ?? []),
    scores,
    amounts: new Map(),
  }))
}

/** Every value of a trait that one of the subject's people has. */
export const traitValues = (subject: Subject, trait: string): string[] =>
  subject.own.flatMap(({ traits }) => traits[trait] ?? [])

/** The greatest of the values that are numbers. */
export function greatest(values: readonly string[]): number | null {
  const numbers = values.map(numberOf).filter((n) => n !== null)
  return numbers.length === 0 ? null : Math.max(...numbers)
}

/** Whether one of the values meets all conditions; no value at all meets only `exists: false`. */
export function meetsTrait(subject: Subject, rule: TraitRule): boolean {
  const values = traitValues(subject, rule.trait ?? '')
  if (values.length === 0) return meetsAll(null, rule)
  return values.some((value) => meetsAll(value, rule))
}

/** People with core work on enough days of a window. */
export function activePeople(
  scene: Scene,
  model: ModelText,
  people: readonly KnownPerson[],
  days: number,
  before: number = 0,
): KnownPerson[] {
  const enough = model['active-days'] ?? 1
  return people.filter((person) => coreDays(scene, person, days, before) >= enough)
}

export function coreDays(
  scene: Scene,
  person: KnownPerson,
  days: number,
  before: number = 0,
): number {
  const deeds = within(scene, deedsUpTo(scene, [person]), days, before)
  return different(deeds.filter(({ isCore }) => isCore).map(({ day }) => day))
}
