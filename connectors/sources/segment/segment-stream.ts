import type { StagedEvent, UsageStream } from '../../../src/core/ports/usage-stream.ts'
import { stagedRows } from '../staged-rows.ts'

/**
 * Calls of the Segment spec as canonical events. The window is the hour in which the call came.
 * `messageId` is the same for two copies of a call. `anonymousId` is the device; so is the
 * `previousId` of an `alias`, which links two ids of one person. Clocks are put right as the spec
 * says: `timestamp` is what Segment worked out when `originalTimestamp` stands beside it, else the
 * sender's clock, whose error is `receivedAt - sentAt`. `identify`, `group` and `alias` get names that are
 * reserved, for they are no use of the product; pages and screens are the events `page` and `screen`,
 * with their name and category among the properties.
 */
export const segmentStream: UsageStream = {
  name: 'segment',
  eventsSql(events: readonly StagedEvent[]) {
    const { sql, params } = stagedRows(events)
    return {
      params: { ...params, paths: PATHS },
      sql: `select strftime(received_at, '%Y-%m-%dT%H') as window_key,
        md5(coalesce(nullif(p[1], ''), body::varchar))::uuid as event_key,
        ${NAME} as name,
        coalesce(case when p[8] is not null or sent_at is null then said_at end,
          said_at + (arrived_at - sent_at), arrived_at) as occurred_at,
        arrived_at, nullif(p[4], '') as user_id, coalesce(nullif(p[5], ''), nullif(p[6], '')) as device_id,
        null::varchar as alias_id, ${PROPERTIES} as event_properties,
        case when p[2] = 'identify' then json_extract(body, '$.traits')
          else json_extract(body, '$.context.traits') end as user_properties,
        case when group_id is not null then json_object('group', group_id) end as groups
      from (
        select received_at, body, p, coalesce(nullif(p[11], ''), nullif(p[12], '')) as group_id,
          ${instant('p[9]')} as sent_at, coalesce(${instant('p[7]')}, ${instant('p[8]')}) as said_at,
          coalesce(${instant('p[10]')}, received_at) as arrived_at
        from (select received_at, body, json_extract_string(body, $paths::varchar[]) as p from (${sql}))
      )`,
    }
  },
}

const PATHS = [
  '$.messageId',
  '$.type',
  '$.event',
  '$.userId',
  '$.anonymousId',
  '$.previousId',
  '$.timestamp',
  '$.originalTimestamp',
  '$.sentAt',
  '$.receivedAt',
  '$.groupId',
  '$.context.groupId',
]

const NAME = `case p[2] when 'track' then nullif(p[3], '') when 'identify' then '$identify'
  when 'group' then '$groupidentify' when 'alias' then '$create_alias' else p[2] end`

const PROPERTIES = `case p[2] when 'group' then json_extract(body, '$.traits')
  when 'track' then json_extract(body, '$.properties')
  else json_merge_patch(
    json_object('name', json_extract(body, '$.name'), 'category', json_extract(body, '$.category')),
    coalesce(json_extract(body, '$.properties'), '{}'::json)) end`

/** ISO 8601, with a zone or in UTC; text that is none is null. */
const instant = (text: string): string => `try_cast(${text} as timestamp)`
