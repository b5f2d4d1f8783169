import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { requestDueListening, requestDueReads } from '../../jobs/due-at-crms.ts'
import { type Schedule, startSchedule } from '../../jobs/schedule.ts'
import { STEPS, type Step } from '../../src/infra/postgres/work.ts'
import { eventually } from '../support/embedded-processes.ts'
import { viewPortal } from '../support/portal.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'

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

const DAY_MS = 86_400_000

/** A worker starts, looks around and does what it finds. */
async function sweep({ app }: Thread): Promise<void> {
  schedules.push(startSchedule(app.context, app.engine))
}

async function requested({ app }: Thread, step: Step, key = 'all'): Promise<number> {
  const rows = await app.context.db
    .selectFrom('work')
    .select('requested')
    .where('step', '=', step)
    .where('key', '=', key)
    .execute()
  return rows[0]?.requested ?? 0
}

/** As if the last change of a step lay further back. */
async function age({ app }: Thread, step: Step, minutes: number): Promise<void> {
  await sql`update work set changed_at = changed_at - ${minutes} * interval '1 minute'
    where step = ${step}`.execute(app.context.db)
}

describe('a worker that nobody asks', () => {
  it('does the whole job on an empty database', async () => {
    const thread = await openThread()
    await sweep(thread)
    await eventually('the task is there', async () => {
      return viewPortal(thread.vendors.hubspot).tasks.length === 1
    })
    for (const step of STEPS) await thread.app.engine.idle([step])
    expect(viewPortal(thread.vendors.hubspot).contacts).toEqual([
      WHO.champion,
      WHO.loner,
      WHO.veteran,
    ])
  })

  it('pulls a source again when its last pull lies a quarter of an hour back', async () => {
    const thread = await openThread({ origin })
    await sweep(thread)
    await thread.app.engine.idle(['pull'])
    expect(await requested(thread, 'pull', 'amplitude')).toBe(1)
    await age(thread, 'pull', 16)
    await sweep(thread)
    await eventually('it is pulled', async () => {
      return (await requested(thread, 'pull', 'amplitude')) === 2
    })
    await thread.app.engine.idle(['pull'])
  })

  it('pulls a source more often whose current day is to be pulled more often', async () => {
    const environment = { MIXPANEL_OPEN_DAY_MINUTES: '5' }
    const thread = await openThread({ origin, environment })
    await age(thread, 'pull', 6)
    await sweep(thread)
    await eventually(
      'it is pulled',
      async () => (await requested(thread, 'pull', 'mixpanel')) === 2,
    )
    for (const step of STEPS) await thread.app.engine.idle([step])
    expect(await requested(thread, 'pull', 'amplitude')).toBe(1)
  })

  it('scores again when time alone can change a score, and writes what it changes', async () => {
    const thread = await openThread({ origin })
    await thread.score()
    await thread.sync()
    // Forty days on, everything lies outside the window.
    thread.setNow(new Date(NOW.getTime() + 40 * DAY_MS))
    await age(thread, 'pull', -60)
    await sweep(thread)
    const { hubspot } = thread.vendors
    await eventually('the champion is told as cooling', async () => {
      const properties = viewPortal(hubspot).contact(WHO.champion)?.properties ?? {}
      return properties['pql_score'] === '0'
    })
    for (const step of STEPS) await thread.app.engine.idle([step])
    expect(viewPortal(hubspot).tasks).toHaveLength(1)
  })
})

describe('what failed', () => {
  async function failed(kind: string): Promise<Thread> {
    const thread = await openThread({ origin, working: false })
    await sql`update work set requested = 9, whole = 9, done = 8, failed = 9, error_kind = ${kind}, error = 'x'
      where step = 'score'`.execute(thread.app.context.db)
    thread.app.engine.start(STEPS, ['hubspot'])
    return thread
  }

  it.each(['retryable', 'config', 'bug'])(
    'for a reason of kind %s is tried at a restart',
    async (kind) => {
      const thread = await failed(kind)
      await sweep(thread)
      await eventually('it is scored', async () => (await thread.status()).qualifiedPeople === 3)
    },
  )

  it('because somebody held a record in the CRM is asked for again', async () => {
    const thread = await openThread({ origin })
    await thread.run()
    const { context } = thread.app
    const before = await requested(thread, 'reconcile', 'hubspot')
    await requestDueReads(context)
    expect(await requested(thread, 'reconcile', 'hubspot')).toBe(before)
    await sql`update crm_record set state = 'pending', code = 'BUSY'
      where ref = (select min(ref) from crm_record)`.execute(context.db)
    await requestDueReads(context)
    expect(await requested(thread, 'reconcile', 'hubspot')).toBe(before + 1)
  })

  it.each([
    { step: 'listen' as const, look: requestDueListening },
    { step: 'reconcile' as const, look: requestDueReads },
  ])('for want of a person at a CRM is asked for again after five minutes: $step', async (one) => {
    const thread = await openThread({ origin })
    await thread.run()
    thread.setNow(new Date(NOW.getTime() + DAY_MS))
    const { context } = thread.app
    await sql`insert into work (step, key, requested, whole, done, failed, error_kind, error)
      values (${one.step}, 'hubspot', 9, 9, 8, 9, 'config', 'x') on conflict (step, key) do update
      set requested = 9, whole = 9, done = 8, failed = 9, error_kind = 'config', error = 'x',
        changed_at = now()`.execute(context.db)
    await one.look(context)
    expect(await requested(thread, one.step, 'hubspot')).toBe(9)
    await age(thread, one.step, 6)
    await one.look(context)
    expect(await requested(thread, one.step, 'hubspot')).toBe(10)
    // Whoever works on it meanwhile is not asked once more.
    await one.look(context)
    expect(await requested(thread, one.step, 'hubspot')).toBe(10)
  })
})
