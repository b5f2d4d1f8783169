import { EVERYTHING, type PROPERTY_COLUMNS } from '../../core/usage/kept.ts'

/** Makes a value a parameter of the statement and returns its name in SQL. */
export type Bind = (value: string) => string

type Part = keyof typeof PROPERTY_COLUMNS

/** The place's part of the event and the property's name in it. */
export function splitPlace(place: string): { part: Part; property: string } {
  const at = place.indexOf('.')
  return { part: place.slice(0, at) as Part, property: place.slice(at + 1) }
}

/** A JSONPath to one property, whatever its name holds. */
export const pathTo = (property: string): string => `$."${property}"`

/** The properties of one part of an event that are among the places. */
export function propertiesOf(part: Part, places: readonly string[]): string[] {
  const split = places.map(splitPlace).filter((place) => place.part === part)
  return [...new Set(split.map(({ property }) => property))]
}

/** Reads these properties out of a column of JSON, all at once, into a list of texts of JSON. */
export function valuesOf(column: string, properties: readonly string[], bind: Bind): string {
  if (properties.length === 0) return 'null::json[]'
  const paths = properties.map((name) => bind(pathTo(name)))
  return `json_extract(${column}, [${paths.join(', ')}]::varchar[])`
}

/**
 * The text of an object of properties, with null for those that are not there; null where none is.
 * @param pairs the names, and in SQL the texts of JSON that are their values.
 */
export function objectOf(pairs: readonly (readonly [string, string])[], bind: Bind): string {
  if (pairs.length === 0) return 'null::varchar'
  // Twice as fast as `json_object`, which reads every value again.
  const members = pairs.map(
    ([name, value], index) =>
      `${bind(`${index > 0 ? ',' : ''}${JSON.stringify(name)}:`)}, coalesce(${value}::varchar, 'null')`,
  )
  const some = pairs.map(([, value]) => `${value} is not null`).join(' or ')
  return `case when ${some} then concat('{', ${members.join(', ')}, '}') end`
}

/** True when everything is kept and nothing is to be read out. */
export const keepsAll = (places: readonly string[]): boolean => places.includes(EVERYTHING)
