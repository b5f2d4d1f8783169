import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { startSchedule } from '../../jobs/schedule.ts'
import { withLock } from '../../src/infra/postgres/lock.ts'
import { readWork, requestWork } from '../../src/infra/postgres/work.ts'
import { viewPortal } from '../support/portal.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

async function scoresOf({ app }: Thread): Promise<number> {
  const rows = await app.context.db.selectFrom('score').select('subject_id').execute()
  return rows.length
}

async function scoreAsOf({ app }: Thread, asOf: Date): Promise<void> {
  await app.engine.request('score', 'all', { asOf: asOf.toISOString() })
  await app.engine.idle(['score', 'desire'])
}

/** The first day of the small history has nothing before it. */
const LONG_AGO = new Date('2020-01-01T00:00:00Z')

describe('who has no usage any more', () => {
  it('has no score: scoring as of a day before all usage leaves none', async () => {
    const thread = await openThread({ origin })
    await thread.score()
    expect(await scoresOf(thread)).toBeGreaterThan(0)
    await scoreAsOf(thread, LONG_AGO)
    expect(await scoresOf(thread)).toBe(0)
    expect(await thread.status()).toMatchObject({ qualifiedPeople: 0, qualifiedAccounts: 0 })
  })

  it('is told so in the history, and scores again as before when the usage is back', async () => {
    const thread = await openThread({ origin })
    await thread.score()
    const before = await thread.status()
    await scoreAsOf(thread, LONG_AGO)
    const last = await thread.app.context.db
      .selectFrom('score_change')
      .select(['cause', 'to_status'])
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    expect(last).toEqual({ cause: 'no usage', to_status: 'none' })
    await thread.score()
    const { qualifiedPeople, qualifiedAccounts } = before
    expect(await thread.status()).toMatchObject({ qualifiedPeople, qualifiedAccounts })
  })

  it('keeps no score of ours in the CRM, and is written once', async () => {
    const thread = await openThread({ origin })
    await thread.run()
    const scored = () =>
      thread.vendors.hubspot.records('contacts').filter((c) => c.properties['pql_score'])
    expect(scored().length).toBeGreaterThan(0)
    await scoreAsOf(thread, LONG_AGO)
    expect((await thread.sync()).writeCalls).toBeGreaterThan(0)
    expect(scored()).toEqual([])
    expect((await thread.sync()).writeCalls).toBe(0)
  })

  it('is not created afterwards', async () => {
    const thread = await openThread({ origin, working: false })
    const { engine } = thread.app
    engine.start(['score', 'desire'], [])
    const records = () => {
      const { contacts, companies } = viewPortal(thread.vendors.hubspot)
      return { contacts, companies }
    }
    const before = records()
    await thread.score()
    expect((await thread.status()).qualifiedPeople).toBeGreaterThan(0)
    await scoreAsOf(thread, LONG_AGO)
    engine.start(['reconcile'], ['hubspot'])
    await thread.sync()
    expect(records()).toEqual(before)
  })
})

describe('files that somebody names', () => {
  it('while others wait are read with them', async () => {
    const { app } = await openThread({ origin, working: false })
    await requestWork(app.context.db, 'pull', 'amplitude', { files: ['/a'] })
    await requestWork(app.context.db, 'pull', 'amplitude', { files: ['/b', '/a'] })
    const [row] = await readWork(app.context.db, 'pull', 'amplitude')
    expect(row?.params).toEqual({ files: ['/a', '/b'] })
  })

  it('and that cannot be read keep nobody from pulling', async () => {
    const { app } = await openThread({ origin })
    await app.engine.request('pull', 'amplitude', { files: ['/nowhere'] })
    await expect(app.engine.idle(['pull'], ['amplitude'])).rejects.toThrow('/nowhere')
    const schedule = startSchedule(app.context, app.engine)
    await app.engine.idle(['pull'], ['mixpanel'])
    await expect(
      until(async () => (await readWork(app.context.db, 'pull', 'amplitude'))[0]),
    ).resolves.toMatchObject({ params: null, error: null })
    schedule.stop()
  })
})

/** Looks until the row has nothing left to do. */
async function until<T extends { requested: number; done: number }>(
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const row = await look()
    if (row && row.requested === row.done) return row
    if (Date.now() > deadline) throw new Error('nothing happened')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('a lock whose connection is lost tells the work to stop, and the process lives', async () => {
  const { app } = await openThread({ origin, working: false })
  const { pool } = app.context
  const work = withLock(pool, 'lost', async (lost) => {
    await pool.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database()) and granted",
    )
    if (!lost.aborted) {
      await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve()))
    }
    return 'stopped'
  })
  await expect(work).rejects.toThrow()
})
