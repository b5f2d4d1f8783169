import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { ALIAS_MERGE } from '../../../src/core/usage/reserved.ts'
import { MERGED } from './export-names.ts'

/**
 * Amplitude rows as canonical events. The window is the hour in the file's name, which is
 * `server_upload_time`; the key is `uuid`, "a unique identifier per row" (Amplitude, Snowflake
 * export schema); `amplitude_id` only links. Times come as `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC.
 */
export function eventsSql(files: readonly DownloadedFile[]): SqlQuery {
  const events = files.filter((file) => !isMerges(file)).map((file) => file.path)
  const merges = files.filter(isMerges).map((file) => file.path)
  if (merges.length === 0) return { params: { files: events }, sql: EVENTS }
  if (events.length === 0) return { params: { merges }, sql: MERGES }
  return { params: { files: events, merges }, sql: `${EVENTS} union all by name ${MERGES}` }
}

const isMerges = ({ windowKey }: DownloadedFile): boolean => windowKey?.startsWith(MERGED) === true

const HOUR = `regexp_extract(filename, '([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})~[0-9]+\\.json\\.gz$', 1)`

const EVENTS = `select
      ${HOUR} as window_key,
      coalesce(try_cast(uuid as uuid),
        md5(json_array(event_type, event_time, user_id, device_id, event_properties)::varchar)::uuid) as event_key,
      event_type as name,
      coalesce(event_time, client_event_time, server_upload_time) as occurred_at,
      coalesce(server_upload_time, event_time) as arrived_at,
      user_id, device_id, amplitude_id as alias_id, event_properties, user_properties, groups
    from read_json($files, format = 'newline_delimited', compression = 'gzip', filename = true,
      maximum_object_size = 4194304,
      columns = {uuid: 'VARCHAR', event_type: 'VARCHAR', event_time: 'TIMESTAMP',
        client_event_time: 'TIMESTAMP', server_upload_time: 'TIMESTAMP', user_id: 'VARCHAR',
        device_id: 'VARCHAR', amplitude_id: 'VARCHAR', event_properties: 'JSON', user_properties: 'JSON',
        groups: 'JSON'})`

/** Amplitude says "long" and no unit: a number this large is in milliseconds, a smaller one in seconds. */
const instant = (column: string) =>
  `epoch_ms(case when ${column} < 100000000000 then ${column} * 1000 else ${column} end)`

/**
 * Rows of the merged ids: two Amplitude ids that are one user. Which of the two stays is told in two
 * ways (S3 export, Snowflake export schema) and makes no difference here.
 */
const MERGES = `select
      '${MERGED}' || ${HOUR} as window_key,
      md5(json_array(scope, merge_time, amplitude_id, merged_amplitude_id)::varchar)::uuid as event_key,
      '${ALIAS_MERGE}' as name,
      coalesce(${instant('merge_time')}, ${instant('merge_server_time')},
        strptime(${HOUR}, '%Y-%m-%dT%H')) as occurred_at,
      coalesce(${instant('merge_server_time')}, strptime(${HOUR}, '%Y-%m-%dT%H')) as arrived_at,
      null::varchar as user_id, amplitude_id as device_id, merged_amplitude_id as alias_id,
      null::json as event_properties, null::json as user_properties, null::json as groups
    from read_json($merges, format = 'newline_delimited', compression = 'gzip', filename = true,
      columns = {scope: 'VARCHAR', merge_time: 'BIGINT', merge_server_time: 'BIGINT',
        amplitude_id: 'VARCHAR', merged_amplitude_id: 'VARCHAR'})`
