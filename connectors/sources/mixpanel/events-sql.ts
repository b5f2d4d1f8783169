import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { FIRST_LINK, LINKED_IDS, linkParams, linksSql } from './linked-ids-sql.ts'

const PATHS = [
  '$.time',
  '$.distinct_id',
  '$."$user_id"',
  '$."$device_id"',
  '$."$insert_id"',
  '$.mp_processing_time_ms',
  '$."$distinct_id_before_identity"',
  '$.mp_original_event_name',
  '$.mp_original_distinct_id',
  '$."$mp_api_timestamp_ms"',
  '$."$import"',
]

/** Of a device alone, the id that Mixpanel has merged it into is the edge worth having. */
const MERGED_DEVICE = "case when nullif(p[3], '') is null and p[4] <> '' then nullif(p[2], '') end"

const ROWS = `select properties, p, wall, links,
    case when event = '$hotshard_events' then coalesce(p[8], event) else event end as name,
    coalesce(${MERGED_DEVICE}, nullif(p[7], ''), nullif(p[2], ''), nullif(p[9], ''), ${FIRST_LINK}) as alias
  from (
    select event, properties, p, links, make_timestamp(try_cast(try_cast(p[1] as double) * 1000000 as bigint)) as wall
    from (
      select event, properties, json_extract_string(properties, $paths::varchar[]) as p,
        ${linksSql('event', 'properties')} as links
      from read_json($files, format = 'newline_delimited', maximum_object_size = 4194304,
        columns = {event: 'VARCHAR', properties: 'JSON'})
    )
  )`

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
        case when p[11] is distinct from 'true' then
          make_timestamp(coalesce(try_cast(p[10] as bigint), try_cast(p[6] as bigint)) * 1000) end as taken_at
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
  return {
    params: {
      files: files.map((file) => file.path),
      paths: PATHS,
      ...(timezone === 'UTC' ? {} : { zone: timezone }),
      ...linkParams(),
    },
    sql: `select
      wall::date::varchar as window_key,
      md5(concat_ws('|', name, coalesce(nullif(p[5], ''), properties::varchar), occurred_at::date::varchar))::uuid as event_key,
      name, occurred_at,
      coalesce(make_timestamp(try_cast(p[6] as bigint) * 1000), occurred_at) as arrived_at,
      nullif(p[3], '') as user_id,
      coalesce(nullif(p[4], ''), case when starts_with(alias, '$device:') then substr(alias, 9) end) as device_id,
      case when alias = p[3] or alias = p[4] or starts_with(alias, '$device:') then null else alias end as alias_id,
      properties as event_properties, null::json as user_properties, null::json as groups,
      ${LINKED_IDS} as linked_ids
    from (${withInstants(ROWS, timezone)})`,
  }
}
