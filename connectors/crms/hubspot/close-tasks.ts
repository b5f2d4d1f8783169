import type { CrmTaskClosing, TaskCloseOutcome } from '../../../src/core/ports/crm.ts'
import { readTaskRecords, TASK_PROPERTIES, toTaskState } from './read-tasks.ts'
import { describeRefusal } from './refusal.ts'
import { type Session, sendSettled } from './session.ts'
import { hasNote, withNote } from './task-body.ts'
import { TASK_STATUSES } from './task-words.ts'
import { parseRecord } from './wire-shapes.ts'

const UNKNOWN: TaskCloseOutcome = { kind: 'unknown' }
const BODY = 'hs_task_body'
const STATUS = 'hs_task_status'

/**
 * Completes tasks that nobody has touched. The note goes into the text, in the same call, so that it is
 * there exactly when the task is closed, and once: a task that has it already is closed. Each task is read
 * right before its call, because HubSpot knows no condition for an update.
 */
export async function closeTasks(
  session: Session,
  closings: readonly CrmTaskClosing[],
  signal: AbortSignal,
): Promise<TaskCloseOutcome[]> {
  const outcomes: TaskCloseOutcome[] = closings.map(() => UNKNOWN)
  for (const [position, closing] of closings.entries()) {
    try {
      outcomes[position] = await closeOne(session, closing, signal)
    } catch (error) {
      // What was closed before is not lost with it; nothing was sent for this one.
      if (position === 0) throw error
      return outcomes
    }
  }
  return outcomes
}

async function closeOne(
  session: Session,
  { taskId, note, fingerprint }: CrmTaskClosing,
  signal: AbortSignal,
): Promise<TaskCloseOutcome> {
  const [task] = await readTaskRecords(session, [taskId], TASK_PROPERTIES, signal)
  if (!task || task.archived) return { kind: 'missing' }
  const state = toTaskState(task)
  const body = task.properties[BODY] ?? ''
  if (state.status === 'done' && hasNote(body, note)) return { kind: 'closed' }
  if (state.fingerprint !== fingerprint) return { kind: 'changed' }
  const properties = { [STATUS]: TASK_STATUSES.done, [BODY]: withNote(body, note) }
  const call = {
    kind: 'write',
    endpoint: 'PATCH tasks',
    invoke: (options: Parameters<typeof session.apis.record.update>[4]) =>
      session.apis.record.update('tasks', taskId, { properties }, undefined, options),
  } as const
  const result = await sendSettled(session, call, signal)
  if (!result.ok) {
    if (result.failure.kind === 'failed') {
      if (!result.failure.mayHaveHappened) throw result.failure.error
      return UNKNOWN
    }
    const { refusal } = result.failure
    if (refusal.status === 404) return { kind: 'missing' }
    const { code, category, correlationId } = refusal
    const reason = describeRefusal(refusal, [note, ...body.split('<br>')])
    return { kind: 'rejected', reason, code: code ?? category, correlationId }
  }
  // HubSpot leaves out, without a word, what it does not take.
  const written = parseRecord(result.answer.body)?.properties ?? {}
  const isDone = written[STATUS] === TASK_STATUSES.done && hasNote(written[BODY] ?? '', note)
  return isDone ? { kind: 'closed' } : UNKNOWN
}
