import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { readEventNames } from '../../src/infra/lake/event-inventory.ts'
import { lakePath } from '../../src/infra/lake/paths.ts'
import { liveWindows } from '../../src/infra/postgres/manifest.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'
import { dayOf } from '../support/usage-log.ts'

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
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 24 * HOUR_MS)

/** Pulls Mixpanel at a time; its allowance is counted by the clock of PostgreSQL, not by ours. */
async function pullAt(thread: Thread, now: Date): Promise<void> {
  await thread.app.context.db.deleteFrom('pace').execute()
  thread.setNow(now)
  await thread.pull(['mixpanel'])
}

const eventsIn = async (thread: Thread) => (await thread.status()).sources['mixpanel']?.events
const rangesOf = (thread: Thread) =>
  thread.vendors.mixpanel
    .calls()
    .filter(({ path }) => path === '/api/2.0/export')
    .map(({ range }) => [range?.from, range?.to])
const pagesOf = (thread: Thread) =>
  thread.vendors.mixpanel.calls().filter(({ path }) => path === '/api/query/engage').length

describe('the current day of the project', () => {
  it('is pulled as often as is set, replaced each time, and once more when it is over', async () => {
    const environment = { MIXPANEL_OPEN_DAY_MINUTES: '60', MIXPANEL_SWEEP_MINUTES: '0' }
    const thread = await openThread({ origin, environment })
    const before = (await eventsIn(thread)) ?? 0
    const visit = { event: 'page_viewed', user: 'm-ana', email: WHO.champion }
    const today = [dayOf(NOW), dayOf(NOW)]
    thread.usage.mixpanel({ ...visit, at: NOW })
    await pullAt(thread, inHours(0.5))
    expect(rangesOf(thread)).toEqual([])
    await pullAt(thread, inHours(1))
    await thread.pull(['mixpanel'])
    expect(rangesOf(thread)).toEqual([today])
    expect(await eventsIn(thread)).toBe(before + 1)
    thread.usage.mixpanel({ ...visit, at: inHours(15) })
    await pullAt(thread, inHours(17))
    expect(await eventsIn(thread)).toBe(before + 2)
    expect(rangesOf(thread).at(-1)?.[0]).not.toBe(dayOf(inHours(17)))
  })
})

describe('a day that Mixpanel sends cut short', () => {
  const padding = { pad: 'x'.repeat(1500) }

  it('is never taken: it is fetched again as a whole', async () => {
    const thread = await openThread({ origin, environment: { MIXPANEL_SWEEP_MINUTES: '0' } })
    const before = (await eventsIn(thread)) ?? 0
    const kinds = [
      'terminated-early',
      'broken-line',
      'no-last-newline',
      'bad-gzip-trailer',
    ] as const
    for (const [index, kind] of kinds.entries()) {
      const at = inHours(0.25 * (index + 1))
      thread.usage.mixpanel({ event: 'page_viewed', user: 'm-ana', at, props: padding })
      thread.setNow(at)
      thread.vendors.mixpanel.resetCalls()
      thread.vendors.mixpanel.faults.add({ kind })
      await thread.pull(['mixpanel'])
      const got = { kind, events: await eventsIn(thread), calls: rangesOf(thread).length }
      expect(got).toEqual({ kind, events: before + index + 1, calls: 2 })
    }
    const { rows } = await thread.app.context.pool.query(
      `select outcome from run where step = 'pull' and outcome = 'retryable'`,
    )
    expect(rows).toHaveLength(kinds.length)
  })
})

describe('events that come late', () => {
  const deed = (days: number, arrived: Date, n = 0) => ({
    event: 'page_viewed',
    user: 'm-late',
    at: daysAgo(days),
    arrived,
    n,
  })

  it('into a day long over are found by a sweep, and only that day is pulled again', async () => {
    const environment = { MIXPANEL_LOOK_BACK_DAYS: '0' }
    const thread = await openThread({ origin, environment })
    const before = (await eventsIn(thread)) ?? 0
    thread.usage.mixpanel(deed(8, inHours(0.5)))
    await pullAt(thread, inHours(0.75))
    expect(await eventsIn(thread)).toBe(before)
    thread.vendors.mixpanel.resetCalls()
    await pullAt(thread, inHours(1))
    expect(await eventsIn(thread)).toBe(before + 1)
    const late = dayOf(daysAgo(8))
    expect(rangesOf(thread)).toEqual([
      [dayOf(NOW), dayOf(NOW)],
      [dayOf(daysAgo(9)), dayOf(daysAgo(1))],
      [late, late],
    ])
    // The next sweep begins where this one ended.
    thread.vendors.mixpanel.resetCalls()
    await pullAt(thread, inHours(2))
    expect(rangesOf(thread)).toHaveLength(2)
    expect(await eventsIn(thread)).toBe(before + 1)
  })

  it('within the look-back are found without a sweep', async () => {
    const thread = await openThread({ origin, environment: { MIXPANEL_SWEEP_MINUTES: '0' } })
    const before = (await eventsIn(thread)) ?? 0
    thread.usage.mixpanel(deed(3, inHours(1)))
    await pullAt(thread, inHours(6))
    expect(await eventsIn(thread)).toBe(before + 1)
  })

  it('stay due when the day cannot be had at once', async () => {
    const environment = { MIXPANEL_LOOK_BACK_DAYS: '0' }
    const thread = await openThread({ origin, environment })
    const before = (await eventsIn(thread)) ?? 0
    thread.usage.mixpanel(deed(8, inHours(0.5)))
    const late = dayOf(daysAgo(8))
    const pause = { kind: 'status', status: 429, headers: { 'retry-after': '3600' } } as const
    thread.vendors.mixpanel.faults.add(pause, { when: (range) => range?.from === late })
    await pullAt(thread, inHours(1))
    expect(await eventsIn(thread)).toBe(before)
    await pullAt(thread, inHours(1.25))
    expect(await eventsIn(thread)).toBe(before + 1)
    // One sweep was enough.
    const wide = rangesOf(thread).filter(([from, to]) => from !== to)
    expect(wide).toHaveLength(1)
  })
})

describe('profiles of Mixpanel', () => {
  const quiet = {
    distinctId: 'm-jon',
    properties: {
      $email: 'jon.quiet@gmail.com',
      plan: 'enterprise',
      $last_seen: '2026-09-09T00:00:00',
    },
  }
  const reader = {
    distinctId: 'm-reader',
    properties: { $email: 'reader@paper-works.io', $last_seen: '2026-09-09T00:00:00' },
  }

  it('give people addresses and traits, and count as no event', async () => {
    const thread = await openThread({ origin })
    const before = await thread.status()
    thread.vendors.mixpanel.setProfiles([quiet, reader])
    await pullAt(thread, inHours(24))
    const { db, duck, lakeDir } = thread.app.context
    expect(await explain(db, 'reader@paper-works.io')).toMatchObject({ account: 'paper-works.io' })
    const jon = await explain(db, WHO.quiet)
    expect(jon?.identities).toContain('email/jon.quiet@gmail.com')
    const person = await db
      .selectFrom('person')
      .select('told')
      .where('email', '=', WHO.quiet)
      .execute()
    expect(person[0]?.told).toMatchObject({
      plan: expect.arrayContaining([expect.arrayContaining(['enterprise'])]),
    })
    const after = await thread.status()
    const { events, rows, windows } = before.sources['mixpanel'] ?? {}
    expect(after.sources['mixpanel']).toMatchObject({ events, rows, windows: (windows ?? 0) + 1 })
    const live = await liveWindows(db, 'mixpanel')
    const names = await duck.connect((c) => readEventNames(c, lakeDir, 'mixpanel', live, []))
    expect(names.map(({ name }) => name)).not.toContain('$profile')
  })

  it('are taken back when they are gone', async () => {
    const thread = await openThread({ origin })
    thread.vendors.mixpanel.setProfiles([reader])
    await pullAt(thread, inHours(24))
    expect(await explain(thread.app.context.db, 'reader@paper-works.io')).not.toBeNull()
    thread.vendors.mixpanel.setProfiles([])
    await pullAt(thread, inHours(48))
    expect(await explain(thread.app.context.db, 'reader@paper-works.io')).toBeNull()
  })

  it('of a large project come with several pulls, and are all there in the end', async () => {
    const thread = await openThread({ origin, profilesPerPage: 1 })
    const many = Array.from({ length: 10 }, (_, n) => ({
      distinctId: `m-many-${n}`,
      properties: { $email: `p${n}@many-people.io`, $last_seen: '2026-09-01T00:00:00' },
    }))
    thread.vendors.mixpanel.setProfiles(many)
    const found = async () => {
      const { db } = thread.app.context
      const rows = await db
        .selectFrom('person')
        .select('email')
        .where('email', 'like', '%@many-people.io')
        .execute()
      return rows.length
    }
    await pullAt(thread, inHours(24))
    expect([await found(), pagesOf(thread)]).toEqual([8, 8])
    await pullAt(thread, inHours(24.25))
    expect([await found(), pagesOf(thread)]).toEqual([10, 10])
    // The pass is over: nothing is due for a day.
    await pullAt(thread, inHours(24.5))
    expect(pagesOf(thread)).toBe(10)
    // A shorter one takes the rest back.
    thread.vendors.mixpanel.setProfiles(many.slice(0, 3))
    await pullAt(thread, inHours(49))
    expect(await found()).toBe(3)
  })

  it('whose session expires in the middle are asked for from the start', async () => {
    const thread = await openThread({ origin, profilesPerPage: 1 })
    const many = Array.from({ length: 10 }, (_, n) => ({
      distinctId: `m-many-${n}`,
      properties: { $email: `p${n}@many-people.io` },
    }))
    thread.vendors.mixpanel.setProfiles(many)
    for (const hours of [24, 24.25, 24.5]) {
      await pullAt(thread, inHours(hours))
      if (hours === 24) thread.vendors.mixpanel.expireSessions()
    }
    const { db } = thread.app.context
    const rows = await db
      .selectFrom('person')
      .select('email')
      .where('email', 'like', '%@many-people.io')
      .execute()
    expect(rows).toHaveLength(10)
  })

  it('come again when the tracking plan looks at more of them', async () => {
    const thread = await openThread({ origin })
    thread.vendors.mixpanel.setProfiles([quiet])
    await pullAt(thread, inHours(24))
    const pages = pagesOf(thread)
    const change = { file: 'usage.yaml', from: 'traits:\n', to: 'traits:\n  seat: [user.seat]\n' }
    await thread.publish(await mappingFiles(change))
    thread.vendors.mixpanel.setProfiles([
      { ...quiet, properties: { ...quiet.properties, seat: 'full' } },
    ])
    await thread.pull(['mixpanel'])
    expect(pagesOf(thread)).toBe(pages + 1)
    const { db } = thread.app.context
    const person = await db
      .selectFrom('person')
      .select('told')
      .where('email', '=', WHO.quiet)
      .execute()
    expect(person[0]?.told).toMatchObject({
      seat: expect.arrayContaining([expect.arrayContaining(['full'])]),
    })
  })

  it('of groups are kept for accounts, with what the tracking plan looks at', async () => {
    const environment = { MIXPANEL_GROUPS: 'company=1234' }
    const thread = await openThread({ origin, environment })
    const change = {
      file: 'usage.yaml',
      from: 'traits:\n',
      to: 'traits:\n  company: [event.company]\n',
    }
    await thread.publish(await mappingFiles(change))
    const properties = { plan: 'enterprise', $city: 'Utrecht' }
    thread.vendors.mixpanel.setProfiles([{ distinctId: 'acme', dataGroupId: '1234', properties }])
    const people = (await thread.status()).people
    await pullAt(thread, inHours(24))
    const { db, duck, lakeDir } = thread.app.context
    const live = await liveWindows(db, 'mixpanel')
    const group = live.find(({ partition }) => partition === 'groups/company/00000')
    const rows = await duck.connect((c) =>
      c.rows('select name, profile, event_properties::varchar as said from read_parquet($path)', {
        path: lakePath(lakeDir, group?.fileId ?? ''),
      }),
    )
    expect(rows).toMatchObject([{ name: '$group_profile', profile: null }])
    expect(JSON.parse(String(rows[0]?.['said']))).toMatchObject({
      company: 'acme',
      plan: 'enterprise',
    })
    expect(String(rows[0]?.['said'])).not.toContain('Utrecht')
    expect((await thread.status()).people).toBe(people)
  })
})
