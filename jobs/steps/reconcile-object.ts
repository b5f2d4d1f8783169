import { RetryableError } from '../../src/core/errors.ts'
import {
  type CrmRecordRow,
  countOpen,
  openRecords,
} from '../../src/infra/postgres/crm-record-store.ts'
import { eachInFlight } from '../in-flight.ts'
import { createDoubts } from './doubts.ts'
import type { Turn } from './locate.ts'
import { createPlanWatch } from './plan-watch.ts'
import { isUnderCompany, reconcileBatch } from './reconcile-batch.ts'
import { fitOf, type ReconcileScope } from './reconcile-scope.ts'

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

/**
 * Makes the open records of one object say what they should.
 * @throws {RetryableError} when some could not be looked at, or have no certain outcome.
 * @throws {ConfigError} when records are refused because the account is not as the mapping needs it.
 */
export async function reconcileObject(
  given: Omit<ReconcileScope, 'doubts' | 'claims' | 'plan' | 'busy' | 'fit'>,
): Promise<void> {
  const doubts = createDoubts(given.crm.maxBatch)
  const plan = createPlanWatch(given)
  const scope = { ...given, doubts, plan, claims: new Map(), busy: new Set<string>() }
  // Before anything is looked at: what is still at work there would change it under our hands.
  const waited = (await scope.crm.settleJobs?.(scope.signal)) ?? 0
  if (waited > 0) scope.run.count('jobsResumed', waited)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const total = await countOpen(
      scope.context.db,
      scope.crm.name,
      scope.object,
      scope.isHot === true,
    )
    if (total <= scope.busy.size) return
    if (round >= ROUNDS && !doubts.isAny) return
    doubts.nextRound()
    const fit = await fitOf(scope.crm, scope.object, scope.signal)
    await passOver({ ...scope, fit }, total)
  }
  if (doubts.failure) throw doubts.failure
  if (doubts.isAny)
    throw new RetryableError('some records have no certain outcome; they are read again')
}

async function passOver(scope: ReconcileScope, total: number): Promise<void> {
  let done = 0
  const isJob = total >= (scope.crm.bulkFrom ?? Number.POSITIVE_INFINITY)
  const [size, atOnce] = isJob ? [JOB_SLICE, 1] : [SLICE, SLICES_AT_ONCE]
  await eachInFlight(slices(scope, size, atOnce), atOnce, async ({ rows, turn, done: isOver }) => {
    try {
      await reconcileBatch(scope, rows, turn)
      scope.doubts.looked(null)
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

interface Slice {
  readonly rows: readonly CrmRecordRow[]
  readonly turn: Turn
  /** To be called when all of it was written, or nothing more will be. */
  readonly done: () => void
}

/** Where contacts lie under companies, two writers of one company are in each other's way. */
async function* slices(
  scope: ReconcileScope,
  limit: number,
  atOnce: number,
): AsyncGenerator<Slice> {
  const { context, crm, object, isHot = false } = scope
  const byCompany = isUnderCompany(scope)
  const isCut = byCompany && atOnce > 1
  let comes = Promise.resolve()
  let free = Promise.resolve()
  let after: CrmRecordRow | null = null
  const underWay = new Map<string, Promise<void>>()
  for (;;) {
    const place = { crm: crm.name, object, after }
    const some = await openRecords(context.db, { ...place, limit: limit + 1, byCompany, isHot })
    const alike = some.filter(({ urgent }) => urgent === some[0]?.urgent)
    const all = isCut ? wholeCompanies(alike, limit) : alike.slice(0, limit)
    const [first, last] = [all[0], all.at(-1)]
    if (first === undefined || last === undefined) return
    const next = promised()
    const written = promised()
    const isShared =
      byCompany && first.companyRef !== null && first.companyRef === after?.companyRef
    // Companies of people who went first come again with their other people.
    const isLater = byCompany && after?.urgent === true && !first.urgent
    const others = isLater ? Promise.all(underWay.values()).then(() => {}) : Promise.resolve()
    const turn = { comes, pass: next.resolve, free: isShared ? free : others }
    // Wanted anew while it is written, a record comes again behind all others.
    const rows = all.filter(({ ref }) => !underWay.has(ref))
    for (const { ref } of rows) underWay.set(ref, written.promise)
    const done = () => {
      for (const { ref } of rows) underWay.delete(ref)
      written.resolve()
    }
    yield { rows, turn, done }
    comes = next.promise
    free = written.promise
    after = last
  }
}

/**
 * The first records, without the beginning of a company that goes on in the next slice; unless that would be
 * most of them.
 */
function wholeCompanies(rows: readonly CrmRecordRow[], limit: number): readonly CrmRecordRow[] {
  const next = rows[limit]?.companyRef ?? null
  if (next === null) return rows.slice(0, limit)
  const end = rows.findIndex(({ companyRef }) => companyRef === next)
  return rows.slice(0, end >= limit / 2 ? Math.min(end, limit) : limit)
}

function promised(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((then) => {
    resolve = then
  })
  return { promise, resolve }
}

function report({ context, crm, object }: ReconcileScope, done: number, total: number): void {
  const unit = object === 'company' ? 'companies' : 'contacts'
  context.onProgress({ step: 'reconcile', key: crm.name, done, total, unit })
}
