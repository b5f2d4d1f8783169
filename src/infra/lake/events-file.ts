import { createHash } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import type { SqlQuery } from '../../core/ports/usage-source.ts'
import { NO_EVENTS } from '../../core/usage/reserved.ts'
import { dropForgotten, type Forgotten, redactMentions } from './drop-forgotten.ts'
import type { Connection } from './duck.ts'
import { type FactsMapping, writeFacts } from './facts-file.ts'
import { writeParquet } from './parquet.ts'
import { lakePath, variantsPath } from './paths.ts'
import { DATED, type NarrowRows, readBatch, readNarrowBatch } from './read-batch.ts'
import { readSeenNames, type SeenInBatch } from './seen-names.ts'

/** What one window holds in a file that was just written. */
export interface WrittenWindow {
  readonly key: string
  readonly rows: number
  /** Equal for equal rows, in any order. */
  readonly contentHash: string
  /** `YYYY-MM-DD` of every event; rows that are no events (profiles and the like) are on none. */
  readonly eventDays: readonly string[]
}

/** A complete, immutable file of events in the lake; it counts once the manifest names it. */
export interface WrittenFile {
  /** Name by content; null when there is not one row. */
  readonly id: string | null
  readonly rows: number
  readonly bytes: number
  readonly windows: readonly WrittenWindow[]
  /** Rows that count nowhere, for they have no time or belong to no window. */
  readonly undated: number
  /** What the vendor sent, before most of it was dropped. */
  readonly seen: readonly SeenInBatch[]
}

/** What is stored of an event besides its ids, name and times. */
export interface EventsPlan {
  /** See `keptPlaces`. */
  readonly kept: readonly string[]
  readonly facts: FactsMapping
  /** Of how many rows one is looked at for what properties there are; 1 when left out. */
  readonly sampleEvery?: number
  /** Whose events are left out. */
  readonly forgotten?: Forgotten
  /** False when nobody will ask what the vendor sent; true when left out. */
  readonly tellSeen?: boolean
}

/**
 * Reads a source's query once, into three Parquet files: the events; what they say about who did it,
 * once for each *variant* of that (it is the same for most events of a profile); and the facts that
 * the tracking plan takes from it.
 */
export async function writeEventsFile(
  connection: Connection,
  lakeDir: string,
  source: string,
  events: SqlQuery,
  plan: EventsPlan,
): Promise<WrittenFile> {
  await readBatch(connection, events, wantedOf(plan))
  await forget(connection, source, plan)
  await describeBatch(connection)
  const seen = plan.tellSeen === false ? [] : await readSeenNames(connection)
  return { ...(await storeBatch(connection, lakeDir, source, plan)), seen }
}

/**
 * As `writeEventsFile`, with a query that reads no more than is kept.
 * @throws {ConfigError} with the problems of the rows, and whatever the query fails with: nothing is left.
 */
export async function writeNarrowFile(
  connection: Connection,
  lakeDir: string,
  source: string,
  rows: NarrowRows,
  plan: EventsPlan,
): Promise<WrittenFile> {
  const whole = plan.forgotten === undefined || plan.forgotten.hashes.length === 0
  const wanted = { ...wantedOf(plan), stays: whole }
  const path = await readNarrowBatch(connection, lakeDir, rows, wanted)
  try {
    if (!whole) {
      await connection.run('create or replace temp table rows_of_file as from batch')
      await connection.run('drop view batch; alter table rows_of_file rename to batch')
      await forget(connection, source, plan)
    }
    await describeBatch(connection)
    const seen = await readSeenNames(connection)
    const stored = await storeBatch(connection, lakeDir, source, plan, whole ? path : null)
    return { ...stored, seen }
  } finally {
    await rm(path, { force: true })
  }
}

const wantedOf = ({ kept, facts, sampleEvery = 1 }: EventsPlan) => ({
  kept,
  usage: facts.usage,
  sampleEvery,
})

async function forget(connection: Connection, source: string, plan: EventsPlan): Promise<void> {
  await dropForgotten(connection, source, plan.facts.usage.email, plan.forgotten)
  await redactMentions(connection, plan.forgotten)
}

/** The part of some files that lies in these windows. */
export interface FileWindows {
  readonly fileIds: readonly string[]
  readonly windows: readonly string[]
  /** The one window that they become; absent: they stay what they are. */
  readonly become?: string
}

/**
 * Writes the windows of several files into one, for windows that more than one of them holds. The
 * files must have been written with the same plan.
 */
export async function joinWindows(
  connection: Connection,
  lakeDir: string,
  source: string,
  parts: FileWindows,
  plan: EventsPlan,
): Promise<WrittenFile> {
  await loadWindows(connection, lakeDir, parts)
  await describeBatch(connection)
  return { ...(await storeBatch(connection, lakeDir, source, plan)), seen: [] }
}

/**
 * Writes windows again without the events of who was forgotten, and without a mention in others.
 * @returns the new file and how many events were left out or changed; null when there are none.
 */
export async function rewriteWithout(
  connection: Connection,
  lakeDir: string,
  source: string,
  parts: FileWindows,
  plan: EventsPlan,
): Promise<{ readonly file: WrittenFile; readonly events: number } | null> {
  await loadWindows(connection, lakeDir, parts)
  const left = await dropForgotten(connection, source, plan.facts.usage.email, plan.forgotten)
  const events = left + (await redactMentions(connection, plan.forgotten))
  if (events > 0) {
    await describeBatch(connection)
    const file = { ...(await storeBatch(connection, lakeDir, source, plan)), seen: [] }
    return { file, events }
  }
  await connection.run('drop table batch')
  return null
}

/** Loads stored events and what they say about who did it into the temporary table `batch`. */
async function loadWindows(
  connection: Connection,
  lakeDir: string,
  parts: FileWindows,
): Promise<void> {
  await connection.run(
    `create or replace temp table batch as
     select coalesce(nullif($become, ''), e.window_key) as window_key, e.event_key, e.name,
       e.occurred_at, e.arrived_at, e.profile, e.variant, e.event_properties, v.device_id, v.alias_id,
       v.linked_ids, v.user_properties, v.groups, v.event_properties as said
     from read_parquet($events) e
     left join (select distinct on (variant) * from read_parquet($variants)) v on v.variant = e.variant
     where list_contains($windows::varchar[], e.window_key)`,
    {
      events: parts.fileIds.map((id) => lakePath(lakeDir, id)),
      variants: parts.fileIds.map((id) => variantsPath(lakeDir, id)),
      windows: parts.windows,
      become: parts.become ?? '',
    },
  )
}

/**
 * Stores the rows of `batch`, which `describeBatch` has described, and drops it.
 * @param path the file that `batch` is a view of; null when it is a table.
 */
async function storeBatch(
  connection: Connection,
  lakeDir: string,
  source: string,
  { kept, facts }: EventsPlan,
  path: string | null = null,
): Promise<Omit<WrittenFile, 'seen'>> {
  try {
    const { windows, undated } = await describeWindows(connection)
    const rows = windows.reduce((sum, w) => sum + w.rows, 0)
    if (rows === 0) return { id: null, rows: 0, bytes: 0, windows: [], undated }
    const id = nameOf(source, kept, windows, undated)
    await mkdir(lakeDir, { recursive: true })
    await writeParquet(connection, { sql: VARIANTS, params: {} }, variantsPath(lakeDir, id))
    const keys = windows.map((w) => w.key)
    await writeFacts(connection, lakeDir, id, facts, null, keys)
    const target = lakePath(lakeDir, id)
    const bytes = path
      ? await moveFile(path, target)
      : await writeParquet(connection, { sql: EVENTS, params: {} }, target)
    return { id, rows, bytes, windows, undated }
  } finally {
    await connection.run(path ? 'drop view batch' : 'drop table batch')
  }
}

async function moveFile(path: string, target: string): Promise<number> {
  const { size } = await stat(path)
  await rename(path, target)
  return size
}

const EVENTS = `select window_key, event_key, name, occurred_at, arrived_at, profile, variant,
  event_properties from batch`

/** One row for each variant, with the first and the last time of its events. */
const VARIANTS = `select variant, any_value(profile) as profile, any_value(device_id) as device_id,
    any_value(alias_id) as alias_id, any_value(linked_ids) as linked_ids,
    any_value(said) as event_properties, min(occurred_at) as first_at, max(occurred_at) as last_at,
    any_value(user_properties) as user_properties, any_value(groups) as groups
  from batch where ${DATED} and profile is not null group by variant`

/** Puts into the table `described` what there is in `batch` of each window, name and day. */
async function describeBatch(connection: Connection): Promise<void> {
  await connection.run(
    `create or replace temp table described as
     select window_key, name, occurred_at::date as day, ${DATED} as dated, count(*) as rows,
       min(occurred_at) as first_at, bit_xor(h) as hash_xor, sum(h) as hash_sum
     from (select window_key, name, occurred_at,
       hash(event_key, name, occurred_at, arrived_at, variant, event_properties::varchar) as h from batch)
     group by all`,
  )
}

/** The windows of the table `described`, and how many rows count nowhere. */
async function describeWindows(
  connection: Connection,
): Promise<Pick<WrittenFile, 'windows' | 'undated'>> {
  const rows = await connection.rows(
    `select window_key, dated, sum(rows)::double as rows,
       bit_xor(hash_xor)::varchar || '-' || sum(hash_sum)::varchar as content,
       coalesce(list(distinct day::varchar order by day::varchar) filter (
         not list_contains($noEvents::varchar[], name)), []) as days
     from described group by window_key, dated order by window_key`,
    { noEvents: NO_EVENTS },
  )
  const windows = rows
    .filter((row) => row['dated'] === true)
    .map((row) => ({
      key: String(row['window_key']),
      rows: Number(row['rows']),
      contentHash: `${row['rows']}-${row['content']}`,
      eventDays: row['days'] as string[],
    }))
  const undated = rows.reduce((n, row) => n + (row['dated'] === true ? 0 : Number(row['rows'])), 0)
  return { windows, undated }
}

/** A file that keeps other properties is another file, though its windows agree. */
function nameOf(
  source: string,
  kept: readonly string[],
  windows: readonly WrittenWindow[],
  undated: number,
): string {
  const hash = createHash('sha256').update(JSON.stringify([source, kept]))
  if (undated > 0) hash.update(`\nundated ${undated}`)
  for (const w of windows) hash.update(`\n${w.key} ${w.contentHash}`)
  return `${source}-${hash.digest('hex').slice(0, 32)}`
}
