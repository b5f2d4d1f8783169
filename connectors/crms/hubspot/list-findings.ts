import { z } from 'zod'
import type { CrmNeeds, Finding, GroupNeed } from '../../../src/core/ports/crm-check.ts'
import { rawRead } from './property-definitions.ts'
import type { Session } from './session.ts'

const listShape = z.object({
  list: z.object({ name: z.string(), processingType: z.string(), objectTypeId: z.string() }),
})
const TYPE_IDS = { contact: '0-1', company: '0-2' } as const
/** Those whose members HubSpot does not work out by itself. */
const STATIC = ['MANUAL', 'SNAPSHOT']

/** Whether the lists that playbooks name are there, and can hold what they are to hold. */
export async function listFindings(
  session: Session,
  { groups = [] }: CrmNeeds,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const group of groups) findings.push(...(await oneFindings(session, group, signal)))
  return findings
}

async function oneFindings(
  session: Session,
  { id, object }: GroupNeed,
  signal: AbortSignal,
): Promise<Finding[]> {
  const of = { target: id }
  const found = (level: Finding['level'], what: string, mend: string | null): Finding[] => [
    { level, about: 'lists', what, mend, of },
  ]
  const result = await session.send(rawRead(session, `/crm/v3/lists/${id}`), signal)
  if (!result.ok) {
    if (result.failure.kind === 'refused') {
      const mend = 'take the number in the address of the list’s page in HubSpot'
      return found('error', `there is no list ${id}`, mend)
    }
    // Which scope is missing is told by itself.
    if (result.failure.forbidden) return []
    throw result.failure.error
  }
  const { data } = listShape.safeParse(result.answer.body)
  if (!data) return found('warning', `what list ${id} is cannot be read`, null)
  const { name, processingType, objectTypeId } = data.list
  if (!STATIC.includes(processingType)) {
    const what = `list ${id} (${name}) is an active one: HubSpot works out its members by itself`
    return found('error', what, 'make a static list and name that one')
  }
  if (objectTypeId !== TYPE_IDS[object]) {
    const what = `list ${id} (${name}) holds no ${object} records, which the playbook puts into it`
    return found('error', what, `name a list of ${object} records, or say who: people`)
  }
  return found('ok', `list ${id} (${name}) is there`, null)
}
