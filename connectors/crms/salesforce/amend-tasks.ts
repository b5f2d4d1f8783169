import type { CrmTaskAmendment, TaskAmendOutcome } from '../../../src/core/ports/crm.ts'
import { hasNote, withNote } from './close-tasks.ts'
import { MAX_BATCH, updateRecords } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { idOf, type Row, textOf } from './query.ts'
import { readTaskRows, toTaskState } from './read-tasks.ts'
import { chunks, type Session } from './session.ts'
import { TASK_PRIORITIES } from './task-words.ts'

const UNKNOWN: TaskAmendOutcome = { kind: 'unknown' }

/**
 * Adds a line to open tasks. A task is about one person in Salesforce: further people stand in the line. All are read
 * right before, because Salesforce knows no condition for an update.
 */
export async function amendTasks(
  session: Session,
  amendments: readonly CrmTaskAmendment[],
  signal: AbortSignal,
): Promise<TaskAmendOutcome[]> {
  const outcomes: TaskAmendOutcome[] = amendments.map(() => UNKNOWN)
  let isUnderWay = false
  for (const some of inRounds(amendments, ({ taskId }) => taskId)) {
    try {
      await amendSome(session, some, outcomes, signal)
    } catch (error) {
      // What was added before is not lost with it; nothing was sent for these.
      if (!isUnderWay) throw error
      return outcomes
    }
    isUnderWay = true
  }
  return outcomes
}

type Placed = readonly [position: number, amendment: CrmTaskAmendment]

/** No call holds one task twice: the later line would write over the earlier one. */
export function inRounds<Item>(
  amendments: readonly Item[],
  idOfOne: (item: Item) => string,
): (readonly [position: number, amendment: Item])[][] {
  const rounds: (readonly [position: number, amendment: Item])[][] = []
  const seen = new Map<string, number>()
  for (const [position, amendment] of amendments.entries()) {
    const round = seen.get(idOfOne(amendment)) ?? 0
    seen.set(idOfOne(amendment), round + 1)
    const there = rounds[round]
    if (there) there.push([position, amendment])
    else rounds.push([[position, amendment]])
  }
  return rounds.flatMap((round) => chunks(round, MAX_BATCH))
}

async function amendSome(
  session: Session,
  some: readonly Placed[],
  outcomes: TaskAmendOutcome[],
  signal: AbortSignal,
): Promise<void> {
  const before = await rowsOf(session, some, signal)
  const open: { position: number; amendment: CrmTaskAmendment; row: Row }[] = []
  for (const [position, amendment] of some) {
    const row = before.get(amendment.taskId)
    const settled = settledOutcome(row, amendment)
    if (settled) outcomes[position] = settled
    else if (row) open.push({ position, amendment, row })
  }
  if (open.length === 0) return
  const records = open.map(({ amendment, row }) => ({
    id: amendment.taskId,
    fields: {
      Description: withNote(textOf(row, 'Description') ?? '', amendment.note),
      ...(amendment.ownerId ? { OwnerId: amendment.ownerId } : {}),
      ...(amendment.priority ? { Priority: TASK_PRIORITIES[amendment.priority] } : {}),
    },
  }))
  const answer = await updateRecords(session, 'Task', records, {}, signal)
  if (!answer.ok && answer.failure.kind === 'failed') {
    if (!answer.failure.mayHaveHappened) throw answer.failure.error
    return
  }
  const whole =
    !answer.ok && answer.failure.kind === 'refused' ? answer.failure.errors[0] : undefined
  const after = await rowsOf(session, some, signal).catch(() => new Map<string, Row>())
  for (const [place, { position, amendment, row }] of open.entries()) {
    const saved = answer.ok ? answer.saved[place] : undefined
    const error = saved?.kind === 'error' ? saved.error : whole
    if (error) {
      outcomes[position] = refused(error, [amendment.note, ...linesOf(row)])
      continue
    }
    const now = after.get(amendment.taskId)
    if (saved?.kind !== 'saved' || !now) continue
    const touched = toTaskState(row).fingerprint !== amendment.fingerprint
    outcomes[position] = { kind: 'amended', fingerprint: toTaskState(now).fingerprint, touched }
  }
}

async function rowsOf(session: Session, some: readonly Placed[], signal: AbortSignal) {
  const ids = some.map(([, { taskId }]) => taskId)
  return new Map((await readTaskRows(session, ids, signal)).map((row) => [idOf(row), row]))
}

const linesOf = (row: Row): string[] => (textOf(row, 'Description') ?? '').split('\n')

function refused(
  error: Parameters<typeof rowErrorKind>[0],
  values: readonly string[],
): TaskAmendOutcome {
  const kind = rowErrorKind(error)
  if (kind === 'absent') return { kind: 'missing' }
  if (kind === 'locked' || kind === 'limit') return UNKNOWN
  const reason = describeRowError(error, values)
  return { kind: 'rejected', reason, code: error.code, correlationId: null }
}

/** What needs no call: gone, amended before, done, or not to be taken from who has touched it. */
function settledOutcome(
  row: Row | undefined,
  { note, fingerprint, ownerId, priority }: CrmTaskAmendment,
): TaskAmendOutcome | null {
  const state = row ? toTaskState(row) : null
  if (!row || !state || state.archived) return { kind: 'missing' }
  const touched = state.fingerprint !== fingerprint
  if (hasNote(textOf(row, 'Description') ?? '', note)) {
    return { kind: 'amended', fingerprint: state.fingerprint, touched }
  }
  if (state.status === 'done') return { kind: 'done' }
  return touched && (ownerId || priority) ? { kind: 'changed' } : null
}
