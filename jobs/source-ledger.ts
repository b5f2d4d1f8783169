import type { UsageSource, UsageWindow } from '../src/core/ports/usage-source.ts'
import {
  estimateMs,
  findGaps,
  type Gap,
  lagMs,
  type PulledWindow,
} from '../src/core/usage/ledger.ts'
import type { Db } from '../src/infra/postgres/database.ts'
import type { ConnectedSource, JobContext } from './context.ts'
import { dueWindows, startOfPull } from './steps/pull.ts'

/** What of a source is there, what is missing, and what went wrong. */
export interface SourceLedger {
  /** Windows that are missing between the first and the last. */
  readonly gaps: readonly Gap[]
  /** Seconds since the end of the newest complete window; null when there is none. */
  readonly lagSeconds: number | null
  /** Null for a source that is read from files alone. */
  readonly backfill: Backfill | null
  /** Of the last seven days; null when no pull failed in them. */
  readonly failures: PullFailures | null
}

export interface Backfill {
  /** Windows that are there, of all since the start. */
  readonly done: number
  readonly total: number
  /** Windows that the next pull asks for; some of them are there and may have changed. */
  readonly due: number
  /** While a pull runs, when it goes on as it did. */
  readonly secondsLeft: number | null
}

export interface PullFailures {
  readonly count: number
  /** How many since a pull succeeded. */
  readonly inARow: number
  readonly lastAt: string
  readonly kind: string
  readonly error: string | null
}

const DAY_MS = 86_400_000
const FAILURES_FOR_MS = 7 * DAY_MS

/** The ledger of every source that is connected or that something was read from, by name. */
export async function readSourceLedgers(
  context: JobContext,
): Promise<Readonly<Record<string, SourceLedger>>> {
  const ledgers: Record<string, SourceLedger> = {}
  for (const [name, connected] of context.sources) {
    const pulled = await readPulled(context.db, name)
    if (!connected.online && pulled.length === 0) continue
    const around = windowsAround(connected.source, pulled, context.clock())
    ledgers[name] = {
      gaps: findGaps(around, pulled),
      lagSeconds: inSeconds(lagMs(around, pulled, context.clock())),
      backfill: connected.online ? await readBackfill(context, connected, pulled) : null,
      failures: await readFailures(context.db, name),
    }
  }
  return ledgers
}

async function readPulled(db: Db, source: string): Promise<readonly PulledWindow[]> {
  const rows = await db
    .selectFrom('source_window')
    .select(['window_key as key', 'pulled_at as pulledAt'])
    .where('source', '=', source)
    .orderBy('window_key')
    .execute()
  // Profiles, merges and what streamed in are no windows of time.
  return rows.filter(({ key }) => !/[/~]/.test(key))
}

/** All windows from somewhat before the first that was pulled to somewhat after the last. */
function windowsAround(
  source: UsageSource,
  pulled: readonly PulledWindow[],
  now: Date,
): readonly UsageWindow[] {
  const [from, to] = [pulled[0], pulled.at(-1)].map((window) => startOf(window?.key ?? ''))
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) return []
  return source.windows(new Date(from - 2 * DAY_MS), new Date(to + 2 * DAY_MS), now)
}

/** When a window begins, but for the time zone of a project. */
const startOf = (key: string): number => Date.parse(key.length === 13 ? `${key}:00Z` : key)

async function readBackfill(
  context: JobContext,
  connected: ConnectedSource,
  pulled: readonly PulledWindow[],
): Promise<Backfill> {
  const now = context.clock()
  const all = connected.source.windows(startOfPull(connected, now), now, now)
  const known = new Set(pulled.map(({ key }) => key))
  const done = all.filter(({ key }) => known.has(key)).length
  const due = await dueWindows(context, connected, null)
  return {
    done,
    total: all.length,
    due: due.length,
    secondsLeft: await estimate(context.db, connected.source.name, pulled, due.length),
  }
}

async function estimate(
  db: Db,
  source: string,
  pulled: readonly PulledWindow[],
  left: number,
): Promise<number | null> {
  const running = await db
    .selectFrom('run')
    .innerJoin('work as w', (j) =>
      j.onRef('w.step', '=', 'run.step').onRef('w.key', '=', 'run.key'),
    )
    .select('started_at')
    .where('run.step', '=', 'pull')
    .where('run.key', '=', source)
    .where('finished_at', 'is', null)
    .whereRef('w.requested', '>', 'w.done')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!running) return null
  const since = pulled.filter(({ pulledAt }) => pulledAt >= running.started_at)
  const last = Math.max(...since.map(({ pulledAt }) => pulledAt.getTime()))
  return inSeconds(estimateMs(since.length, left, last - running.started_at.getTime()))
}

async function readFailures(db: Db, source: string): Promise<PullFailures | null> {
  const runs = await db
    .selectFrom('run')
    .select(['outcome', 'error', 'finished_at'])
    .where('step', '=', 'pull')
    .where('key', '=', source)
    .where('finished_at', '>', new Date(Date.now() - FAILURES_FOR_MS))
    .where('outcome', '!=', 'interrupted')
    .orderBy('id', 'desc')
    .execute()
  const failed = runs.filter(({ outcome }) => outcome !== 'done')
  const [last] = failed
  if (!last) return null
  const succeeded = runs.findIndex(({ outcome }) => outcome === 'done')
  return {
    count: failed.length,
    inARow: succeeded === -1 ? failed.length : succeeded,
    lastAt: last.finished_at?.toISOString() ?? '',
    kind: last.outcome ?? '',
    error: last.error,
  }
}

const inSeconds = (ms: number | null): number | null => (ms === null ? null : Math.round(ms / 1000))
