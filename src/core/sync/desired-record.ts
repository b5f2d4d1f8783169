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
  const properties = Object.entries(declared).map(([name, p]) => [name, pick(p.from)])
  const onCreate = Object.entries(mapping['on-create']).map(([name, from]) => [name, pick(from)])
  const qualified = score.usageStatus === 'qualified'
  const findable = facts.email !== null || facts.domain !== null
  return {
    ref: facts.id,
    properties: Object.fromEntries(properties),
    onCreate: Object.fromEntries(onCreate),
    emails: facts.email === null ? [] : [facts.email],
    domains: facts.domain === null ? [] : [facts.domain],
    mayCreate:
      findable && (mapping.create === 'always' || (mapping.create === 'qualified' && qualified)),
    // Who may be created needs no search: the CRM itself says that the address is taken.
    thorough: mapping.create === 'never' && qualified,
  }
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
