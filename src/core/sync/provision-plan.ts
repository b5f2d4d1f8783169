import type { ObjectMapping, PropertyMapping } from '../mapping/crm-mapping.ts'
import type { CrmObject, CrmProperty, ProvisionPlan } from '../ports/crm.ts'
import { ANSWERS } from '../scoring/sales.ts'
import { boundsOf } from './field-bounds.ts'

/** The properties that a mapping needs on one object: our own key, what it writes, and what reps answer. */
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
  return { object, group: rules.group, properties: [key, ...properties, ...answersOf(rules)] }
}

/** What people fill in the CRM. */
function answersOf({ disposition }: ObjectMapping): CrmProperty[] {
  if (!disposition) return []
  const { labels, reason, ...answer } = disposition
  const options = ANSWERS.map((value) => ({ value, label: labels[value] }))
  return [{ ...answer, options }, ...(reason ? [reason] : [])].map(
    ({ property: name, description, ...rest }): CrmProperty => ({
      ...{ name, type: 'enumeration', ...rest },
      ...(description === undefined ? {} : { description }),
    }),
  )
}

function valuesOf({ from }: PropertyMapping): Pick<CrmProperty, 'values'> {
  const values = boundsOf(from)
  return values === undefined ? {} : { values }
}
