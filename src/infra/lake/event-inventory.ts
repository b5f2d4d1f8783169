import { NO_EVENTS } from '../../core/usage/reserved.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { loadLive } from './live.ts'
import { addMembers, clearMembers, type Membership } from './usage-table.ts'

/** One event name as a source really sends it. */
export interface EventName {
  readonly name: string
  readonly source: string
  /** Rows of live windows; copies of one event count each. */
  readonly rows: number
  /** Distinct vendor identities. */
  readonly profiles: number
  /** Distinct people; identities that nobody is joined from yet count none. */
  readonly people: number
  readonly firstSeen: string
  readonly lastSeen: string
}

/** Lists the event names of one source, most frequent first. */
export async function readEventNames(
  connection: Connection,
  lakeDir: string,
  source: string,
  live: readonly LivePart[],
  members: readonly Membership[],
): Promise<EventName[]> {
  if (live.length === 0) return []
  await clearMembers(connection)
  await addMembers(connection, members)
  const paths = await loadLive(connection, lakeDir, live)
  const rows = await connection.rows(
    `select name, count(*)::double as n, count(distinct e.profile)::double as profiles,
       count(distinct person)::double as people,
       min(occurred_at) as first_seen, max(occurred_at) as last_seen
     from read_parquet($paths, filename = true) e
     semi join live on e.filename = live.path and e.window_key = live.partition
     left join member m on m.source = $source and m.profile = e.profile
     where name is not null and not list_contains($noEvents::varchar[], name)
     group by name order by n desc, name`,
    { paths, source, noEvents: NO_EVENTS },
  )
  return rows.map((row) => ({
    name: String(row['name']),
    source,
    rows: Number(row['n']),
    profiles: Number(row['profiles']),
    people: Number(row['people']),
    firstSeen: (row['first_seen'] as Date).toISOString(),
    lastSeen: (row['last_seen'] as Date).toISOString(),
  }))
}
