import { setTimeout as sleep } from 'node:timers/promises'
import { RetryableError } from '../../src/core/errors.ts'
import { countOpen } from '../../src/infra/postgres/crm-record-store.ts'
import {
  freeAbandoned,
  giveBackSettled,
  heldByOthers,
  withLeases,
} from '../../src/infra/postgres/record-leases.ts'
import type { JobContext } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'
import { createDoubts } from './doubts.ts'
import { slicesOf } from './open-slices.ts'
import { createPlanWatch } from './plan-watch.ts'
import { reconcileBatch } from './reconcile-batch.ts'
import { fitOf, type GivenScope, type WritingScope } from './reconcile-scope.ts'

/** Records that are looked up and settled together: what is held in memory, times those under way. */
const SLICE = 500
/** Slices under way at a time, so that the CRM's latency does not set the pace. */
const SLICES_AT_ONCE = 10
/** The same where one write is a job of the CRM: each costs some calls, whatever is in it. One slice after the other. */
const JOB_SLICE = 100_000
/** A record that was moved, or turned out to exist, is tried again at once, this often in all. */
const ROUNDS = 3
/** With records in doubt there are more: as many as it takes to find the one that is to blame. */
const MOST_ROUNDS = 20
/** How often it is looked whether others are done. */
const LOOK_EVERY_MS = 200

/** Whether other workers' part of the records is waited for. */
export type Others = 'wait' | 'leave'

/**
 * Makes the open records of one object say what they should, sharing them with whoever does the same.
 * @param others `wait` when the caller goes on from what all of them say.
 * @throws {RetryableError} when some could not be looked at, or have no certain outcome.
 * @throws {ConfigError} when records are refused because the account is not as the mapping needs it.
 */
export async function reconcileObject(
  given: GivenScope & { readonly context: Pick<JobContext, 'pool'> },
  others: Others = 'wait',
): Promise<void> {
  await withLeases(given.context, given.crm.name, async (holder, lost) => {
    const signal = AbortSignal.any([given.signal, lost])
    const doubts = createDoubts(given.crm.maxBatch)
    const plan = createPlanWatch(given)
    const more = { doubts, plan, claims: new Map(), busy: new Set<string>() }
    await reconcileShared({ ...given, ...more, holder, signal }, others)
  })
}

async function reconcileShared(scope: Omit<WritingScope, 'fitted'>, others: Others): Promise<void> {
  const { context, crm, object, isHot = false, doubts, holder } = scope
  const { db } = context
  // Before anything is looked at: what is still at work there would change it under our hands.
  const waited = (await crm.settleJobs?.(scope.signal)) ?? 0
  if (waited > 0) scope.run.count('jobsResumed', waited)
  let rounds = 0
  for (let pass = 0; pass < MOST_ROUNDS; pass++) {
    await freeAbandoned(db, holder)
    const total = await countOpen(db, holder, object, isHot)
    if (total > scope.busy.size && (rounds < ROUNDS || doubts.isAny)) {
      doubts.nextRound()
      const fitted = await fitOf(crm, object, scope.signal)
      await passOver({ ...scope, fitted }, total, pass)
      rounds++
    } else {
      if (others === 'leave' || (await heldByOthers(db, holder, object)) === 0) return
      await othersAreDone(scope)
      // What they left is begun anew.
      rounds = 0
    }
  }
  if (doubts.failure) throw doubts.failure
  if (doubts.isAny)
    throw new RetryableError('some records have no certain outcome; they are read again')
}

/** Waits until nobody else is at work on a record of the object. */
async function othersAreDone({
  context,
  holder,
  object,
  signal,
}: Omit<WritingScope, 'fitted'>): Promise<void> {
  while ((await heldByOthers(context.db, holder, object)) > 0) {
    await sleep(LOOK_EVERY_MS, undefined, { signal })
    await freeAbandoned(context.db, holder)
  }
}

async function passOver(scope: WritingScope, total: number, pass: number): Promise<void> {
  let done = 0
  const isJob = total >= (scope.crm.bulkFrom ?? Number.POSITIVE_INFINITY)
  const [size, atOnce] = isJob ? [JOB_SLICE, 1] : [SLICE, SLICES_AT_ONCE]
  const slices = slicesOf(scope, { size, atOnce, pass })
  await eachInFlight(slices, atOnce, async ({ rows, turn, done: isOver }) => {
    try {
      await reconcileBatch(scope, rows, turn)
      scope.doubts.looked(null)
      const refs = rows.map(({ ref }) => ref)
      await giveBackSettled(scope.context.db, scope.holder, refs)
    } catch (error) {
      // Its records are still open: the next round looks at them again.
      const isOver = scope.signal.aborted || scope.doubts.isOutage || scope.plan.problem !== null
      if (isOver || !(error instanceof RetryableError)) throw error
      scope.doubts.looked(error)
    } finally {
      isOver()
    }
    done += rows.length
    report(scope, Math.min(done, total), total)
  })
}

function report({ context, crm, object }: WritingScope, done: number, total: number): void {
  const unit = object === 'company' ? 'companies' : 'contacts'
  context.onProgress({ step: 'reconcile', key: crm.name, done, total, unit })
}
