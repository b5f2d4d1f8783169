import { ADDRESS_PATTERN, redactAddresses } from '../../core/identity/redact.ts'
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
     select distinct variant, unnest([${who.join(', ')}] || list_transform(
         coalesce(linked_ids, []), lambda id: ${bind(`${source}/`)} || id)) as node from (
       select variant, any_value(linked_ids) as linked_ids, any_value(profile) as profile, any_value(device_id) as device_id,
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
 * Takes forgotten addresses out of what the other events of `batch` say, such as whom somebody invited.
 * @returns in how many events.
 */
export async function redactMentions(
  connection: Connection,
  forgotten: Forgotten | undefined,
): Promise<number> {
  if (!forgotten || forgotten.hashes.length === 0) return 0
  const ofVariant = TEXTS.map((column) => `any_value(${column}) as ${column}`)
  await connection.run(
    `create or replace temp table named as
     select said_text, 'email/' || unnest(regexp_extract_all(lower(said_text), $address)) as node from (
       select event_properties::varchar as said_text from batch
       union
       select unnest([${['said', 'user_properties', 'groups'].map((c) => `${c}::varchar`).join(', ')}])
       from (select ${ofVariant.join(', ')} from batch group by variant))
     where contains(said_text, '@')`,
    { address: ADDRESS_PATTERN },
  )
  await keepForgotten(connection, forgotten)
  const rows = await connection.rows(
    'select said_text, list(distinct substr(node, 7)) as addresses from named group by said_text',
  )
  await connection.run('drop table named')
  if (rows.length === 0) return 0
  const before = rows.map((row) => String(row['said_text']))
  const after = rows.map((row) =>
    redactAddresses(String(row['said_text']), row['addresses'] as string[]),
  )
  return replaceTexts(connection, before, after)
}

const TEXTS = ['event_properties', 'said', 'user_properties', 'groups'] as const

async function replaceTexts(
  connection: Connection,
  before: readonly string[],
  after: readonly string[],
): Promise<number> {
  await connection.run(
    `create or replace temp table redacted as
     select unnest($before::varchar[]) as old, unnest($after::varchar[]) as new`,
    { before, after },
  )
  const said = TEXTS.map((column) => `${column}::varchar in (select old from redacted)`)
  const [row] = await connection.rows(
    `select count(*)::double as n from batch where ${said.join(' or ')}`,
  )
  for (const column of TEXTS) {
    await connection.run(
      `update batch set ${column} = redacted.new::json from redacted
       where batch.${column}::varchar = redacted.old`,
    )
  }
  await connection.run('drop table redacted')
  return Number(row?.['n'] ?? 0)
}

/**
 * Deletes forgotten profiles from the temporary table `rollup`, whose rows know no more than that.
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
       where sha256(unhex($outer) || unhex(sha256(unhex($inner) || encode(node))))
         in (select unnest($hashes::varchar[])))`,
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
