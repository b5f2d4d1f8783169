import type { CrmMapping } from '../mapping/crm-mapping.ts'
import type { CrmObject } from '../ports/crm.ts'
import type { CrmNeeds, ObjectNeeds } from '../ports/crm-check.ts'
import { provisionPlan } from './provision-plan.ts'

/** What a mapping does with a CRM. */
export function crmNeeds(mapping: CrmMapping): CrmNeeds {
  const { objects, tasks, deals } = mapping
  const all: CrmObject[] = ['company', 'contact']
  return {
    objects: all.flatMap((object): ObjectNeeds[] => {
      const rules = objects[object]
      if (!rules) return []
      const sales = rules['sales-status']
      const named = [...Object.values(rules.read), sales?.property, sales?.reason]
      const read = [...new Set(named.filter((name) => name !== undefined))].sort()
      const alsoWritten = rules.create === 'never' ? [] : Object.keys(rules['on-create'])
      return [{ object, plan: provisionPlan(object, rules), alsoWritten, read }]
    }),
    tasks: tasks !== undefined,
    deals: deals !== undefined,
    engagements: mapping['first-contact']?.kinds ?? [],
  }
}
