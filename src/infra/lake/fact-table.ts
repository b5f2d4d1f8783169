import type { IdentityFact } from '../../core/identity/people.ts'
import type { Connection } from './duck.ts'

/**
 * The facts of the live files as a table in this process, for whoever asks about a few profiles again
 * and again. Files are immutable, so each is read once; the table holds nothing that is not in them.
 * One caller at a time.
 */
export interface FactTable {
  /** Whether this file's facts are in the table, so that nobody need look for it. */
  holds(path: string): boolean
  /** Makes the table hold these files and no others: facts by source. */
  refresh(connection: Connection, files: readonly FactFile[]): Promise<void>
  /**
   * Facts that speak of these nodes (`<source>/u:…`, `email/…`), of a neighbour of one, or link either:
   * all that tells how these nodes are joined, and which of their neighbours are shared.
   */
  about(connection: Connection, nodes: readonly string[]): Promise<IdentityFact[]>
  /** The nodes that these nodes link. */
  linked(connection: Connection, nodes: readonly string[]): Promise<string[]>
}

export interface FactFile {
  readonly source: string
  readonly path: string
}

export function createFactTable(): FactTable {
  let held: ReadonlySet<string> | null = null
  return {
    holds: (path) => held?.has(path) === true,
    async refresh(connection, files) {
      if (held === null) await connection.run(CREATE)
      const wanted = new Set(files.map(({ path }) => path))
      const gone = [...(held ?? [])].filter((path) => !wanted.has(path))
      // Until the end of this it is not known what the table holds.
      const before = held ?? new Set<string>()
      held = null
      if (gone.length > 0) {
        await connection.run('delete from fact where list_contains($gone::varchar[], path)', {
          gone,
        })
      }
      for (const source of new Set(files.map((file) => file.source))) {
        const paths = files
          .filter((file) => file.source === source && !before.has(file.path))
          .map((file) => file.path)
        if (paths.length === 0) continue
        await connection.run(LOAD, { source, paths })
      }
      held = wanted
    },
    async about(connection, nodes) {
      const rows = await connection.rows(ABOUT, { nodes: [...nodes] })
      return rows.map((row) => ({
        source: String(row['source']),
        profile: String(row['profile']),
        kind: String(row['kind']),
        value: String(row['value']),
        firstAt: new Date(row['first_ms'] as number),
        lastAt: new Date(row['last_ms'] as number),
      }))
    },
    async linked(connection, nodes) {
      const rows = await connection.rows(LINKED, { nodes: [...nodes] })
      return rows.map((row) => String(row['other']))
    },
  }
}

const CREATE = `create or replace table fact (path varchar, source varchar, node varchar, other varchar,
  profile varchar, kind varchar, value varchar, first_at timestamp, last_at timestamp)`

const LOAD = `insert into fact
  select filename, $source, $source || '/' || profile,
    case when kind in ('link', 'merge') then $source || '/' || value
      when kind = 'email' then 'email/' || regexp_replace(value, '^\\s+|\\s+$', '', 'g') end,
    profile, kind, value, first_at, last_at
  from read_parquet($paths, filename = true)`

const ABOUT = `with asked as (select unnest($nodes::varchar[]) as n),
  near as (
    select n from asked
    union select other from fact where node in (from asked) and other is not null
    union select node from fact where other in (from asked))
  select source, profile, kind, value, epoch_ms(min(first_at))::double as first_ms,
    epoch_ms(max(last_at))::double as last_ms
  from fact where node in (from near) or other in (from near)
  group by all`

const LINKED = `select distinct other from fact
  where node in (select unnest($nodes::varchar[])) and other is not null`
