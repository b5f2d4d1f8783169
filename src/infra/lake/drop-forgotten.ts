import { sealingPads } from '../seal.ts'
import { binder, type Connection, type DuckParam } from './duck.ts'
import { type Bind, pathTo, splitPlace } from './kept-sql.ts'

/** Whose events no file may hold. */
export interface Forgotten {
  /** What the hashes were made with. */
  readonly key: Buffer
  /** Sealed nodes of the identity graph: `amplitude/u:7`, `email/ann@acme.com`. */
  readonly hashes: readonly string[]
}

/**
 * Deletes from the temporary table `batch` every event that bears a forgotten id, or a forgotten
 * address where addresses stand.
 * @returns how many.
 */
export async function dropForgotten(
  connection: Connection,
  source: string,
  emailPlaces: readonly string[],
  forgotten: Forgotten | undefined,
): Promise<number> {
  if (!forgotten || forgotten.hashes.length === 0) return 0
  const params: Record<string, DuckParam> = {}
  const bind = binder(params)
  const who = nodesSql(source, emailPlaces, bind)
  // Events without a profile keep nothing else that says who did it.
  const said = emailPlaces
    .filter((place) => splitPlace(place).part === 'event')
    .map((place) => addressSql(propertySql('event_properties', place, bind)))
  await connection.run(
    `create or replace temp table named as
     select distinct variant, unnest([${who.join(', ')}]) as node from (
       select variant, any_value(profile) as profile, any_value(device_id) as device_id,
         any_value(alias_id) as alias_id, any_value(user_properties) as user_properties,
         any_value(groups) as groups, any_value(said) as said
       from batch group by variant)
     union
     select variant, unnest([${said.join(', ')}]::varchar[]) from batch
     where profile is null and event_properties is not null`,
    params,
  )
  await keepForgotten(connection, forgotten)
  const gone = 'variant in (select variant from named)'
  const [row] = await connection.rows(`select count(*)::double as n from batch where ${gone}`)
  await connection.run(`delete from batch where ${gone}`)
  await connection.run('drop table named')
  return Number(row?.['n'] ?? 0)
}

/**
 * The same for the temporary table `rollup`, whose rows know no more than their profile.
 * @returns how many rows were deleted.
 */
export async function dropForgottenProfiles(
  connection: Connection,
  source: string,
  forgotten: Forgotten,
): Promise<number> {
  await connection.run(
    `create or replace temp table named as
     select profile, unnest([$source || '/' || profile, ${addressSql('substr(profile, 3)')}]) as node
     from (select distinct profile from rollup)`,
    { source },
  )
  await keepForgotten(connection, forgotten)
  const gone = 'profile in (select profile from named)'
  const [row] = await connection.rows(`select count(*)::double as n from rollup where ${gone}`)
  await connection.run(`delete from rollup where ${gone}`)
  await connection.run('drop table named')
  return Number(row?.['n'] ?? 0)
}

/** Leaves in `named` only the rows whose node is forgotten. Each node is hashed once: HMAC-SHA256. */
async function keepForgotten(connection: Connection, { key, hashes }: Forgotten): Promise<void> {
  await connection.run(
    `delete from named where node is null or node not in (
       select node from (select distinct node from named where node is not null)
       where list_contains($hashes::varchar[],
         sha256(unhex($outer) || unhex(sha256(unhex($inner) || encode(node))))))`,
    { hashes, ...sealingPads(key) },
  )
}

/** The nodes of the identity graph that a variant names, as the graph writes them. */
function nodesSql(source: string, emailPlaces: readonly string[], bind: Bind): string[] {
  const column = { user: 'user_properties', event: 'said', group: 'groups' } as const
  return [
    `${bind(`${source}/`)} || profile`,
    `${bind(`${source}/d:`)} || device_id`,
    `${bind(`${source}/a:`)} || alias_id`,
    // Many products take the address for the user id.
    addressSql('substr(profile, 3)'),
    addressSql('alias_id'),
    ...emailPlaces.map((place) =>
      addressSql(propertySql(column[splitPlace(place).part], place, bind)),
    ),
  ]
}

const propertySql = (column: string, place: string, bind: Bind): string =>
  `json_extract_string(${column}, ${bind(pathTo(splitPlace(place).property))})`

const addressSql = (text: string): string => `'email/' || lower(trim(${text}))`
