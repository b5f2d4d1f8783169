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
  const { rows } = await sql<{ wait_ms: number }>`
    insert into pace as p (name, spoken_until)
    values (${allowance.name}, clock_timestamp() + ${stepMs} * interval '1 millisecond')
    on conflict (name) do update
      set spoken_until = greatest(p.spoken_until, clock_timestamp()) + ${stepMs} * interval '1 millisecond'
    returning (extract(epoch from spoken_until - clock_timestamp()) * 1000 - ${stepMs} - ${slackMs})::float8
      as wait_ms`.execute(db)
  const waitMs = rows[0]?.wait_ms ?? 0
  if (waitMs <= 0) return
  if (waitMs > LONGEST_WAIT_MS) {
    throw new RateLimitedError('the allowance of the portal is spoken for', Math.ceil(waitMs))
  }
  await sleep(waitMs, undefined, { signal })
}
