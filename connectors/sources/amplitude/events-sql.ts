import type { DownloadedFile, NarrowQuery, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { ALIAS_MERGE } from '../../../src/core/usage/reserved.ts'
import { type FieldType, type StructColumn, structColumns } from '../struct-columns.ts'
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

/**
 * The same of only these places, read as fields of structs. It fails on a row without `uuid`, which only
 * the whole of its properties tells from others.
 */
export function narrowEventsSql(
  files: readonly DownloadedFile[],
  places: readonly string[],
): NarrowQuery | null {
  const events = files.filter((file) => !isMerges(file)).map((file) => file.path)
  const merges = files.filter(isMerges).map((file) => file.path)
  if (events.length === 0) return null
  const structs = new Map<string, StructColumn>()
  for (const [part, column] of Object.entries(PARTS)) {
    const names = places.flatMap((place) =>
      place.startsWith(`${part}.`) ? [{ name: place.slice(part.length + 1), type: JSON_TYPE }] : [],
    )
    if (names.length === 0) continue
    const struct = structColumns(column, names)
    if (struct === null) return null
    structs.set(part, struct)
  }
  const values = places.map((place, index) => {
    const at = place.indexOf('.')
    const value = structs.get(place.slice(0, at))?.json(place.slice(at + 1)) ?? 'null::json'
    return `${value} as value_${index}`
  })
  const columns = [...structs].map(([part, { type }]) => `${PARTS[part as Part]}: ${type}`)
  const narrow = eventRows(`error('an event has no uuid')`, values, columns)
  const links = `select * exclude (event_properties, user_properties, groups) from (${MERGES})`
  return {
    params: { files: events, ...(merges.length > 0 ? { merges } : {}) },
    sql: merges.length > 0 ? `${narrow} union all by name ${links}` : narrow,
    problems: null,
  }
}

const PARTS = { event: 'event_properties', user: 'user_properties', group: 'groups' } as const
type Part = keyof typeof PARTS
const JSON_TYPE: FieldType = 'JSON'

/**
 * @param otherwise tells two events without `uuid` apart.
 * @param rest what is selected besides ids, name and times.
 * @param columns what is read for it.
 */
const eventRows = (
  otherwise: string,
  rest: readonly string[],
  columns: readonly string[],
) => `select
      ${HOUR} as window_key,
      coalesce(try_cast(uuid as uuid), ${otherwise}) as event_key,
      event_type as name,
      coalesce(event_time, client_event_time, server_upload_time) as occurred_at,
      coalesce(server_upload_time, event_time) as arrived_at,
      user_id, device_id, amplitude_id as alias_id${rest.map((column) => `, ${column}`).join('')}
    from read_json($files, format = 'newline_delimited', compression = 'gzip', filename = true,
      maximum_object_size = 4194304,
      columns = {uuid: 'VARCHAR', event_type: 'VARCHAR', event_time: 'TIMESTAMP',
        client_event_time: 'TIMESTAMP', server_upload_time: 'TIMESTAMP', user_id: 'VARCHAR',
        device_id: 'VARCHAR', amplitude_id: 'VARCHAR'${columns.map((column) => `, ${column}`).join('')}})`

const EVENTS = eventRows(
  'md5(json_array(event_type, event_time, user_id, device_id, event_properties)::varchar)::uuid',
  Object.values(PARTS),
  Object.values(PARTS).map((column) => `${column}: 'JSON'`),
)

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
