import type { Evidence } from '../../core/scoring/features.ts'
import type { SignalWindow } from '../../core/scoring/signal-windows.ts'
import type { UsageNeed } from '../../core/scoring/usage-needs.ts'
import { VALUE_COLUMNS } from '../../core/usage/rollup-sql.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { loadLive } from './live.ts'
import { ROLLUP_ROWS } from './rollup-file.ts'

/** Which person and account each vendor identity counts for. */
export interface Membership {
  readonly source: string
  readonly profile: string
  readonly personId: string
  readonly accountId: string | null
}

/** Evidence by subject id, then signal. */
export type EvidenceBySubject = ReadonlyMap<string, ReadonlyMap<string, Evidence>>

const VALUE_NAMES = Object.keys(VALUE_COLUMNS) as (keyof typeof VALUE_COLUMNS)[]

type SourcePart = LivePart & { readonly source: string }

/**
 * Loads the live rollup rows of all sources, with the people they count for, into the temporary table
 * `usage (person_id, account_id, action, day, count, first_at, last_at, value_…)`.
 * @param needs the rows that will be asked for; null for all.
 */
export async function loadUsage(
  connection: Connection,
  lakeDir: string,
  parts: readonly SourcePart[],
  members: readonly Membership[],
  needs: readonly UsageNeed[] | null = null,
): Promise<void> {
  if (needs) await loadNeeds(connection, needs)
  await connection.run(
    `create or replace temp table usage (person_id varchar, account_id varchar, action varchar,
       day date, count bigint, first_at timestamp, last_at timestamp,
       ${VALUE_NAMES.map((name) => `${name} ${VALUE_COLUMNS[name]}`).join(', ')})`,
  )
  await loadMembers(connection, members)
  for (const source of new Set(parts.map((part) => part.source))) {
    const paths = await loadLive(
      connection,
      lakeDir,
      parts.filter((part) => part.source === source),
    )
    await connection.run(
      `insert into usage
       select m.person_id, m.account_id, r.action, r.day, r.count, r.first_at, r.last_at,
         ${VALUE_NAMES.map((name) => `r.${name}`).join(', ')}
       from ${ROLLUP_ROWS} r
       semi join live on r.filename = live.path and r.day = live.partition::date
       ${needs ? 'semi join need on r.action = need.action and r.day >= need.from_day' : ''}
       join member m on m.source = $source and m.profile = r.profile`,
      { paths, source },
    )
  }
}

async function loadNeeds(connection: Connection, needs: readonly UsageNeed[]): Promise<void> {
  await connection.run(
    `create or replace temp table need as
     select unnest($actions::varchar[]) as action, unnest($from::varchar[])::date as from_day`,
    { actions: needs.map((need) => need.action), from: needs.map((need) => need.fromDay) },
  )
}

/** Loads who is who into the temporary table `member (source, profile, person_id, account_id)`. */
export async function loadMembers(
  connection: Connection,
  members: readonly Membership[],
): Promise<void> {
  await connection.run(
    `create or replace temp table member
       (source varchar, profile varchar, person_id varchar, account_id varchar)`,
  )
  const appender = await connection.raw.createAppender('member')
  for (const member of members) {
    appender.appendVarchar(member.source)
    appender.appendVarchar(member.profile)
    appender.appendVarchar(member.personId)
    if (member.accountId === null) appender.appendNull()
    else appender.appendVarchar(member.accountId)
    appender.endRow()
  }
  appender.closeSync()
}

/**
 * Evidence for every signal window and subject up to `asOf`, from the table that `loadUsage` made.
 * Rows whose first event lies after `asOf` do not count.
 * @param among the subjects that are asked about; null for all that the table holds.
 */
export async function readEvidence(
  connection: Connection,
  subject: 'person' | 'account',
  windows: readonly SignalWindow[],
  asOf: Date,
  among: readonly string[] | null = null,
): Promise<EvidenceBySubject> {
  await connection.run(
    `create or replace temp table signal as
     select unnest($signals::varchar[]) as signal, unnest($actions::varchar[]) as action,
       unnest($from::varchar[])::date as from_day, unnest($to::varchar[])::date as to_day`,
    {
      signals: windows.map((w) => w.signal),
      actions: windows.map((w) => w.action),
      from: windows.map((w) => w.fromDay),
      to: windows.map((w) => w.toDay),
    },
  )
  const column = subject === 'person' ? 'person_id' : 'account_id'
  const rows = await connection.rows(
    `select u.${column} as subject, s.signal, sum(u.count)::double as count,
       count(distinct u.day)::double as days, min(u.first_at) as first_at, max(u.last_at) as last_at,
       ${VALUES}
     from usage u join signal s
       on u.action = s.action and u.day >= s.from_day and u.day < s.to_day
     where u.${column} is not null and u.first_at < $asOf::timestamp
       ${among ? `and u.${column} in (select unnest($among::varchar[]))` : ''}
     group by u.${column}, s.signal`,
    { asOf: asOf.toISOString().replace('Z', ''), ...(among ? { among } : {}) },
  )
  const bySubject = new Map<string, Map<string, Evidence>>()
  for (const row of rows) {
    const subjectId = String(row['subject'])
    const signals = bySubject.get(subjectId) ?? new Map<string, Evidence>()
    signals.set(String(row['signal']), {
      count: Number(row['count']),
      days: Number(row['days']),
      firstAt: row['first_at'] as Date,
      lastAt: row['last_at'] as Date,
      ...keptValue(row),
    })
    bySubject.set(subjectId, signals)
  }
  return bySubject
}

/** What the days of a window kept of the action's value, over all of them. */
const VALUES = `sum(u.value_sum)::double as value_sum, max(u.value_max)::double as value_max,
  struct_extract(max({told: u.value_last_at, n: u.value_last})
    filter (where u.value_last_at is not null), 'n')::double
    as value_last,
  max(u.value_last_at) as value_last_at,
  len(list_distinct(flatten(list(u.value_distinct) filter (where u.value_distinct is not null))))::double
    as value_distinct,
  bool_or(u.value_capped) as value_capped`

function keptValue(row: Record<string, unknown>): Pick<Evidence, 'value'> {
  if (VALUE_NAMES.every((name) => row[name] === null)) return {}
  return {
    value: {
      sum: row['value_sum'] as number | null,
      max: row['value_max'] as number | null,
      last: row['value_last'] as number | null,
      lastAt: row['value_last_at'] as Date | null,
      distinct: row['value_distinct'] as number | null,
      isCapped: row['value_capped'] === true,
    },
  }
}
