/** A piece of SOQL that was made here, and not by hand from input. */
export interface Soql {
  readonly text: string
}

/** One value as SOQL writes it. Instants are bare, everything else that is text is quoted. */
export type SoqlValue = string | number | boolean | null | Date

/** Names of fields and objects: letters, digits and `_`, with dots to a parent. */
const NAME = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$/

/**
 * Builds SOQL from a template: what is filled in is a value and becomes a literal, unless it is SOQL itself.
 * A list becomes what stands after `IN`.
 * @throws {RangeError} for an empty list, which SOQL has no word for: left out, it would select everything.
 */
export function soql(
  parts: TemplateStringsArray,
  ...values: readonly (SoqlValue | Soql | readonly SoqlValue[])[]
): Soql {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += `${toText(value)}${parts[index + 1] ?? ''}`
  })
  return { text }
}

/** The name of a field or object. @throws {RangeError} for anything else: a name cannot be escaped. */
export function name(text: string): Soql {
  if (!NAME.test(text)) throw new RangeError('this is no name of a Salesforce field or object')
  return { text }
}

/** Names with commas between, each once. */
export function names(list: readonly string[]): Soql {
  return { text: [...new Set(list)].map((one) => name(one).text).join(', ') }
}

/** Conditions of which one must hold. @throws {RangeError} when there are none. */
export function anyOf(conditions: readonly Soql[]): Soql {
  if (conditions.length === 0) throw new RangeError('no conditions')
  return { text: `(${conditions.map(({ text }) => text).join(' OR ')})` }
}

/** A text that begins, ends or stands anywhere, for LIKE: the wildcards in it are taken as they are. */
export function containing(text: string): Soql {
  return { text: `'%${escaped(text).replace(/[%_]/g, '\\$&')}%'` }
}

function toText(value: SoqlValue | Soql | readonly SoqlValue[]): string {
  if (isList(value)) {
    if (value.length === 0) throw new RangeError('an empty list has no place in SOQL')
    return `(${value.map(literal).join(',')})`
  }
  if (typeof value === 'object' && value !== null && 'text' in value) return value.text
  return literal(value)
}

function literal(value: SoqlValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, 'Z')
  if (typeof value === 'string') return `'${escaped(value)}'`
  if (Number.isFinite(value)) return String(value)
  throw new RangeError('this number has no place in SOQL')
}

/** The backslash first: else a value that ends with one takes the quote after it. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
}

const isList = (value: unknown): value is readonly SoqlValue[] => Array.isArray(value)
