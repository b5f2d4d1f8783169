import type { PropertyDrift } from '../ports/crm.ts'

/** Properties that differ in the same way, and are mended in the same way. */
export interface DriftGroup extends Omit<PropertyDrift, 'property'> {
  readonly properties: readonly string[]
}

/** What is wrong with many properties alike is told once. */
export function groupedDrift(drift: readonly PropertyDrift[]): DriftGroup[] {
  const groups = new Map<string, DriftGroup>()
  for (const { property, expected, found, mend } of drift) {
    const name = JSON.stringify([expected, found, mend])
    const properties = [...(groups.get(name)?.properties ?? []), property]
    groups.set(name, { properties, expected, found, mend })
  }
  return [...groups.values()]
}
