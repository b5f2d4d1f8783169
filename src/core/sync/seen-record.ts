import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import { protectsEdits, ridesWithScore } from '../mapping/field-policy.ts'
import type { CrmValue } from '../ports/crm.ts'
import type { Properties } from './desired-record.ts'
import {
  type FieldMark,
  type Hash,
  isOurs,
  isTheirs,
  type Ledger,
  plainText,
  recentRounds,
  settled,
} from './ledger.ts'
import { agrees, type NextWrite, type RecordKnown, scoreProperty } from './next-write.ts'

/** What a CRM says of one record, by property, as `Crm.read` gives it. */
export type ReadValues = Readonly<Record<string, string | null>>

/** A record after it was read. */
export interface RecordSeen {
  readonly seen: Properties
  readonly ledger: Ledger
  /** Properties of ours to which somebody else gave another value since they were looked at last. */
  readonly edits: readonly string[]
}

type Rules = Pick<ObjectMapping, 'properties'>
type Declared = Readonly<Record<string, PropertyMapping>>

/**
 * Takes what a record says. Whose value it is, is told by what was known and by what was written, never by
 * what a CRM says of its source: an answer to our own write, however late or often, is no edit.
 * @param now milliseconds since 1970 UTC.
 */
export function afterRead(
  { properties }: Rules,
  known: RecordKnown,
  values: ReadValues,
  now: number,
  hash: Hash,
): RecordSeen {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  const seen: Record<string, CrmValue> = {}
  const ledger: Record<string, FieldMark> = { ...known.ledger }
  const edits: string[] = []
  for (const [name, property] of Object.entries(declared)) {
    const isKept = name in known.desired || (known.seen !== null && name in known.seen)
    if (!(name in values) || !(isKept || property.policy === 'pull')) {
      if (known.seen && name in known.seen) seen[name] = known.seen[name] ?? null
      continue
    }
    const text = values[name] ?? null
    const looked = look(property, known, name, text, hash)
    seen[name] = looked.value
    const before = settled(ledger[name] ?? {}, hash(plainText(text)))
    put(ledger, name, before)
    if (looked.whose === 'unchanged') continue
    const { edited, over, overTheirs, met, theirs, ...mark } = before
    if (looked.whose === 'edited') edits.push(name)
    const news = newsOf(looked.whose, before, known.desired[name] ?? null, text, now, hash)
    put(ledger, name, { ...mark, ...(protectsEdits(property) ? news : withoutTheirs(news)) })
  }
  return { seen, ledger, edits }
}

function newsOf(
  whose: Looked['whose'],
  before: FieldMark,
  wanted: CrmValue,
  text: string | null,
  now: number,
  hash: Hash,
): FieldMark {
  const theirs = hash(plainText(text))
  switch (whose) {
    case 'unchanged':
    case 'ours':
      return {}
    case 'met':
      return { met: true }
    case 'taken':
      return { theirs, ...(before.over === undefined ? {} : { over: before.over }) }
    case 'found':
    case 'edited': {
      const over = plainText(wanted)
      // What they said before is no word of ours.
      const isTheirWord = isTheirs(before, hash(over)) || before.overTheirs === over
      if (!isTheirWord) return { edited: now, over, theirs }
      return { edited: now, over: before.over ?? over, overTheirs: over, theirs }
    }
  }
}

function withoutTheirs({ theirs: _, overTheirs: _over, ...news }: FieldMark): FieldMark {
  return news
}

interface Looked {
  readonly value: CrmValue
  /**
   * `found`: it was there before we came, and may stay. `met`: a score that was there before we came.
   * `taken`: somebody else's value is what it should say by now.
   */
  readonly whose: 'unchanged' | 'ours' | 'edited' | 'found' | 'met' | 'taken'
}

function look(
  property: PropertyMapping,
  { desired, seen, ledger }: RecordKnown,
  name: string,
  text: string | null,
  hash: Hash,
): Looked {
  const before = seen?.[name]
  const wanted = desired[name]
  const mark = ledger[name] ?? {}
  if (wanted !== undefined && agrees(wanted, text)) {
    const isUnchanged = before !== undefined && agrees(before, text) && mark.edited === undefined
    if (isUnchanged) return { value: wanted, whose: 'unchanged' }
    const written = isOurs(mark, hash(plainText(text))) || isOurs(mark, hash(plainText(wanted)))
    const ours = written && !isTheirs(mark, hash(plainText(text)))
    if (!ours && plainText(text) !== '' && property.policy === 'two-way')
      return { value: wanted, whose: 'taken' }
    return { value: wanted, whose: ours || property.from !== 'score' ? 'ours' : 'met' }
  }
  if (before !== undefined && agrees(before, text)) return { value: before, whose: 'unchanged' }
  const hashed = hash(plainText(text))
  const { wrote, edited, theirs, sent } = mark
  // Where both sides have a say, who gives back what we wrote once says something.
  const isSent = sent === true && hashed === wrote
  const isKnownEdit = edited !== undefined && sent === undefined && isTheirs(mark, hashed)
  const isGivenBack =
    property.policy === 'two-way' && (before === undefined ? isKnownEdit : !isSent)
  if (isOurs(mark, hashed) && !isGivenBack) return { value: text, whose: 'ours' }
  if (property.policy === 'pull') return { value: text, whose: 'unchanged' }
  if (before !== undefined) return { value: text, whose: 'edited' }
  // A conversion takes over what somebody has mapped; the rest is lost, and nobody's word.
  const isEmpty = plainText(text) === ''
  if (property.policy === 'two-way' && isEmpty && theirs !== hash('')) {
    return { value: text, whose: 'ours' }
  }
  // A record that was merged or moved: what we know of it is what we wrote, and what we saw instead.
  const isKnown = theirs === undefined || theirs === hashed
  if (edited !== undefined && isKnown) return { value: text, whose: 'unchanged' }
  if (wrote !== undefined) return { value: text, whose: 'edited' }
  if (isEmpty) return { value: text, whose: 'ours' }
  if (property.policy === 'two-way') return { value: text, whose: 'found' }
  return { value: text, whose: property.from === 'score' ? 'met' : 'ours' }
}

/** What is remembered of a record that is about to be written, so that the answer is known for ours. */
export function beforeWrite(
  { properties: declared }: Rules,
  known: RecordKnown,
  { properties, fields }: Pick<NextWrite, 'properties' | 'fields'>,
  now: number,
  hash: Hash,
): Ledger {
  const ledger: Record<string, FieldMark> = { ...known.ledger }
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (!(name in declared)) continue
    const { rounds: _, ...before } = ledger[name] ?? {}
    const step = fields.get(name)
    const restores = step?.kind === 'write' && step.restores
    const rounds = [...recentRounds(ledger[name] ?? {}, now), ...(restores ? [now] : [])]
    const was = before.was ?? before.wrote
    const wrote = hash(plainText(value))
    // Whose value it writes over is known until it surely did.
    const sure = was === undefined || was === wrote ? {} : { was }
    const isShared = (declared as Declared)[name]?.policy === 'two-way'
    const sent = isShared ? { sent: true as const } : {}
    ledger[name] = {
      ...before,
      ...sure,
      ...sent,
      wrote,
      at: now,
      ...(rounds.length > 0 ? { rounds } : {}),
    }
  }
  return ledger
}

/** Properties that are parked from now on are remembered as such. */
export function withParked(ledger: Ledger, fields: NextWrite['fields']): Ledger {
  const parked = [...fields].flatMap(([name, step]) =>
    step.kind === 'park' ? [[name, { ...ledger[name], parked: step.since }] as const] : [],
  )
  return parked.length > 0 ? { ...ledger, ...Object.fromEntries(parked) } : ledger
}

/** What a record says after a write, of what the mapping still names; what was written is ours. */
export function afterWrite(
  { properties }: Rules,
  { desired, seen, ledger: before }: RecordKnown,
  wrote: Properties,
): Pick<RecordSeen, 'seen' | 'ledger'> {
  const empty = Object.fromEntries(Object.keys(desired).map((name) => [name, null]))
  const all: Properties = { ...empty, ...seen, ...wrote }
  const ledger: Record<string, FieldMark> = { ...before }
  for (const name of Object.keys(wrote)) {
    const { edited, over, overTheirs, was, theirs, sent, ...mark } = ledger[name] ?? {}
    put(ledger, name, mark)
  }
  if (Object.keys(wrote).some((name) => explains(properties, name))) told(ledger, properties)
  const named = Object.entries(all).filter(([name]) => name in properties)
  return { seen: Object.fromEntries(named), ledger }
}

function explains(properties: ObjectMapping['properties'], name: string): boolean {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  const property = declared[name]
  return property !== undefined && ridesWithScore(property)
}

/** The score is explained by now, whoever wrote it. */
function told(ledger: Record<string, FieldMark>, properties: ObjectMapping['properties']): void {
  const leader = scoreProperty(properties)
  if (leader === null) return
  const { met, ...mark } = ledger[leader] ?? {}
  put(ledger, leader, mark)
}

function put(ledger: Record<string, FieldMark>, name: string, mark: FieldMark): void {
  if (Object.keys(mark).length > 0) ledger[name] = mark
  else delete ledger[name]
}
