import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import type { CrmValue } from '../ports/crm.ts'
import type { Properties } from './desired-record.ts'

/**
 * Why a record cannot be sent: the first property whose value is not of its declared type, or none of its
 * options. Null when all are. Such a value would be refused by the CRM, together with a whole batch.
 */
export function valueProblem(
  mapping: Pick<ObjectMapping, 'properties'>,
  properties: Properties,
): string | null {
  const declared: Readonly<Record<string, PropertyMapping>> = mapping.properties
  for (const [name, value] of Object.entries(properties)) {
    const property = declared[name]
    const problem = property && value !== null ? problemOf(property, value) : null
    if (problem !== null) return `property ${name} ${problem}; nothing was sent`
  }
  return null
}

/** Never the value itself: it may be about a person. */
function problemOf({ type, options = [] }: PropertyMapping, value: CrmValue): string | null {
  const allowed = new Set(options.map((option) => option.value))
  switch (type) {
    case 'string':
    case 'text':
    case 'phone':
      return Array.isArray(value) ? 'is a text, and its value a list' : null
    case 'number':
      return Number.isFinite(value) ? null : 'is a number, and its value is none'
    case 'bool':
      return typeof value === 'boolean' ? null : 'is yes or no, and its value is neither'
    case 'date':
      return isDay(value) ? null : 'is a day, and its value is none'
    case 'datetime':
      return isInstant(value) ? null : 'is a date with a time, and its value is none'
    case 'enumeration':
      return allowed.has(String(value)) ? null : 'has a value that is none of its options'
    case 'multi-enumeration':
      return [value].flat().every((option) => allowed.has(String(option)))
        ? null
        : 'has a value that is none of its options'
  }
}

function isDay(value: CrmValue): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const ms = Date.parse(`${value}T00:00:00.000Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value)
}

function isInstant(value: CrmValue): boolean {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d{2}-\d{2}T.*Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
}
