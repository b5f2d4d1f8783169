import type { CrmTaskAmendment, TaskAmendOutcome } from '../../../src/core/ports/crm.ts'
import { readTaskRecords, TASK_PROPERTIES, toTaskState } from './read-tasks.ts'
import { describeRefusal } from './refusal.ts'
import { type Session, sendSettled } from './session.ts'
import { hasNote, withNote } from './task-body.ts'
import type { CallResult } from './transport.ts'
import type { HubspotRecord } from './wire-shapes.ts'

const UNKNOWN: TaskAmendOutcome = { kind: 'unknown' }
const BODY = 'hs_task_body'

/**
 * Adds a line and people to open tasks. People come first and the line last, so that a task that has the line has all
 * of it. Each task is read right before its call, because HubSpot knows no condition for an update.
 */
export async function amendTasks(
  session: Session,
  amendments: readonly CrmTaskAmendment[],
  signal: AbortSignal,
): Promise<TaskAmendOutcome[]> {
  const outcomes: TaskAmendOutcome[] = amendments.map(() => UNKNOWN)
  for (const [position, amendment] of amendments.entries()) {
    try {
      outcomes[position] = await amendOne(session, amendment, signal)
    } catch (error) {
      if (position === 0) throw error
      return outcomes
    }
  }
  return outcomes
}

async function amendOne(
  session: Session,
  amendment: CrmTaskAmendment,
  signal: AbortSignal,
): Promise<TaskAmendOutcome> {
  const { taskId, note, contactIds, fingerprint } = amendment
  const task = await readOne(session, taskId, signal)
  if (!task || task.archived) return { kind: 'missing' }
  const state = toTaskState(task)
  const touched = state.fingerprint !== fingerprint
  if (hasNote(task.properties[BODY] ?? '', note)) {
    return { kind: 'amended', fingerprint: state.fingerprint, touched }
  }
  if (state.status === 'done') return { kind: 'done' }
  if (touched && (amendment.ownerId || amendment.priority)) return { kind: 'changed' }
  await addContacts(session, taskId, contactIds, signal)
  const result = await sendSettled(session, updateCall(session, amendment, task), signal)
  if (!result.ok) return failed(result, amendment, task)
  const after = await readOne(session, taskId, signal)
  // HubSpot leaves out, without a word, what it does not take.
  if (!after || !hasNote(after.properties[BODY] ?? '', note)) return UNKNOWN
  return { kind: 'amended', fingerprint: toTaskState(after).fingerprint, touched }
}

async function readOne(
  session: Session,
  taskId: string,
  signal: AbortSignal,
): Promise<HubspotRecord | undefined> {
  return (await readTaskRecords(session, [taskId], TASK_PROPERTIES, signal))[0]
}

function updateCall(session: Session, amendment: CrmTaskAmendment, task: HubspotRecord) {
  const { taskId, note, ownerId, priority } = amendment
  const properties = {
    [BODY]: withNote(task.properties[BODY] ?? '', note),
    ...(ownerId ? { hubspot_owner_id: ownerId } : {}),
    ...(priority ? { hs_task_priority: priority.toUpperCase() } : {}),
  }
  return {
    kind: 'write',
    endpoint: 'PATCH tasks',
    invoke: (options: Parameters<typeof session.apis.record.update>[4]) =>
      session.apis.record.update('tasks', taskId, { properties }, undefined, options),
  } as const
}

function failed(
  { failure }: Extract<CallResult, { ok: false }>,
  { note }: CrmTaskAmendment,
  task: HubspotRecord,
): TaskAmendOutcome {
  if (failure.kind === 'failed') {
    if (!failure.mayHaveHappened) throw failure.error
    return UNKNOWN
  }
  const { refusal } = failure
  if (refusal.status === 404) return { kind: 'missing' }
  const { code, category, correlationId } = refusal
  const values = [note, ...(task.properties[BODY] ?? '').split('<br>')]
  return {
    kind: 'rejected',
    reason: describeRefusal(refusal, values),
    code: code ?? category,
    correlationId,
  }
}

/** Doing it twice changes nothing; a contact that is gone is left out. */
async function addContacts(
  session: Session,
  taskId: string,
  contactIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (contactIds.length === 0) return
  const inputs = contactIds.map((id) => ({ _from: { id: taskId }, to: { id } }))
  const { associations } = session.apis
  const result = await session.send(
    {
      kind: 'write',
      idempotent: true,
      endpoint: 'POST associations/tasks/contacts/batch/associate/default',
      invoke: (options) => associations.createDefault('tasks', 'contacts', { inputs }, options),
    },
    signal,
  )
  if (!result.ok && result.failure.kind === 'failed') throw result.failure.error
}
