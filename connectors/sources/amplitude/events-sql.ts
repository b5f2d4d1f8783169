import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'

/**
 * Amplitude rows as canonical events. The window is the hour in the file's name, which is
 * `server_upload_time`; the key is `uuid`, "a unique identifier per row" (Amplitude, Snowflake
 * export schema); `amplitude_id` only links. Times come as `YYYY-MM-DD HH:MM:SS.ffffff`, in UTC.
 */
export function eventsSql(files: readonly DownloadedFile[]): SqlQuery {
  return {
    params: { files: files.map((file) => file.path) },
    sql: `select
      regexp_extract(filename, '([^/\\\\]+)~[0-9]+\\.json\\.gz$', 1) as window_key,
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
        groups: 'JSON'})`,
  }
}
