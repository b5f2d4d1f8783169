import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, isSyncFailure } from '../../src/core/errors.ts'
import type { DownloadedFile, UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import { writeEventsFile } from '../../src/infra/lake/events-file.ts'
import { collectGarbage } from '../../src/infra/lake/garbage.ts'
import { readError } from '../../src/infra/lake/read-error.ts'
import { swapWindows } from '../../src/infra/postgres/manifest.ts'
import type { ConnectedSource, Counts, JobContext, StepHandler } from '../context.ts'

const paramsSchema = z.object({ files: z.array(z.string()).min(1) }).nullable()

/** A source that names no start is pulled this far back. */
const DEFAULT_DAYS = 90
const DAY_MS = 86_400_000
/** How often a window that is over, but can still change, is pulled again. */
const LOOK_AGAIN_MS = 6 * 3_600_000

/** Pulls what is due of one source, or reads export files, into the lake. */
export const pull: StepHandler = async (context, key, params, signal) => {
  const connected = context.sources.get(key)
  if (!connected) throw new ConfigError(`there is no source ${key}`)
  const given = paramsSchema.parse(params)
  await mkdir(context.tmpDir, { recursive: true })
  const dir = await mkdtemp(join(context.tmpDir, `${key}-`))
  try {
    const counts = given
      ? await pullFiles(context, connected.source, given.files, dir, signal)
      : await pullOnline(context, connected, dir, signal)
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
  const files = await source.open(paths, dir, signal)
  return store(context, source, files, [])
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
  const due = await dueWindows(context, connected)
  const downloads = groupAdjacent(due, source.maxWindowsPerDownload).reverse()
  const total: Record<string, number> = { windows: 0, changedWindows: 0, rows: 0 }
  for (const [index, windows] of downloads.entries()) {
    context.onProgress(progress(source, index, downloads.length))
    const into = await mkdtemp(join(dir, 'download-'))
    const files = await source.download(windows, into, signal)
    const counts = await store(
      context,
      source,
      files,
      windows.map((w) => w.key),
    )
    for (const [name, n] of Object.entries(counts)) total[name] = (total[name] ?? 0) + n
    await rm(into, { recursive: true, force: true })
  }
  context.onProgress(progress(source, downloads.length, downloads.length))
  return total
}

const progress = (source: UsageSource, done: number, total: number) =>
  ({ step: 'pull', key: source.name, done, total, unit: 'downloads' }) as const

async function dueWindows(
  context: JobContext,
  { source, start }: ConnectedSource,
): Promise<UsageWindow[]> {
  const now = context.clock()
  const from = start ?? new Date(Math.floor(now.getTime() / DAY_MS - DEFAULT_DAYS) * DAY_MS)
  const rows = await context.db
    .selectFrom('source_window')
    .select(['window_key', 'pulled_at'])
    .where('source', '=', source.name)
    .execute()
  const pulledAt = new Map(rows.map((row) => [row.window_key, row.pulled_at]))
  const lookBackMs = source.lookBackMs ?? 0
  return source.windows(from, now, now).filter((w) => {
    const at = pulledAt.get(w.key)
    // New, or pulled before it was over.
    if (at === undefined || at < w.end) return true
    const canChange = now.getTime() - w.end.getTime() < lookBackMs
    return canChange && now.getTime() - at.getTime() >= LOOK_AGAIN_MS
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

/** @throws {ConfigError} when the source finds that its files are not what the configuration says. */
async function refuseProblems(
  context: JobContext,
  source: UsageSource,
  files: readonly DownloadedFile[],
): Promise<void> {
  const query = source.problemsSql?.(files)
  if (!query) return
  const rows = await context.duck
    .connect((c) => c.rows(query.sql, query.params))
    .catch((error: unknown) => {
      throw readError(error)
    })
  if (rows.length === 0) return
  throw new ConfigError(rows.map((row) => String(row['problem'])).join('\n'))
}

async function store(
  context: JobContext,
  source: UsageSource,
  files: readonly DownloadedFile[],
  expected: readonly string[],
): Promise<Counts> {
  if (files.length > 0) await refuseProblems(context, source, files)
  const written =
    files.length === 0
      ? { id: null, rows: 0, bytes: 0, windows: [] }
      : await context.duck
          .connect((c) => writeEventsFile(c, context.lakeDir, source.name, source.eventsSql(files)))
          .catch((error: unknown) => {
            throw isSyncFailure(error) ? error : readError(error)
          })
  const swapped = await swapWindows(context.db, source.name, expected, written, context.clock())
  return {
    windows: swapped.changed + swapped.unchanged,
    changedWindows: swapped.changed,
    rows: written.rows,
    undated: written.undated ?? 0,
  }
}
