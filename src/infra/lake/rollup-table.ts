import { VALUE_COLUMNS } from '../../core/usage/rollup-sql.ts'
import type { Connection } from './duck.ts'
import { lakePath } from './paths.ts'
import { ROLLUP_ROWS } from './rollup-file.ts'
import type { Rollups } from './usage-table.ts'

/**
 * The rows of the live rollup files as a table in this process, for whoever asks about a few profiles
 * again and again. Files are immutable, so each is read once. One caller at a time.
 */
export interface RollupTable {
  /**
   * Makes the table `held_rollup (file, profile, action, day, …)` hold these rollups, all of one folder.
   * @returns the number of each file in it; null when there are too many rows to hold.
   */
  hold(connection: Connection, rollups: Rollups): Promise<ReadonlyMap<string, number> | null>
}

/** Some 100 MB; larger rollups are read from their files. */
const MOST_ROWS = 2_000_000

interface Held {
  readonly numbers: Map<string, number>
  /** Also of files that are gone. */
  rows: number
}

export function createRollupTable(mostRows = MOST_ROWS): RollupTable {
  const rowsOf = new Map<string, number>()
  let held: Held | null = null
  let next = 0
  return {
    async hold(connection, { dir, parts }) {
      const wanted = [...new Set(parts.map((part) => part.fileId))]
      const paths = new Map(wanted.map((id) => [lakePath(dir, id), id]))
      await countRows(connection, paths, rowsOf)
      const rows = wanted.reduce((sum, id) => sum + (rowsOf.get(id) ?? 0), 0)
      // Until the end of this it is not known what the table holds.
      const before = held
      held = null
      if (rows > mostRows) {
        if (before) await connection.run('drop table if exists held_rollup')
        return null
      }
      const numbers = before?.numbers ?? new Map<string, number>()
      if (!before) await connection.run(CREATE)
      const fresh = wanted.filter((id) => !numbers.has(id))
      for (const id of fresh) numbers.set(id, next++)
      await load(connection, dir, fresh, numbers)
      let all = (before?.rows ?? 0) + fresh.reduce((sum, id) => sum + (rowsOf.get(id) ?? 0), 0)
      // Rows of files that are gone lie there until they are as many as the others.
      if (all > 2 * rows) {
        for (const id of numbers.keys()) if (!paths.has(lakePath(dir, id))) numbers.delete(id)
        await connection.run(COMPACT, { files: [...numbers.values()].map(String) })
        all = rows
      }
      for (const id of rowsOf.keys()) if (!numbers.has(id)) rowsOf.delete(id)
      held = { numbers, rows: all }
      return numbers
    },
  }
}

async function countRows(
  connection: Connection,
  paths: ReadonlyMap<string, string>,
  rowsOf: Map<string, number>,
): Promise<void> {
  const unknown = [...paths].flatMap(([path, id]) => (rowsOf.has(id) ? [] : [path]))
  if (unknown.length === 0) return
  const rows = await connection.rows(
    'select file_name, num_rows::double as n from parquet_file_metadata($unknown)',
    { unknown },
  )
  for (const row of rows) {
    const id = paths.get(String(row['file_name']))
    if (id !== undefined) rowsOf.set(id, Number(row['n']))
  }
}

const VALUES = Object.keys(VALUE_COLUMNS).join(', ')

const CREATE = `create or replace table held_rollup (file integer, profile varchar, action varchar,
  day date, count bigint, first_at timestamp, last_at timestamp,
  ${Object.entries(VALUE_COLUMNS)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})`

async function load(
  connection: Connection,
  dir: string,
  ids: readonly string[],
  numbers: ReadonlyMap<string, number>,
): Promise<void> {
  if (ids.length === 0) return
  await connection.run(
    `insert into held_rollup
     select f.file, profile, action, day, count, first_at, last_at, ${VALUES} from ${ROLLUP_ROWS} r
     join (select unnest($paths::varchar[]) as path, unnest($files::varchar[])::integer as file) f
       on f.path = r.filename`,
    {
      paths: ids.map((id) => lakePath(dir, id)),
      files: ids.map((id) => String(numbers.get(id))),
    },
  )
}

const COMPACT = `create or replace table held_rollup as select * from held_rollup
  where list_contains($files::varchar[]::integer[], file)`
