import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { RateLimitedError } from '../../src/core/errors.ts'
import type { LimitsSaid, Turn } from '../../src/core/ports/crm.ts'
import {
  createGovernor,
  type Governor,
  type GovernorOptions,
} from '../../src/infra/pace/governor.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { readDays, readWindows } from '../../src/infra/postgres/pace-store.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

let state: TestState
let database: Database
let account = ''
let accounts = 0
beforeAll(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
})
beforeEach(() => {
  accounts += 1
  account = `account ${accounts}`
})
afterAll(async () => {
  await database.close()
  await state.close()
  await removeFolders()
})

const never = new AbortController().signal
/** Far in the future, so that a pause until that day's end is long by any clock. */
const NOW = new Date('2099-11-20T15:00:00Z')
const QUICK = { calls: 100_000, intervalMs: 10_000 }

/** A process's governor of the account. */
function govern(options: Partial<GovernorOptions> = {}): Governor {
  return createGovernor({
    db: database.db,
    name: account,
    vendor: 'Vendor',
    lanes: { general: QUICK, search: QUICK, association: QUICK },
    clock: () => NOW,
    ...options,
  })
}

const day = (options: Partial<NonNullable<GovernorOptions['day']>> = {}) => ({
  share: 0.8,
  variable: 'THE_SHARE',
  timeZone: 'America/New_York',
  readTimeZone: async () => null,
  ...options,
})

/** Makes one call of which the vendor says this. */
async function call(governor: Governor, said: LimitsSaid = {}): Promise<Turn> {
  const turn = await governor.take('general', never)
  turn.over(said)
  await governor.settled()
  return turn
}

/** What a refused caller is told. */
async function refusal(governor: Governor): Promise<RateLimitedError> {
  const error: unknown = await governor.take('general', never).catch((thrown: unknown) => thrown)
  if (!(error instanceof RateLimitedError)) throw new Error(`not refused: ${String(error)}`)
  return error
}

/** The most turns of which any interval holds the begin. */
function mostWithin(times: readonly number[], intervalMs: number): number {
  return Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + intervalMs).length),
  )
}

describe('the window of an account', () => {
  it('holds no more calls than are allowed, of two processes together', async () => {
    const window = { calls: 40, intervalMs: 1_000 }
    const lanes = { general: window, search: window, association: window }
    const times: number[] = []
    const until = performance.now() + 4_000
    const work = async (governor: Governor) => {
      while (performance.now() < until) {
        const turn = await governor.take('general', never)
        times.push(performance.now())
        turn.over({})
      }
    }
    const processes = [govern({ lanes }), govern({ lanes })]
    await Promise.all(processes.flatMap((governor) => [1, 2, 3].map(() => work(governor))))
    times.sort((a, b) => a - b)
    expect(mostWithin(times, 1_000)).toBeLessThanOrEqual(40)
    // How near the limit it comes is the bench's to say.
    expect(times.length).toBeGreaterThan(100)
  })

  it('is what the vendor says, for every process and after a restart', async () => {
    await call(govern(), { window: { calls: 4, left: 3, intervalMs: 2_000 } })
    const [row] = (await readWindows(database.db)).filter(({ name }) => name.startsWith(account))
    expect(row).toMatchObject({ name: `${account} general`, calls: 4, intervalMs: 2_000 })
    const restarted = govern()
    const startedAt = performance.now()
    for (let i = 0; i < 3; i++) await call(restarted)
    // From the second block of turns on it goes by the vendor's word: one each 525 ms or so.
    expect(performance.now() - startedAt).toBeGreaterThan(500)
  })

  it('is never more than the setting, whatever the vendor says', async () => {
    const general = { calls: 10, intervalMs: 1_000, most: 10 }
    const governor = govern({ lanes: { general, search: QUICK, association: QUICK } })
    await call(governor, { window: { calls: 100_000, left: 99_999, intervalMs: 1_000 } })
    const startedAt = performance.now()
    for (let i = 0; i < 4; i++) await call(governor)
    expect(performance.now() - startedAt).toBeGreaterThan(3 * 100)
  })

  it('makes a call wait while the vendor says that nothing is left', async () => {
    const governor = govern()
    const turn = await governor.take('general', never)
    turn.over({ window: { calls: 100, left: 0, intervalMs: 10_000 } })
    const startedAt = performance.now()
    ;(await governor.take('general', never)).over({})
    expect(performance.now() - startedAt).toBeGreaterThan(700)
  })

  it('is paused for all processes by a refusal, and slower afterwards', async () => {
    const [one, other] = [govern(), govern()]
    await call(other)
    const startedAt = performance.now()
    await call(one, { refused: { of: 'window', pauseMs: 400 } })
    await call(other)
    expect(performance.now() - startedAt).toBeGreaterThan(390)
    const row = await database.db
      .selectFrom('pace')
      .select('slowed')
      .where('name', '=', `${account} general`)
      .executeTakeFirstOrThrow()
    expect(row.slowed).toBeCloseTo(0.9)
  })

  it('slows down once for all the calls that were under way', async () => {
    const governor = govern()
    const turns = [await governor.take('general', never), await governor.take('general', never)]
    for (const turn of turns) turn.over({ refused: { of: 'window', pauseMs: 300 } })
    await governor.settled()
    const row = await database.db
      .selectFrom('pace')
      .select('slowed')
      .where('name', '=', `${account} general`)
      .executeTakeFirstOrThrow()
    expect(row.slowed).toBeCloseTo(0.9)
  })

  it('leaves other kinds of calls alone', async () => {
    const governor = govern()
    await call(governor, { refused: { of: 'window', pauseMs: 60_000 } })
    expect((await refusal(governor)).retryAfterMs).toBeGreaterThan(50_000)
    ;(await governor.take('search', never)).over({})
  })

  it('lets a caller leave the line', async () => {
    const general = { calls: 1, intervalMs: 10_000 }
    const governor = govern({ lanes: { general, search: QUICK, association: QUICK } })
    await call(governor)
    const giveUp = new AbortController()
    const waiting = governor.take('general', giveUp.signal)
    giveUp.abort()
    await expect(waiting).rejects.toThrow()
  })
})

describe("the day's quota of an account", () => {
  const used = (left: number): LimitsSaid => ({ day: { calls: 1_000, left } })

  it('is used up to the share, which others use up too, and the pause lasts until midnight there', async () => {
    const governor = govern({ day: day() })
    await call(governor, used(201))
    await call(governor, used(200))
    const { message, retryAfterMs } = await refusal(governor)
    expect(message).toContain('800 of 1000 calls')
    expect(message).toContain('THE_SHARE')
    expect(message).toContain('2099-11-21T05:00:00.000Z')
    expect(retryAfterMs).toBeGreaterThan(15_000)
    const [row] = (await readDays(database.db)).filter(({ name }) => name === account)
    expect(row).toMatchObject({ calls: 1_000, callsLeft: 200 })
  })

  it('stops every kind of call, of every process, also after a restart', async () => {
    await call(govern({ day: day() }), used(10))
    const restarted = govern({ day: day() })
    for (const bucket of ['general', 'search', 'association'] as const) {
      await expect(restarted.take(bucket, never)).rejects.toThrow('THE_SHARE')
    }
  })

  it('is over when the vendor says so, without a header', async () => {
    const governor = govern({ day: day() })
    await call(governor, { refused: { of: 'day', pauseMs: 1_000 } })
    expect((await refusal(governor)).message).toContain('used up')
  })

  it('asks the vendor for the time zone once, and remembers it', async () => {
    let asked = 0
    const readTimeZone = async () => {
      asked += 1
      return 'Asia/Kolkata'
    }
    const governor = govern({ day: day({ timeZone: null, readTimeZone }) })
    await call(governor, used(0))
    expect((await refusal(governor)).message).toContain('2099-11-20T18:30:00.000Z')
    await database.db
      .updateTable('pace_day')
      .set({ paused_until: null })
      .where('name', '=', account)
      .execute()
    await call(governor, used(0))
    expect((await refusal(governor)).message).toContain('2099-11-20T18:30:00.000Z')
    expect(asked).toBe(1)
  })

  it('is looked at again in a quarter of an hour where nobody knows the zone', async () => {
    const governor = govern({ day: day({ timeZone: null }) })
    await call(governor, used(0))
    expect((await refusal(governor)).message).toContain('2099-11-20T15:15:00.000Z')
  })
})

it('a move of the account to another data centre stops all calls as long as the vendor says', async () => {
  const governor = govern()
  await call(governor, { refused: { of: 'account', pauseMs: 3_600_000 } })
  const { retryAfterMs } = await refusal(governor)
  expect(retryAfterMs).toBeGreaterThan(3_590_000)
  await expect(govern().take('search', never)).rejects.toThrow('Vendor asked for a pause')
})
