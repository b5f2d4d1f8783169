import { sql } from 'kysely'
import type { Db } from './database.ts'

/** What all processes know of an allowance; times are milliseconds of PostgreSQL's clock. */
export interface PaceState {
  readonly nowMs: number
  /** As the vendor said; null until it said something. */
  readonly calls: number | null
  readonly intervalMs: number | null
  readonly slowed: number
  readonly slowedAtMs: number | null
  /** Until when nobody may make a call, and why; the later of the allowance's pause and the account's. */
  readonly pausedUntilMs: number | null
  readonly pausedWhy: string | null
}

export interface Reserved extends PaceState {
  /** When the first of the turns begins; null when none was reserved. */
  readonly startsAtMs: number | null
  /** When the next free turn begins. */
  readonly freeAtMs: number
}

export interface Reservation {
  /** The allowance, and the account that it belongs to. */
  readonly name: string
  readonly account: string
  readonly turns: number
  readonly stepMs: number
  /** Turns that begin later than this are not reserved. */
  readonly aheadMs: number
}

/**
 * Reserves turns one after another, in one statement on PostgreSQL's clock: the generic cell rate
 * algorithm (ITU-T I.371). None while the allowance or its account is paused. The commit is not waited
 * for: a turn that a crash of the server forgets was at most a fraction of a second long.
 */
export async function reserveTurns(db: Db, wanted: Reservation): Promise<Reserved> {
  const { name, account, turns, stepMs, aheadMs } = wanted
  const length = turns * stepMs
  const { rows } = await sql<Reserved>`
    with paused as (
      select paused_until, paused_why from pace where name = ${name} and paused_until > clock_timestamp()
      union all
      select paused_until, paused_why from pace_day where name = ${account} and paused_until > clock_timestamp()
    ), reserved as (
      insert into pace as p (name, spoken_until)
      select ${name}, clock_timestamp() + ${length} * interval '1 millisecond'
      where not exists (select from paused)
      on conflict (name) do update
        set spoken_until = greatest(p.spoken_until, clock_timestamp()) + ${length} * interval '1 millisecond'
        where p.spoken_until - clock_timestamp() <= ${aheadMs} * interval '1 millisecond'
      returning spoken_until
    )
    select set_config('synchronous_commit', 'off', true),
      extract(epoch from clock_timestamp())::float8 * 1000 as "nowMs",
      (select extract(epoch from spoken_until)::float8 * 1000 - ${length} from reserved) as "startsAtMs",
      coalesce(extract(epoch from coalesce((select spoken_until from reserved), p.spoken_until)), 0)::float8 * 1000
        as "freeAtMs",
      p.calls, p.interval_ms as "intervalMs", coalesce(p.slowed, 1)::float8 as slowed,
      extract(epoch from p.slowed_at)::float8 * 1000 as "slowedAtMs",
      (select extract(epoch from max(paused_until))::float8 * 1000 from paused) as "pausedUntilMs",
      (select paused_why from paused order by paused_until desc limit 1) as "pausedWhy"
    from (values (1)) one left join pace p on p.name = ${name}`.execute(db)
  const [row] = rows
  if (!row) throw new Error('the reservation gave no answer')
  return row
}

/** Keeps what the vendor said of an allowance. */
export async function storeWindow(
  db: Db,
  name: string,
  { calls, intervalMs }: { readonly calls: number; readonly intervalMs: number },
): Promise<void> {
  await sql`insert into pace (name, spoken_until, calls, interval_ms)
    values (${name}, clock_timestamp(), ${calls}, ${intervalMs})
    on conflict (name) do update set calls = excluded.calls, interval_ms = excluded.interval_ms
    where (pace.calls, pace.interval_ms) is distinct from (excluded.calls, excluded.interval_ms)`.execute(
    db,
  )
}

/**
 * After a refusal: nobody makes a call for so long, and all are slower afterwards. Several refusals
 * of one pause slow down once.
 */
export async function refuseWindow(
  db: Db,
  name: string,
  refused: { readonly pauseMs: number; readonly slowed: number; readonly why: string },
): Promise<void> {
  const { pauseMs, slowed, why } = refused
  await sql`insert into pace as p (name, spoken_until, paused_until, paused_why, slowed, slowed_at)
    values (${name}, clock_timestamp(), clock_timestamp() + ${pauseMs} * interval '1 millisecond', ${why},
      ${slowed}, clock_timestamp())
    on conflict (name) do update set
      slowed = case when p.paused_until > clock_timestamp() then p.slowed else excluded.slowed end,
      slowed_at = excluded.slowed_at, paused_why = excluded.paused_why,
      paused_until = greatest(p.paused_until, excluded.paused_until)`.execute(db)
}

/** Stops every call to an account until an instant; an earlier end of a pause is not put off. */
export async function pauseAccount(
  db: Db,
  account: string,
  until: { readonly pauseMs: number } | { readonly at: Date },
  why: string,
): Promise<void> {
  const at = 'at' in until ? until.at : null
  const pauseMs = 'at' in until ? 0 : until.pauseMs
  await sql`insert into pace_day as d (name, paused_until, paused_why)
    values (${account}, coalesce(${at}::timestamptz, clock_timestamp() + ${pauseMs} * interval '1 millisecond'), ${why})
    on conflict (name) do update set paused_until = excluded.paused_until, paused_why = excluded.paused_why
    where d.paused_until is null or d.paused_until < excluded.paused_until`.execute(db)
}

/** What is known of an account's day. */
export interface DayRow {
  readonly name: string
  readonly calls: number | null
  readonly callsLeft: number | null
  readonly seenAt: Date | null
  readonly timeZone: string | null
  /** Null when nothing is paused. */
  readonly pausedUntil: Date | null
  readonly pausedWhy: string | null
}

/** Keeps what the vendor said of the day's quota; what was said later counts. */
export async function storeDay(
  db: Db,
  account: string,
  day: { readonly calls: number; readonly left: number },
): Promise<void> {
  await sql`insert into pace_day (name, calls, calls_left, seen_at)
    values (${account}, ${day.calls}, ${day.left}, clock_timestamp())
    on conflict (name) do update set calls = excluded.calls, calls_left = excluded.calls_left,
      seen_at = excluded.seen_at`.execute(db)
}

export async function storeTimeZone(db: Db, account: string, zone: string): Promise<void> {
  await sql`insert into pace_day (name, time_zone) values (${account}, ${zone})
    on conflict (name) do update set time_zone = excluded.time_zone`.execute(db)
}

/** All accounts whose vendor said something, for the status, metrics and whoever needs the time zone. */
export async function readDays(db: Db): Promise<readonly DayRow[]> {
  const { rows } =
    await sql<DayRow>`select name, calls, calls_left as "callsLeft", seen_at as "seenAt",
      time_zone as "timeZone", case when paused_until > clock_timestamp() then paused_until end as "pausedUntil",
      case when paused_until > clock_timestamp() then paused_why end as "pausedWhy"
    from pace_day order by name`.execute(db)
  return rows
}

/** An allowance as `ripen status` and the metrics tell it. */
export interface WindowRow {
  readonly name: string
  readonly calls: number | null
  readonly intervalMs: number | null
  readonly pausedUntil: Date | null
  readonly pausedWhy: string | null
}

export async function readWindows(db: Db): Promise<readonly WindowRow[]> {
  const { rows } = await sql<WindowRow>`select name, calls, interval_ms as "intervalMs",
      case when paused_until > clock_timestamp() then paused_until end as "pausedUntil",
      case when paused_until > clock_timestamp() then paused_why end as "pausedWhy"
    from pace order by name`.execute(db)
  return rows
}
