import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, RateLimitedError, RefusedWindowError } from '../../src/core/errors.ts'
import type { UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import { covers, neededPlaces } from '../../src/core/usage/kept.ts'
import { collectGarbage } from '../../src/infra/lake/garbage.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import type { ConnectedSource, Counts, JobContext, StepHandler } from '../context.ts'
import { noteSchemaChanges } from '../schema-changes.ts'
import { allSources } from '../sources.ts'
import { pullProfiles } from './pull-profiles.ts'
import { storeBatches } from './store-batches.ts'
import { beginSweeps, lateWindows, sweepLate } from './sweep-late.ts'
import { partsNow, rememberParts } from './window-parts.ts'

const paramsSchema = z.object({ files: z.array(z.string()).min(1) }).nullable()

/** A source that names no start is pulled this far back. */
const DEFAULT_DAYS = 90
const DAY_MS = 86_400_000
/** How often a window that is over, but can still change, is pulled again. */
const LOOK_AGAIN_MS = 6 * 3_600_000
/** A pull is asked for by a timer that may be this early. */
const EARLY_MS = 7.5 * 60_000

/** Pulls what is due of one source, or reads export files, into the lake. */
export const pull: StepHandler = async (context, key, params, signal) => {
  const connected = (await allSources(context)).get(key)
  if (!connected) throw new ConfigError(`there is no source ${key}`)
  const given = paramsSchema.parse(params)
  await mkdir(context.tmpDir, { recursive: true })
  const dir = await mkdtemp(join(context.tmpDir, `${key}-`))
  try {
    const counts = given
      ? await pullFiles(context, connected.source, given.files, dir, signal)
      : await pullOnline(context, connected, dir, signal)
    await noteSchemaChanges(context, key)
    await collectGarbage(context.db, context.lakeDir, new Date())
    await removeLeftovers(context.tmpDir)
    return counts
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Folders of downloads that a killed process left behind. */
async function removeLeftovers(tmpDir: string): Promise<void> {
  for (const name of await readdir(tmpDir).catch(() => [])) {
    const path = join(tmpDir, name)
    const info = await stat(path).catch(() => null)
    const old = info?.isDirectory() === true && Date.now() - info.mtimeMs > DAY_MS
    if (old) await rm(path, { recursive: true, force: true })
  }
}

async function pullFiles(
  context: JobContext,
  source: UsageSource,
  paths: readonly string[],
  dir: string,
  signal: AbortSignal,
): Promise<Counts> {
  return storeBatches(context, source, source.open(paths, dir, signal), [])
}

async function pullOnline(
  context: JobContext,
  connected: ConnectedSource,
  dir: string,
  signal: AbortSignal,
): Promise<Counts> {
  const { source } = connected
  if (!connected.online) {
    throw new ConfigError(`${source.name} is not connected; set ${connected.variables}`)
  }
  const total: Record<string, number> = { windows: 0, changedWindows: 0, rows: 0 }
  const add = (counts: Counts) => {
    for (const [name, n] of Object.entries(counts)) total[name] = (total[name] ?? 0) + n
  }
  const refused: RefusedWindowError[] = []
  await beginSweeps(context, source)
  add(await pullDue(context, connected, refused, dir, signal))
  // What the vendor's allowance is too small for now comes with the next pull: the events are in.
  try {
    const windows = windowsNow(context, connected)
    const late = await sweepLate(context, source, windows, dir, signal)
    if (late > 0) {
      add({ lateWindows: late, ...(await pullDue(context, connected, refused, dir, signal)) })
    }
    if (source.profiles) add(await pullProfiles(context, source, dir, signal))
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error
  }
  // Last: what cannot be had keeps nobody from what can.
  if (refused.length > 0) throw allRefused(refused)
  return total
}

function allRefused(refused: readonly RefusedWindowError[]): ConfigError {
  const messages = [...new Set(refused.map(({ message }) => message))].sort()
  return new ConfigError(messages.join('\n'), { cause: refused[0] })
}

/**
 * Downloads the windows that are due, newest first.
 * @param refused takes up the windows of which the vendor gives nothing; all others are downloaded.
 */
async function pullDue(
  context: JobContext,
  connected: ConnectedSource,
  refused: RefusedWindowError[],
  dir: string,
  signal: AbortSignal,
): Promise<Counts> {
  const { source } = connected
  const known = new Set(refused.map(({ windowKey }) => windowKey))
  const due = (await dueWindows(context, connected, signal)).filter(({ key }) => !known.has(key))
  // A stack: what is left of a download without the window that was refused comes next.
  const open = groupAdjacent(due, source.maxWindowsPerDownload)
  const total: Record<string, number> = {}
  let done = 0
  for (let windows = open.pop(); windows; windows = open.pop()) {
    context.onProgress(progress(source, done, done + open.length + 1))
    try {
      const counts = await pullWindows(context, source, windows, dir, signal)
      for (const [name, n] of Object.entries(counts)) total[name] = (total[name] ?? 0) + n
    } catch (error) {
      if (!(error instanceof RefusedWindowError)) throw error
      refused.push(error)
      const others = windows.filter(({ key }) => key !== error.windowKey)
      // Never the same again.
      if (others.length === windows.length) throw error
      open.push(...groupAdjacent(others, source.maxWindowsPerDownload))
    }
    done++
  }
  context.onProgress(progress(source, done, done))
  return total
}

async function pullWindows(
  context: JobContext,
  source: UsageSource,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
): Promise<Counts> {
  const into = await mkdtemp(join(dir, 'download-'))
  try {
    const keys = windows.map((w) => w.key)
    const counts = await storeBatches(context, source, source.download(windows, into, signal), keys)
    await rememberParts(context.db, source.name, windows)
    return counts
  } finally {
    await rm(into, { recursive: true, force: true })
  }
}

const progress = (source: UsageSource, done: number, total: number) =>
  ({ step: 'pull', key: source.name, done, total, unit: 'downloads' }) as const

/** From when on a source is pulled. */
export function startOfPull({ start }: ConnectedSource, now: Date): Date {
  return start ?? new Date(Math.floor(now.getTime() / DAY_MS - DEFAULT_DAYS) * DAY_MS)
}

function windowsNow({ clock }: JobContext, connected: ConnectedSource): readonly UsageWindow[] {
  const now = clock()
  return connected.source.windows(startOfPull(connected, now), now, now)
}

/** The windows that the next pull asks for, oldest first. */
export async function dueWindows(
  context: JobContext,
  connected: ConnectedSource,
  /** Null asks no vendor what it has. */
  signal: AbortSignal | null,
): Promise<UsageWindow[]> {
  const { db, clock } = context
  const { source } = connected
  const now = clock()
  const from = startOfPull(connected, now)
  const needed = neededPlaces((await readPublished(db)).set.usage)
  const rows = await db
    .selectFrom('source_window as w')
    .leftJoin('lake_file as f', 'f.id', 'w.file_id')
    .select(['w.window_key', 'w.pulled_at', 'w.parts', 'f.kept'])
    .where('w.source', '=', source.name)
    .execute()
  const known = new Map(rows.map((row) => [row.window_key, row]))
  const late = await lateWindows(context, source)
  const { lookBackMs = 0, openEveryMs = 0 } = source
  const windows =
    (signal && (await source.list?.(from, now, now, signal))) ?? source.windows(from, now, now)
  return windows.filter((w) => {
    const before = known.get(w.key)
    if (before === undefined) return true
    const isStoredWithLess = before.kept !== null && !covers(before.kept, needed)
    const age = now.getTime() - before.pulled_at.getTime()
    // Provisional: pulled now and then until it is over, and once more after that.
    if (w.end > now) {
      return isStoredWithLess || age >= openEveryMs - Math.min(openEveryMs / 2, EARLY_MS)
    }
    if (before.pulled_at < w.end) return true
    const parts = partsNow(w, before.parts)
    if (parts === 'new' || parts === 'gone') return parts === 'new'
    if (isStoredWithLess) return true
    const foundLate = late.get(w.key)
    if (foundLate && before.pulled_at < foundLate) return true
    const canChange = now.getTime() - w.end.getTime() < lookBackMs
    return canChange && age >= LOOK_AGAIN_MS
  })
}

/** Cuts windows into runs without gaps, each at most `most` long. */
function groupAdjacent(windows: readonly UsageWindow[], most: number): UsageWindow[][] {
  const groups: UsageWindow[][] = []
  for (const window of windows) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    const adjacent = last !== undefined && last.end.getTime() === window.start.getTime()
    if (group && adjacent && group.length < most) group.push(window)
    else groups.push([window])
  }
  return groups
}
