import type { CrmMapping } from '../mapping/crm-mapping.ts'
import type { Playbook, PlaybookAction } from '../mapping/playbook.ts'
import { readPlaces } from '../mapping/read-places.ts'
import type { CrmObject } from '../ports/crm.ts'
import type { CrmNeeds, GroupNeed, ObjectNeeds } from '../ports/crm-check.ts'
import { provisionPlan } from './provision-plan.ts'

/** What a mapping, and the playbooks of its CRM that are enabled, do with a CRM. */
export function crmNeeds(mapping: CrmMapping, playbooks: readonly Playbook[] = []): CrmNeeds {
  const actions = playbooks.flatMap(({ subject, segments }) =>
    segments.flatMap((segment) => segment.actions.map((action) => ({ subject, action }))),
  )
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
      const { 'sales-status': sales } = rules
      const values = Object.values(sales?.values ?? {}).flatMap((list) => list ?? [])
      const means =
        sales && values.length > 0 ? { means: { property: sales.property, values } } : {}
      return [{ object, plan, alsoWritten, read, ...means }]
    }),
    tasks: tasks !== undefined || actions.some(({ action }) => 'task' in action),
    deals: deals !== undefined,
    engagements: mapping['first-contact']?.kinds ?? [],
    groups: distinctGroups(actions),
    events: [...new Set(actions.flatMap(({ action }) => ('event' in action ? action.event : [])))],
  }
}

interface PlacedAction {
  readonly subject: Playbook['subject']
  readonly action: PlaybookAction
}

function distinctGroups(actions: readonly PlacedAction[]): GroupNeed[] {
  const all = actions.flatMap(({ subject, action }): GroupNeed[] => {
    if ('campaign' in action) return [{ id: action.campaign, object: 'contact' }]
    if (!('list' in action)) return []
    const isCompany = subject === 'account' && action.who === 'subject'
    return [{ id: action.list, object: isCompany ? 'company' : 'contact' }]
  })
  return [...new Map(all.map((one) => [`${one.id} ${one.object}`, one])).values()]
}
