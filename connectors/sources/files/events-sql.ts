import type { SourceMapping } from '../../../src/core/mapping/source-mapping.ts'
import type { SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { type Bind, binder, type Layout, type Params, rowsSql } from './rows-sql.ts'

/** Instants outside of these years are wrong units or wrong patterns, not usage. */
const YEARS = { from: '2000-01-01', until: '2100-01-01' } as const

/** A column that says when. */
export type TimeColumn = SourceMapping['columns']['time']

/** Lines as canonical events, under the columns that the mapping names. */
export function eventsSql(
  source: string,
  mapping: SourceMapping,
  layout: Layout,
  paths: readonly string[],
): SqlQuery {
  const params: Params = { files: paths }
  const bind = binder(params)
  const { columns, properties } = mapping
  const text = (name: string | undefined) => textOf(name, bind)
  const key = columns.id === undefined ? 'row::varchar' : text(columns.id)
  const groups = Object.entries(columns.groups).map(
    ([type, name]) => `${bind(type)}, ${textOf(name, bind)}`,
  )
  return {
    params,
    sql: `select ${mapping.replace === 'day' ? 'occurred_at::date::varchar' : FILE_NAME} as window_key,
      md5(${bind(`${source}|`)} || coalesce(${key}, row::varchar))::uuid as event_key,
      ${nameOf(mapping, bind)} as name, occurred_at, occurred_at as arrived_at,
      ${text(columns.user)} as user_id, ${text(columns.device)} as device_id, null::varchar as alias_id,
      ${propertiesOf(properties, bind)} as event_properties, null::json as user_properties,
      ${groups.length > 0 ? `json_object(${groups.join(', ')})` : 'null::json'} as groups
    from (select row, filename, ${instantOf(mapping.columns.time, bind)} as occurred_at
      from (${rowsSql(layout, '$files', false, bind)}) where not blank)`,
  }
}

/** What is wrong with the lines of files, the first three of them, without what they hold. */
export function problemsSql(
  mapping: SourceMapping,
  layout: Layout,
  paths: readonly string[],
): SqlQuery {
  const params: Params = {}
  const bind = binder(params)
  const cases = checksOf(mapping, bind).map(
    ([wrong, message]) => `when ${wrong} then ${bind(message)}`,
  )
  const each = paths.map((path, index) => {
    params[`file${index}`] = [path]
    const rows = rowsSql(layout, `$file${index}`, true, bind)
    return `select ${bind(path)} as path, line, case ${cases.join(' ')} end as problem
      from (select row, line, ${instantOf(mapping.columns.time, bind)} as occurred_at from (${rows}) where not blank)`
  })
  return {
    params,
    sql: `select path || ' line ' || line || ' ' || problem || '. Nothing was kept' as problem
      from (${each.join(' union all ')}) where problem is not null order by path, line limit 3`,
  }
}

/** What a line must hold, the first that it lacks counts: a condition and the sentence that says so. */
function checksOf({ columns }: SourceMapping, bind: Bind): (readonly [string, string])[] {
  const { time, event } = columns
  const before = `occurred_at < ${bind(YEARS.from)}::timestamp`
  const after = `occurred_at >= ${bind(YEARS.until)}::timestamp`
  const checks: (readonly [string, string])[] = [
    [
      "row is null or json_type(row) <> 'OBJECT'",
      'is no JSON object; write one event on each line, as an object',
    ],
    [
      `${textOf(time.column, bind)} is null`,
      `has nothing in ${time.column}, the time of the event; mend the line or correct columns.time.column`,
    ],
    [
      `occurred_at is null or ${before} or ${after}`,
      `holds in ${time.column} no time of the format ${time.format} between 2000 and 2100; mend the line or correct columns.time.format`,
    ],
  ]
  if (event.column !== undefined) {
    checks.push([
      `${textOf(event.column, bind)} is null`,
      `has nothing in ${event.column}, the name of the event; mend the line or correct columns.event`,
    ])
  }
  return checks
}

/** A file of this name replaces the one that was read before it, compressed or not. */
const FILE_NAME = `regexp_replace(regexp_extract(filename, '([^/\\\\]+)$', 1), '\\.gz$', '')`

/** What stands in a column of `row`, without blanks around it; null where nothing does. */
export function textOf(column: string | undefined, bind: Bind): string {
  if (column === undefined) return 'null::varchar'
  return `nullif(trim(json_extract_string(row, ${bind(`$."${column}"`)})), '')`
}

function nameOf({ columns: { event } }: SourceMapping, bind: Bind): string {
  return event.always === undefined ? textOf(event.column, bind) : bind(event.always)
}

function propertiesOf(properties: SourceMapping['properties'], bind: Bind): string {
  if (properties === 'all') return 'row'
  if (properties.length === 0) return 'null::json'
  const pairs = properties.map((name) => `${bind(name)}, json_extract(row, ${bind(`$."${name}"`)})`)
  return `json_object(${pairs.join(', ')})`
}

/** The instant in a column of `row` in UTC; null where the text is none. */
export function instantOf(time: TimeColumn, bind: Bind): string {
  const text = textOf(time.column, bind)
  switch (time.format) {
    case 'epoch-s':
      return epoch(text, 1_000_000)
    case 'epoch-ms':
      return epoch(text, 1000)
    case 'iso': {
      // A text that says its own distance from UTC needs no zone.
      const own = `regexp_matches(${text}, ':.*(Z|z|[+-]\\d{2}(:?\\d{2})?)$')`
      return `case when ${own} then try_cast(${text} as timestamptz) at time zone 'UTC'
        else ${inZone(`try_cast(${text} as timestamp)`, time.zone, bind)} end`
    }
    default: {
      const parsed = `try_strptime(${text}, ${bind(time.format)})`
      const own = /%[zZ]/.test(time.format.replaceAll('%%', ''))
      return own ? `${parsed} at time zone 'UTC'` : inZone(parsed, time.zone, bind)
    }
  }
}

/** Numbers beyond what a timestamp holds are none. */
function epoch(text: string, micros: number): string {
  const number = `try_cast(${text} as double) * ${micros}`
  return `case when abs(${number}) < 1e17 then make_timestamp(cast(${number} as bigint)) end`
}

function inZone(wall: string, zone: string, bind: Bind): string {
  return zone === 'UTC' ? wall : `(${wall} at time zone ${bind(zone)}) at time zone 'UTC'`
}
