import { type FieldDefinition, NUMBER_TYPES, TEXT_TYPES, type Value } from './field-definition.ts'
import type { OrgState } from './org-state.ts'
import { RowError } from './salesforce-error.ts'
import { readLongId } from './salesforce-id.ts'

const EMAIL = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/i

/** The value as it is stored, or the error of its record. */
export function checkValue(state: OrgState, field: FieldDefinition, value: Value): Value {
  if (value === null) return null
  if (field.type === 'reference' || field.type === 'id') return checkId(state, field, String(value))
  if (NUMBER_TYPES.has(field.type)) return checkNumber(field, Number(value))
  if (!TEXT_TYPES.has(field.type)) return value
  const text = String(value)
  if (field.length > 0 && text.length > field.length) {
    throw new RowError(
      'STRING_TOO_LONG',
      `${field.label}: data value too large: ${text} (max length=${field.length})`,
      [field.name],
    )
  }
  if (field.type === 'email' && !EMAIL.test(text)) {
    throw new RowError('INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${text}`, [
      field.name,
    ])
  }
  checkPicklist(field, text)
  return text
}

function checkPicklist(field: FieldDefinition, text: string): void {
  if (!field.restricted) return
  const chosen = field.type === 'multipicklist' ? text.split(';') : [text]
  const known = field.picklist.filter(({ active }) => active).map(({ value }) => value)
  const wrong = chosen.find((value) => !known.includes(value))
  if (wrong === undefined) return
  throw new RowError(
    'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    `${field.label}: bad value for restricted picklist field: ${wrong}`,
    [field.name],
  )
}

/** Digits before the point are bounded, digits behind it are rounded. */
function checkNumber(field: FieldDefinition, value: number): number {
  const { precision, scale } = field
  if (precision === 0) return value
  const rounded = field.type === 'double' && !field.custom ? value : Number(value.toFixed(scale))
  if (Math.abs(rounded) < 10 ** (precision - scale)) return rounded
  throw new RowError(
    'NUMBER_OUTSIDE_VALID_RANGE',
    `${field.label}: value outside of valid range on numeric field: ${value}`,
    [field.name],
  )
}

function checkId(state: OrgState, field: FieldDefinition, given: string): string {
  const id = readLongId(given)
  const message = `${field.label}: id value of incorrect type: ${given}`
  if (id === undefined) throw new RowError('MALFORMED_ID', message, [field.name])
  const target = state.tableOfId(id)
  if (target !== undefined && !field.referenceTo.includes(target.definition.name)) {
    throw new RowError('FIELD_INTEGRITY_EXCEPTION', message, [field.name])
  }
  const row = target?.rows.get(id)
  if (row === undefined) {
    throw new RowError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [field.name])
  }
  if (row.values['IsDeleted'] === true) {
    throw new RowError('ENTITY_IS_DELETED', 'entity is deleted', [field.name])
  }
  return id
}
