import { createHash } from 'node:crypto'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import { PROPERTY_COLUMNS } from '../../core/usage/kept.ts'
import { binder, type Connection, type DuckParam } from './duck.ts'
import { type Bind, pathTo, propertiesOf, splitPlace } from './kept-sql.ts'
import { writeParquet } from './parquet.ts'
import { factsPath, lakePath, variantsPath } from './paths.ts'

/** The tracking plan, and the name of what it says about identities. */
export interface FactsMapping {
  readonly usage: UsageMapping
  readonly usageHash: string
}

/** Goes before a select whose rows may lack the column, as files from before it and most sources do. */
export const WITH_LINKED_IDS = `select * from (select null::varchar[] as linked_ids where false)
  union all by name from`

/** Where the facts of a file lie: they depend on the tracking plan and on which windows are live. */
export function factsTarget(
  lakeDir: string,
  id: string,
  { usageHash }: FactsMapping,
  windows: readonly string[],
): string {
  const hash = createHash('sha256').update(usageHash)
  for (const window of [...windows].sort()) hash.update(`\n${window}`)
  return factsPath(lakeDir, id, hash.digest('hex').slice(0, 16))
}

/**
 * Writes what the live events of a file say about identities, one row for each profile, kind and
 * value: `seen`, `link` (another id of the same profile), `merge` (the vendor says that another id is
 * the same), `email`, `account`, `trait:<name>`, with the first and the last time.
 * @param live the windows of the file that are live; null when all are.
 * @param windows the same, or all of them.
 */
export async function writeFacts(
  connection: Connection,
  lakeDir: string,
  id: string,
  mapping: FactsMapping,
  live: readonly string[] | null,
  windows: readonly string[],
): Promise<string> {
  const params: Record<string, DuckParam> = {
    junk: JUNK_IDS,
    variants: variantsPath(lakeDir, id),
    ...(live ? { events: lakePath(lakeDir, id), live } : {}),
  }
  const target = factsTarget(lakeDir, id, mapping, windows)
  const bind = binder(params)
  const facts = factsOf(mapping.usage, bind)
  const places = textPlaces(mapping.usage)
  const texts = PARTS.map((part) => {
    const paths = propertiesOf(part, places).map((name) => bind(pathTo(name)))
    return `json_extract_string(${PROPERTY_COLUMNS[part]}, [${paths.join(', ')}]::varchar[]) as of_${part}`
  })
  const sql = `select profile, fact.kind as kind, fact.value as value, min(first_at) as first_at,
      max(last_at) as last_at
    from (select profile, first_at, last_at,
        unnest(list_concat([${facts.join(', ')}], ${MERGES})) as fact
      from (select *, ${texts} from ${live ? LIVE_VARIANTS : VARIANTS}))
    where fact.value is not null
    group by all`
  await writeParquet(connection, { sql, params }, target)
  return target
}

const VARIANTS = `(${WITH_LINKED_IDS} read_parquet([$variants]))`

/** The vendor's own word for it that ids are one; an id that is the profile itself says nothing. */
const MERGES = `list_transform(
  list_filter(coalesce(linked_ids, []),
    lambda id: id <> profile and not list_contains($junk::varchar[], lower(trim(substr(id, 3))))),
  lambda id: {'kind': 'merge', 'value': id})`

/** The variants that occur in live windows, with the first and the last time they do there. */
const LIVE_VARIANTS = `(
  select v.* exclude (first_at, last_at), e.first_at, e.last_at
  from ${VARIANTS} v
  join (select variant, min(occurred_at) as first_at, max(occurred_at) as last_at
    from read_parquet([$events]) where list_contains($live::varchar[], window_key)
      and occurred_at is not null group by variant) e
  on e.variant = v.variant)`

/** A merge of two aliases: nobody was seen doing anything. */
const MERGE = `starts_with(profile, 'a:') and profile <> 'a:' || alias_id`

const PARTS = ['event', 'user', 'group'] as const

/** Places that `firstOf` looks at. */
const textPlaces = ({ email, traits }: UsageMapping) => [...email, ...Object.values(traits).flat()]

function factsOf(mapping: UsageMapping, bind: Bind): string[] {
  const traits = Object.entries(mapping.traits).map(
    ([name, places]) => `{'kind': ${bind(`trait:${name}`)}, 'value': ${firstOf(places, mapping)}}`,
  )
  return [
    `{'kind': 'email', 'value': lower(trim(${firstOf(mapping.email, mapping)}))}`,
    `{'kind': 'link', 'value': case when starts_with(profile, 'u:') and ${good('device_id')} then 'd:' || device_id end}`,
    `{'kind': 'link', 'value': case when profile <> 'a:' || alias_id and ${good('alias_id')} then 'a:' || alias_id end}`,
    `{'kind': 'seen', 'value': case when not coalesce(${MERGE}, false) then '' end}`,
    ...traits,
    ...(mapping.account.length > 0 ? [accountOf(mapping.account, bind)] : []),
  ]
}

/** The key of the analytics group; of several groups in one event, the first. */
function accountOf(places: readonly string[], bind: Bind): string {
  const parts = places.map((place) => {
    const { part, property } = splitPlace(place)
    const [column, path] = [PROPERTY_COLUMNS[part], bind(pathTo(property))]
    const text = `case json_type(${column}, ${path})
      when 'ARRAY' then json_extract_string(${column}, ${path} || '[0]')
      when 'OBJECT' then null
      else json_extract_string(${column}, ${path}) end`
    return `(select key from (select trim(${text}) as key) where ${good('key')})`
  })
  return `{'kind': 'account', 'value': coalesce(${parts.join(', ')})}`
}

function good(column: string): string {
  return `${column} is not null and not list_contains($junk::varchar[], lower(trim(${column})))`
}

/** The first of several places in an event that holds text: `user.email`, `event.email`. */
function firstOf(places: readonly string[], mapping: UsageMapping): string {
  const parts = places.map((place) => {
    const { part, property } = splitPlace(place)
    const index = propertiesOf(part, textPlaces(mapping)).indexOf(property)
    return `nullif(of_${part}[${index + 1}], '')`
  })
  return `coalesce(${parts.join(', ')})`
}
