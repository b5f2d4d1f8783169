import { canonicalJson } from '../canonical-json.ts'
import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import { traitOf } from '../mapping/field-policy.ts'
import type { CrmValue } from '../ports/crm.ts'
import type { Score } from '../scoring/score.ts'
import { fieldsOf, type Speaker, type SubjectFacts } from './fields.ts'

export type Properties = Readonly<Record<string, CrmValue>>

/** What one CRM record should say, and how it may be found or made. */
export interface DesiredRecord {
  readonly ref: string
  readonly properties: Properties
  /** Added only when we create the record. */
  readonly onCreate: Properties
  readonly emails: readonly string[]
  readonly domains: readonly string[]
  readonly mayCreate: boolean
  /** Worth a search of its own: nobody would notice later that the record was there all along. */
  readonly thorough: boolean
  /** What happens to the record itself, beside its properties. */
  readonly onLeave: 'archive' | null
  /** To be written before others: somebody is to be called now. */
  readonly urgent: boolean
}

/** What is told of one subject, by the property that a trait fills. */
export type TraitValues = Readonly<Record<string, string>>

/** Applies a mapping to one scored subject. */
export function desiredRecord(
  mapping: ObjectMapping,
  facts: SubjectFacts,
  score: Score,
  speaker: Speaker,
  traits: TraitValues = {},
): DesiredRecord {
  const fields: Readonly<Record<string, CrmValue>> = fieldsOf(facts, score, speaker)
  const pick = (from: string): CrmValue => fields[from] ?? null
  const declared: Readonly<Record<string, PropertyMapping>> = mapping.properties
  const properties = Object.entries(declared).flatMap(([name, p]) => {
    if (p.policy === 'pull') return []
    const text = traits[name] ?? null
    const value = traitOf(p) === null ? shaped(pick(p.from), p.type) : toldValue(text, p.type)
    return value === null && p['when-empty'] === 'keep' ? [] : [[name, value]]
  })
  const onCreate = Object.entries(mapping['on-create']).map(([name, from]) => [name, pick(from)])
  const qualified = score.usageStatus === 'qualified'
  const findable = facts.email !== null || facts.domain !== null
  const mayCreate =
    findable && (mapping.create === 'always' || (mapping.create === 'qualified' && qualified))
  return {
    ref: facts.id,
    properties: Object.fromEntries(properties),
    onCreate: Object.fromEntries(onCreate),
    emails: mapping.subject === 'person' ? namesOf(facts.email, facts) : [],
    domains: mapping.subject === 'account' ? namesOf(facts.domain, facts) : [],
    mayCreate,
    // A contact that may be created needs no search: the CRM itself says that the address is taken.
    thorough: mapping.subject === 'account' ? mayCreate || qualified : qualified && !mayCreate,
    onLeave: null,
    urgent: qualified,
  }
}

/** The own name first; somebody without one is not looked for by another. */
function namesOf(own: string | null, { alsoKnownBy }: SubjectFacts): string[] {
  return own === null ? [] : [...new Set([own, ...alsoKnownBy])]
}

/** What is known of the record of somebody who has no score any more. */
export interface LeftRecord {
  readonly ref: string
  readonly desired: Properties
  readonly written: Properties | null
}

/**
 * The record of a subject that left the model's population: as it is, or with everything that we wrote
 * cleared, or put away besides. It is neither looked for nor created.
 */
export function leftRecord(
  { 'on-leave': leaving, properties }: Pick<ObjectMapping, 'on-leave' | 'properties'>,
  row: LeftRecord,
): DesiredRecord {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  // What is only read there is not ours to clear.
  const names = Object.keys({ ...row.written, ...row.desired }).filter(
    (name) => declared[name]?.policy !== 'pull',
  )
  const cleared = Object.fromEntries(names.map((name) => [name, null]))
  return {
    ref: row.ref,
    properties: leaving === 'keep' ? row.desired : cleared,
    onCreate: {},
    emails: [],
    domains: [],
    mayCreate: false,
    thorough: false,
    onLeave: leaving === 'archive' ? 'archive' : null,
    urgent: false,
  }
}

/** A field in the form that its property has: a day of an instant, nothing for an empty text or list. */
function shaped(value: CrmValue, type: PropertyMapping['type']): CrmValue {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return null
  const isInstant = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)
  return type === 'date' && isInstant ? value.slice(0, 10) : value
}

/** What is told, in the form that its property has; what does not fit it stays a text, and is refused as such. */
function toldValue(text: string | null, type: PropertyMapping['type']): CrmValue {
  if (text === null) return null
  if (type === 'multi-enumeration') return shaped(text.split(';').filter(Boolean), type)
  if (type === 'bool') return text === 'true' || (text === 'false' ? false : text)
  if (type !== 'number' || text.trim() === '') return shaped(text, type)
  const number = Number(text)
  return Number.isNaN(number) ? text : number
}

/** The properties that differ from those of before; null when nothing differs. */
export function changedProperties(
  desired: Properties,
  before: Properties | null,
): Properties | null {
  const changed = Object.entries(desired).filter(
    ([name, value]) =>
      before === null || canonicalJson(before[name] ?? null) !== canonicalJson(value),
  )
  return changed.length > 0 ? Object.fromEntries(changed) : null
}
