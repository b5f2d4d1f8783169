import { asksForValues, type FeaturePlan, type ReadAction } from '../../core/usage/feature-sql.ts'
import { VALUE_COLUMNS } from '../../core/usage/rollup-sql.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { loadLive } from './live.ts'
import { ROLLUP_COUNTS, ROLLUP_ROWS } from './rollup-file.ts'

/** Which person and account, by number, each vendor identity counts for. */
export interface Membership {
  readonly source: string
  readonly profile: string
  readonly person: number
  /** Null without an account. */
  readonly account: number | null
  /** The part that her rows go to when they are written to files; see `splitUsage`. */
  readonly part?: number
}

export type SourcePart = LivePart & { readonly source: string }

/** Rollups of all sources: live parts of files in one folder. */
export interface Rollups {
  readonly dir: string
  readonly parts: readonly SourcePart[]
}

/** Rows that are read, and whether with the values that they keep. */
export interface UsageAsk {
  readonly actions: readonly ReadAction[]
  readonly withValues: boolean
  /** Whether each row tells its person's part. */
  readonly withParts?: boolean
}

export const usageAsk = (
  plans: readonly FeaturePlan[],
  actions: readonly ReadAction[],
): UsageAsk => ({ actions, withValues: plans.some(asksForValues) })

const VALUE_NAMES = Object.keys(VALUE_COLUMNS) as (keyof typeof VALUE_COLUMNS)[]

const columnsOf = ({ withValues }: UsageAsk): readonly (readonly [string, string])[] => [
  ['person', 'integer'],
  ['account', 'integer'],
  ['action', 'integer'],
  ['day', 'integer'],
  ['count', 'double'],
  ['first_at', 'double'],
  ['last_at', 'double'],
  ...(withValues ? VALUE_NAMES.map((name) => [name, VALUE_COLUMNS[name]] as const) : []),
]

/**
 * Loads the live rollup rows of the asked actions of those who are in `member` into the temporary table
 * `usage (person, account, action, day, count, first_at, last_at, value_…)`: days since 1970, instants in
 * milliseconds.
 */
export async function loadUsage(
  connection: Connection,
  rollups: Rollups,
  ask: UsageAsk,
): Promise<void> {
  const columns = columnsOf(ask)
  const list = columns.map(([name, type]) => `${name} ${type}`).join(', ')
  await connection.run(`create or replace temp table usage (${list})`)
  await eachSource(connection, rollups, ask, async (sql, params) => {
    await connection.run(`insert into usage ${sql}`, params)
  })
}

/** As `loadUsage`, from the rollups that are held as a table; `files` are their numbers in it. */
export async function loadHeldUsage(
  connection: Connection,
  { parts }: Rollups,
  ask: UsageAsk,
  files: ReadonlyMap<string, number>,
): Promise<void> {
  await loadAsked(connection, ask)
  const values = ask.withValues ? VALUE_NAMES.map((name) => `, r.${name}`).join('') : ''
  await connection.run(
    `create or replace temp table usage as
     with live_day as (select distinct source, file::integer as file, day::date as day
       from (select unnest($sources::varchar[]) as source, unnest($files::varchar[]) as file,
         unnest($days::varchar[]) as day))
     select m.person, m.account, a.action, ${ROW}${values}
     from held_rollup r
     join live_day l on r.file = l.file and r.day = l.day
     join asked a on a.name = r.action and r.day >= a.from_day
     join member m on m.profile = r.profile and m.source = l.source`,
    {
      sources: parts.map(({ source }) => source),
      files: parts.map(({ fileId }) => String(files.get(fileId))),
      days: parts.map(({ partition }) => partition),
    },
  )
}

/** Of a rollup row `r`: `day, count, first_at, last_at`, as the table `usage` has them. */
const ROW = `(r.day - date '1970-01-01')::integer as day, r.count::double as count,
  epoch_ms(r.first_at)::double as first_at, epoch_ms(r.last_at)::double as last_at`

/** The same rows, one statement for each source; they are given the part of the person too. */
export async function eachSource(
  connection: Connection,
  { dir, parts }: Rollups,
  ask: UsageAsk,
  take: (sql: string, params: { paths: readonly string[]; source: string }) => Promise<void>,
): Promise<void> {
  await loadAsked(connection, ask)
  const values = ask.withValues ? VALUE_NAMES.map((name) => `, r.${name}`).join('') : ''
  for (const source of new Set(parts.map((part) => part.source))) {
    const some = parts.filter((part) => part.source === source)
    const paths = await loadLive(connection, dir, some)
    await connection.run(
      `create or replace temp table live_day as select list_position($paths::varchar[], path) - 1 as file,
         partition::date as day from live`,
      { paths },
    )
    await take(
      `select m.person, m.account, a.action, ${ROW}${values}${ask.withParts ? ', m.part' : ''}
       from ${ask.withValues ? ROLLUP_ROWS : ROLLUP_COUNTS} r
       semi join live_day l on r.file_index = l.file and r.day = l.day
       join asked a on a.name = r.action and r.day >= a.from_day
       join member m on m.profile = r.profile
       where m.source = $source`,
      { paths, source },
    )
  }
}

async function loadAsked(connection: Connection, { actions }: UsageAsk): Promise<void> {
  await connection.run(
    `create or replace temp table asked as
     select name, action::integer as action, date '1970-01-01' + days::integer as from_day
     from (select unnest($names::varchar[]) as name, unnest($places::varchar[]) as action,
       unnest($days::varchar[]) as days)`,
    {
      names: actions.map(({ name }) => name),
      places: actions.map((_, place) => String(place)),
      days: actions.map(({ fromDay }) => String(fromDay)),
    },
  )
}

/** Makes the temporary table `member (source, profile, person, account)` empty. */
export async function clearMembers(connection: Connection): Promise<void> {
  await connection.run(
    `create or replace temp table member
       (source varchar, profile varchar, person integer, account integer, part integer)`,
  )
}

/** Adds who is who to the temporary table `member`. */
export async function addMembers(
  connection: Connection,
  members: Iterable<Membership>,
): Promise<void> {
  const appender = await connection.raw.createAppender('member')
  for (const member of members) {
    appender.appendVarchar(member.source)
    appender.appendVarchar(member.profile)
    appender.appendInteger(member.person)
    if (member.account === null) appender.appendNull()
    else appender.appendInteger(member.account)
    appender.appendInteger(member.part ?? 0)
    appender.endRow()
  }
  appender.closeSync()
}
