import { type FieldDefinition, NUMBER_TYPES, type Value } from './field-definition.ts'
import { badRequest, RowError } from './salesforce-error.ts'
import { readDate, readDateTime, showDate, showDateTime, wholeSecond } from './salesforce-time.ts'

/**
 * A value of a JSON body as the field holds it. A value of another kind breaks the whole call, since
 * Salesforce reads the body before it looks at any record.
 */
export function readJsonValue(field: FieldDefinition, given: unknown): Value {
  if (given === null || given === undefined) {
    if (field.type === 'boolean') throw unreadable('boolean', given)
    return null
  }
  if (field.type === 'boolean') {
    if (typeof given === 'boolean') return given
    throw unreadable('boolean', given)
  }
  if (NUMBER_TYPES.has(field.type)) return readJsonNumber(field, given)
  if (typeof given !== 'string') throw unreadable(javaType(field), given)
  const text = given.trim()
  if (text === '') return null
  const value = readText(field, text)
  if (value === undefined) throw unreadable(javaType(field), given)
  return value
}

/** A cell of a CSV file; a wrong one fails its row alone. */
export function readCsvValue(field: FieldDefinition, given: string): Value {
  const text = given.trim()
  if (text === '#N/A') return field.type === 'boolean' ? false : null
  if (field.type === 'boolean') {
    if (/^(true|1)$/i.test(text)) return true
    if (/^(false|0)$/i.test(text)) return false
    throw wrongCell(given, 'xsd:boolean', field)
  }
  if (NUMBER_TYPES.has(field.type)) {
    const number = Number(text)
    const isRight = field.type === 'int' ? Number.isInteger(number) : Number.isFinite(number)
    if (isRight) return number
    throw wrongCell(given, field.type === 'int' ? 'xsd:int' : 'xsd:double', field)
  }
  const value = readText(field, text)
  if (value !== undefined) return value
  throw wrongCell(given, field.type === 'date' ? 'xsd:date' : 'xsd:dateTime', field)
}

/** Texts that the type does not know are undefined. */
function readText(field: FieldDefinition, text: string): Value | undefined {
  if (field.type === 'date') {
    const at = readDateTime(text)
    return at === undefined ? readDate(text) : showDate(at)
  }
  if (field.type !== 'datetime') return text
  const at = readDateTime(text) ?? (readDate(text) === undefined ? undefined : Date.parse(text))
  return at === undefined ? undefined : showDateTime(wholeSecond(at))
}

function readJsonNumber(field: FieldDefinition, given: unknown): Value {
  if (given === '') return null
  const number = typeof given === 'string' ? Number(given) : given
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw unreadable(javaType(field), given)
  }
  if (field.type === 'int' && !Number.isInteger(number)) throw unreadable('int', given)
  return number
}

function javaType(field: FieldDefinition): string {
  if (field.type === 'int') return 'int'
  if (NUMBER_TYPES.has(field.type)) return 'double'
  if (field.type === 'date' || field.type === 'datetime') return field.type
  return 'string'
}

function unreadable(type: string, given: unknown): Error {
  const kind = jsonKind(given)
  const value = typeof given === 'object' ? '' : ` value ${String(given)}`
  return badRequest(
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${type} from ${kind}${value} or request may be missing a required field at [line:1, column:1]`,
  )
}

function jsonKind(given: unknown): string {
  if (given === null || given === undefined) return 'VALUE_NULL'
  if (Array.isArray(given)) return 'START_ARRAY'
  if (typeof given === 'object') return 'START_OBJECT'
  if (typeof given === 'boolean') return given ? 'VALUE_TRUE' : 'VALUE_FALSE'
  if (typeof given === 'string') return 'VALUE_STRING'
  return Number.isInteger(given) ? 'VALUE_NUMBER_INT' : 'VALUE_NUMBER_FLOAT'
}

function wrongCell(given: string, type: string, field: FieldDefinition): Error {
  return new RowError(
    'INVALID_TYPE_ON_FIELD_IN_RECORD',
    `'${given}' is not a valid value for the type ${type}`,
    [field.name],
  )
}
