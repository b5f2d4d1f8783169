import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../core/errors.ts'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import type { NarrowQuery, SqlQuery } from '../../core/ports/usage-source.ts'
import { identityPlaces, PROPERTY_COLUMNS } from '../../core/usage/kept.ts'
import { ALIAS_MERGE } from '../../core/usage/reserved.ts'
import { binder, type Connection, type DuckParam } from './duck.ts'
import { WITH_LINKED_IDS } from './facts-file.ts'
import { type Bind, keepsAll, objectOf, propertiesOf, splitPlace, valuesOf } from './kept-sql.ts'
import { PARQUET, quoted } from './paths.ts'

/** What is read of an event besides its ids, name and times. */
export interface Wanted {
  /** See `keptPlaces`. */
  readonly kept: readonly string[]
  readonly usage: UsageMapping
  /** Of how many rows one is looked at for what properties there are. */
  readonly sampleEvery: number
}

/** Rows of `NarrowQuery`, and a few of them with all that they hold. */
export interface NarrowRows {
  readonly events: NarrowQuery
  readonly sample: SqlQuery
}

/**
 * Reads a source's query into the temporary table `batch`: `window_key, event_key, name, occurred_at,
 * arrived_at, profile, variant, event_properties`, and what the event says about who did it (`device_id,
 * alias_id, linked_ids, user_properties, groups, said`). The table `sampled` has some of the rows as the
 * vendor sent them.
 */
export async function readBatch(
  connection: Connection,
  events: SqlQuery,
  { kept, usage, sampleEvery }: Wanted,
): Promise<void> {
  const params: Record<string, DuckParam> = {
    ...events.params,
    junk: JUNK_IDS,
    every: sampleEvery,
  }
  const bind = binder(params)
  const all = keepsAll(kept)
  const held = (part: keyof typeof PROPERTY_COLUMNS) =>
    `${all ? 'null' : valuesOf(PROPERTY_COLUMNS[part], propertiesOf(part, kept), bind)} as of_${part}`
  const value = (place: string) => {
    const { part, property } = splitPlace(place)
    return `nullif(of_${part}[${propertiesOf(part, kept).indexOf(property) + 1}]::varchar, 'null')`
  }
  const texts = all ? WHOLE : textsOf(kept, usage, value, bind)
  await connection.run(
    `create or replace temp table batch as
     select ${EVENT}, ${VARIANT}, event_properties, ${WHO.join(', ')}, is_sample, sampled_event, sampled_user, sampled_groups
     from (
       select ${EVENT_COLUMNS}, ${PROFILE} as profile, device_id, alias_id, linked_ids, ${texts},
         hash(event_key) % $every::ubigint = 0 as is_sample,
         case when is_sample then e.event_properties end as sampled_event,
         case when is_sample then e.user_properties end as sampled_user,
         case when is_sample then e.groups end as sampled_groups
       from (select *, ${held('event')}, ${held('user')}, ${held('group')}
         from (${WITH_LINKED_IDS} (${events.sql}))) e)`,
    params,
  )
  await connection.run(`create or replace temp view sampled as
    select occurred_at, sampled_event, sampled_user, sampled_groups from batch where is_sample`)
}

/**
 * As `readBatch`, with a query that reads no more than is kept. The rows go to a file at once, and `batch`
 * is a view of it.
 * @param stays whether the file becomes one of the lake. Then events that nobody is known to have done do
 * not say who it may have been, as no variant does.
 * @returns the file, whose owner removes it.
 * @throws {ConfigError} with the problems of the rows.
 */
export async function readNarrowBatch(
  connection: Connection,
  lakeDir: string,
  { events, sample }: NarrowRows,
  { kept, usage, stays }: Pick<Wanted, 'kept' | 'usage'> & { readonly stays: boolean },
): Promise<string> {
  const params: Record<string, DuckParam> = { ...events.params, junk: JUNK_IDS }
  const value = (place: string) => `value_${kept.indexOf(place)}`
  const texts = textsOf(kept, usage, value, binder(params))
  await mkdir(lakeDir, { recursive: true })
  const path = join(lakeDir, `.writing-${randomUUID()}.parquet`)
  try {
    await connection.run(
      `copy (
         select ${EVENT}, ${VARIANT}, event_properties, ${stays ? KNOWN_WHO : WHO.join(', ')}, clock_ahead_s
         from (select ${EVENT_COLUMNS}, ${PROFILE} as profile, device_id, alias_id, linked_ids, ${texts}, clock_ahead_s
           from (${WITH_ALL} (${events.sql})))
       ) to ${quoted(path)} (${PARQUET})`,
      params,
    )
    await connection.run(
      `create or replace temp view batch as select * from read_parquet(${quoted(path)})`,
    )
    await refuseProblems(connection, events)
    await connection.run(
      `create or replace temp table sampled as
       select occurred_at, event_properties as sampled_event, user_properties as sampled_user,
         groups as sampled_groups from (${sample.sql})`,
      sample.params,
    )
    return path
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function refuseProblems(connection: Connection, { problems }: NarrowQuery): Promise<void> {
  if (!problems) return
  const rows = await connection.rows(problems.sql, problems.params)
  if (rows.length > 0) throw new ConfigError(rows.map((row) => String(row['problem'])).join('\n'))
}

const WITH_ALL = `select * from (
    select null::varchar[] as linked_ids, null::float as clock_ahead_s where false)
  union all by name from`

/** An event that counts. */
export const DATED = 'window_key is not null and occurred_at is not null'

const EVENT_COLUMNS = 'window_key, event_key, name, occurred_at, arrived_at'
const EVENT = `${EVENT_COLUMNS}, profile`
const WHO = ['device_id', 'alias_id', 'linked_ids', 'user_properties', 'groups', 'said']
const KNOWN_WHO = WHO.map(
  (column) => `case when profile is not null and ${DATED} then ${column} end as ${column}`,
).join(', ')
const VARIANT = `hash(profile, device_id, alias_id, linked_ids, user_properties::varchar, groups::varchar, said::varchar)
  as variant`

/** Everything that the vendor sent. */
const WHOLE = `e.event_properties, e.user_properties, e.groups, e.event_properties as said`

/** The columns with properties, from the values of those that are kept. */
function textsOf(
  kept: readonly string[],
  usage: UsageMapping,
  value: (place: string) => string,
  bind: Bind,
): string {
  const object = (part: keyof typeof PROPERTY_COLUMNS, among: readonly string[]) =>
    objectOf(
      propertiesOf(part, among).map((name) => [name, value(`${part}.${name}`)]),
      bind,
    )
  return `${object('event', kept)} as event_properties, ${object('user', kept)} as user_properties,
    ${object('group', kept)} as groups, ${object('event', identityPlaces(usage))} as said`
}

/** No junk id is longer, but for one of 36 characters: most ids need not be compared. */
const good = (id: string) =>
  `(strlen(trim(${id})) between 17 and 35 or not list_contains($junk::varchar[], lower(trim(${id}))))`

/**
 * The vendor identity that an event counts for: the user id, else the device, else the alias. That of
 * a merge is the first of its two aliases.
 */
const PROFILE = `case
  when name = '${ALIAS_MERGE}' then case when ${good('device_id')} then 'a:' || device_id end
  when user_id is not null and ${good('user_id')} then 'u:' || user_id
  when device_id is not null and ${good('device_id')} then 'd:' || device_id
  when alias_id is not null and ${good('alias_id')} then 'a:' || alias_id
end`
