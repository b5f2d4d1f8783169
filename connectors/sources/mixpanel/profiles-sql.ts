import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { GROUP_PROFILE_ROW, PROFILE_ROW } from '../../../src/core/usage/reserved.ts'

/** One profile of a page, as it lies on disk until it is read. */
export interface ProfileLine {
  readonly window: string
  /** When it was fetched, ISO 8601. */
  readonly fetched_at: string
  /** The group key, for a profile of a group; null for one of a person. */
  readonly group: string | null
  readonly id: string
  readonly properties: Readonly<Record<string, unknown>>
}

/**
 * Ids of Mixpanel projects with the original identity merge are made by its libraries: UUIDs, and hex
 * digits with dashes. There a device may be the id that stands for somebody, without `$device:` before it.
 */
const LIKE_A_DEVICE = "'^[0-9a-fA-F-]{30,}$'"

/** The id that a distinct id is as a user, a device and an alias: nothing else of Mixpanel says which. */
export const asUser = (id: string): string =>
  `case when not starts_with(${id}, '$device:') then nullif(${id}, '') end`
export const asDevice = (id: string): string =>
  `case when starts_with(${id}, '$device:') then substr(${id}, 9)
    when regexp_matches(${id}, ${LIKE_A_DEVICE}) then ${id} end`
export const asAlias = asUser

/**
 * Profiles as rows that are no events. People have their properties as user properties, dated by their
 * last update; groups have theirs beside the group key as properties of an event, where Mixpanel's own
 * events carry that key, and name nobody.
 */
export function profilesSql(files: readonly DownloadedFile[]): SqlQuery {
  return {
    params: { profileFiles: files.map((file) => file.path) },
    sql: `select
      window_key,
      md5(concat_ws('|', '${PROFILE_ROW}', coalesce(group_key, ''), id))::uuid as event_key,
      case when group_key is null then '${PROFILE_ROW}' else '${GROUP_PROFILE_ROW}' end as name,
      said_at as occurred_at, said_at as arrived_at,
      case when group_key is null then ${asUser('id')} end as user_id,
      case when group_key is null then ${asDevice('id')} end as device_id,
      case when group_key is null then ${asAlias('id')} end as alias_id,
      case when group_key is not null then json_merge_patch(properties, json_object(group_key, id)) end as event_properties,
      case when group_key is null then properties end as user_properties,
      case when group_key is not null then json_object(group_key, id) end as groups
    from (
      select "window" as window_key, "group" as group_key, id, properties,
        coalesce(
          case when last_seen > fetched_at then fetched_at else last_seen end,
          date_trunc('day', fetched_at)) as said_at
      from (
        select *, try_cast(json_extract_string(properties, '$."$last_seen"') as timestamp) as last_seen
      from read_json($profileFiles, format = 'newline_delimited',
        columns = {"window": 'VARCHAR', fetched_at: 'TIMESTAMP', "group": 'VARCHAR', id: 'VARCHAR', properties: 'JSON'})
      )
    )`,
  }
}
