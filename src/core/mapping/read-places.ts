import type { ObjectMapping } from './crm-mapping.ts'

/** A property that is read of a record, and where the mapping of the object names it. */
export interface ReadPlace {
  readonly property: string
  readonly path: readonly string[]
}

/** Every property that a mapping wants to know of an object. */
export function readPlaces(rules: ObjectMapping): ReadPlace[] {
  const { read, 'sales-status': sales, disposition } = rules
  const traits = Object.entries(read).map(([name, property]) => ({
    property,
    path: ['read', name],
  }))
  const others: [string | undefined, ...string[]][] = [
    [sales?.property, 'sales-status', 'property'],
    [sales?.reason, 'sales-status', 'reason'],
    [disposition?.property, 'disposition', 'property'],
    [disposition?.reason?.property, 'disposition', 'reason', 'property'],
  ]
  return [
    ...traits,
    ...others.flatMap(([property, ...path]) =>
      property === undefined ? [] : [{ property, path }],
    ),
  ]
}
