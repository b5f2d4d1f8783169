import type { Finding, ObjectNeeds } from '../ports/crm-check.ts'

/**
 * Values of a mapping that a property of the CRM never has: whoever edits its options there edits the mapping too.
 * @param options what the property may hold; null where it may hold anything.
 */
export function valueFindings(
  { object, means }: ObjectNeeds,
  options: readonly string[] | null,
): Finding[] {
  if (!means || options === null) return []
  const { property, values } = means
  const known = new Set(options)
  const there = options.length > 0 ? `it has ${options.join(', ')}` : 'it has none'
  return values
    .filter((value) => !known.has(value))
    .map((value) => ({
      level: 'error',
      about: 'options',
      what: `${object} property ${property} has no option ${value}, which sales-status names; ${there}`,
      mend: 'write an option as the CRM has it (its internal name), or take this one out',
      of: { object, property, value },
    }))
}
