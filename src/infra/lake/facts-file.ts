import { createHash } from 'node:crypto'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import { PROPERTY_COLUMNS } from '../../core/usage/kept.ts'
import { binder, type Connection, type DuckParam } from './duck.ts'
import { type Bind, pathTo, splitPlace } from './kept-sql.ts'
import { writeParquet } from './parquet.ts'
import { factsPath, lakePath, variantsPath } from './paths.ts'

/** The tracking plan, and the name of what it says about identities. */
export interface FactsMapping {
  readonly usage: UsageMapping
  readonly usageHash: string
}

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
 * value: `seen`, `link` (another id of the same profile), `email`, `trait:<name>`, with the first and
 * the last time.
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
  const facts = factsOf(mapping.usage, binder(params))
  const sql = `select profile, fact.kind as kind, fact.value as value, min(first_at) as first_at,
      max(last_at) as last_at
    from (select profile, first_at, last_at, unnest([${facts.join(', ')}]) as fact
      from ${live ? LIVE_VARIANTS : 'read_parquet([$variants])'})
    where fact.value is not null
    group by all`
  await writeParquet(connection, { sql, params }, target)
  return target
}

/** The variants that occur in live windows, with the first and the last time they do there. */
const LIVE_VARIANTS = `(
  select v.* exclude (first_at, last_at), e.first_at, e.last_at
  from read_parquet([$variants]) v
  join (select variant, min(occurred_at) as first_at, max(occurred_at) as last_at
    from read_parquet([$events]) where list_contains($live::varchar[], window_key)
      and occurred_at is not null group by variant) e
  on e.variant = v.variant)`

/** A merge of two aliases: nobody was seen doing anything. */
const MERGE = `starts_with(profile, 'a:') and profile <> 'a:' || alias_id`

function factsOf(mapping: UsageMapping, bind: Bind): string[] {
  const traits = Object.entries(mapping.traits).map(
    ([name, places]) => `{'kind': ${bind(`trait:${name}`)}, 'value': ${firstOf(places, bind)}}`,
  )
  return [
    `{'kind': 'email', 'value': lower(trim(${firstOf(mapping.email, bind)}))}`,
    `{'kind': 'link', 'value': case when starts_with(profile, 'u:') and ${good('device_id')} then 'd:' || device_id end}`,
    `{'kind': 'link', 'value': case when profile <> 'a:' || alias_id and ${good('alias_id')} then 'a:' || alias_id end}`,
    `{'kind': 'seen', 'value': case when not coalesce(${MERGE}, false) then '' end}`,
    ...traits,
  ]
}

function good(column: string): string {
  return `${column} is not null and not list_contains($junk::varchar[], lower(trim(${column})))`
}

/** The first of several places in an event that holds text: `user.email`, `event.email`. */
function firstOf(places: readonly string[], bind: Bind): string {
  const parts = places.map((place) => {
    const { part, property } = splitPlace(place)
    return `nullif(json_extract_string(${PROPERTY_COLUMNS[part]}, ${bind(pathTo(property))}), '')`
  })
  return `coalesce(${parts.join(', ')})`
}
