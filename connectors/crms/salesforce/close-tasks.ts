import type { CrmTaskClosing, TaskCloseOutcome } from '../../../src/core/ports/crm.ts'
import { MAX_BATCH, updateRecords } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { idOf, type Row, textOf } from './query.ts'
import { readTaskRows, toTaskState } from './read-tasks.ts'
import { chunks, type Session } from './session.ts'
import { closedStatus } from './task-words.ts'

const UNKNOWN: TaskCloseOutcome = { kind: 'unknown' }
const MOST_DESCRIPTION = 32_000

/**
 * Completes tasks that nobody has touched. The note goes into the text, in the same call, so that it is
 * there exactly when the task is closed, and once: a task that has it already is closed. All are read right
 * before, because Salesforce knows no condition for an update.
 */
export async function closeTasks(
  session: Session,
  closings: readonly CrmTaskClosing[],
  signal: AbortSignal,
): Promise<TaskCloseOutcome[]> {
  const outcomes: TaskCloseOutcome[] = closings.map(() => UNKNOWN)
  let isUnderWay = false
  for (const some of chunks([...closings.entries()], MAX_BATCH)) {
    try {
      await closeSome(session, some, outcomes, signal)
    } catch (error) {
      // What was closed before is not lost with it; nothing was sent for these.
      if (!isUnderWay) throw error
      return outcomes
    }
    isUnderWay = true
  }
  return outcomes
}

async function closeSome(
  session: Session,
  some: readonly (readonly [number, CrmTaskClosing])[],
  outcomes: TaskCloseOutcome[],
  signal: AbortSignal,
): Promise<void> {
  const ids = some.map(([, { taskId }]) => taskId)
  const tasks = new Map((await readTaskRows(session, ids, signal)).map((row) => [idOf(row), row]))
  const toClose: { position: number; closing: CrmTaskClosing; row: Row }[] = []
  for (const [position, closing] of some) {
    const row = tasks.get(closing.taskId)
    const settled = settledOutcome(row, closing)
    if (settled) outcomes[position] = settled
    else if (row) toClose.push({ position, closing, row })
  }
  if (toClose.length === 0) return
  const status = await closedStatus(session, signal)
  if (status === null) {
    const reason = 'The org has no status of tasks that means closed.'
    const none = { kind: 'rejected', reason, code: null, correlationId: null } as const
    for (const { position } of toClose) outcomes[position] = none
    return
  }
  const records = toClose.map(({ closing, row }) => ({
    id: closing.taskId,
    fields: {
      Status: status,
      Description: withNote(textOf(row, 'Description') ?? '', closing.note),
    },
  }))
  const answer = await updateRecords(session, 'Task', records, {}, signal)
  if (!answer.ok && answer.failure.kind === 'failed') {
    if (!answer.failure.mayHaveHappened) throw answer.failure.error
    return
  }
  for (const [place, { position, closing, row }] of toClose.entries()) {
    const saved = answer.ok ? answer.saved[place] : undefined
    const error = saved?.kind === 'error' ? saved.error : refusal(answer)
    if (saved?.kind === 'saved') outcomes[position] = { kind: 'closed' }
    else if (error) {
      const kind = rowErrorKind(error)
      const values = [closing.note, ...(textOf(row, 'Description') ?? '').split('\n')]
      const reason = describeRowError(error, values)
      const rejected = { kind: 'rejected', reason, code: error.code, correlationId: null } as const
      if (kind === 'absent') outcomes[position] = { kind: 'missing' }
      else if (kind !== 'locked' && kind !== 'limit') outcomes[position] = rejected
    }
  }
}

function refusal(answer: Awaited<ReturnType<typeof updateRecords>>) {
  if (answer.ok || answer.failure.kind !== 'refused') return undefined
  return answer.failure.errors[0]
}

/** What needs no call: gone, closed with our note, or touched by somebody. */
function settledOutcome(
  row: Row | undefined,
  { note, fingerprint }: CrmTaskClosing,
): TaskCloseOutcome | null {
  const state = row ? toTaskState(row) : null
  if (!row || !state || state.archived) return { kind: 'missing' }
  const isNoted = hasNote(textOf(row, 'Description') ?? '', note)
  if (state.status === 'done' && isNoted) return { kind: 'closed' }
  return state.fingerprint === fingerprint ? null : { kind: 'changed' }
}

/** A text with a line above it. */
export function withNote(text: string, note: string): string {
  return `${note}\n\n${text}`.slice(0, MOST_DESCRIPTION)
}

/** Whether a text has this line. */
export function hasNote(text: string, note: string): boolean {
  return text.split(/\r?\n/).some((line) => line.trim() === note.trim())
}
