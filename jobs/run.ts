import { RetryableError } from '../src/core/errors.ts'
import { withLock } from '../src/infra/postgres/lock.ts'
import {
  beginRun,
  failWork,
  finishRun,
  readWork,
  type Step,
  type WorkRow,
  workLock,
} from '../src/infra/postgres/work.ts'
import type { Verdict } from '../src/infra/queue/queues.ts'
import { safeError } from '../src/infra/safe-error.ts'
import { CATALOG } from './catalog.ts'
import { type JobContext, type RunEntry, type RunNotes, TOUCHED } from './context.ts'
import { decide, kindOf, messageOf } from './failure-policy.ts'

/**
 * Called each time that something is done, for whoever follows.
 * @param isEarly whoever follows has something to do before the run is over, and should not wait.
 */
export type OnDone = (row: WorkRow, isEarly?: boolean) => Promise<void>

/**
 * Looks at one row of `work` and does what is asked for, as long as something is. Only one process at
 * a time works on a row; who finds it taken assists where the step has a part for that, and has nothing else to do, because the other one
 * looks again before it lets go.
 */
export async function runStep(
  context: JobContext,
  step: Step,
  key: string,
  lastAttempt: boolean,
  signal: AbortSignal,
  onDone: OnDone,
): Promise<Verdict | null> {
  for (;;) {
    const ran = await withLock(context.pool, workLock(step, key), (lost) =>
      runUntilDone(context, step, key, lastAttempt, AbortSignal.any([signal, lost]), onDone),
    )
    if (ran === null) {
      await assist(context, step, key, signal)
      return null
    }
    if (ran.value !== null) return ran.value
    // Asked for between the last look and the unlock: nobody else would come.
    const [row] = await readWork(context.db, step, key)
    if (!row || row.requested <= row.done || row.failed >= row.requested) return null
  }
}

/** What goes wrong here is left to whoever has the row, who meets it too. */
async function assist(
  context: JobContext,
  step: Step,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const help = CATALOG[step].assist
  if (!help) return
  const startedAt = new Date()
  const notes: RunEntry[] = []
  const tally: Record<string, number> = {}
  const run = notesOf(notes, tally)
  try {
    await help(context, key, null, signal, run)
  } catch (error) {
    const told = { step, key, kind: kindOf(error) }
    if (!signal.aborted) context.logger.info(told, 'an assistant leaves the rest to others')
  }
  if (notes.length === 0 && Object.keys(tally).length === 0) return
  const row = { step, key, started_at: startedAt, finished_at: new Date(), outcome: 'assisted' }
  const { id } = await context.db
    .insertInto('run')
    .values({ ...row, counts: JSON.stringify(tally) })
    .returning('id')
    .executeTakeFirstOrThrow()
  await storeNotes(context, id, notes)
}

const notesOf = (notes: RunEntry[], tally: Record<string, number>) => ({
  note: (entry: RunEntry) => void notes.push(entry),
  count: (name: string, n = 1) => {
    tally[name] = (tally[name] ?? 0) + n
  },
})

async function runUntilDone(
  context: JobContext,
  step: Step,
  key: string,
  lastAttempt: boolean,
  signal: AbortSignal,
  onDone: OnDone,
): Promise<Verdict | null> {
  for (;;) {
    const begun = await beginRun(context.db, step, key)
    if (begun === null) return null
    const { row, runId } = begun
    const notes: RunEntry[] = []
    const tally: Record<string, number> = {}
    const run: RunNotes = { ...notesOf(notes, tally), wakeNext: () => onDone(row, true) }
    try {
      const handler = CATALOG[step].handler
      const params = row.whole > row.done ? row.params : TOUCHED
      const counts = { ...(await handler(context, key, params, signal, run)), ...tally }
      await storeNotes(context, runId, notes)
      await finishRun(context.db, begun, counts)
      context.logger.info({ step, key, counts }, 'step done')
      await onDone(row)
    } catch (error) {
      if (signal.aborted) {
        // Told to stop, or the lock is lost: nothing is wrong with the step; somebody does it again.
        await endRun(context, runId, 'interrupted', tally, null, notes)
        throw new RetryableError('the step was interrupted', { cause: error })
      }
      const message = messageOf(error)
      await endRun(context, runId, kindOf(error), tally, message, notes)
      const decision = decide(error)
      if (kindOf(error) === 'bug')
        context.logger.error({ step, key, bug: safeError(error) }, 'step failed')
      else context.logger.warn({ step, key, kind: kindOf(error), message }, 'step failed')
      if (decision.action === 'pause-queue') return decision
      if (decision.action === 'park' || lastAttempt) {
        await failWork(context.db, step, key, row.requested, kindOf(error), message)
        return { action: 'fail', reason: message }
      }
      throw error
    }
  }
}

async function endRun(
  context: JobContext,
  id: number,
  outcome: string,
  counts: Readonly<Record<string, number>>,
  error: string | null,
  notes: readonly RunEntry[],
): Promise<void> {
  await context.db
    .updateTable('run')
    .set({ finished_at: new Date(), outcome, counts: JSON.stringify(counts), error })
    .where('id', '=', id)
    .execute()
  await storeNotes(context, id, notes)
}

async function storeNotes(
  context: JobContext,
  id: number,
  notes: readonly RunEntry[],
): Promise<void> {
  const byRef = new Map(notes.map((entry) => [entry.ref, entry]))
  const rows = [...byRef.values()].map((entry) => ({
    run_id: id,
    ref: entry.ref,
    outcome: entry.outcome,
    reason: entry.reason,
    correlation_id: entry.correlationId,
  }))
  for (let at = 0; at < rows.length; at += 1000) {
    await context.db
      .insertInto('run_record')
      .values(rows.slice(at, at + 1000))
      .execute()
  }
}
