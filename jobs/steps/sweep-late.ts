import { z } from 'zod'
import type { LateSweep, UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import { readCursor, saveCursor } from '../../src/infra/postgres/source-cursors.ts'
import type { JobContext } from '../context.ts'

const NAME = 'late-sweep'
const stateSchema = z.object({
  /** The next sweep looks for what arrived from here on. */
  since: z.iso.datetime(),
  sweptAt: z.iso.datetime(),
  /** Windows that got something late, and when a sweep found that. */
  late: z.record(z.string(), z.iso.datetime()),
})
type SweepState = z.output<typeof stateSchema>

/** What a vendor has taken in shows in its exports this much later at most. */
const SETTLE_MS = 600_000

/** The windows that a sweep found late events in, and when: they are due until pulled after that. */
export async function lateWindows(
  { db }: JobContext,
  source: UsageSource,
): Promise<ReadonlyMap<string, Date>> {
  if (!source.lateSweep) return new Map()
  const state = await readCursor(db, source.name, NAME, stateSchema)
  return new Map(Object.entries(state?.late ?? {}).map(([key, at]) => [key, new Date(at)]))
}

/** Notes, before anything was pulled, from when on the first sweep has to look. */
export async function beginSweeps(context: JobContext, source: UsageSource): Promise<void> {
  if (!source.lateSweep) return
  if (await readCursor(context.db, source.name, NAME, stateSchema)) return
  const now = context.clock()
  await save(context, source, { since: before(now), sweptAt: now.toISOString(), late: {} })
}

/**
 * Looks, when it is time, for events that came late into windows that are over.
 * @param windows all windows of the source up to now, oldest first.
 * @returns how many windows are due again.
 */
export async function sweepLate(
  context: JobContext,
  source: UsageSource,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
): Promise<number> {
  const sweep = source.lateSweep
  if (!sweep) return 0
  const now = context.clock()
  const state = await readCursor(context.db, source.name, NAME, stateSchema)
  if (!state || now.getTime() - Date.parse(state.sweptAt) < sweep.everyMs) return 0
  const closed = windows.filter(
    ({ end }) => end <= now && now.getTime() - end.getTime() <= sweep.backMs,
  )
  const arrived = await lastArrivals(
    context,
    source,
    sweep,
    closed,
    new Date(state.since),
    dir,
    signal,
  )
  const pulled = await pulledAt(context, source)
  const late: Record<string, string> = {}
  for (const [key, at] of Object.entries(state.late)) {
    if ((pulled.get(key)?.getTime() ?? 0) < Date.parse(at)) late[key] = at
  }
  let found = 0
  for (const { key } of closed) {
    const last = arrived.get(key)
    const seen = pulled.get(key)
    if (!last || !seen || last.getTime() < seen.getTime() - SETTLE_MS) continue
    late[key] = now.toISOString()
    found += 1
  }
  await save(context, source, { since: before(now), sweptAt: now.toISOString(), late })
  return found
}

const before = (now: Date): string => new Date(now.getTime() - SETTLE_MS).toISOString()

function save({ db }: JobContext, source: UsageSource, state: SweepState): Promise<void> {
  return saveCursor(db, source.name, NAME, state)
}

/** When the last event of each window arrived, among those that a sweep brings. */
async function lastArrivals(
  context: JobContext,
  source: UsageSource,
  sweep: LateSweep,
  windows: readonly UsageWindow[],
  since: Date,
  dir: string,
  signal: AbortSignal,
): Promise<Map<string, Date>> {
  const arrived = new Map<string, Date>()
  for await (const files of sweep.download(windows, since, dir, signal)) {
    const { sql, params } = source.eventsSql(files)
    const rows = await context.duck.connect((c) =>
      c.rows(
        `select window_key, max(arrived_at) as arrived_at from (${sql})
         where window_key is not null group by window_key`,
        params,
      ),
    )
    for (const row of rows) {
      const [key, at] = [String(row['window_key']), row['arrived_at'] as Date]
      const known = arrived.get(key)
      if (!known || known < at) arrived.set(key, at)
    }
  }
  return arrived
}

async function pulledAt({ db }: JobContext, source: UsageSource): Promise<Map<string, Date>> {
  const rows = await db
    .selectFrom('source_window')
    .select(['window_key', 'pulled_at'])
    .where('source', '=', source.name)
    .execute()
  return new Map(rows.map((row) => [row.window_key, row.pulled_at]))
}
