import type { TaskOutcome } from '../../../src/core/ports/crm.ts'
import type {
  CrmDealNote,
  CrmNoteAmendment,
  NoteAmendOutcome,
} from '../../../src/core/ports/crm-notes.ts'
import { inRounds } from './amend-tasks.ts'
import { hasNote, withNote } from './close-tasks.ts'
import { updateRecords } from './collections.ts'
import { createTasks } from './create-tasks.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { idOf, type Row, textOf } from './query.ts'
import { readTaskRows, toTaskState } from './read-tasks.ts'
import type { Session } from './session.ts'
import { closedStatus } from './task-words.ts'

const UNKNOWN: NoteAmendOutcome = { kind: 'unknown' }

/**
 * Notes are tasks that are done: they stand in the activity history of the opportunity, and have the field of our marker,
 * which notes of Salesforce lack.
 */
export async function createNotes(
  session: Session,
  notes: readonly CrmDealNote[],
  signal: AbortSignal,
): Promise<TaskOutcome[]> {
  if (notes.length === 0) return []
  const status = await closedStatus(session, signal)
  if (status === null) {
    const reason = 'The org has no status of tasks that means closed.'
    return notes.map(() => ({ kind: 'rejected', reason, code: null, correlationId: null }))
  }
  const tasks = notes.map(({ at, ...note }) => ({
    ...{ ...note, dueAt: at, priority: 'medium' as const },
    ...{ companyId: null, contactIds: [] },
  }))
  return createTasks(session, tasks, signal, {}, { Status: status })
}

/** Adds lines to notes. All are read right before, because Salesforce knows no condition for an update. */
export async function amendNotes(
  session: Session,
  amendments: readonly CrmNoteAmendment[],
  signal: AbortSignal,
): Promise<NoteAmendOutcome[]> {
  const outcomes: NoteAmendOutcome[] = amendments.map(() => UNKNOWN)
  let isUnderWay = false
  for (const some of inRounds(amendments, ({ noteId }) => noteId)) {
    try {
      await amendSome(session, some, outcomes, signal)
    } catch (error) {
      if (!isUnderWay) throw error
      return outcomes
    }
    isUnderWay = true
  }
  return outcomes
}

async function amendSome(
  session: Session,
  some: readonly (readonly [number, CrmNoteAmendment])[],
  outcomes: NoteAmendOutcome[],
  signal: AbortSignal,
): Promise<void> {
  const ids = some.map(([, { noteId }]) => noteId)
  const rows = new Map((await readTaskRows(session, ids, signal)).map((row) => [idOf(row), row]))
  const open: { position: number; amendment: CrmNoteAmendment; row: Row }[] = []
  for (const [position, amendment] of some) {
    const row = rows.get(amendment.noteId)
    if (!row || toTaskState(row).archived) outcomes[position] = { kind: 'missing' }
    else if (hasNote(textOf(row, 'Description') ?? '', amendment.note)) {
      outcomes[position] = { kind: 'amended' }
    } else open.push({ position, amendment, row })
  }
  if (open.length === 0) return
  const records = open.map(({ amendment: { noteId, note }, row }) => ({
    id: noteId,
    fields: { Description: withNote(textOf(row, 'Description') ?? '', note) },
  }))
  const answer = await updateRecords(session, 'Task', records, {}, signal)
  if (!answer.ok && answer.failure.kind === 'failed') {
    if (!answer.failure.mayHaveHappened) throw answer.failure.error
    return
  }
  const whole =
    !answer.ok && answer.failure.kind === 'refused' ? answer.failure.errors[0] : undefined
  for (const [place, { position, amendment, row }] of open.entries()) {
    const saved = answer.ok ? answer.saved[place] : undefined
    const error = saved?.kind === 'error' ? saved.error : whole
    if (saved?.kind === 'saved') outcomes[position] = { kind: 'amended' }
    else if (error) outcomes[position] = refused(error, amendment.note, row)
  }
}

function refused(
  error: Parameters<typeof rowErrorKind>[0],
  note: string,
  row: Row,
): NoteAmendOutcome {
  const kind = rowErrorKind(error)
  if (kind === 'absent') return { kind: 'missing' }
  if (kind === 'locked' || kind === 'limit') return UNKNOWN
  const values = [note, ...(textOf(row, 'Description') ?? '').split('\n')]
  const reason = describeRowError(error, values)
  return { kind: 'rejected', reason, code: error.code, correlationId: null }
}
