import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'

/**
 * Runs `work` while this process alone holds the lock `name`, or returns `null` at once when another
 * one has it. The lock is the session's: it ends with the process, however that ends. When the session
 * is lost instead, `lost` is aborted, and the work must stop: somebody else may hold the lock by then.
 */
export async function withLock<T>(
  pool: Pool,
  name: string,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<{ readonly value: T } | null> {
  const client = await pool.connect()
  const lost = new AbortController()
  // The pool does not listen on clients that are out; without a listener the process would end.
  const onError = () => lost.abort(new Error('the connection that held the lock broke'))
  client.on('error', onError)
  let broken = true
  try {
    const got = await client.query('select pg_try_advisory_lock(hashtextextended($1, 0)) as got', [
      name,
    ])
    if (got.rows[0]?.got !== true) {
      broken = false
      return null
    }
    const value = await work(lost.signal)
    await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [name])
    broken = false
    return { value }
  } finally {
    client.off('error', onError)
    // A client that may still hold the lock is closed, not reused.
    client.release(broken)
  }
}

/** How often somebody who waits for locks tries again. */
const TRY_EVERY_MS = 100

/**
 * Runs `work` while this process holds all of these locks, waiting for those that others hold. Who
 * calls it may not be waited for by them.
 */
export async function withLocks<T>(
  pool: Pool,
  names: readonly string[],
  signal: AbortSignal,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  const lost = new AbortController()
  const onError = () => lost.abort(new Error('the connection that held the locks broke'))
  client.on('error', onError)
  let broken = true
  try {
    for (const name of names) {
      const query = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as got'
      while ((await client.query(query, [name])).rows[0]?.got !== true) {
        await sleep(TRY_EVERY_MS, undefined, { signal })
      }
    }
    const value = await work(AbortSignal.any([signal, lost.signal]))
    await client.query('select pg_advisory_unlock_all()')
    broken = false
    return value
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}
