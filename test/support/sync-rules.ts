import { crmMappingSchema, type ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'

/** Rules of contacts with these properties; a label, a type and the rest are filled in. */
export function rulesOf(properties: Readonly<Record<string, object>>): ObjectMapping {
  const named = Object.entries(properties).map(
    ([name, p]) => [name, { label: name, type: 'string', ...p }] as const,
  )
  const { contact } = crmMappingSchema.parse({
    version: 1,
    objects: {
      contact: {
        ...{ subject: 'person', model: 'm', create: 'always' },
        key: { property: 'key', label: 'Key' },
        group: { name: 'ripen', label: 'Ripen' },
        properties: Object.fromEntries(named),
      },
    },
  }).objects
  if (!contact) throw new Error('no rules')
  return contact
}
