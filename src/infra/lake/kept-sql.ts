import { EVERYTHING, PROPERTY_COLUMNS } from '../../core/usage/kept.ts'

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

/** How to read some properties out of a column of JSON, once for all of them. */
export interface KeptProperties {
  /** Yields the list of values, to be selected under a name of its own. */
  readonly list: string
  /** An object of those of the properties that are among the places; null where it has none. */
  objectOf(list: string, places: readonly string[]): string
}

/** The properties of one part of an event that are among the places. */
export function keptProperties(part: Part, places: readonly string[], bind: Bind): KeptProperties {
  const names = propertiesOf(part, places)
  const paths = names.map((name) => bind(pathTo(name)))
  return {
    list: `json_extract(${PROPERTY_COLUMNS[part]}, [${paths.join(', ')}]::varchar[])`,
    objectOf(list, among) {
      const wanted = propertiesOf(part, among)
      if (wanted.length === 0) return 'null::json'
      const values = wanted.map((name) => `${list}[${names.indexOf(name) + 1}]`)
      const pairs = wanted.map((name, index) => `${bind(name)}, ${values[index]}`)
      const some = values.map((value) => `${value} is not null`).join(' or ')
      return `case when ${some} then json_object(${pairs.join(', ')}) end`
    },
  }
}

/** True when everything is kept and nothing is to be read out. */
export const keepsAll = (places: readonly string[]): boolean => places.includes(EVERYTHING)

function propertiesOf(part: Part, places: readonly string[]): string[] {
  const split = places.map(splitPlace).filter((place) => place.part === part)
  return [...new Set(split.map(({ property }) => property))]
}
