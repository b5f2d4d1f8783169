import type { CrmMapping } from '../mapping/crm-mapping.ts'
import { readPlaces } from '../mapping/read-places.ts'
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
      const plan = provisionPlan(object, rules)
      const own = new Set(plan.properties.map(({ name }) => name))
      const named = readPlaces(rules).map(({ property }) => property)
      const read = [...new Set(named.filter((name) => !own.has(name)))].sort()
      const alsoWritten = rules.create === 'never' ? [] : Object.keys(rules['on-create'])
      return [{ object, plan, alsoWritten, read }]
    }),
    tasks: tasks !== undefined,
    deals: deals !== undefined,
    engagements: mapping['first-contact']?.kinds ?? [],
  }
}
