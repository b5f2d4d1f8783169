import type { StagedEvent, UsageStream } from '../../../src/core/ports/usage-stream.ts'
import { stagedRows } from '../staged-rows.ts'

/**
 * Events of somebody made up who proves the whole path: JSON with `name`, `at` and `properties`, which stand both for
 * the event and for the user.
 */
export const canaryStream: UsageStream = {
  name: 'canary',
  eventsSql(events: readonly StagedEvent[]) {
    const { sql, params } = stagedRows(events)
    return {
      params,
      sql: `select strftime(received_at, '%Y-%m-%dT%H') as window_key,
        md5(body::varchar)::uuid as event_key, json_extract_string(body, '$.name') as name,
        try_cast(json_extract_string(body, '$.at') as timestamp) as occurred_at,
        received_at as arrived_at, 'canary' as user_id, null::varchar as device_id,
        null::varchar as alias_id, json_extract(body, '$.properties') as event_properties,
        json_extract(body, '$.properties') as user_properties, null::json as groups
      from (${sql})`,
    }
  },
}
