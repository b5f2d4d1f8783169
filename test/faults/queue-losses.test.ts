import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { startSchedule } from '../../jobs/schedule.ts'
import { requestWork, STEPS } from '../../src/infra/postgres/work.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
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

const CRM = 'hubspot'
const expected = {
  contacts: [WHO.champion, WHO.loner, WHO.veteran],
  companies: [DOMAINS.fresh, DOMAINS.old],
}
const portalOf = ({ vendors }: Thread) => viewPortal(vendors.hubspot)

/** Waits until no step has anything to do. */
async function settled(thread: Thread): Promise<void> {
  for (const step of STEPS) await thread.app.engine.idle([step])
}

describe('jobs only say "look again"', () => {
  it('a wiped queue loses nothing: a sweep finds what is asked for', async () => {
    const thread = await openThread({ working: false })
    const { engine, context } = thread.app
    await engine.request('pull', 'amplitude')
    await engine.request('pull', 'mixpanel')
    await thread.state.wipeQueues()
    engine.start(STEPS, [CRM])
    const schedule = startSchedule(context, engine)
    await settled(thread)
    schedule.stop()
    expect(portalOf(thread)).toMatchObject(expected)
    expect(portalOf(thread).tasks).toHaveLength(1)
  })

  it('a queue wiped again and again under the workers changes nothing', async () => {
    const thread = await openThread()
    let wiping = true
    const wiper = (async () => {
      while (wiping) {
        await thread.state.wipeQueues()
        await sleep(25)
      }
    })()
    const done = thread.run()
    await sleep(1_500)
    wiping = false
    await wiper
    await done
    expect(portalOf(thread)).toMatchObject(expected)
    expect(portalOf(thread).tasks).toHaveLength(1)
    expect(await thread.run()).toMatchObject({ writeCalls: 0 })
  })

  it('a request without a job is found by the next sweep', async () => {
    const thread = await openThread({ origin })
    await requestWork(thread.app.context.db, 'score', 'all')
    const schedule = startSchedule(thread.app.context, thread.app.engine)
    await settled(thread)
    schedule.stop()
    expect(await thread.status()).toMatchObject({ qualifiedPeople: 3, open: [] })
  })

  it('a job too many does nothing', async () => {
    const thread = await openThread({ origin })
    await thread.score()
    await thread.sync()
    const runs = async () => {
      const { db } = thread.app.context
      return (await db.selectFrom('run').select('id').execute()).length
    }
    const before = await runs()
    const { db } = thread.app.context
    await db
      .updateTable('work')
      .set({ requested: 2, done: 1 })
      .where('step', '=', 'score')
      .execute()
    for (let n = 0; n < 5; n++) await thread.app.engine.wake(['score'])
    await settled(thread)
    // One run each of score, desire and reconcile.
    expect(await runs()).toBe(before + 3)
  })
})

describe('several workers on one state', () => {
  it('share the work: nothing is downloaded, created or told twice', async () => {
    const thread = await openThread()
    const others = [await thread.colleague(), await thread.colleague()]
    for (const { engine } of others) engine.start(STEPS, [CRM])
    const asked = others.map(({ engine }) => engine.request('pull', 'amplitude'))
    await Promise.all([thread.run(), ...asked])
    await settled(thread)
    const portal = portalOf(thread)
    expect(portal).toMatchObject(expected)
    expect(portal.tasks).toHaveLength(1)
    const { amplitude, mixpanel } = thread.vendors
    for (const { calls } of [amplitude, mixpanel]) {
      const ranges = calls().map(({ range }) => range?.from)
      expect(ranges).toEqual([...new Set(ranges)])
    }
  })

  it('one that goes away in the middle leaves its work to the other', async () => {
    const thread = await openThread({ working: false })
    const first = await thread.colleague()
    const second = await thread.colleague()
    first.engine.start(STEPS, [CRM])
    await first.engine.request('pull', 'amplitude')
    await first.engine.request('pull', 'mixpanel')
    await first.close()
    second.engine.start(STEPS, [CRM])
    const schedule = startSchedule(second.context, second.engine)
    await settled(thread)
    schedule.stop()
    expect(portalOf(thread)).toMatchObject(expected)
  })
})
