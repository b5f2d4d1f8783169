import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { DOMAINS, smallUsage, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'
import { dayOf, hourOf, writeExports } from '../support/usage-log.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const inHours = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)

async function scoreOf(thread: Thread, who: string): Promise<number | undefined> {
  await thread.score()
  return (await explain(thread.app.context.db, who))?.scores[0]?.score
}

describe('people of two vendors', () => {
  it('are joined by address, device and domain', async () => {
    const thread = await openThread({ origin })
    const { db } = thread.app.context
    expect(await thread.status()).toMatchObject({
      people: 10,
      peopleInSeveralSources: 5,
      accounts: 5,
    })
    expect(await explain(db, WHO.latecomer)).toMatchObject({
      identities: [
        'amplitude/u:a-ivy',
        `email/${WHO.latecomer}`,
        'mixpanel/d:dev-ivy',
        'mixpanel/u:m-ivy',
      ],
    })
    expect(await explain(db, WHO.colleague)).toMatchObject({ account: DOMAINS.fresh })
    expect(await explain(db, WHO.student)).toMatchObject({ account: null })
    // What the device did before she signed up counts: 30 for the activation, 10 for the prices.
    expect(await scoreOf(thread, WHO.latecomer)).toBe(40)
    expect(await scoreOf(thread, WHO.student)).toBe(35)
    expect(await scoreOf(thread, WHO.loner)).toBe(55)
  })
})

describe('pulling again', () => {
  it('changes no number, and asks the vendors only for what is still open', async () => {
    const thread = await openThread({ origin })
    const numbers = async () => {
      const { sources, people, accounts } = await thread.status()
      return { sources, people, accounts }
    }
    const before = await numbers()
    await thread.pull()
    expect(await numbers()).toEqual(before)
    // The open day was pulled a moment ago.
    expect(thread.vendors.mixpanel.calls()).toEqual([])
    thread.setNow(inHours(0.25))
    await thread.pull()
    const later = inHours(0.25).toISOString()
    expect((await thread.status()).sources['mixpanel']).toEqual({
      ...before.sources['mixpanel'],
      pulledAt: later,
    })
    expect(thread.vendors.amplitude.calls()).toEqual([])
    expect(thread.vendors.mixpanel.calls().map(({ range }) => range)).toEqual([
      { from: dayOf(NOW), to: dayOf(NOW) },
    ])
  })

  it('replaces a window that changed, and takes its events out again when they are gone', async () => {
    const thread = await openThread({ origin })
    const day = dayOf(NOW)
    const props = { path: '/pricing' }
    const deed = { user: 'm-ana', email: WHO.champion, at: NOW, props }
    const stranger = { user: 'm-new', email: 'kim@brand-new.dev', at: NOW }
    thread.usage.mixpanel({ ...deed, event: 'page_viewed' })
    thread.usage.mixpanel({ ...stranger, event: 'page_viewed' })
    thread.setNow(inHours(1))
    await thread.pull(['mixpanel'])
    expect(await scoreOf(thread, WHO.champion)).toBe(80)
    expect(await thread.status()).toMatchObject({ people: 11, accounts: 6 })
    // The same day again, without either.
    thread.usage.mixpanelRows.set(day, [])
    thread.setNow(inHours(2))
    await thread.pull(['mixpanel'])
    expect(await scoreOf(thread, WHO.champion)).toBe(70)
    expect(await thread.status()).toMatchObject({
      people: 10,
      accounts: 5,
      sources: { mixpanel: { events: 9, rows: 9 } },
    })
    expect(await explain(thread.app.context.db, stranger.email)).toBeNull()
  })

  it('replaces windows from files, whatever was pulled before', async () => {
    const thread = await openThread({ origin })
    const dir = await makeFolder('exports')
    const fewer = smallUsage(NOW)
    const activated = new Date(NOW.getTime() - 20 * HOUR_MS)
    fewer.amplitude({ event: 'Query Run', user: 'a-ana', email: WHO.champion, at: activated })
    const hour = hourOf(activated)
    const rows = (fewer.amplitudeRows.get(hour) ?? []).filter((row) => row.includes('Query Run'))
    const changed = { amplitudeRows: new Map([[hour, rows]]), mixpanelRows: new Map() }
    const files = await writeExports(changed, join(dir, 'changed'))
    await thread.pull(['amplitude'], [files.amplitude])
    expect(await scoreOf(thread, WHO.champion)).toBe(40)
    expect(await thread.status()).toMatchObject({ sources: { amplitude: { events: 25 } } })
    const whole = await writeExports(smallUsage(NOW), join(dir, 'whole'))
    await thread.pull(['amplitude'], [whole.amplitude])
    expect(await scoreOf(thread, WHO.champion)).toBe(70)
  })

  it('from files gives the same events and people as over HTTP', async () => {
    const dir = await makeFolder('exports')
    const files = await writeExports(smallUsage(NOW), dir)
    const [online, offline] = [await openThread({ origin }), await openThread()]
    await offline.pull(['amplitude'], [files.amplitude])
    await offline.pull(['mixpanel'], [files.mixpanel])
    // Person ids tell who came first, so people are compared by what they are.
    const people = ({ app }: Thread) =>
      app.context.db
        .selectFrom('person')
        .select(['email', 'account_id', 'told', 'first_seen', 'last_seen'])
        .orderBy('email')
        .execute()
    expect(await people(offline)).toEqual(await people(online))
    const eventsOf = async (thread: Thread) => {
      const { sources } = await thread.status()
      return Object.values(sources).map(({ events, rows }) => ({ events, rows }))
    }
    expect(await eventsOf(offline)).toEqual(await eventsOf(online))
    expect(await scoreOf(offline, WHO.champion)).toBe(70)
  })
})

describe('a changed tracking plan', () => {
  it('rebuilds rollups from the lake without a call to the vendors', async () => {
    const thread = await openThread({ origin })
    expect(await scoreOf(thread, WHO.newcomer)).toBe(0)
    const from = 'event: API Key Created'
    const to = `${from}\n      - event: Query Run`
    await thread.publish(await mappingFiles({ file: 'usage.yaml', from, to }))
    await thread.app.engine.wake(['identity', 'rebuild'])
    await thread.app.engine.idle(['identity', 'rebuild'])
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
    expect(thread.vendors.amplitude.calls()).toEqual([])
    expect(thread.vendors.mixpanel.calls()).toEqual([])
  })

  it('finds addresses and traits where it now says that they stand', async () => {
    const thread = await openThread({ origin })
    const from = 'email: [user.email, user.$email, event.email, event.$email]'
    const to = 'email: [user.email]'
    await thread.publish(await mappingFiles({ file: 'usage.yaml', from, to }))
    await thread.app.engine.wake(['identity'])
    await thread.app.engine.idle(['identity'])
    // Mixpanel's people have no address any more, so none of them is one of Amplitude's.
    expect(await thread.status()).toMatchObject({ peopleInSeveralSources: 0 })
    expect(await explain(thread.app.context.db, WHO.quiet)).toBeNull()
  })
})
