import { createHash } from 'node:crypto'
import type { CrmTaskState } from '../../../src/core/ports/crm.ts'
import { isGroupId, isId } from './objects.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { names, soql } from './soql.ts'
import { readPriority, readStatus, readType } from './task-words.ts'
import { readInstant, readValue } from './wire-instant.ts'

/**
 * What a person may change of a task; the fingerprint is made of all of them. Whom it is about is none of
 * them: Salesforce moves the tasks of a lead to its contact by itself.
 */
const CHANGEABLE = [
  'Subject',
  'Description',
  'Status',
  'ActivityDate',
  'Priority',
  'OwnerId',
  'IsReminderSet',
  'ReminderDateTime',
] as const

/** The fields that make up the state of a task. */
export const TASK_FIELDS: readonly string[] = [
  'Id',
  ...CHANGEABLE,
  'CreatedById',
  'TaskSubtype',
  'IsClosed',
  'IsDeleted',
  'CompletedDateTime',
]

const isTaskId = (id: string): boolean => isId(id) && id.startsWith('00T')

/** Tasks as they stand, by id, also deleted and archived ones. */
export async function readTasks(
  session: Session,
  taskIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CrmTaskState>> {
  const rows = await readTaskRows(session, taskIds, signal)
  return new Map(rows.map((row) => [idOf(row), toTaskState(row)]))
}

export async function readTaskRows(
  session: Session,
  taskIds: readonly string[],
  signal: AbortSignal,
): Promise<Row[]> {
  const ids = [...new Set(taskIds)].filter(isTaskId)
  const queries = queriesFor(ids, literalBytes, (some) => {
    return soql`SELECT ${names(TASK_FIELDS)} FROM Task WHERE Id IN ${some}`
  })
  // Salesforce puts closed tasks into an archive after a year, which plain queries leave out.
  return (await runQueries(session, queries, signal, { withDeleted: true })).flat()
}

/** The state that the row of a task tells. The due date is a day. */
export function toTaskState(row: Row): CrmTaskState {
  const ownerId = textOf(row, 'OwnerId')
  const isQueued = ownerId !== null && isGroupId(ownerId)
  const status = readStatus(textOf(row, 'Status'), row['IsClosed'] === true)
  return {
    status,
    completedAt: status === 'done' ? readInstant(textOf(row, 'CompletedDateTime')) : null,
    ownerId: isQueued ? null : ownerId,
    ownedByMaker: ownerId !== null && ownerId === textOf(row, 'CreatedById'),
    subject: textOf(row, 'Subject') ?? '',
    dueAt: readInstant(textOf(row, 'ActivityDate')),
    priority: readPriority(textOf(row, 'Priority')),
    type: readType(textOf(row, 'TaskSubtype')),
    queueIds: isQueued ? [ownerId] : [],
    reminderAt: row['IsReminderSet'] === true ? readInstant(textOf(row, 'ReminderDateTime')) : null,
    fingerprint: fingerprintOf(row),
    archived: row['IsDeleted'] === true,
  }
}

function fingerprintOf(row: Row): string {
  const values = CHANGEABLE.map((field) => readValue(row[field]))
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32)
}
