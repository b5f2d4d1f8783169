import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { noteMissedPulls } from '../../jobs/missed-pulls.ts'
import { type Schedule, startSchedule } from '../../jobs/schedule.ts'
import { readSourceLedgers } from '../../jobs/source-ledger.ts'
import { readNotices } from '../../src/infra/postgres/notices.ts'
import { readSchemaChanges } from '../../src/infra/postgres/schema-store.ts'
import { eventually, makeFolder } from '../support/embedded-processes.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'
import { createUsageLog, hourOf, writeExports } from '../support/usage-log.ts'

const schedules: Schedule[] = []
let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  for (const schedule of schedules.splice(0)) schedule.stop()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function ledgerOf({ app }: Thread, source: string) {
  const ledger = (await readSourceLedgers(app.context))[source]
  if (!ledger) throw new Error(`no ledger of ${source}`)
  return ledger
}

describe('the ledger of a source', () => {
  it('is whole after a pull: no gap, nothing to backfill, and how far behind it is', async () => {
    const thread = await openThread({ origin })
    expect(await ledgerOf(thread, 'amplitude')).toEqual({
      gaps: [],
      // An hour is asked for three hours after its end.
      lagSeconds: 3 * 3600,
      backfill: { done: 221, total: 221, due: 0, secondsLeft: null },
      failures: null,
    })
  })

  it('shows the windows that are missing in between, and asks for those alone', async () => {
    const thread = await openThread({ origin })
    const missing = [50, 49, 30].map((hours) => hourOf(new Date(NOW.getTime() - hours * HOUR_MS)))
    await thread.app.context.db
      .deleteFrom('source_window')
      .where('source', '=', 'amplitude')
      .where('window_key', 'in', missing)
      .execute()
    const [first, second, third] = missing
    expect(await ledgerOf(thread, 'amplitude')).toMatchObject({
      gaps: [
        { from: first, to: second, windows: 2 },
        { from: third, to: third, windows: 1 },
      ],
      backfill: { done: 218, total: 221, due: 3 },
    })
    await thread.pull(['amplitude'])
    expect((await ledgerOf(thread, 'amplitude')).gaps).toEqual([])
    const asked = thread.vendors.amplitude.calls().map(({ range }) => range?.from)
    // The newest first.
    expect(asked).toEqual([third, first].map((key) => key?.replaceAll('-', '')))
  })

  it('tells what is left of a backfill that broke off, and goes on where it was', async () => {
    const thread = await openThread()
    const { faults } = thread.vendors.amplitude
    // Two downloads; the second, older one is refused until somebody mends the key.
    let calls = 0
    faults.add({ kind: 'status', status: 403 }, { times: 99, when: () => ++calls > 1 })
    await expect(thread.pull(['amplitude'])).rejects.toThrow(/amplitude/i)
    const broken = await ledgerOf(thread, 'amplitude')
    expect(broken.backfill).toMatchObject({ done: 53, total: 221, due: 168 })
    expect(broken.failures).toMatchObject({ count: 1, inARow: 1, kind: 'config' })
    faults.clear()
    thread.vendors.amplitude.resetCalls()
    await thread.pull(['amplitude'])
    expect(thread.vendors.amplitude.calls()).toHaveLength(1)
    const whole = await ledgerOf(thread, 'amplitude')
    expect(whole.backfill).toMatchObject({ done: 221, due: 0 })
    expect(whole.failures).toMatchObject({ count: 1, inARow: 0 })
  })
})

describe('a missed schedule', () => {
  async function sweep({ app }: Thread): Promise<void> {
    const schedule = startSchedule(app.context, app.engine)
    schedules.push(schedule)
  }
  const notices = async ({ app }: Thread) =>
    (await readNotices(app.context.db)).map(({ kind, source, endedAt }) => [
      kind,
      source,
      endedAt === null ? 'lasts' : 'over',
    ])
  /** As if everything had happened so many minutes earlier. */
  async function age({ app }: Thread, minutes: number): Promise<void> {
    await sql`update run set started_at = started_at - ${minutes} * interval '1 minute',
      finished_at = finished_at - ${minutes} * interval '1 minute'`.execute(app.context.db)
  }

  it('is noted once, and that it is over once a pull succeeds', async () => {
    const thread = await openThread({ origin, working: false })
    const colleague = await thread.colleague()
    await age(thread, 46)
    await sweep(thread)
    await eventually('it is noted', async () => (await notices(thread)).length === 2)
    schedules.push(startSchedule(colleague.context, colleague.engine))
    await thread.app.engine.request('pull', 'amplitude')
    thread.app.engine.start(['pull'], [])
    await thread.app.engine.idle(['pull'], ['amplitude'])
    await sweep(thread)
    await eventually('it is over', async () =>
      (await notices(thread)).some(
        ([, source, state]) => source === 'amplitude' && state === 'over',
      ),
    )
    const all = await notices(thread)
    expect(all.filter(([, source]) => source === 'amplitude')).toEqual([
      ['schedule-missed', 'amplitude', 'over'],
    ])
  })

  it('is none while pulls succeed in time', async () => {
    const thread = await openThread({ origin, working: false })
    await age(thread, 44)
    await noteMissedPulls(thread.app.context, new Date())
    expect(await notices(thread)).toEqual([])
  })
})

describe('what a vendor changed', () => {
  /** Twelve days of a product that changes its events on the way. */
  async function writeHistory(): Promise<string> {
    const usage = createUsageLog()
    for (let n = 0; n < 12; n++) {
      const at = new Date(NOW.getTime() - (12 - n) * DAY_MS)
      const who = { user: 'a-ana', email: 'ana@northfield-tools.com', at }
      const props = { ...(n < 8 ? { path: '/pricing' } : {}), size: n < 10 ? n : 'large' }
      usage.amplitude({ ...who, event: 'page_viewed', props })
      if (n < 8) usage.amplitude({ ...who, event: 'Query Run' })
      if (n >= 9) usage.amplitude({ ...who, event: 'Brand New', props: { 'a@b.dev': 1 } })
    }
    return (await writeExports(usage, join(await makeFolder('exports'), 'history'))).amplitude
  }
  const dayAgo = (days: number) =>
    new Date(NOW.getTime() - days * DAY_MS).toISOString().slice(0, 10)

  it('is told, what the plan looks at first, though it is never stored', async () => {
    const thread = await openThread()
    await thread.pull(['amplitude'], [await writeHistory()])
    const changes = await readSchemaChanges(thread.app.context.db)
    expect(changes.map((c) => [c.change, c.name, c.day, c.mapped, c.detail])).toEqual([
      ['vanished', 'Query Run', dayAgo(5), true, null],
      ['vanished', 'event.path', dayAgo(5), true, null],
      ['retyped', 'event.size', dayAgo(2), false, 'number, now text too'],
      ['new', 'Brand New', dayAgo(3), false, null],
    ])
  })

  it('is over when what vanished comes back', async () => {
    const thread = await openThread()
    await thread.pull(['amplitude'], [await writeHistory()])
    const usage = createUsageLog()
    usage.amplitude({ user: 'a-ana', event: 'Query Run', at: NOW })
    const dir = join(await makeFolder('exports'), 'back')
    await thread.pull(['amplitude'], [(await writeExports(usage, dir)).amplitude])
    const names = (await readSchemaChanges(thread.app.context.db)).map(({ name }) => name)
    expect(names).not.toContain('Query Run')
    expect(names).toContain('event.path')
  })
})
