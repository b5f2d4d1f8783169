import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import type { CrmObject, CrmProperty, ProvisionPlan } from '../ports/crm.ts'
import { boundsOf } from './field-bounds.ts'

/** The properties that a mapping needs on one object: our own key, then what it writes. */
export function provisionPlan(object: CrmObject, rules: ObjectMapping): ProvisionPlan {
  const key: CrmProperty = {
    name: rules.key.property,
    label: rules.key.label,
    description: 'Identifies the record of Ripen; do not edit.',
    type: 'string',
    unique: true,
  }
  const declared: Readonly<Record<string, PropertyMapping>> = rules.properties
  const properties = Object.entries(declared).map(
    ([name, p]): CrmProperty => ({
      name,
      label: p.label,
      type: p.type,
      ...(p.description === undefined ? {} : { description: p.description }),
      ...(p.options === undefined ? {} : { options: p.options }),
      ...valuesOf(p),
    }),
  )
  return { object, group: rules.group, properties: [key, ...properties] }
}

function valuesOf({ from }: PropertyMapping): Pick<CrmProperty, 'values'> {
  const values = boundsOf(from)
  return values === undefined ? {} : { values }
}
