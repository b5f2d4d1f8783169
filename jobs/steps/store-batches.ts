import { mkdtemp, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigError, isSyncFailure, RetryableError } from '../../src/core/errors.ts'
import type { FileBatch, UsageSource } from '../../src/core/ports/usage-source.ts'
import { EVERYTHING, keptPlaces } from '../../src/core/usage/kept.ts'
import {
  type EventsPlan,
  joinWindows,
  type WrittenFile,
  writeEventsFile,
  writeNarrowFile,
} from '../../src/infra/lake/events-file.ts'
import { readError } from '../../src/infra/lake/read-error.ts'
import { joinSeen } from '../../src/infra/lake/seen-names.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import { readForgotten } from '../../src/infra/postgres/forget-store.ts'
import { swapWindows } from '../../src/infra/postgres/manifest.ts'
import { addSeen } from '../../src/infra/postgres/schema-store.ts'
import type { Counts, JobContext } from '../context.ts'
import { grouped } from './batch-groups.ts'

/** One is read while another is unpacked, written or described. */
const AT_ONCE = 2

/**
 * Reads batches of export files into the lake and, once all are there, swaps their windows in: until
 * then nothing of them counts, and after a failure nothing ever does.
 * @param expected windows that were asked for: they become empty when no row is in them, and what
 * cannot be read is fetched again. None when a person named files.
 */
export async function storeBatches(
  context: JobContext,
  source: UsageSource,
  batches: AsyncIterable<FileBatch>,
  expected: readonly string[],
): Promise<Counts> {
  // What the vendor takes in while it answers may be missing.
  const askedAt = context.clock()
  const { set, usageHash } = await readPublished(context.db)
  const kept = keptPlaces(set.usage)
  const facts = { usage: set.usage, usageHash }
  const plan = { kept, facts, forgotten: await readForgotten(context.db) }
  const opened = new Set(expected)
  const reading = { plan, fetched: expected.length > 0 }
  const written = await writeAll(context, source, noted(batches, opened), reading)
  await addSeen(context.db, source.name, joinSeen(written.map(({ seen }) => seen)))
  const files = await joinShared(context, source, written, plan)
  const swapped = await swapWindows(context.db, source.name, [...opened], { files, kept }, askedAt)
  return {
    windows: swapped.changed + swapped.unchanged,
    changedWindows: swapped.changed,
    rows: sum(files.map((file) => sum(file.windows.map((window) => window.rows)))),
    undated: sum(files.map((file) => file.undated)),
  }
}

/** Notes the windows that whole files are, so that a file without a row empties its window. */
async function* noted(
  batches: AsyncIterable<FileBatch>,
  windows: Set<string>,
): AsyncGenerator<FileBatch> {
  for await (const batch of batches) {
    for (const { windowKey } of batch) if (windowKey !== null) windows.add(windowKey)
    yield batch
  }
}

interface Reading {
  readonly plan: EventsPlan
  /** What comes from a vendor can be fetched again. */
  readonly fetched: boolean
}

async function writeAll(
  context: JobContext,
  source: UsageSource,
  batches: AsyncIterable<FileBatch>,
  reading: Reading,
): Promise<WrittenFile[]> {
  const written: WrittenFile[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const group of groupsOf(batches, source, reading.plan)) {
      const writing = writeGroup(context, source, group, reading)
        .then((files) => void written.push(...files))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(writing))
      running.add(writing)
      if (running.size >= AT_ONCE) await Promise.race(running)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
  return written
}

/** What is read as a whole, or has to be gone through for the forgotten, is held in memory: one batch at a time. */
function groupsOf(
  batches: AsyncIterable<FileBatch>,
  { narrow }: UsageSource,
  { kept, forgotten }: EventsPlan,
): AsyncIterable<readonly FileBatch[]> {
  const streams =
    narrow &&
    !kept.includes(EVERYTHING) &&
    (forgotten === undefined || forgotten.hashes.length === 0)
  return streams ? grouped(batches) : grouped(batches, 1)
}

async function writeGroup(
  context: JobContext,
  source: UsageSource,
  group: readonly FileBatch[],
  reading: Reading,
): Promise<WrittenFile[]> {
  const files = group.flat()
  try {
    const whole = await writeNarrow(context, source, group, reading.plan)
    if (whole) return [whole]
    const written: WrittenFile[] = []
    for (const batch of group)
      written.push(await writeBatch(context, source, batch, group.length > 1, reading))
    return written
  } finally {
    // Copies of ours, unless a person named the very files.
    const ours = files.filter((file) => file.path.startsWith(context.tmpDir))
    await Promise.all(ours.map((file) => rm(file.path, { force: true })))
  }
}

/** @param narrow whether this batch may be one of those that can be read by the fields that are kept. */
async function writeBatch(
  context: JobContext,
  source: UsageSource,
  files: FileBatch,
  narrow: boolean,
  { plan, fetched }: Reading,
): Promise<WrittenFile> {
  try {
    return (
      (narrow ? await writeNarrow(context, source, [files], plan) : null) ??
      (await writeWide(context, source, files, plan))
    )
  } catch (error) {
    if (isSyncFailure(error)) throw error
    const told = readError(error)
    if (!fetched || !(told instanceof ConfigError)) throw told
    throw new RetryableError(
      `${source.name} sent an export that cannot be read, cut short perhaps; it is fetched again`,
      { cause: told },
    )
  }
}

async function writeWide(
  context: JobContext,
  source: UsageSource,
  files: FileBatch,
  plan: EventsPlan,
): Promise<WrittenFile> {
  await refuseProblems(context, source, files)
  const sampled = { ...plan, sampleEvery: await sampleOf(files) }
  return context.duck.connect((c) =>
    writeEventsFile(c, context.lakeDir, source.name, source.eventsSql(files), sampled),
  )
}

/** Null where the files must be read as a whole. */
async function writeNarrow(
  context: JobContext,
  source: UsageSource,
  group: readonly FileBatch[],
  plan: EventsPlan,
): Promise<WrittenFile | null> {
  const { narrow } = source
  const files = group.flat()
  const events = plan.kept.includes(EVERYTHING) ? null : narrow?.eventsSql(files, plan.kept)
  if (!narrow || !events) return null
  const dir = await mkdtemp(join(context.tmpDir, 'sample-'))
  try {
    const sample = source.eventsSql(await narrow.sample(files, dir, SAMPLE_BYTES * group.length))
    return await context.duck.connect((c) =>
      writeNarrowFile(c, context.lakeDir, source.name, { events, sample }, plan),
    )
  } catch (error) {
    if (isSyncFailure(error)) throw error
    // What is wrong with the files, if anything is, is told by the way that can read all of them.
    const told = { source: source.name, files: files.map(({ path }) => basename(path)).slice(0, 5) }
    context.logger.info(
      told,
      'batches are read again, one by one or as a whole, which takes longer',
    )
    return null
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Of each batch. In such a piece of an export every row is looked at for its properties; of more, as many rows. */
const SAMPLE_BYTES = 250_000

async function sampleOf(files: FileBatch): Promise<number> {
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
  return Math.max(1, Math.round(sum(sizes) / SAMPLE_BYTES))
}

/** @throws {ConfigError} when the source finds that its files are not what the configuration says. */
async function refuseProblems(
  context: JobContext,
  source: UsageSource,
  files: FileBatch,
): Promise<void> {
  const query = source.problemsSql?.(files)
  if (!query) return
  const rows = await context.duck.connect((c) => c.rows(query.sql, query.params))
  if (rows.length === 0) return
  throw new ConfigError(rows.map((row) => String(row['problem'])).join('\n'))
}

/** Windows that several files hold a part of come to stand in one file, and only there. */
async function joinShared(
  context: JobContext,
  source: UsageSource,
  written: readonly WrittenFile[],
  plan: EventsPlan,
): Promise<WrittenFile[]> {
  const seen = new Map<string, number>()
  for (const { windows } of written) {
    for (const { key } of windows) seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const shared = new Set([...seen].filter(([, files]) => files > 1).map(([key]) => key))
  if (shared.size === 0) return [...written]
  const parts = written.filter(({ windows }) => windows.some(({ key }) => shared.has(key)))
  const fileIds = parts.map(({ id }) => id).filter((id) => id !== null)
  const joined = await context.duck.connect((c) =>
    joinWindows(c, context.lakeDir, source.name, { fileIds, windows: [...shared] }, plan),
  )
  const rest = written.map((file) => ({
    ...file,
    windows: file.windows.filter(({ key }) => !shared.has(key)),
  }))
  return [...rest, joined]
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
