import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RateLimitedError } from '../../src/core/errors.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { type Allowance, takeTurn } from '../../src/infra/postgres/pace.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

let state: TestState
let database: Database
beforeAll(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
})
afterAll(async () => {
  await database.close()
  await state.close()
  await removeFolders()
})

const never = new AbortController().signal

/** What became of so many turns asked for one after the other: null for granted, else the wait told. */
async function take(turns: number, allowance: Allowance): Promise<(number | null)[]> {
  const got: (number | null)[] = []
  for (let i = 0; i < turns; i++) {
    const refused = await takeTurn(database.db, allowance, never).then(
      () => null,
      (error: unknown) => {
        if (!(error instanceof RateLimitedError)) throw error
        return error.retryAfterMs
      },
    )
    got.push(refused)
  }
  return got
}

describe('an allowance', () => {
  it('grants its burst at once and tells then how long to wait', async () => {
    const hourly = { name: 'burst', calls: 45, intervalMs: 3_600_000, burst: 3 }
    const [one, two, three, four] = await take(4, hourly)
    expect([one, two, three]).toEqual([null, null, null])
    expect(four).toBeGreaterThan(70_000)
    expect(four).toBeLessThanOrEqual(80_000)
  })

  it('reserves nothing for a turn that it refuses, so that the wait it told suffices', async () => {
    const slow = { name: 'refused', calls: 1, intervalMs: 60_000, burst: 1 }
    const [, first, ...others] = await take(6, slow)
    for (const wait of others) expect(wait).toBeLessThanOrEqual(first ?? 0)
  })

  it('spreads what is above the burst, and two callers share it', async () => {
    const brisk = { name: 'spread', calls: 50, intervalMs: 1_000, burst: 1 }
    const startedAt = performance.now()
    await Promise.all([take(10, brisk), take(10, brisk)])
    // Twenty turns are nineteen slots of 20 ms; the clock of the server may be a little ahead.
    expect(performance.now() - startedAt).toBeGreaterThan(19 * 20 - 15)
  })

  it('is its own: another name has its own turns', async () => {
    const a = { name: 'own a', calls: 1, intervalMs: 60_000, burst: 1 }
    expect(await take(1, a)).toEqual([null])
    expect(await take(1, { ...a, name: 'own b' })).toEqual([null])
  })

  it('ends a wait when the caller gives up', async () => {
    const slow = { name: 'given up', calls: 1, intervalMs: 10_000, burst: 1 }
    await take(1, slow)
    const giveUp = new AbortController()
    const waiting = takeTurn(database.db, slow, giveUp.signal)
    giveUp.abort()
    await expect(waiting).rejects.toThrow()
  })
})
