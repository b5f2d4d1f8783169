import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { IDENTITY_MAPPING_ROW, PROFILE_ROW } from '../../../src/core/usage/reserved.ts'
import { asAlias, asDevice, asUser } from './profiles-sql.ts'

const PATHS = [
  '$.time',
  '$.distinct_id',
  '$."$user_id"',
  '$."$device_id"',
  '$."$insert_id"',
  '$.mp_processing_time_ms',
  '$.mp_original_event_name',
  '$.mp_original_distinct_id',
]

/** UTC, however a destination writes a time stamp: seconds, milliseconds, `…Z` or `… UTC`. */
const utc = (text: string): string => `coalesce(
  try_cast(regexp_replace(${text}, '( ?UTC|Z|[+]00:?00)$', '') as timestamp),
  make_timestamp(try_cast(try_cast(${text} as double)
    * case when try_cast(${text} as double) > 1e11 then 1000 else 1000000 end as bigint)))`

/**
 * Events of a JSON pipeline. All times are UTC, whatever the zone of the project; the ids are those
 * from before any merge; the window is the day of the folder, where late files come to lie too.
 */
export function pipelineEventsSql(files: readonly DownloadedFile[]): SqlQuery {
  return {
    params: {
      pipelineFiles: files.map((file) => file.path),
      pipelineWindows: files.map((file) => file.windowKey ?? ''),
      pipelinePaths: PATHS,
    },
    sql: `select window_key,
      md5(concat_ws('|', name, coalesce(nullif(insert_id, ''), nullif(p[5], ''), properties::varchar), occurred_at::date::varchar))::uuid as event_key,
      name, occurred_at,
      coalesce(make_timestamp(try_cast(p[6] as bigint) * 1000), occurred_at) as arrived_at,
      nullif(user_id, '') as user_id,
      coalesce(nullif(device_id, ''), case when starts_with(alias, '$device:') then substr(alias, 9) end) as device_id,
      case when alias = user_id or alias = device_id or starts_with(alias, '$device:') then null else alias end as alias_id,
      properties as event_properties, null::json as user_properties, null::json as groups
    from (
      select list_extract($pipelineWindows::varchar[], list_position($pipelineFiles::varchar[], filename)) as window_key,
        case when event_name = '$hotshard_events' then coalesce(p[7], event_name) else event_name end as name,
        insert_id, properties, p, ${utc('told_time')} as occurred_at,
        coalesce(user_id, p[3]) as user_id, coalesce(device_id, p[4]) as device_id,
        coalesce(nullif(distinct_id, ''), nullif(p[2], ''), nullif(p[8], '')) as alias
      from (
        select *, coalesce("time", p[1]) as told_time
        from (
          select filename, coalesce(event_name, event) as event_name, insert_id, properties, "time",
            user_id, device_id, distinct_id,
            json_extract_string(coalesce(properties, '{}'), $pipelinePaths::varchar[]) as p
          from read_json($pipelineFiles, format = 'newline_delimited', filename = true,
            columns = {event_name: 'VARCHAR', event: 'VARCHAR', "time": 'VARCHAR', distinct_id: 'VARCHAR',
              device_id: 'VARCHAR', user_id: 'VARCHAR', insert_id: 'VARCHAR', properties: 'JSON'})
        )
      )
    )`,
  }
}

/** People of a JSON pipeline: profiles, dated by their last update or else by their file. */
export function pipelinePeopleSql(files: readonly DownloadedFile[]): SqlQuery {
  return {
    params: dated('people', files),
    sql: `select window_key, md5(concat_ws('|', '${PROFILE_ROW}', '', id))::uuid as event_key,
      '${PROFILE_ROW}' as name, said_at as occurred_at, said_at as arrived_at,
      ${asUser('id')} as user_id, ${asDevice('id')} as device_id, ${asAlias('id')} as alias_id,
      null::json as event_properties, properties as user_properties, null::json as groups
    from (
      select ${window('people')} as window_key, distinct_id as id, properties,
        coalesce(try_cast(json_extract_string(properties, '$."$last_seen"') as timestamp), ${day('people')}) as said_at
      from read_json($peopleFiles, format = 'newline_delimited', filename = true,
        columns = {distinct_id: 'VARCHAR', properties: 'JSON'})
    )`,
  }
}

/**
 * Identity mappings of a JSON pipeline: which id stands for another. Each becomes two rows, since an
 * event may know either id as a user, a device or neither.
 */
export function pipelineLinksSql(files: readonly DownloadedFile[]): SqlQuery {
  return {
    params: dated('links', files),
    sql: `select window_key, md5(concat_ws('|', '${IDENTITY_MAPPING_ROW}', resolved, other))::uuid as event_key,
      '${IDENTITY_MAPPING_ROW}' as name, said_at as occurred_at, said_at as arrived_at,
      ${asUser('resolved')} as user_id,
      coalesce(${asDevice('other')}, ${asDevice('resolved')}) as device_id,
      ${asAlias('other')} as alias_id,
      null::json as event_properties, null::json as user_properties, null::json as groups
    from (
      select ${window('links')} as window_key, ${day('links')} as said_at, resolved_distinct_id as resolved,
        unnest(list_distinct([distinct_id, resolved_distinct_id])) as other
      from read_json($linksFiles, format = 'newline_delimited', filename = true,
        columns = {distinct_id: 'VARCHAR', resolved_distinct_id: 'VARCHAR'})
      where distinct_id is not null and resolved_distinct_id is not null
    )`,
  }
}

function dated(name: string, files: readonly DownloadedFile[]): Record<string, readonly string[]> {
  return {
    [`${name}Files`]: files.map((file) => file.path),
    [`${name}Windows`]: files.map((file) => file.windowKey ?? ''),
    [`${name}Days`]: files.map((file) => file.day ?? ''),
  }
}

const place = (name: string) => `list_position($${name}Files::varchar[], filename)`
const window = (name: string) => `list_extract($${name}Windows::varchar[], ${place(name)})`
const day = (name: string) => `list_extract($${name}Days::varchar[], ${place(name)})::timestamp`
