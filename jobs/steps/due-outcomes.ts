import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { dueDealLooks } from '../../src/infra/postgres/look-store.ts'
import { hasWaitingTasks } from '../../src/infra/postgres/task-store.ts'
import { hasDueTasks } from './follow-tasks.ts'
import { dueContacts } from './read-first-contacts.ts'
import { dueBefore } from './read-scope.ts'

/** True when a task, a deal or a first contact of a CRM is due to be read. */
export async function hasDueOutcomes(
  db: Db,
  crm: string,
  set: MappingSet,
  mapping: CrmMapping,
  now: Date,
): Promise<boolean> {
  // Playbooks have tasks with and without `tasks:` in the mapping.
  if (await hasDueTasks(db, crm, mapping, now)) return true
  if (await hasWaitingTasks(db, crm, dueBefore(mapping, now))) return true
  const due = { crm, before: dueBefore(mapping, now), limit: 1 }
  if (mapping.deals && (await dueDealLooks(db, due)).length > 0) return true
  return (await dueContacts(db, crm, set, mapping, now, 1)).length > 0
}
