import { type FieldDefinition, NUMBER_TYPES, type Value } from '../field-definition.ts'
import { badRequest } from '../salesforce-error.ts'
import { readLongId } from '../salesforce-id.ts'
import { readDate, readDateTime, showDate, showDateTime } from '../salesforce-time.ts'
import { type Literal, malformed } from './condition.ts'

/** What a literal stands for: one value, or the span of a word such as TODAY. */
export type Meaning =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'span'; readonly from: Value; readonly until: Value }

const DAY_MS = 86_400_000

/** Reads a literal as the field has it. @throws {SalesforceError} when it is of another kind. */
export function readLiteral(field: FieldDefinition, literal: Literal, now: number): Meaning {
  if (literal.type === 'NULL') return { kind: 'value', value: null }
  if (literal.type.startsWith('DATE_')) return spanOf(field, literal, now)
  return { kind: 'value', value: plainValue(field, literal) }
}

function plainValue(field: FieldDefinition, { type, text }: Literal): Value {
  switch (field.type) {
    case 'boolean':
      if (type !== 'BOOLEAN') throw wrongKind(field, 'boolean', false)
      return text.toUpperCase() === 'TRUE'
    case 'date':
      if (type !== 'DATE' || readDate(text) === undefined) throw wrongKind(field, 'date', false)
      return text
    case 'datetime': {
      const at = type === 'DATETIME' ? readDateTime(text) : undefined
      if (at === undefined) throw wrongKind(field, 'dateTime', false)
      return showDateTime(at)
    }
    default:
  }
  if (NUMBER_TYPES.has(field.type)) {
    if (type !== 'INTEGER' && type !== 'DECIMAL') throw wrongKind(field, field.type, false)
    return Number(text)
  }
  if (type !== 'STRING') throw wrongKind(field, 'string', true)
  const value = unquoted(text)
  if (field.type !== 'id' && field.type !== 'reference') return value
  if (value === '') return null
  const id = readLongId(value)
  if (id === undefined)
    throw badRequest('INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${value}`)
  return id
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  N: '\n',
  r: '\r',
  R: '\r',
  t: '\t',
  T: '\t',
  b: '\b',
  B: '\b',
  f: '\f',
  F: '\f',
}

/** The text between the quotes. */
export function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, code: string) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return ESCAPES[code] ?? code
  })
}

/** The pattern of a LIKE: `%` is any text, `_` one character, each unless it is escaped. */
export function likePattern(text: string): RegExp {
  const body = text
    .slice(1, -1)
    .replace(/\\([\s\S])|[%_]|[^%_\\]+/g, (part, escaped: string | undefined) => {
      if (part === '%') return '[\\s\\S]*'
      if (part === '_') return '[\\s\\S]'
      const plain = escaped === undefined ? part : (ESCAPES[escaped] ?? escaped)
      return plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    })
  return new RegExp(`^${body}$`, 'i')
}

function spanOf(field: FieldDefinition, { text, count }: Literal, now: number): Meaning {
  if (field.type !== 'date' && field.type !== 'datetime') throw wrongKind(field, field.type, true)
  const today = Math.floor(now / DAY_MS) * DAY_MS
  const days = count ?? 0
  const word = text.toUpperCase().split(':')[0] ?? ''
  const [from, until] = daysOf(word, days)
  const show = field.type === 'date' ? showDate : showDateTime
  return { kind: 'span', from: show(today + from * DAY_MS), until: show(today + until * DAY_MS) }
}

/** First day, and the day after the last, counted from today. */
function daysOf(word: string, days: number): readonly [number, number] {
  switch (word) {
    case 'TODAY':
      return [0, 1]
    case 'YESTERDAY':
      return [-1, 0]
    case 'TOMORROW':
      return [1, 2]
    case 'LAST_N_DAYS':
      return [-days, 1]
    case 'NEXT_N_DAYS':
      return [1, days + 1]
    case 'N_DAYS_AGO':
      return [-days, -days + 1]
    case 'LAST_90_DAYS':
      return [-90, 1]
    case 'NEXT_90_DAYS':
      return [1, 91]
    default:
      throw malformed(`the date literal ${word} is not known here`)
  }
}

function wrongKind(field: FieldDefinition, type: string, isQuoted: boolean): Error {
  return badRequest(
    'INVALID_FIELD',
    `value of filter criterion for field '${field.name}' must be of type ${type} and should ${isQuoted ? '' : 'not '}be enclosed in quotes`,
  )
}
