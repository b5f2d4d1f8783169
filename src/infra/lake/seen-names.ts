import type { Connection } from './duck.ts'

/** An event name, or a property of one JSON type, and the event days on which a batch holds it. */
export interface SeenInBatch {
  readonly kind: 'event' | 'property'
  readonly name: string
  readonly type: string
  readonly days: readonly string[]
}

/** A batch of a vendor that makes names up is cut here. */
const MOST_NAMES = 2_000
const MOST_CHARACTERS = 200

/** A name that may be an address is nobody's schema, and is not kept. */
const fits = (name: string): string =>
  `strlen(${name}) <= ${MOST_CHARACTERS} and not contains(${name}, '@')`

const TYPES = `case json_type(value) when 'VARCHAR' then 'text' when 'BOOLEAN' then 'boolean'
  when 'OBJECT' then 'object' when 'ARRAY' then 'list' else 'number' end`

/**
 * What a batch holds: every event name in the table `described`, and the properties in the table `sampled`,
 * which has some rows as the vendor sent them (`sampled_event`, `sampled_user`, `sampled_groups`).
 */
export async function readSeenNames(connection: Connection): Promise<SeenInBatch[]> {
  const past = (column: string) => `${column} < now()::timestamp + interval 1 day`
  const part = (name: string, column: string) =>
    `select '${name}.' as part, occurred_at::date as day, ${column} as props from sampled
     where ${past('occurred_at')} and json_type(${column}) = 'OBJECT'`
  const rows = await connection.rows(
    `(select 'event' as kind, name, '' as type, list(day::varchar) as days
        from (select name, day, sum(rows) as n from described
          where ${past('first_at')} group by all)
        where ${fits('name')}
        group by name order by sum(n) desc, name limit ${MOST_NAMES})
     union all
     (select 'property', part || key, type, list(day::varchar)
        from (select part, key, ${TYPES} as type, day, count(*) as n
          from (select part, day, unnest(map_entries(try_cast(props as map(varchar, json))), recursive := true)
            from (${part('event', 'sampled_event')} union all ${part('user', 'sampled_user')}
              union all ${part('group', 'sampled_groups')}))
          where json_type(value) <> 'NULL' group by all)
        where ${fits('key')}
        group by 2, 3 order by sum(n) desc, 2, 3 limit ${MOST_NAMES})`,
  )
  return rows as unknown as SeenInBatch[]
}

/** Puts what several batches hold together. */
export function joinSeen(batches: readonly (readonly SeenInBatch[])[]): SeenInBatch[] {
  const joined = new Map<string, SeenInBatch>()
  for (const one of batches.flat()) {
    const key = JSON.stringify([one.kind, one.name, one.type])
    const days = [...new Set([...(joined.get(key)?.days ?? []), ...one.days])]
    joined.set(key, { ...one, days })
  }
  return [...joined.values()]
}
