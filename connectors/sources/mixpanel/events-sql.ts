import type { DownloadedFile, NarrowQuery, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { structColumns } from '../struct-columns.ts'
import { clockOfBatchSql } from './clock-problems-sql.ts'
import {
  FIRST_LINK,
  LINK_FIELDS,
  LINKED_IDS,
  linkParams,
  linksOfFields,
  linksSql,
} from './linked-ids-sql.ts'

/** What is read of a row besides its name and what it names: our column, Mixpanel's property, and its type. */
const FIELDS = [
  ['told_time', 'time', 'DOUBLE'],
  ['distinct_id', 'distinct_id', 'VARCHAR'],
  ['told_user', '$user_id', 'VARCHAR'],
  ['told_device', '$device_id', 'VARCHAR'],
  ['insert_id', '$insert_id', 'VARCHAR'],
  ['processed_ms', 'mp_processing_time_ms', 'DOUBLE'],
  ['before_identity', '$distinct_id_before_identity', 'VARCHAR'],
  ['original_name', 'mp_original_event_name', 'VARCHAR'],
  ['original_id', 'mp_original_distinct_id', 'VARCHAR'],
  ['api_ms', '$mp_api_timestamp_ms', 'DOUBLE'],
  ['imported', '$import', 'VARCHAR'],
] as const

/** Of a device alone, the id that Mixpanel has merged it into is the edge worth having. */
const MERGED_DEVICE = `case when nullif(told_user, '') is null and told_device <> ''
  then nullif(distinct_id, '') end`

/** By how much clocks are put back, by an hour or (Lord Howe) half of one. */
const PUT_BACK = ['1 hour', '30 minutes']
/** Clocks of clients are this wrong at times. */
const SKEW = '5 minutes'

/**
 * Adds the instant `occurred_at` to rows with a `wall` clock. An hour that comes twice in autumn has two;
 * what Mixpanel took in before the later one happened at the first. What was imported was taken in at
 * any time.
 */
function withInstants(rows: string, timezone: string): string {
  if (timezone === 'UTC') return `select *, wall as occurred_at from (${rows})`
  const firstOfTwo = PUT_BACK.map(
    (back) => `when taken_at < later - interval '${SKEW}'
        and ((later - interval '${back}') at time zone 'UTC') at time zone $zone = wall
      then later - interval '${back}'`,
  )
  return `select *, case ${firstOfTwo.join(' ')} else later end as occurred_at
    from (select *, (wall at time zone $zone) at time zone 'UTC' as later,
        case when imported is distinct from 'true' then
          make_timestamp(coalesce(try_cast(api_ms as bigint), try_cast(processed_ms as bigint)) * 1000) end as taken_at
      from (${rows}))`
}

/**
 * Mixpanel rows as canonical events. The window is the day of `time`, which is the project's wall
 * clock written as if it were UTC for projects from before 2023, and UTC for later ones. The hour that
 * comes twice in autumn is told by the instant at which Mixpanel took the event in. Two copies
 * of an event agree in name, `$insert_id` and UTC day (Mixpanel, "Event deduplication"); not in
 * `distinct_id`, which is rewritten on a merge and therefore only links. Rows of a hot shard get
 * their own name and id back (Mixpanel, "Hot shard limits").
 */
export function eventsSql(files: readonly DownloadedFile[], timezone: string): SqlQuery {
  const columns = FIELDS.map(([column, , type], index) =>
    type === 'DOUBLE'
      ? `try_cast(p[${index + 1}] as double) as ${column}`
      : `p[${index + 1}] as ${column}`,
  )
  return {
    params: {
      files: files.map((file) => file.path),
      paths: FIELDS.map(([, property]) => `$."${property}"`),
      ...(timezone === 'UTC' ? {} : { zone: timezone }),
      ...linkParams(),
    },
    sql: canonical(
      `select event, properties, links, ${columns.join(', ')}
      from (
        select event, properties, json_extract_string(properties, $paths::varchar[]) as p,
          ${linksSql('event', 'properties')} as links
        from read_json($files, format = 'newline_delimited', maximum_object_size = 4194304,
          columns = {event: 'VARCHAR', properties: 'JSON'})
      )`,
      timezone,
      'properties::varchar',
      'properties as event_properties, null::json as user_properties, null::json as groups',
    ),
  }
}

/**
 * The same of only these places, read as fields of a struct: several times as fast. It fails on a row
 * without `$insert_id`, which only the whole of its properties tells from others.
 */
export function narrowEventsSql(
  files: readonly DownloadedFile[],
  places: readonly string[],
  timezone: string,
): NarrowQuery | null {
  const own = places.map((place) => (place.startsWith('event.') ? place.slice(6) : null))
  const struct = structColumns('properties', [
    ...FIELDS.map(([, name, type]) => ({ name, type })),
    ...LINK_FIELDS,
    ...own.flatMap((name) => (name === null ? [] : [{ name, type: 'JSON' as const }])),
  ])
  if (struct === null) return null
  const values = own.map(
    (name, index) => `${name === null ? 'null::json' : struct.json(name)} as value_${index}`,
  )
  const columns = FIELDS.map(([column, name, type]) => `${struct.read(name, type)} as ${column}`)
  const { linkEvents } = linkParams()
  return {
    params: {
      files: files.map((file) => file.path),
      linkEvents,
      ...(timezone === 'UTC' ? {} : { zone: timezone }),
    },
    sql: canonical(
      `select event, ${linksOfFields('event', struct)} as links, ${[...columns, ...values].join(', ')}
      from read_json($files, format = 'newline_delimited', maximum_object_size = 4194304,
        columns = {event: 'VARCHAR', properties: ${struct.type}})`,
      timezone,
      `error('an event has no $insert_id')`,
      [...own.map((_, index) => `value_${index}`), CLOCK_AHEAD].join(', '),
    ),
    problems: clockOfBatchSql(timezone),
  }
}

/** By how much the clock of the row is ahead of the vendor's; null where the row does not say. */
const CLOCK_AHEAD = `case when imported is distinct from 'true'
  then epoch(wall) - coalesce(api_ms, processed_ms) / 1000 end::float as clock_ahead_s`

/** @param otherwise tells two events without `$insert_id` apart. */
function canonical(fields: string, timezone: string, otherwise: string, rest: string): string {
  const rows = `select *, make_timestamp(try_cast(told_time * 1000000 as bigint)) as wall,
      case when event = '$hotshard_events' then coalesce(original_name, event) else event end as name,
      coalesce(${MERGED_DEVICE}, nullif(before_identity, ''), nullif(distinct_id, ''), nullif(original_id, ''), ${FIRST_LINK}) as alias
    from (${fields})`
  return `select
      wall::date::varchar as window_key,
      md5(concat_ws('|', name, coalesce(nullif(insert_id, ''), ${otherwise}), occurred_at::date::varchar))::uuid as event_key,
      name, occurred_at,
      coalesce(make_timestamp(try_cast(processed_ms as bigint) * 1000), occurred_at) as arrived_at,
      nullif(told_user, '') as user_id,
      coalesce(nullif(told_device, ''), case when starts_with(alias, '$device:') then substr(alias, 9) end) as device_id,
      case when alias = told_user or alias = told_device or starts_with(alias, '$device:') then null else alias end as alias_id,
      ${rest},
      ${LINKED_IDS} as linked_ids
    from (${withInstants(rows, timezone)})`
}
