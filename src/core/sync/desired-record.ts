import { canonicalJson } from '../canonical-json.ts'
import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
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
}

/** Applies a mapping to one scored subject. */
export function desiredRecord(
  mapping: ObjectMapping,
  facts: SubjectFacts,
  score: Score,
  speaker: Speaker,
): DesiredRecord {
  const fields = fieldsOf(facts, score, speaker)
  const pick = (from: string): CrmValue => fields[from] ?? null
  const declared: Readonly<Record<string, PropertyMapping>> = mapping.properties
  const properties = Object.entries(declared).flatMap(([name, p]) => {
    const value = shaped(pick(p.from), p.type)
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
export function leftRecord(leaving: ObjectMapping['on-leave'], row: LeftRecord): DesiredRecord {
  const names = Object.keys({ ...row.written, ...row.desired })
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
  }
}

/** A field in the form that its property has: a day of an instant, nothing for an empty text or list. */
function shaped(value: CrmValue, type: PropertyMapping['type']): CrmValue {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return null
  const isInstant = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)
  return type === 'date' && isInstant ? value.slice(0, 10) : value
}

/** What a record says after a write: what it should, and what was left alone because there was no value. */
export function saysNow(
  mapping: Pick<ObjectMapping, 'properties'>,
  desired: Properties,
  written: Properties | null,
): Properties {
  const declared: Readonly<Record<string, PropertyMapping>> = mapping.properties
  const left = Object.entries(written ?? {}).filter(
    ([name]) => !(name in desired) && declared[name]?.['when-empty'] === 'keep',
  )
  return { ...Object.fromEntries(left), ...desired }
}

/**
 * What must be written so that a record says what it should: the properties that differ from what was
 * written last. Null when nothing differs: then nothing is written.
 */
export function changesToWrite(desired: Properties, written: Properties | null): Properties | null {
  const changed = Object.entries(desired).filter(
    ([name, value]) =>
      written === null || canonicalJson(written[name] ?? null) !== canonicalJson(value),
  )
  return changed.length > 0 ? Object.fromEntries(changed) : null
}
