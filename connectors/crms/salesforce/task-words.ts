import type { CrmTask, CrmTaskStatus, CrmTaskType } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { runQuery, textOf } from './query.ts'
import type { Session } from './session.ts'
import { soql } from './soql.ts'

/** Salesforce's words for what a task asks for; set once, when it is created. */
export const TASK_TYPES: Readonly<Record<CrmTaskType, string>> = {
  'to-do': 'Task',
  call: 'Call',
  email: 'Email',
}

export const TASK_PRIORITIES: Readonly<Record<CrmTask['priority'], string>> = {
  low: 'Low',
  medium: 'Normal',
  high: 'High',
}

export const NOT_STARTED = 'Not Started'
const COMPLETED = 'Completed'

/** Open statuses as Salesforce ships them; an org may have others. */
const STATUSES: Readonly<Record<string, CrmTaskStatus>> = {
  [NOT_STARTED]: 'not-started',
  'In Progress': 'in-progress',
  'Waiting on someone else': 'waiting',
  Deferred: 'deferred',
}

/** Whether a task is done the field `IsClosed` says; a status of the org's own was chosen by somebody. */
export function readStatus(status: string | null, isClosed: boolean): CrmTaskStatus {
  if (isClosed) return 'done'
  return status === null ? 'not-started' : (STATUSES[status] ?? 'waiting')
}

export function readType(subtype: string | null): CrmTaskType | null {
  const found = Object.entries(TASK_TYPES).find(([, word]) => word === subtype)
  if (found) return found[0] as CrmTaskType
  return subtype === null ? 'to-do' : null
}

export function readPriority(word: string | null): CrmTask['priority'] | null {
  const found = Object.entries(TASK_PRIORITIES).find(([, known]) => known === word)
  return found ? (found[0] as CrmTask['priority']) : null
}

/** The status with which a task is done in this org; null when it has none. */
export async function closedStatus(session: Session, signal: AbortSignal): Promise<string | null> {
  const values =
    (await describe(session, 'Task', signal)).fields.get('Status')?.picklistValues ?? []
  if (values.some(({ value, active }) => active && value === COMPLETED)) return COMPLETED
  const query = soql`SELECT ApiName, IsClosed, SortOrder FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder`
  const [first] = await runQuery(session, query, signal)
  return first ? textOf(first, 'ApiName') : null
}
