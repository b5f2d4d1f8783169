import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import { RESERVED_EVENTS, RESERVED_PREFIXES } from '../../core/usage/reserved.ts'
import { conditionedEvents, rollupSql, VALUE_COLUMNS } from '../../core/usage/rollup-sql.ts'
import type { LivePart } from '../postgres/manifest.ts'
import { dropForgottenProfiles, type Forgotten } from './drop-forgotten.ts'
import type { Connection, DuckParam } from './duck.ts'
import { loadLive } from './live.ts'
import { writeParquet } from './parquet.ts'
import { lakePath } from './paths.ts'

export interface WrittenRollup {
  /** Null when the days hold no event any more. */
  readonly id: string | null
  readonly rows: number
  readonly bytes: number
  /** Distinct events of each day: copies count once; the vendor's own events count, but not as usage. */
  readonly eventsByDay: ReadonlyMap<string, number>
}

/** For a look at what was known at some time. */
export interface RollupOptions {
  /** Only what had arrived by then counts. */
  readonly arrivedBy?: Date
  /** The folder that the file is written to; by default that of the lake. */
  readonly into?: string
}

/**
 * Rebuilds the daily rollup of `days` from the live files: one canonical winner for each event key
 * (the copy that arrived last), then one row for each profile, action and day.
 */
export async function writeRollup(
  connection: Connection,
  lakeDir: string,
  source: string,
  days: readonly string[],
  live: readonly LivePart[],
  mapping: UsageMapping,
  { arrivedBy, into = lakeDir }: RollupOptions = {},
): Promise<WrittenRollup> {
  await mkdir(into, { recursive: true })
  if (live.length === 0) return { id: null, rows: 0, bytes: 0, eventsByDay: new Map() }
  const events = await selectEvents(connection, lakeDir, days, live, mapping, arrivedBy)
  await groupEvents(connection, events, mapping)
  const counted = await connection.rows(
    'select day::varchar as day, sum(count)::double as n from event_day group by day',
  )
  const eventsByDay = new Map(counted.map((row) => [String(row['day']), Number(row['n'])]))
  const query = rollupSql(mapping, source)
  await connection.run(`create or replace temp table rollup as ${query.sql}`, query.params)
  const written = await writeTable(connection, into, source)
  await connection.run(
    'drop table copied; drop table if exists copies; drop table event_day; drop table rollup',
  )
  return { ...written, eventsByDay }
}

const VALUES = Object.keys(VALUE_COLUMNS).join(', ')

/**
 * The rows of the rollup files `$paths`, with their `filename` and their place in the list. Files from before values were kept lack
 * those columns, and get them as null.
 */
export const ROLLUP_ROWS = `(
  select *, file_index from read_parquet($paths, filename = true, union_by_name = true)
  union all by name
  select ${Object.entries(VALUE_COLUMNS)
    .map(([name, type]) => `null::${type} as ${name}`)
    .join(', ')} where false)`

/** The same rows without the values: every file has these columns. */
export const ROLLUP_COUNTS = `(
  select profile, action, day, count, first_at, last_at, file_index from read_parquet($paths))`

/** Copies the live days of several rollup files into one, so that readers open few files. */
export async function mergeRollups(
  connection: Connection,
  lakeDir: string,
  source: string,
  live: readonly LivePart[],
): Promise<Omit<WrittenRollup, 'eventsByDay'>> {
  await loadRollup(connection, lakeDir, live)
  const written = await writeTable(connection, lakeDir, source)
  await connection.run('drop table rollup')
  return written
}

/** Loads live days into the temporary table `rollup`. */
export async function loadRollup(
  connection: Connection,
  lakeDir: string,
  live: readonly LivePart[],
): Promise<void> {
  const paths = await loadLive(connection, lakeDir, live)
  await connection.run(
    `create or replace temp table rollup as
     select r.* exclude (filename, file_index) from ${ROLLUP_ROWS} r
     semi join live on r.filename = live.path and r.day::varchar = live.partition`,
    { paths },
  )
}

/**
 * Copies the live days of a rollup file without the rows of who was forgotten.
 * @returns the new file and how many rows were left out; null when there are none.
 */
export async function rollupWithout(
  connection: Connection,
  lakeDir: string,
  source: string,
  live: readonly LivePart[],
  forgotten: Forgotten,
): Promise<{ readonly file: Omit<WrittenRollup, 'eventsByDay'>; readonly rows: number } | null> {
  await loadRollup(connection, lakeDir, live)
  const rows = await dropForgottenProfiles(connection, source, forgotten)
  const salt = live.map((part) => part.fileId).join(' ')
  const file = rows > 0 ? await writeTable(connection, lakeDir, source, salt) : null
  await connection.run('drop table rollup')
  return file && { file, rows }
}

/** A part of a statement that yields events, with its parameters. */
export interface EventsPart {
  readonly from: string
  readonly params: Readonly<Record<string, DuckParam>>
}

/**
 * The events of the touched days in the live files, one winner for each event: the copy that arrived
 * last. Only events that have a copy are sorted, and they are few.
 */
export async function selectEvents(
  connection: Connection,
  lakeDir: string,
  days: readonly string[],
  live: readonly LivePart[],
  mapping: UsageMapping,
  arrivedBy?: Date,
): Promise<EventsPart> {
  const paths = await loadLive(connection, lakeDir, live)
  await connection.run(
    'create or replace temp table touched as select unnest($days::varchar[])::date as day',
    { days },
  )
  const range = rangeOf(days)
  const filesOf = (rows: string) => `${rows} e
     semi join live on e.filename = live.path and e.window_key = live.partition
     ${range ? '' : 'semi join touched on e.occurred_at::date = touched.day'}
     where ${range ? 'e.occurred_at >= $from::timestamp and e.occurred_at < $to::timestamp and' : ''} ($arrivedBy = '' or e.arrived_at <= nullif($arrivedBy, '')::timestamp)`
  const files = filesOf('read_parquet($paths, filename = true)')
  const columns = `event_key, name, occurred_at, arrived_at, window_key, profile,
       case when list_contains($conditioned::varchar[], name) then event_properties end as event_properties`
  const arrived = { arrivedBy: arrivedBy?.toISOString().replace('Z', '') ?? '', ...range }
  const params = { paths, ...arrived, conditioned: conditionedEvents(mapping) }
  const all = `(select ${columns} from ${files})`
  if ((await noteCopies(connection, files, { paths, ...arrived })) === 0)
    return { from: all, params }
  // Each day for itself, so that days rebuilt alone and together come out the same.
  const copied = 'copied c on e.event_key = c.event_key and e.occurred_at::date = c.day'
  // By their keys alone first: of the other events nothing else need be read.
  const some = `(select * from read_parquet($paths, filename = true) where event_key in (select event_key from copied))`
  await connection.run(
    `create or replace temp table copies as
     select * exclude (turn) from (
       select e.*, row_number() over (
         partition by e.event_key, e.occurred_at::date
         order by arrived_at desc, window_key desc, profile, occurred_at, name,
           event_properties::varchar) as turn
       from (select ${columns} from ${filesOf(some)}) e semi join ${copied})
     where turn = 1`,
    params,
  )
  return {
    params,
    from: `(select * from ${all} e anti join ${copied} union all select * from copies)`,
  }
}

const DAY_MS = 86_400_000

/** Days that follow each other, as two instants: half of what it costs to look each row's day up. Null for others. */
function rangeOf(days: readonly string[]): { readonly from: string; readonly to: string } | null {
  const all = [...new Set(days.map((day) => Date.parse(day)))]
  const [first, last] = [Math.min(...all), Math.max(...all)]
  const follow = last - first === (all.length - 1) * DAY_MS
  if (!follow || last + DAY_MS >= FIVE_DIGITS || first < 0) return null
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  return { from: at(first), to: at(last + DAY_MS) }
}

/** Years from here on are written in another way. */
const FIVE_DIGITS = Date.UTC(10_000, 0)

/** Notes the events that have a copy on their day in the temporary table `copied`; returns how many. */
async function noteCopies(
  connection: Connection,
  files: string,
  params: Readonly<Record<string, DuckParam>>,
): Promise<number> {
  await connection.run(
    `create or replace temp table copied as
     select event_key, occurred_at::date as day from ${files} group by all having count(*) > 1`,
    params,
  )
  const [row] = await connection.rows('select count(*)::double as n from copied')
  return Number(row?.['n'] ?? 0)
}

/** One row for each profile, event name (and looked-at properties) and day: what actions are told from. */
export async function groupEvents(
  connection: Connection,
  { from, params }: EventsPart,
  { ignore }: UsageMapping,
): Promise<void> {
  await connection.run(
    `create or replace temp table event_day as
     select *, list_contains($reserved::varchar[], name)
       or list_bool_or(list_transform($prefixes::varchar[], lambda p: starts_with(name, p))) as noise
     from (
       select profile, name, event_properties, occurred_at::date as day, count(*) as count,
         min(occurred_at) as first_at, max(occurred_at) as last_at
       from ${from} group by all)`,
    { ...params, reserved: [...RESERVED_EVENTS, ...ignore], prefixes: RESERVED_PREFIXES },
  )
}

export async function writeTable(
  connection: Connection,
  lakeDir: string,
  source: string,
  salt = '',
): Promise<{ id: string | null; rows: number; bytes: number }> {
  const [told] = await connection.rows(
    `select count(*)::double as n, bit_xor(h)::varchar || '-' || sum(h)::varchar as content
     from (select hash(profile, action, day, count, first_at, last_at, ${VALUES}) as h from rollup)`,
  )
  const rows = Number(told?.['n'] ?? 0)
  if (rows === 0) return { id: null, rows: 0, bytes: 0 }
  const content = createHash('sha256').update(`${source} ${rows} ${told?.['content']}${salt}`)
  const id = `${source}-rollup-${content.digest('hex').slice(0, 32)}`
  const sql = 'select * from rollup order by day, profile, action'
  return {
    id,
    rows,
    bytes: await writeParquet(connection, { sql, params: {} }, lakePath(lakeDir, id)),
  }
}
