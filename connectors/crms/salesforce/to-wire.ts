import type { CrmValue } from '../../../src/core/ports/crm.ts'
import type { FieldDescription, ObjectDescription } from './describe.ts'

export type WireValue = string | number | boolean | null

/** Fields ready to be sent, or why they must not be: the first field at fault and Salesforce's code for it. */
export type WireFields =
  | { readonly ok: true; readonly fields: Record<string, WireValue> }
  | { readonly ok: false; readonly field: string; readonly code: string; readonly why: string }

type Checked = { readonly value: WireValue } | { readonly code: string; readonly why: string }

/**
 * Values as the org takes them, checked against its own description of the object before anything is sent:
 * a value of the wrong sort is refused by Salesforce together with the whole call. Texts that are too long
 * are cut here, since Salesforce refuses them.
 */
export function toWireFields(
  object: ObjectDescription,
  values: Readonly<Record<string, CrmValue>>,
  how: 'create' | 'update',
): WireFields {
  const fields: Record<string, WireValue> = {}
  for (const name of Object.keys(values).sort()) {
    const description = object.fields.get(name)
    const checked = description
      ? checkField(description, values[name] ?? null, how)
      : { code: 'INVALID_FIELD', why: `is no field of ${object.name} that the user of Ripen sees` }
    if (!('value' in checked)) return { ok: false, field: name, ...checked }
    fields[name] = checked.value
  }
  if (how === 'update') return { ok: true, fields }
  const missing = requiredFields(object).find((name) => (fields[name] ?? null) === null)
  if (missing === undefined) return { ok: true, fields }
  const why = `is required for a new ${object.name}, and the mapping gives it no value`
  return { ok: false, field: missing, code: 'REQUIRED_FIELD_MISSING', why }
}

/** What a new record must have a value for. */
export function requiredFields({ fields }: ObjectDescription): string[] {
  return [...fields.values()]
    .filter((field) => field.createable && !field.nillable && !field.defaultedOnCreate)
    .filter((field) => field.type !== 'boolean')
    .map(({ name }) => name)
}

/**
 * What a field holds of a value; one that it takes in no way stays as it is, to be refused. A choice is taken whole.
 */
export function heldValue(field: FieldDescription, value: CrmValue): CrmValue {
  const { type } = field
  if (type === 'boolean') return value === null || value === '' ? false : value
  if (value === null || value === '' || typeof value === 'boolean' || typeof value === 'object') {
    return value
  }
  if (type === 'picklist' || type === 'multipicklist') return value
  const isNumber = NUMBERS.has(type)
  if (isNumber !== (typeof value === 'number')) return value
  const checked = checkValue(field, value)
  return 'value' in checked ? checked.value : value
}

const NUMBERS = new Set(['int', 'long', 'double', 'currency', 'percent'])

function checkField(field: FieldDescription, value: CrmValue, how: 'create' | 'update'): Checked {
  if (!(how === 'update' ? field.updateable : field.createable)) {
    const why = field.calculated
      ? 'is calculated by Salesforce'
      : 'may not be written by the user of Ripen'
    return { code: 'INVALID_FIELD_FOR_INSERT_UPDATE', why }
  }
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) {
    // A checkbox has no empty.
    return { value: field.type === 'boolean' ? false : null }
  }
  return checkValue(field, value)
}

function checkValue(field: FieldDescription, value: Exclude<CrmValue, null>): Checked {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? { value } : notOf('yes or no')
    case 'int':
    case 'long':
    case 'double':
    case 'currency':
    case 'percent':
      return checkNumber(field, value)
    case 'date':
      return isDayOrInstant(value) ? { value: value.slice(0, 10) } : notOf('a day')
    case 'datetime':
      return isDayOrInstant(value) ? { value: toInstant(value) } : notOf('a date with a time')
    case 'multipicklist':
      return checkChoices(field, [value].flat().map(String))
    case 'picklist':
      return Array.isArray(value) ? notOf('one option') : checkChoices(field, [String(value)])
    default:
      return Array.isArray(value) ? notOf('a text') : checkText(field, String(value))
  }
}

const notOf = (what: string): Checked => ({
  code: 'INVALID_TYPE_ON_FIELD_IN_RECORD',
  why: `holds ${what}, and its value is none`,
})

/** `precision` counts all digits, `scale` those after the point. */
function checkNumber(
  { precision, scale, digits, type }: FieldDescription,
  value: Exclude<CrmValue, null>,
): Checked {
  if (typeof value !== 'number' || !Number.isFinite(value)) return notOf('a number')
  const before = type === 'int' ? digits || 9 : precision > 0 ? precision - scale : 18
  // Salesforce rounds too, and says nothing of it.
  const isRounded = type === 'int' || type === 'long' || precision > 0
  const held = isRounded && Math.abs(value) < 1e21 ? Number(value.toFixed(scale)) : value
  if (Math.abs(held) >= 10 ** before) {
    return { code: 'NUMBER_OUTSIDE_VALID_RANGE', why: `holds ${before} digits before the point` }
  }
  return { value: held === 0 ? 0 : held }
}

function checkChoices(field: FieldDescription, chosen: readonly string[]): Checked {
  if (chosen.some((one) => one === '' || one.includes(';'))) return notOf('options')
  const isOpen = !field.restrictedPicklist
  const options = (field.picklistValues ?? []).filter(({ active }) => active)
  const known = new Set(options.map(({ value }) => value))
  if (isOpen || chosen.every((one) => known.has(one))) {
    return { value: [...new Set(chosen)].join(';') }
  }
  return {
    code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    why: 'has a value that is none of its options',
  }
}

/** An address that is cut is another address. */
const WHOLE_TYPES = new Set(['email', 'url', 'reference', 'id', 'phone'])

function checkText({ type, length, externalId }: FieldDescription, text: string): Checked {
  if (length === 0 || text.length <= length) return { value: text }
  if (WHOLE_TYPES.has(type) || externalId) {
    return { code: 'STRING_TOO_LONG', why: `holds ${length} characters` }
  }
  return { value: cut(text, length) }
}

/** The first characters, never ending in half of one; a mark says that there was more. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const end = text.charCodeAt(length - 2)
  const isHalf = end >= 0xd800 && end <= 0xdbff
  return `${text.slice(0, isHalf ? length - 2 : length - 1)}…`
}

function isDayOrInstant(value: Exclude<CrmValue, null>): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T.*Z)?$/.test(value)
}

const toInstant = (text: string) => (text.length === 10 ? `${text}T00:00:00.000Z` : text)
