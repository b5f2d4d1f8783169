import { EVERYTHING, PROPERTY_COLUMNS } from '../../core/usage/kept.ts'

/** Makes a value a parameter of the statement and returns its name in SQL. */
export type Bind = (value: string) => string

type Part = keyof typeof PROPERTY_COLUMNS

/** The place's part of the event and the property's name in it. */
export function splitPlace(place: string): { part: Part; property: string } {
  const at = place.indexOf('.')
  return { part: place.slice(0, at) as Part, property: place.slice(at + 1) }
}

/** The properties of one part of an event among some places. */
export function propertiesOf(part: Part, places: readonly string[]): string[] {
  const split = places.map(splitPlace).filter((place) => place.part === part)
  return [...new Set(split.map(({ property }) => property))]
}

/** A JSONPath to one property, whatever its name holds. */
export const pathTo = (property: string): string => `$."${property}"`

/** The column of a part with only the kept properties in it; null where it has none of them. */
export function keptColumn(part: Part, kept: readonly string[], bind: Bind): string {
  const column = PROPERTY_COLUMNS[part]
  if (kept.includes(EVERYTHING)) return column
  const names = propertiesOf(part, kept)
  if (names.length === 0) return 'null::json'
  const pairs = names.map((name) => `${bind(name)}, json_extract(${column}, ${bind(pathTo(name))})`)
  const object = `json_object(${pairs.join(', ')})`
  return `case when ${mentions(column, names, bind)} then ${object} end`
}

/**
 * True where one of the properties may stand in the column's text; most events hold none, and need not
 * be read as JSON. Only names that no JSON writer escapes can be looked for in the text.
 */
export function mentions(column: string, names: readonly string[], bind: Bind): string {
  if (names.length === 0) return 'false'
  if (names.some((name) => !/^[\w $.-]+$/.test(name))) return `${column} is not null`
  return `(${names.map((name) => `contains(${column}::varchar, ${bind(`"${name}"`)})`).join(' or ')})`
}
