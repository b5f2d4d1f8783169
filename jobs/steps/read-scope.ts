import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Crm, CrmAbout } from '../../src/core/ports/crm.ts'
import type { DueLook } from '../../src/infra/postgres/look-store.ts'
import type { JobContext, RunNotes } from '../context.ts'

/** What reading the outcomes of a CRM works with. */
export interface ReadScope {
  readonly context: Pick<JobContext, 'db' | 'clock'>
  readonly crm: Crm
  readonly set: MappingSet
  readonly mapping: CrmMapping
  readonly signal: AbortSignal
  readonly run: RunNotes
}

/** Nobody tells of tasks, deals and activities in between, as searches do of contacts and companies. */
const LONGEST_MS = 3_600_000

/** What was looked at before this is due. */
export const dueBefore = (mapping: CrmMapping, now: Date): Date =>
  new Date(now.getTime() - Math.min(mapping['read-every'], LONGEST_MS))

/** The CRM's ids of records, by object. */
export function aboutOf(looks: readonly DueLook[]): CrmAbout {
  const ids = (object: DueLook['object']) => [
    ...new Set(looks.flatMap((look) => (look.object === object ? [look.crmId] : []))),
  ]
  return { contactIds: ids('contact'), companyIds: ids('company') }
}
