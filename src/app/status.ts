import { sql } from 'kysely'
import { CANARY_SOURCE } from '../core/canary/canary.ts'
import { readEffective } from '../infra/mappings/published.ts'
import { notCanary } from '../infra/postgres/canary-store.ts'
import { readStreams, type StreamStatus } from '../infra/postgres/crm-stream-store.ts'
import type { Db } from '../infra/postgres/database.ts'
import { countMessages } from '../infra/postgres/message-store.ts'
import { readDays, readWindows } from '../infra/postgres/pace-store.ts'
import { countParkedFields } from '../infra/postgres/parked-store.ts'
import { type RebuildProgress, readRebuild } from '../infra/postgres/rollup-generations.ts'
import { speakingModels } from './ranking.ts'

export interface SourceStatus {
  /** Distinct events: copies of one event count once. */
  readonly events: number
  /** Rows as the vendor delivered them. */
  readonly rows: number
  readonly windows: number
  readonly firstDay: string | null
  readonly lastDay: string | null
  readonly pulledAt: string | null
}

export interface CrmStatus {
  readonly records: Readonly<Record<string, number>>
  /** Properties of records that are left alone because somebody else puts another value back. */
  readonly parkedProperties: number
  /** Records of ours that could have been several of the CRM's. */
  readonly several: number
  readonly tasks: Readonly<Record<string, number>>
  /** Deals of records of ours: open, won, lost. */
  readonly deals: Readonly<Record<string, number>>
  /** People and accounts whom sales has spoken to since they were qualified. */
  readonly firstContacts: number
  /** How its stream stands; null when it was never followed. */
  readonly stream: StreamStatus | null
}

/** What vendors said about their allowances, and what waits for them. */
export interface PaceStatus {
  /** The day's quota of an account, shared with others, as it was told last. */
  readonly quotas: readonly {
    readonly account: string
    readonly calls: number
    readonly left: number
    readonly seenAt: Date
  }[]
  readonly pauses: readonly { readonly name: string; readonly until: Date; readonly why: string }[]
}

/** How Ripen stands, for `ripen status` and the demo. */
export interface Status {
  readonly sources: Readonly<Record<string, SourceStatus>>
  /** Rollups that are being made anew, by source; empty when none are. Scores go by the old ones. */
  readonly rebuild: Readonly<Record<string, RebuildProgress>>
  readonly people: number
  readonly peopleInSeveralSources: number
  readonly accounts: number
  readonly qualifiedPeople: number
  readonly qualifiedAccounts: number
  readonly crms: Readonly<Record<string, CrmStatus>>
  readonly pace: PaceStatus
  /** What playbooks tell others, by state; of dead messages, why. */
  readonly messages: Awaited<ReturnType<typeof countMessages>>
  readonly open: readonly {
    readonly step: string
    readonly key: string
    readonly error: string | null
  }[]
  readonly mapping: { readonly version: number; readonly folder: string } | null
}

export async function readStatus(db: Db): Promise<Status> {
  const open = await db
    .selectFrom('work')
    .select(['step', 'key', 'error'])
    .whereRef('requested', '>', 'done')
    .orderBy('changed_at')
    .execute()
  const mapping = await db
    .selectFrom('mapping_version')
    .select(['id as version', 'folder'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return {
    sources: await readSources(db),
    rebuild: await readRebuild(db),
    ...(await readPopulation(db, await speaking(db, mapping !== undefined))),
    crms: await readCrms(db),
    pace: await readPace(db),
    messages: await countMessages(db),
    open,
    mapping: mapping ?? null,
  }
}

async function readSources(db: Db): Promise<Record<string, SourceStatus>> {
  const { rows } = await sql<SourceStatus & { source: string; pulledAt: Date | null }>`
    select w.source, w.rows, w.windows, w.pulled_at as "pulledAt", coalesce(r.events, 0) as events,
      r.first_day::text as "firstDay", r.last_day::text as "lastDay"
    from (select source, sum(rows)::bigint as rows, count(*) as windows, max(pulled_at) as pulled_at
          from source_window
          -- Windows of profiles and the like hold rows, but no events.
          where window_key not like '%/%' and source <> ${CANARY_SOURCE} group by source) w
    left join (select source, sum(events)::bigint as events,
          min(day) filter (where events > 0) as first_day,
          max(day) filter (where events > 0) as last_day
          from rollup_day join rollup_generation using (generation)
          where live group by source) r on r.source = w.source
    order by w.source`.execute(db)
  return Object.fromEntries(
    rows.map(({ source, pulledAt, ...rest }) => [
      source,
      { ...rest, pulledAt: pulledAt?.toISOString() ?? null },
    ]),
  )
}

/** The models whose word counts, see `speakingModels`. */
async function speaking(db: Db, isPublished: boolean): Promise<readonly string[]> {
  if (!isPublished) return []
  const { set } = await readEffective(db)
  return [...speakingModels(set, 'person'), ...speakingModels(set, 'account')]
}

async function readPopulation(
  db: Db,
  models: readonly string[],
): Promise<
  Pick<
    Status,
    'people' | 'peopleInSeveralSources' | 'accounts' | 'qualifiedPeople' | 'qualifiedAccounts'
  >
> {
  const { rows } = await sql<Record<string, number>>`select
    (select count(*) from person p where ${notCanary('p.id')}) as people,
    (select count(*) from (select person_id from identity_node where node not like 'email/%'
      group by person_id having count(distinct split_part(node, '/', 1)) > 1) s) as several,
    (select count(distinct account_id) from person where account_id is not null) as accounts,
    (select count(distinct subject_id) from score
      where subject = 'person' and usage_status = 'qualified' and model = any(${[...models]}::text[])
        and ${notCanary('score.subject_id')}) as people_qualified,
    (select count(distinct subject_id) from score
      where subject = 'account' and usage_status = 'qualified' and model = any(${[...models]}::text[])) as accounts_qualified`.execute(
    db,
  )
  const row = rows[0] ?? {}
  return {
    people: Number(row['people'] ?? 0),
    peopleInSeveralSources: Number(row['several'] ?? 0),
    accounts: Number(row['accounts'] ?? 0),
    qualifiedPeople: Number(row['people_qualified'] ?? 0),
    qualifiedAccounts: Number(row['accounts_qualified'] ?? 0),
  }
}

async function readPace(db: Db): Promise<PaceStatus> {
  const days = await readDays(db)
  const quotas = days.flatMap(({ name, calls, callsLeft, seenAt }) =>
    calls === null || callsLeft === null || seenAt === null
      ? []
      : [{ account: name, calls, left: callsLeft, seenAt }],
  )
  const pauses = [...days, ...(await readWindows(db))].flatMap(
    ({ name, pausedUntil, pausedWhy }) =>
      pausedUntil === null ? [] : [{ name, until: pausedUntil, why: pausedWhy ?? '' }],
  )
  return { quotas, pauses }
}

async function readCrms(db: Db): Promise<Record<string, CrmStatus>> {
  const { rows } = await sql<{ crm: string; what: string; state: string; n: number }>`
    select crm, 'records' as what, state, count(*) as n from crm_record group by crm, state
    union all
    select crm, 'several', '', count(*) from crm_record where candidates is not null group by crm
    union all
    select crm, 'tasks', state, count(*) from task_intent group by crm, state
    union all
    select crm, 'deals', state, count(*) from crm_deal d where exists (select from crm_deal_record r
      where r.crm = d.crm and r.deal_id = d.deal_id) group by crm, state
    union all
    select crm, 'firstContacts', '', count(*) from first_contact group by crm
    order by 1, 2, 3`.execute(db)
  const counts = (crm: string, wanted: string) =>
    Object.fromEntries(
      rows
        .filter((row) => row.crm === crm && row.what === wanted)
        .map(({ state, n }) => [state, Number(n)]),
    )
  const streams = await readStreams(db)
  const parked = await countParkedFields(db)
  const names = [...new Set([...rows.map(({ crm }) => crm), ...streams.keys()])]
  return Object.fromEntries(
    names.map((crm) => [
      crm,
      {
        records: counts(crm, 'records'),
        parkedProperties: parked.get(crm) ?? 0,
        several: counts(crm, 'several')[''] ?? 0,
        tasks: counts(crm, 'tasks'),
        deals: counts(crm, 'deals'),
        firstContacts: counts(crm, 'firstContacts')[''] ?? 0,
        stream: streams.get(crm) ?? null,
      },
    ]),
  )
}
