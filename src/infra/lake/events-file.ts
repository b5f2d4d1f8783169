import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { SqlQuery } from '../../core/ports/usage-source.ts'
import type { Connection } from './duck.ts'
import { lakePath, quoted } from './paths.ts'

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
  readonly undated?: number
}

/** Reads a source's query once, into one Parquet file. */
export async function writeEventsFile(
  connection: Connection,
  lakeDir: string,
  source: string,
  events: SqlQuery,
): Promise<WrittenFile> {
  await mkdir(lakeDir, { recursive: true })
  const temporary = join(lakeDir, `.writing-${randomUUID()}.parquet`)
  try {
    await connection.run(
      `copy (select *, ${PROFILE} as profile from (${events.sql}))
       to ${quoted(temporary)} (format parquet, compression zstd)`,
      { ...events.params, junk: JUNK_IDS },
    )
    const windows = await describeWindows(connection, temporary)
    const rows = windows.reduce((sum, w) => sum + w.rows, 0)
    const undated = (await countRows(connection, temporary)) - rows
    if (rows === 0) return { id: null, rows: 0, bytes: 0, windows: [], undated }
    const id = nameOf(source, windows, undated)
    const { size } = await stat(temporary)
    await rename(temporary, lakePath(lakeDir, id))
    return { id, rows, bytes: size, windows, undated }
  } finally {
    await rm(temporary, { force: true })
  }
}

/** The vendor identity that an event counts for: the user id, else the device, else the alias. */
const PROFILE = `case
  when user_id is not null and not list_contains($junk::varchar[], lower(trim(user_id))) then 'u:' || user_id
  when device_id is not null and not list_contains($junk::varchar[], lower(trim(device_id))) then 'd:' || device_id
  when alias_id is not null and not list_contains($junk::varchar[], lower(trim(alias_id))) then 'a:' || alias_id
end`

const DATED = 'window_key is not null and occurred_at is not null'

/** Known from the file's own metadata. */
async function countRows(connection: Connection, path: string): Promise<number> {
  const sql = `select count(*)::double as n from read_parquet(${quoted(path)})`
  const [row] = await connection.rows(sql)
  return Number(row?.['n'] ?? 0)
}

async function describeWindows(connection: Connection, path: string): Promise<WrittenWindow[]> {
  const rows = await connection.rows(
    `select window_key, count(*)::double as rows,
       bit_xor(h)::varchar || '-' || sum(h)::varchar as content,
       list(distinct day order by day) as days
     from (select window_key, occurred_at::date::varchar as day,
             hash(event_key, name, occurred_at, arrived_at, profile, user_id, device_id, alias_id,
                  event_properties::varchar, user_properties::varchar) as h
           from read_parquet(${quoted(path)}) where ${DATED})
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
