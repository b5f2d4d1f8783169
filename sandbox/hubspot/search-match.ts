import type { PropertyDefinition } from './property-definition.ts'
import type { SearchFilter } from './search-request.ts'

type Properties = Readonly<Record<string, string>>

/**
 * Whether a record passes a filter. Texts compare without letter case, except that IN compares its
 * values as they are with the text in lower case; option values compare exactly.
 */
export function matches(filter: SearchFilter, properties: Properties): boolean {
  const { property, operator } = filter
  const held = properties[property.name]
  switch (operator) {
    case 'HAS_PROPERTY':
      return held !== undefined
    case 'NOT_HAS_PROPERTY':
      return held === undefined
    case 'NEQ':
      return held === undefined || !equals(property, held, filter.value)
    case 'NOT_IN':
      return held === undefined || !isIn(property, held, filter.values)
    case 'NOT_CONTAINS_TOKEN':
      return held === undefined || !containsToken(held, filter.value)
  }
  if (held === undefined) return false
  switch (operator) {
    case 'EQ':
      return equals(property, held, filter.value)
    case 'IN':
      return isIn(property, held, filter.values)
    case 'CONTAINS_TOKEN':
      return containsToken(held, filter.value)
    default:
      return inRange(filter, held)
  }
}

/** A record's place under a sort; numbers and times sort as such. */
export function sortKey(property: PropertyDefinition, held: string | undefined): number | string {
  if (isOrdered(property)) return held === undefined ? Number.NEGATIVE_INFINITY : scalar(held)
  return (held ?? '').toLowerCase()
}

function inRange({ operator, property, value, highValue }: SearchFilter, held: string): boolean {
  const key = (text: string) => (isOrdered(property) ? scalar(text) : text.toLowerCase())
  const mine = key(held)
  const bound = key(value)
  switch (operator) {
    case 'GT':
      return mine > bound
    case 'GTE':
      return mine >= bound
    case 'LT':
      return mine < bound
    case 'LTE':
      return mine <= bound
    default:
      return mine >= bound && mine <= key(highValue)
  }
}

function equals(property: PropertyDefinition, held: string, value: string): boolean {
  if (isOrdered(property)) return scalar(held) === scalar(value)
  if (property.type === 'enumeration') return held === value || held.split(';').includes(value)
  return held.toLowerCase() === value.toLowerCase()
}

function isIn(property: PropertyDefinition, held: string, values: readonly string[]): boolean {
  if (isOrdered(property)) return values.some((value) => scalar(value) === scalar(held))
  if (property.type === 'enumeration') {
    return held.split(';').some((option) => values.includes(option)) || values.includes(held)
  }
  return values.includes(held.toLowerCase())
}

function containsToken(held: string, wanted: string): boolean {
  const text = held.toLowerCase()
  const token = wanted.toLowerCase()
  if (!token.includes('*')) {
    const words = text.split(/[\s;,@./_-]+/)
    return (
      text.split(/[\s;,]+/).includes(token) ||
      token.split(/[\s@./_-]+/).every((part) => words.includes(part))
    )
  }
  const pattern = token
    .split('*')
    .map((part) => part.replace(/[^a-z0-9]/g, '\\$&'))
    .join('.*')
  return (
    new RegExp(`^${pattern}$`).test(text) ||
    text.split(/[\s;,@]+/).some((word) => new RegExp(`^${pattern}$`).test(word))
  )
}

function isOrdered({ type }: PropertyDefinition): boolean {
  return type === 'number' || type === 'date' || type === 'datetime'
}

/** Numbers as they are, times as milliseconds whether written as such or in ISO form. */
function scalar(text: string): number {
  const number = Number(text)
  return Number.isNaN(number) ? Date.parse(text) : number
}
