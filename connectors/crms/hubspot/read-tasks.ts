import { createHash } from 'node:crypto'
import type { CrmTaskState } from '../../../src/core/ports/crm.ts'
import { readRecords } from './records.ts'
import type { Session } from './session.ts'
import { readPriority, readStatus, readType } from './task-words.ts'
import { readInstant } from './wire-instant.ts'
import type { HubspotRecord } from './wire-shapes.ts'

/** What a person may change of a task; the fingerprint is made of all of them. */
const CHANGEABLE = [
  'hs_task_subject',
  'hs_task_body',
  'hs_task_status',
  'hs_timestamp',
  'hs_task_priority',
  'hs_task_type',
  'hs_queue_membership_ids',
  'hs_task_reminders',
  'hubspot_owner_id',
] as const

/** The properties that make up the state of a task. */
export const TASK_PROPERTIES: readonly string[] = [...CHANGEABLE, 'hs_task_completion_date']

/** Tasks as they stand, by id. */
export async function readTasks(
  session: Session,
  taskIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CrmTaskState>> {
  const records = await readTaskRecords(session, taskIds, TASK_PROPERTIES, signal)
  return new Map(records.map((record) => [record.id, toTaskState(record)]))
}

/** Also the archived ones among them: a task that somebody deleted was there all the same. */
export async function readTaskRecords(
  session: Session,
  ids: readonly string[],
  properties: readonly string[],
  signal: AbortSignal,
  object: 'tasks' | 'notes' = 'tasks',
): Promise<HubspotRecord[]> {
  const read = { object, properties } as const
  const live = await readRecords(session, { ...read, ids }, signal)
  const liveIds = new Set(live.map((task) => task.id))
  const others = ids.filter((taskId) => !liveIds.has(taskId))
  if (others.length === 0) return live
  const archived = await readRecords(session, { ...read, ids: others, archived: true }, signal)
  return [...live, ...archived.map((task) => ({ ...task, archived: true }))]
}

/** The state that a record of a task tells. */
export function toTaskState({ properties, archived }: HubspotRecord): CrmTaskState {
  const status = readStatus(properties['hs_task_status'])
  return {
    status,
    completedAt: status === 'done' ? readInstant(properties['hs_task_completion_date']) : null,
    ownerId: properties['hubspot_owner_id'] || null,
    subject: properties['hs_task_subject'] ?? '',
    dueAt: readInstant(properties['hs_timestamp']),
    priority: readPriority(properties['hs_task_priority']),
    type: readType(properties['hs_task_type']),
    queueIds: (properties['hs_queue_membership_ids'] ?? '').split(';').filter(Boolean),
    reminderAt: readInstant(properties['hs_task_reminders']?.split(';')[0]),
    fingerprint: fingerprintOf(properties),
    archived: archived ?? false,
  }
}

function fingerprintOf(properties: HubspotRecord['properties']): string {
  const values = CHANGEABLE.map((name) => properties[name] || null)
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32)
}
