import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { SqlQuery } from '../../core/ports/usage-source.ts'
import { EVERYTHING, identityPlaces } from '../../core/usage/kept.ts'
import { binder, type Connection, type DuckParam } from './duck.ts'
import { type FactsMapping, writeFacts } from './facts-file.ts'
import { keptColumn } from './kept-sql.ts'
import { writeParquet } from './parquet.ts'
import { lakePath, variantsPath } from './paths.ts'

/** What one window holds in a file that was just written. */
export interface WrittenWindow {
  readonly key: string
  readonly rows: number
  /** Equal for equal rows, in any order. */
  readonly contentHash: string
  /** `YYYY-MM-DD` of every event. */
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
}

/** What is stored of an event besides its ids, name and times. */
export interface EventsPlan {
  /** See `keptPlaces`. */
  readonly kept: readonly string[]
  readonly facts: FactsMapping
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
  const params: Record<string, DuckParam> = { ...events.params, junk: JUNK_IDS }
  const bind = binder(params)
  const { usage } = plan.facts
  const who = plan.kept.includes(EVERYTHING) ? plan.kept : identityPlaces(usage)
  await connection.run(
    `create or replace temp table batch as
     select *, hash(profile, device_id, alias_id, user_properties::varchar, groups::varchar, said::varchar) as variant
     from (
       select window_key, event_key, name, occurred_at, arrived_at, ${PROFILE} as profile, device_id,
         alias_id, ${keptColumn('event', plan.kept, bind)} as event_properties, user_properties, groups,
         ${keptColumn('event', who, bind)} as said
       from (${events.sql}))`,
    params,
  )
  return storeBatch(connection, lakeDir, source, plan)
}

/** Windows of some files. */
export interface JoinedParts {
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
  parts: JoinedParts,
  plan: EventsPlan,
): Promise<WrittenFile> {
  await connection.run(
    `create or replace temp table batch as
     select e.* replace (coalesce(nullif($become, ''), e.window_key) as window_key), v.device_id, v.alias_id, v.user_properties, v.groups, v.event_properties as said
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
  return storeBatch(connection, lakeDir, source, plan)
}

/** Stores the temporary table `batch` and drops it. */
async function storeBatch(
  connection: Connection,
  lakeDir: string,
  source: string,
  { kept, facts }: EventsPlan,
): Promise<WrittenFile> {
  try {
    const undated = await countUndated(connection)
    const windows = await describeWindows(connection)
    const rows = windows.reduce((sum, w) => sum + w.rows, 0)
    if (rows === 0) return { id: null, rows: 0, bytes: 0, windows: [], undated }
    const id = nameOf(source, windows, undated)
    await mkdir(lakeDir, { recursive: true })
    await writeParquet(connection, variantsSql(kept), variantsPath(lakeDir, id))
    const keys = windows.map((w) => w.key)
    await writeFacts(connection, lakeDir, id, facts, null, keys)
    const bytes = await writeParquet(connection, { sql: EVENTS, params: {} }, lakePath(lakeDir, id))
    return { id, rows, bytes, windows, undated }
  } finally {
    await connection.run('drop table batch')
  }
}

/** No junk id is longer, but for one of 36 characters: most ids need not be compared. */
const good = (id: string) =>
  `(strlen(trim(${id})) between 17 and 35 or not list_contains($junk::varchar[], lower(trim(${id}))))`

/** The vendor identity that an event counts for: the user id, else the device, else the alias. */
const PROFILE = `case
  when user_id is not null and ${good('user_id')} then 'u:' || user_id
  when device_id is not null and ${good('device_id')} then 'd:' || device_id
  when alias_id is not null and ${good('alias_id')} then 'a:' || alias_id
end`

const DATED = 'window_key is not null and occurred_at is not null'

const EVENTS = `select window_key, event_key, name, occurred_at, arrived_at, profile, variant,
  event_properties from batch`

/** One row for each variant, with the first and the last time of its events. */
function variantsSql(kept: readonly string[]): SqlQuery {
  const params: Record<string, DuckParam> = {}
  const bind = binder(params)
  return {
    params,
    sql: `select variant, profile, device_id, alias_id, ${keptColumn('user', kept, bind)} as user_properties,
        said as event_properties, ${keptColumn('group', kept, bind)} as groups, first_at, last_at
      from (
        select variant, any_value(profile) as profile, any_value(device_id) as device_id,
          any_value(alias_id) as alias_id, any_value(user_properties) as user_properties,
          any_value(said) as said, any_value(groups) as groups,
          min(occurred_at) as first_at, max(occurred_at) as last_at
        from batch where ${DATED} and profile is not null group by variant)`,
  }
}

async function countUndated(connection: Connection): Promise<number> {
  const sql = `select count(*)::double as n from batch where not (${DATED})`
  const [row] = await connection.rows(sql)
  return Number(row?.['n'] ?? 0)
}

async function describeWindows(connection: Connection): Promise<WrittenWindow[]> {
  const rows = await connection.rows(
    `select window_key, count(*)::double as rows,
       bit_xor(h)::varchar || '-' || sum(h)::varchar as content,
       list(distinct day order by day) as days
     from (select window_key, occurred_at::date::varchar as day,
             hash(event_key, name, occurred_at, arrived_at, variant, event_properties::varchar) as h
           from batch where ${DATED})
     group by window_key order by window_key`,
  )
  return rows.map((row) => ({
    key: String(row['window_key']),
    rows: Number(row['rows']),
    contentHash: `${row['rows']}-${row['content']}`,
    eventDays: row['days'] as string[],
  }))
}

function nameOf(source: string, windows: readonly WrittenWindow[], undated: number): string {
  const hash = createHash('sha256').update(source)
  if (undated > 0) hash.update(`\nundated ${undated}`)
  for (const w of windows) hash.update(`\n${w.key} ${w.contentHash}`)
  return `${source}-${hash.digest('hex').slice(0, 32)}`
}
