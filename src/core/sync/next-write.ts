import { canonicalJson } from '../canonical-json.ts'
import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import { isNews, minDelta, mostOften, ridesWithScore } from '../mapping/field-policy.ts'
import type { CrmValue } from '../ports/crm.ts'
import type { Properties } from './desired-record.ts'
import { sameValue } from './from-crm.ts'
import { type FieldMark, type Ledger, MOST_ROUNDS, plainText, recentRounds } from './ledger.ts'

/** What is known of one record of a CRM. */
export interface RecordKnown {
  /** What it should say. */
  readonly desired: Properties
  /** What it says, as far as is known; null for a record that is made, or of which nothing is known. */
  readonly seen: Properties | null
  readonly ledger: Ledger
}

/** Why a property is not written although it says something else than it should. */
export type HoldReason =
  /** `min-delta`: it changed by too little, or it explains a score that did. */
  | 'small-change'
  /** `at-most-every`: it was written too short a time ago. */
  | 'too-soon'
  /** `respect-edit`: somebody else wrote it. */
  | 'edited'
  /** `fill-empty`: it has a value. */
  | 'filled'
  /** `increase-only`: it would become less. */
  | 'less'

/** What is to be done about one property that says something else than it should. Instants are milliseconds since 1970 UTC. */
export type FieldStep =
  | { readonly kind: 'write'; readonly value: CrmValue; readonly restores: boolean }
  /** Left alone until then; null: until something else changes. */
  | { readonly kind: 'hold'; readonly why: HoldReason; readonly until: number | null }
  /** What the CRM says stands. */
  | { readonly kind: 'adopt'; readonly value: CrmValue }
  /** Somebody else puts another value back each time: left alone until a person says otherwise. */
  | { readonly kind: 'park'; readonly since: number }

/** What is to be done about one record. */
export interface NextWrite {
  /** Null when nothing is to be written. */
  readonly properties: Properties | null
  /** Every property that says something else than it should. */
  readonly fields: ReadonlyMap<string, FieldStep>
  /** When to look again with nothing else changed; null for never. */
  readonly wakeAt: number | null
}

type Declared = Readonly<Record<string, PropertyMapping>>

/**
 * What must be written so that a record says what it should, as the policies of its properties allow. All
 * that a mapping says about a property is decided here, for what is written and for what is shown beforehand.
 * @param now milliseconds since 1970 UTC.
 */
export function nextWrite(
  { properties: declared }: { readonly properties: ObjectMapping['properties'] },
  known: RecordKnown,
  now: number,
): NextWrite {
  const alone = new Map<string, FieldStep>()
  for (const [name, value] of Object.entries(known.desired)) {
    const step = stepOf((declared as Declared)[name], known, name, value, now)
    if (step) alone.set(name, step)
  }
  const fields = known.seen === null ? alone : withScore(declared, known, alone)
  const written = [...fields].flatMap(([name, step]) =>
    step.kind === 'write' ? [[name, step.value] as const] : [],
  )
  const times = [...fields.values()].flatMap((step) =>
    step.kind === 'hold' && step.until !== null ? [step.until] : [],
  )
  return {
    properties: written.length > 0 ? Object.fromEntries(written) : null,
    fields,
    wakeAt: times.length > 0 ? Math.min(...times) : null,
  }
}

/** True when a record says what it should; texts are what a CRM gave. */
export function agrees(value: CrmValue, said: CrmValue): boolean {
  if (canonicalJson(value) === canonicalJson(said)) return true
  return (said === null || typeof said === 'string') && sameValue(value, said)
}

/** What one property comes to, looked at alone; null when it says what it should. */
function stepOf(
  property: PropertyMapping | undefined,
  { seen, ledger }: RecordKnown,
  name: string,
  value: CrmValue,
  now: number,
): FieldStep | null {
  if (seen === null) return { kind: 'write', value, restores: false }
  const said = seen[name] ?? null
  if (agrees(value, said)) return null
  const mark = ledger[name] ?? {}
  if (mark.parked !== undefined) return { kind: 'park', since: mark.parked }
  const step = property ? policyStep(property, mark, value, said, now) : null
  if (step) return step
  if (mark.edited !== undefined && recentRounds(mark, now).length >= MOST_ROUNDS) {
    return { kind: 'park', since: now }
  }
  return { kind: 'write', value, restores: mark.edited !== undefined }
}

function policyStep(
  property: PropertyMapping,
  mark: FieldMark,
  value: CrmValue,
  said: CrmValue,
  now: number,
): FieldStep | null {
  switch (property.policy) {
    case 'pull':
      return { kind: 'adopt', value: said }
    case 'fill-empty':
      return isEmpty(said) ? null : { kind: 'hold', why: 'filled', until: null }
    case 'two-way':
      return isTheirs(property, mark, value) ? { kind: 'adopt', value: said } : null
    case 'increase-only':
      if (!isMore(value, said)) return { kind: 'hold', why: 'less', until: null }
      return edited(property, mark, now) ?? slow(property, mark, value, said, now)
    case 'push':
      return edited(property, mark, now) ?? slow(property, mark, value, said, now)
  }
}

/** What somebody else wrote stands until we have something newer to say, or for good. */
function isTheirs(
  { winner }: PropertyMapping,
  { edited, over, overTheirs }: FieldMark,
  value: CrmValue,
): boolean {
  if (edited === undefined) return false
  // Who has nothing to say wins nothing.
  if (isEmpty(value)) return true
  if (winner === 'ripen') return false
  const text = plainText(value)
  return winner === 'crm' || over === text || overTheirs === text
}

function edited(property: PropertyMapping, mark: FieldMark, now: number): FieldStep | null {
  const respect = property['respect-edit']
  if (respect === undefined || mark.edited === undefined) return null
  const until = mark.edited + respect
  return until > now ? { kind: 'hold', why: 'edited', until } : null
}

/** Our own value is not written for every little change; that of somebody else is written over at once. */
function slow(
  property: PropertyMapping,
  mark: FieldMark,
  value: CrmValue,
  said: CrmValue,
  now: number,
): FieldStep | null {
  if (mark.edited !== undefined) return null
  const [to, from] = [numberOf(value), numberOf(said)]
  if (to !== null && from !== null && Math.abs(to - from) < minDelta(property)) {
    return { kind: 'hold', why: 'small-change', until: null }
  }
  const until = (mark.at ?? Number.NEGATIVE_INFINITY) + mostOften(property)
  // A clock that was set back holds nothing for longer than is said.
  return until > now && (mark.at ?? now) <= now ? { kind: 'hold', why: 'too-soon', until } : null
}

/** What explains a score is written with it, in one call, and never without it. */
function withScore(
  properties: ObjectMapping['properties'],
  { desired, seen, ledger }: RecordKnown,
  alone: ReadonlyMap<string, FieldStep>,
): ReadonlyMap<string, FieldStep> {
  const declared = properties as Declared
  const leader = scoreProperty(properties)
  if (leader === null || !(leader in desired)) return alone
  const riders = [...alone].flatMap(([name, step]) => {
    const property = declared[name]
    return property && ridesWithScore(property) ? [[name, step] as const] : []
  })
  const lead = alone.get(leader)
  if (lead && lead.kind !== 'write' && !isSlow(lead)) return heldBy(alone, riders, lead)
  const isAsked = [...alone].some(([name, step]) => {
    const property = declared[name]
    return step.kind === 'write' && property !== undefined && isNews(property)
  })
  // What was never written, or was written over, cannot wait for the next change of the score.
  const isTorn = riders.some(
    ([name, step]) => step.kind === 'write' && (step.restores || seen?.[name] === undefined),
  )
  // Of a score that somebody else wrote there, the record tells nothing yet.
  const isMet = ledger[leader]?.met === true
  if (lead?.kind === 'write' || isAsked || isTorn || isMet) {
    const score = desired[leader] ?? null
    const led: FieldStep = { kind: 'write', value: score, restores: false }
    return lead && lead.kind !== 'write' ? new Map([...alone, [leader, led]]) : alone
  }
  return heldBy(alone, riders, lead ?? { kind: 'hold', why: 'small-change', until: null })
}

/** The property that holds the score; null when none does. */
export function scoreProperty(properties: ObjectMapping['properties']): string | null {
  const declared = properties as Declared
  return Object.keys(declared).find((name) => declared[name]?.from === 'score') ?? null
}

const isSlow = (step: FieldStep): boolean =>
  step.kind === 'hold' && (step.why === 'small-change' || step.why === 'too-soon')

function heldBy(
  alone: ReadonlyMap<string, FieldStep>,
  riders: readonly (readonly [string, FieldStep])[],
  lead: FieldStep,
): ReadonlyMap<string, FieldStep> {
  const until = lead.kind === 'hold' ? lead.until : null
  const why = lead.kind === 'hold' ? lead.why : 'edited'
  const held = riders.flatMap(([name, step]) =>
    step.kind === 'write' ? [[name, { kind: 'hold', why, until } as const] as const] : [],
  )
  return new Map<string, FieldStep>([...alone, ...held])
}

const isEmpty = (value: CrmValue): boolean => plainText(value) === ''

function numberOf(value: CrmValue): number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.trim() === '') return null
  const number = Number(value)
  return Number.isNaN(number) ? null : number
}

function isMore(value: CrmValue, said: CrmValue): boolean {
  if (isEmpty(value)) return false
  if (isEmpty(said)) return true
  const [ours, theirs] = [orderOf(value), orderOf(said)]
  // What is no number or time is not ours to keep.
  return theirs === null || (ours !== null && ours > theirs)
}

function orderOf(value: CrmValue): number | null {
  const number = numberOf(value)
  if (number !== null) return number
  const instant = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(instant) ? null : instant
}
