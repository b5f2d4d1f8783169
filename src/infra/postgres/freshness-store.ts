import { sql } from 'kysely'
import { BOUNDS_SECONDS, type Spread } from '../../core/freshness/bounds.ts'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** A record that should say something new because something happened. */
export interface DueRecord {
  readonly ref: string
  readonly object: CrmObject
  readonly qualified: boolean
  /** When it arrived here; null when nothing did, or it was history. */
  readonly arrivedAt: Date | null
  /** How old it was then. */
  readonly ageMs: number | null
}

/** Notes what is due, beside what the records should say from now on. What is due already is due since then. */
export async function noteDue(tx: Tx, crm: string, due: readonly DueRecord[]): Promise<void> {
  if (due.length === 0) return
  await sql`insert into freshness as f (ref, crm, object, qualified, due_since, due_age_ms)
    select n.ref, ${crm}, n.object, n.qualified, n."arrivedAt", n."ageMs"
    from jsonb_to_recordset(${JSON.stringify(due)}::jsonb) as n(ref text, object text, qualified boolean,
      "arrivedAt" timestamptz, "ageMs" bigint)
    where exists (select from crm_record r where r.ref = n.ref and r.crm = ${crm}) order by n.ref
    on conflict (ref, crm) do update set qualified = excluded.qualified,
      due_since = coalesce(f.due_since, excluded.due_since),
      due_age_ms = case when f.due_since is null then excluded.due_age_ms else f.due_age_ms end`.execute(
    tx,
  )
}

/**
 * Counts how long it took to those of these records that now are in the CRM as they should be, and forgets what was due
 * of records that the CRM will not have.
 */
export async function noteInCrm(db: Db | Tx, crm: string, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return
  await sql`with ended as materialized (
      select f.ref, f.object, f.qualified, f.due_since, f.due_age_ms, r.state
      from freshness f join crm_record r using (ref, crm)
      where f.crm = ${crm} and f.ref = any(${[...refs]}::text[]) and f.due_since is not null
        and r.state in ('in-sync', 'unlinked')
      order by f.ref for update of f),
    noted as (update freshness f set due_since = null, due_age_ms = null,
        arrived_at = case when e.state = 'in-sync' then e.due_since else f.arrived_at end,
        event_at = case when e.state = 'in-sync'
          then e.due_since - e.due_age_ms * interval '1 millisecond' else f.event_at end,
        in_crm_at = case when e.state = 'in-sync' then clock_timestamp() else f.in_crm_at end
      from ended e where f.ref = e.ref and f.crm = ${crm}
      returning f.ref),
    took as (select object, qualified, extract(epoch from clock_timestamp() - due_since) as seconds,
        due_age_ms / 1000.0 as age
      from ended join noted using (ref) where state = 'in-sync')
    ${countedSql(crm)}`.execute(db)
}

/** Counts how long it took to a task that is there now; once, however often it is told. */
export async function noteTaskInCrm(db: Db | Tx, crm: string, key: string): Promise<void> {
  await sql`with took as (update task_intent set in_crm_at = clock_timestamp()
      where key = ${key} and in_crm_at is null and arrived_at is not null
      returning 'task' as object, true as qualified,
        extract(epoch from clock_timestamp() - arrived_at) as seconds, event_age_ms / 1000.0 as age)
    ${countedSql(crm)}`.execute(db)
}

/** Adds the rows of `took (object, qualified, seconds, age)` to the counts of this hour. */
const countedSql = (crm: string) => sql`
    insert into freshness_hour as h (crm, hour, object, qualified, since, bound, n, seconds)
    select ${crm}, date_trunc('hour', now()), object, qualified, since,
      width_bucket(seconds, ${boundsAbove}::double precision[]), count(*), sum(seconds)
    from (select object, qualified, 'arrival' as since, greatest(seconds, 0)::double precision as seconds from took
      union all select object, qualified, 'event', greatest(seconds + age, 0)::double precision from took
        where age is not null) t
    group by 3, 4, 5, 6
    on conflict (crm, hour, object, qualified, since, bound) do update
      set n = h.n + excluded.n, seconds = h.seconds + excluded.seconds`

/** A time that is a bound to the microsecond belongs to it: PostgreSQL counts it to the next one. */
const boundsAbove = BOUNDS_SECONDS.map((bound) => bound + 1e-6)

/** Counts of one kind. */
export interface Counted {
  readonly crm: string
  readonly object: 'contact' | 'company' | 'task'
  readonly qualified: boolean
  readonly since: 'arrival' | 'event'
  readonly spread: Spread
}

/**
 * What was counted.
 * @param hours the last so many whole hours and this one; null for everything since the beginning.
 */
export async function readCounted(db: Db, hours: number | null): Promise<readonly Counted[]> {
  const { rows } = await sql<
    Omit<Counted, 'spread'> & { bounds: number[]; ns: number[]; s: number }
  >`
    select crm, object, qualified, since, array_agg(bound) as bounds, array_agg(n::float8) as ns, sum(s) as s
    from (select crm, object, qualified, since, bound, sum(n) as n, sum(seconds) as s from freshness_hour
      where ${hours}::int is null
        or hour >= date_trunc('hour', now()) - coalesce(${hours}::int, 0) * interval '1 hour'
      group by 1, 2, 3, 4, 5) t
    group by 1, 2, 3, 4 order by 1, 2, 3 desc, 4`.execute(db)
  return rows.map(({ bounds, ns, s, ...kind }) => {
    const counts = new Array<number>(BOUNDS_SECONDS.length + 1).fill(0)
    for (const [i, bound] of bounds.entries()) counts[bound] = ns[i] ?? 0
    return { ...kind, spread: { counts, seconds: Number(s) } }
  })
}

/** What is due and not in the CRM yet; records that wait for a person are not. */
export interface OpenDue {
  readonly crm: string
  readonly object: 'contact' | 'company' | 'task'
  readonly qualified: boolean
  readonly open: number
  /** Those that are due for longer than was asked about. */
  readonly late: number
  readonly oldestSince: Date
  /** Our id of whom the oldest is about. */
  readonly oldest: string
}

export async function readOpenDue(db: Db, lateSeconds: number): Promise<readonly OpenDue[]> {
  const { rows } = await sql<OpenDue>`
    select crm, object, qualified, count(*)::int as open,
      (count(*) filter (where since < now() - ${lateSeconds} * interval '1 second'))::int as late,
      min(since) as "oldestSince", (array_agg(ref order by since))[1] as oldest
    from (select f.crm, f.object, f.qualified, f.due_since as since, f.ref
      from freshness f join crm_record r using (ref, crm)
      where f.due_since is not null and r.state in ('pending', 'writing')
      union all
      select crm, 'task', true, arrived_at, account_ref from task_intent
      where state in ('planned', 'creating', 'noting') and arrived_at is not null) t
    group by 1, 2, 3 order by 1, 2, 3 desc`.execute(db)
  return rows
}

/** True when a record or task of who is qualified waits for something that has happened. */
export async function hasHot(db: Db, crm: string): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`select exists (select from freshness f
      join crm_record r using (ref, crm) where f.crm = ${crm} and f.qualified
      and f.due_since is not null and r.state in ('pending', 'writing'))
    or exists (select from task_intent where crm = ${crm} and state = 'planned'
      and arrived_at is not null) as any`.execute(db)
  return rows[0]?.any ?? false
}

/** Those of these people and accounts whom some model calls qualified. */
export async function qualifiedAmong(
  db: Db | Tx,
  subjects: readonly string[],
): Promise<ReadonlySet<string>> {
  if (subjects.length === 0) return new Set()
  const { rows } = await sql<{ id: string }>`select distinct subject_id as id from score
    where subject_id = any(${[...subjects]}::text[]) and usage_status = 'qualified'`.execute(db)
  return new Set(rows.map(({ id }) => id))
}
