import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { JUNK_IDS } from '../../core/identity/junk.ts'
import type { UsageMapping } from '../../core/mapping/usage-mapping.ts'
import type { Connection, DuckParam } from './duck.ts'
import { quoted } from './paths.ts'

/**
 * Writes what the live events of a file say about identities, one row for each profile, kind and
 * value: `seen`, `link` (another id of the same profile), `email`, `trait:<name>`, with the first and
 * the last time.
 * @param windows the windows of the file that are live.
 */
export async function writeFacts(
  connection: Connection,
  eventsPath: string,
  target: string,
  mapping: UsageMapping,
  windows: readonly string[],
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
    // What a profile says is mostly the same for all its events: JSON is read once for each variant.
    await connection.run(
      `copy (
        select profile, fact.kind as kind, fact.value as value, min(first_at) as first_at,
          max(last_at) as last_at
        from (
          select profile, first_at, last_at, unnest([${facts.join(', ')}]) as fact
          from (
            select profile, device_id, alias_id, user_properties,
              case when ${mentioned(mapping, bind)} then event_properties end as event_properties,
              min(occurred_at) as first_at, max(occurred_at) as last_at
            from read_parquet(${quoted(eventsPath)}) e
            semi join (select unnest($windows::varchar[]) as key) live on e.window_key = live.key
            where profile is not null and occurred_at is not null 
            group by all))
        where fact.value is not null
        group by all
      ) to ${quoted(temporary)} (format parquet, compression zstd)`,
      { ...params, windows },
    )
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * True for an event whose own properties may hold a fact; most hold none and need not be told apart.
 * Only names that no JSON writer escapes can be looked for in the text.
 */
function mentioned(mapping: UsageMapping, bind: (value: string) => string): string {
  const places = [...mapping.email, ...Object.values(mapping.traits).flat()]
  const names = places.filter((p) => !p.startsWith('user.')).map((p) => p.slice(p.indexOf('.') + 1))
  if (names.some((name) => !/^[\w $.-]+$/.test(name))) return 'true'
  const tests = names.map((name) => `contains(event_properties::varchar, ${bind(`"${name}"`)})`)
  return tests.length > 0 ? tests.join(' or ') : 'false'
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
