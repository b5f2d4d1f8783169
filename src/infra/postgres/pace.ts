import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { RateLimitedError } from '../../core/errors.ts'
import type { Db } from './database.ts'

export interface Allowance {
  /** Unique for a portal and kind of call. */
  readonly name: string
  /** Calls that the vendor allows in one interval. */
  readonly calls: number
  readonly intervalMs: number
  /** Calls that may come at once; the rest is spread evenly. */
  readonly burst: number
}

/** A longer wait than this gives the lease back instead. */
const LONGEST_WAIT_MS = 15_000

/**
 * Waits for one call's turn. All processes share the row of the allowance and the clock of PostgreSQL:
 * the generic cell rate algorithm (ITU-T I.371), with a reservation that survives its process.
 * @throws {RateLimitedError} when the turn is further off than a worker should wait.
 */
export async function takeTurn(db: Db, allowance: Allowance, signal: AbortSignal): Promise<void> {
  const stepMs = allowance.intervalMs / allowance.calls
  const slackMs = stepMs * (allowance.burst - 1)
  // A turn that is too far off is not reserved: the update's condition leaves the row as it is.
  const { rows } = await sql<{ wait_ms: number; reserved: boolean }>`
    with turn as (
      insert into pace as p (name, spoken_until)
      values (${allowance.name}, clock_timestamp() + ${stepMs} * interval '1 millisecond')
      on conflict (name) do update
        set spoken_until = greatest(p.spoken_until, clock_timestamp()) + ${stepMs} * interval '1 millisecond'
        where p.spoken_until - clock_timestamp()
          <= ${slackMs + LONGEST_WAIT_MS} * interval '1 millisecond'
      returning spoken_until - ${stepMs} * interval '1 millisecond' as starts_at)
    select (extract(epoch from coalesce((select starts_at from turn),
        (select spoken_until from pace where name = ${allowance.name})) - clock_timestamp()) * 1000
        - ${slackMs})::float8 as wait_ms,
      exists (select from turn) as reserved`.execute(db)
  const [turn] = rows
  const waitMs = turn?.wait_ms ?? 0
  if (!turn?.reserved) {
    throw new RateLimitedError('the allowance is spoken for', Math.max(1, Math.ceil(waitMs)))
  }
  if (waitMs <= 0) return
  await sleep(waitMs, undefined, { signal })
}
