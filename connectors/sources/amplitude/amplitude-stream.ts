import type { StagedEvent, UsageStream } from '../../../src/core/ports/usage-stream.ts'
import { stagedRows } from '../staged-rows.ts'

/**
 * Amplitude's event streaming: the rows of its Export API, one for each call. The hour is that of
 * `server_upload_time`, by which exports are cut; without one, the hour in which the event came.
 */
export const amplitudeStream: UsageStream = {
  name: 'amplitude',
  eventsSql(events: readonly StagedEvent[]) {
    const { sql, params } = stagedRows(events)
    return {
      params: { ...params, paths: PATHS },
      sql: `select strftime(coalesce(uploaded_at, received_at), '%Y-%m-%dT%H') as window_key,
        coalesce(try_cast(p[1] as uuid),
          md5(json_array(name, p[3], user_id, device_id, event_properties)::varchar)::uuid) as event_key,
        name,
        coalesce(try_cast(p[3] as timestamp), try_cast(p[4] as timestamp), uploaded_at, received_at) as occurred_at,
        coalesce(uploaded_at, received_at) as arrived_at,
        user_id, device_id, alias_id, event_properties, user_properties, groups
      from (
        select received_at, p, p[2] as name, try_cast(p[5] as timestamp) as uploaded_at, p[6] as user_id,
          p[7] as device_id, p[8] as alias_id, json_extract(body, '$.event_properties') as event_properties,
          json_extract(body, '$.user_properties') as user_properties, json_extract(body, '$.groups') as groups
        from (select received_at, body, json_extract_string(body, $paths::varchar[]) as p from (${sql}))
      )`,
    }
  },
}

const PATHS = [
  '$.uuid',
  '$.event_type',
  '$.event_time',
  '$.client_event_time',
  '$.server_upload_time',
  '$.user_id',
  '$.device_id',
  '$.amplitude_id',
]
