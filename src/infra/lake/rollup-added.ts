import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import { conditionedEvents, MOST_DISTINCT, rollupSql } from '../../core/usage/rollup-sql.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { loadLive } from './live.ts'
import {
  groupEvents,
  loadRollup,
  selectEvents,
  type WrittenRollup,
  writeTable,
} from './rollup-file.ts'

/** Days, what was added to them, and what they held before. */
export interface AddedWindows {
  readonly days: readonly string[]
  readonly added: readonly LivePart[]
  readonly others: readonly LivePart[]
}

/** A rollup that counts beside what there was. */
export interface AddedRollup extends WrittenRollup {
  /** Days on which an added event has a copy that says something else: they have to be rebuilt. */
  readonly differing: readonly string[]
}

/**
 * Writes the rollup of added windows alone, without copies of events that were there. With the rollups
 * that were there it says what a rollup of all windows would: counts add up, and so on.
 */
export async function writeAddedRollup(
  connection: Connection,
  lakeDir: string,
  source: string,
  { days, added, others }: AddedWindows,
  mapping: UsageMapping,
): Promise<AddedRollup> {
  const events = await selectEvents(connection, lakeDir, days, added, mapping)
  await connection.run(`create or replace temp table added as select * from ${events.from}`, {
    ...events.params,
  })
  const differing = await dropCopies(connection, lakeDir, others, mapping)
  await groupEvents(connection, { from: 'added', params: {} }, mapping)
  const counted = await connection.rows(
    'select day::varchar as day, sum(count)::double as n from event_day group by day',
  )
  const query = rollupSql(mapping, source)
  await connection.run(`create or replace temp table rollup as ${query.sql}`, query.params)
  // Two parts may well hold the same rows, and both count.
  const salt = added.map((part) => part.partition).join(' ')
  const written = await writeTable(connection, lakeDir, source, salt)
  await connection.run(
    'drop table copied; drop table added; drop table event_day; drop table rollup',
  )
  const eventsByDay = new Map(counted.map((row) => [String(row['day']), Number(row['n'])]))
  return { ...written, eventsByDay, differing }
}

/**
 * Takes out of the table `added` what other windows hold as well. A copy that agrees in all that rollups
 * look at is counted already, whichever of the two is the canonical one.
 * @returns the days on which one does not agree; nothing of them is left in the table.
 */
async function dropCopies(
  connection: Connection,
  lakeDir: string,
  others: readonly LivePart[],
  mapping: UsageMapping,
): Promise<string[]> {
  if (others.length === 0) return []
  const paths = await loadLive(connection, lakeDir, others)
  const copies = `read_parquet($paths, filename = true) e
    semi join live on e.filename = live.path and e.window_key = live.partition
    join added a on a.event_key = e.event_key and a.occurred_at::date = e.occurred_at::date`
  await connection.run(
    `create or replace temp table known as select distinct e.event_key, e.occurred_at::date as day from ${copies}`,
    { paths },
  )
  const [row] = await connection.rows('select count(*)::double as n from known')
  if (Number(row?.['n']) === 0) {
    await connection.run('drop table known')
    return []
  }
  const differ = await connection.rows(
    `select distinct e.occurred_at::date::varchar as day from ${copies}
     where (e.profile, e.name, e.occurred_at, case when list_contains($conditioned::varchar[], e.name)
         then e.event_properties end::varchar)
       is distinct from (a.profile, a.name, a.occurred_at, a.event_properties::varchar)`,
    { paths, conditioned: conditionedEvents(mapping) },
  )
  const days = differ.map((one) => String(one['day']))
  await connection.run(
    `delete from added using known k
     where added.event_key = k.event_key and added.occurred_at::date = k.day`,
  )
  await connection.run(
    'delete from added where list_contains($days::varchar[], occurred_at::date::varchar)',
    { days },
  )
  await connection.run('drop table known')
  return days
}

const DISTINCT =
  'list_sort(list_distinct(flatten(list(value_distinct) filter (where value_distinct is not null))))'

/** What rows of one profile, action and day say together: the row that one rollup of all would have. */
const FOLDED = `select profile, action, day, sum(count)::bigint as count, min(first_at) as first_at,
  max(last_at) as last_at, sum(value_sum)::decimal(38,6) as value_sum, max(value_max) as value_max,
  struct_extract(max({told: value_last_at, n: value_last})
    filter (where value_last_at is not null), 'n') as value_last,
  max(value_last_at) as value_last_at,
  ${DISTINCT}[1:${MOST_DISTINCT}] as value_distinct,
  bool_or(value_capped) or len(${DISTINCT}) > ${MOST_DISTINCT} as value_capped
from rollup group by profile, action, day`

/** Writes the rollup that several files of one day are together. */
export async function foldRollups(
  connection: Connection,
  lakeDir: string,
  source: string,
  parts: readonly LivePart[],
): Promise<Omit<WrittenRollup, 'eventsByDay'>> {
  await loadRollup(connection, lakeDir, parts)
  await connection.run(`create or replace temp table folded as ${FOLDED}`)
  await connection.run('drop table rollup; alter table folded rename to rollup')
  const salt = parts.map((part) => part.fileId).join(' ')
  const written = await writeTable(connection, lakeDir, source, salt)
  await connection.run('drop table rollup')
  return written
}
