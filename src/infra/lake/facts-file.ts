import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import type { Connection, DuckParam } from './duck.ts'
import { quoted } from './paths.ts'

/**
 * Writes what the events of a file say about identities, one row for each window, profile, kind and
 * value: `link` (another id of the same profile), `email`, `trait:<name>`, with the last time seen.
 */
export async function writeFacts(
  connection: Connection,
  eventsPath: string,
  target: string,
  mapping: UsageMapping,
): Promise<void> {
  const temporary = `${target}.${randomUUID()}.writing`
  const params: Record<string, DuckParam> = { junk: JUNK_IDS }
  const bind = (value: string): string => {
    const name = `p${Object.keys(params).length}`
    params[name] = value
    return `$${name}::varchar`
  }
  const email = `lower(trim(${firstOf(mapping.email, bind)}))`
  const traits = Object.entries(mapping.traits).map(
    ([name, places]) => `{'kind': ${bind(`trait:${name}`)}, 'value': ${firstOf(places, bind)}}`,
  )
  const facts = [
    `{'kind': 'email', 'value': ${email}}`,
    `{'kind': 'link', 'value': case when starts_with(profile, 'u:') and ${good('device_id')} then 'd:' || device_id end}`,
    `{'kind': 'link', 'value': case when not starts_with(profile, 'a:') and ${good('alias_id')} then 'a:' || alias_id end}`,
    `{'kind': 'seen', 'value': ''}`,
    ...traits,
  ]
  try {
    await connection.run(
      `copy (
        select window_key, profile, fact.kind as kind, fact.value as value,
          min(occurred_at) as first_at, max(occurred_at) as last_at
        from (select window_key, profile, occurred_at, unnest([${facts.join(', ')}]) as fact
              from read_parquet(${quoted(eventsPath)}) where profile is not null)
        where fact.value is not null and occurred_at is not null
        group by all
      ) to ${quoted(temporary)} (format parquet, compression zstd)`,
      params,
    )
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

function good(column: string): string {
  return `${column} is not null and not list_contains($junk::varchar[], lower(trim(${column})))`
}

/** The first of several places in an event that holds text: `user.email`, `event.email`. */
function firstOf(places: readonly string[], bind: (value: string) => string): string {
  const parts = places.map((place) => {
    const at = place.indexOf('.')
    const column = place.startsWith('user.') ? 'user_properties' : 'event_properties'
    return `nullif(json_extract_string(${column}, ${bind(`$."${place.slice(at + 1)}"`)}), '')`
  })
  return `coalesce(${parts.join(', ')})`
}
