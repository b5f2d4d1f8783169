import { sql } from 'kysely'
import { collectGarbage } from '../src/infra/lake/garbage.ts'
import { readEffective } from '../src/infra/mappings/published.ts'
import { dropTaken } from '../src/infra/postgres/crm-delivery-store.ts'
import { forgetEdits } from '../src/infra/postgres/crm-edit-store.ts'
import { dueMessages } from '../src/infra/postgres/message-store.ts'
import { markDue } from '../src/infra/postgres/score-store.ts'
import { requestTouched, requestWork, STEPS } from '../src/infra/postgres/work.ts'
import { watchAlerts } from './alerts/look.ts'
import { tendCanary } from './canary.ts'
import type { JobContext } from './context.ts'
import { requestDueListening, requestDueReads } from './due-at-crms.ts'
import type { Engine } from './engine.ts'
import { noteMissedPulls } from './missed-pulls.ts'

/** How often a worker looks for work that nobody woke it for. */
const SWEEP_EVERY_MS = 15_000
/** How often each connected source is pulled; more often if its open window is to be. */
const PULL_EVERY_MS = 15 * 60_000
/** A step that failed for a passing reason is asked for again after this. */
const TRY_AGAIN_AFTER_MS = 60_000
/** How often everything that is watched is looked at. */
const WATCH_EVERY_MS = 60_000
/** How often what nobody names any more is removed; streaming leaves some with every event. */
const TIDY_EVERY_MS = 600_000
/** Streaming runs steps several times a second; the runs that went well are kept for so long. */
const KEEP_RUNS_DAYS = 1

/** Sweeps on a timer, so that lost jobs, a wiped Redis and a sleeping machine change nothing. */
export interface Schedule {
  stop(): void
}

/** Starts the timer of one worker; any number of workers may run one. */
export function startSchedule(context: JobContext, engine: Engine): Schedule {
  let stopped = false
  const stop = new AbortController()
  const startedAt = new Date()
  let tidiedAt = Date.now()
  const sweep = async () => {
    if (stopped) return
    // What cannot be looked at, such as mappings that are wrong, keeps nothing else waiting.
    const looks = [
      requestDuePulls,
      requestDueScores,
      requestDueStages,
      requestDueReads,
      requestDueListening,
      requestDueMessages,
      reviveFailed,
      (one: JobContext) => noteMissedPulls(one, startedAt),
      (one: JobContext) => tendCanary(one, stop.signal),
    ]
    for (const look of looks) await look(context).catch(warn)
    await engine.wake(STEPS)
    await watch().catch(warn)
    if (Date.now() - tidiedAt < TIDY_EVERY_MS) return
    tidiedAt = Date.now()
    await collectGarbage(context.db, context.lakeDir, new Date())
    await forgetRuns(context)
    await dropTaken(context.db)
    await forgetEdits(context.db, context.clock())
  }
  let watchedAt = Number.NEGATIVE_INFINITY
  const watch = async () => {
    if (Date.now() - watchedAt < WATCH_EVERY_MS) return
    watchedAt = Date.now()
    await watchAlerts(context, stop.signal)
  }
  const warn = (error: unknown) => {
    const kind = error instanceof Error ? error.name : typeof error
    if (!stopped) context.logger.warn({ kind }, 'a sweep failed; the next one tries again')
  }
  const tick = () => void sweep().catch(warn)
  // A person restarted us, perhaps with a mended configuration: everything gets a new try.
  const first = async () => {
    await sql`update work set failed = 0 where requested > done and params is null`.execute(
      context.db,
    )
    await requestWork(context.db, 'desire', 'all')
  }
  first().then(tick, tick)
  const timer = setInterval(tick, SWEEP_EVERY_MS)
  return {
    stop() {
      stopped = true
      stop.abort(new Error('shutting down'))
      clearInterval(timer)
    },
  }
}

/** Asks for a pull of each source whose last one was asked for long enough ago. */
async function requestDuePulls({ db, sources }: JobContext): Promise<void> {
  for (const [name, { online, source }] of sources) {
    if (!online) continue
    const everyMs = Math.min(PULL_EVERY_MS, source.openEveryMs ?? PULL_EVERY_MS)
    await sql`insert into work (step, key, requested, whole) values ('pull', ${name}, 1, 1)
      on conflict (step, key) do update
        set requested = work.requested + 1, whole = work.requested + 1, params = null, changed_at = now()
        where ((work.requested = work.done or work.failed >= work.requested)
            and work.changed_at < now() - ${everyMs} * interval '1 millisecond')
          -- Files that somebody named once and that cannot be read keep nobody from pulling.
          or (work.failed >= work.requested and work.params is not null)`.execute(db)
  }
}

/** Marks those whose scores could have changed with time alone; nobody else is looked at for it. */
async function requestDueScores({ db, clock }: JobContext): Promise<void> {
  const any = await db
    .selectFrom('score')
    .select('subject_id')
    .where('next_change_at', '<=', clock())
    .limit(1)
    .executeTakeFirst()
  if (!any) return
  const { set } = await readEffective(db)
  await db.transaction().execute(async (tx) => {
    const marked = await markDue(tx, [...set.models.keys()], clock())
    if (marked > 0) await requestTouched(tx, 'score', 'all')
  })
}

/** Asks for what came by webhook when whoever took it in could not ask. */
async function requestDueStages({ db }: JobContext): Promise<void> {
  const waiting = await db
    .selectFrom('staged_event as e')
    .select('e.source')
    .distinct()
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('work as w')
            .select('w.key')
            .where('w.step', '=', 'stage')
            .whereRef('w.key', '=', 'e.source')
            .whereRef('w.requested', '>', 'w.done'),
        ),
      ),
    )
    .execute()
  for (const { source } of waiting) await requestTouched(db, 'stage', source)
}

/** Asks for messages whose next try is due. */
async function requestDueMessages({ db, clock }: JobContext): Promise<void> {
  const [due] = await dueMessages(db, clock(), 1)
  if (due) await requestWork(db, 'outbound', 'all')
}

async function reviveFailed({ db }: JobContext): Promise<void> {
  await sql`update work set failed = 0, changed_at = now()
    where requested > done and failed >= requested and error_kind in ('retryable', 'rate-limited', 'bug')
      and changed_at < now() - ${TRY_AGAIN_AFTER_MS} * interval '1 millisecond'`.execute(db)
}

/** Runs of the steps that streaming repeats, unless they tell of a record or a failure. */
async function forgetRuns({ db }: JobContext): Promise<void> {
  await sql`delete from run r
    where step in ('stage', 'rollup', 'identity', 'score', 'listen') and outcome = 'done'
      and finished_at < now() - ${KEEP_RUNS_DAYS} * interval '1 day'
      and not exists (select from run_record d where d.run_id = r.id)`.execute(db)
}
