import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Streams, startStreams } from '../../jobs/streams.ts'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import { syncOnce } from '../../src/app/cli/commands/sync.ts'
import { describeStatus } from '../../src/app/cli/status-text.ts'
import type { App } from '../../src/app/compose.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { eventually } from '../support/embedded-processes.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

const TIMES = { lookMs: 25, againMs: 10, longestMs: 50, refusedMs: 100 }
const MINUTE_MS = 60_000

let origin: TestState
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

interface World {
  readonly thread: Thread
  readonly org: RunningSalesforce
  readonly ids: { readonly accountId: string; readonly champion: string; readonly loner: string }
}

/** A scored and synced world whose records nobody asks about again by himself. */
async function open(every = 'never'): Promise<World> {
  const org = await startSalesforceSandbox()
  closing.push(() => org.close())
  installPackage(org.sandbox)
  const asked = { file: 'salesforce.yaml', from: /poll-every: 5m/, to: `poll-every: ${every}` }
  const thread = await openThread({
    ...{ origin, mappings: await mappingFiles(asked), working: false },
    environment: {
      SALESFORCE_BASE_URL: org.baseUrl,
      SALESFORCE_ACCESS_TOKEN: org.token,
      SALESFORCE_PUBSUB_URL: `http://${org.pubsubUrl}`,
    },
  })
  thread.app.engine.start(STEPS, ['hubspot', 'salesforce'])
  const { people } = org.sandbox
  const accountId = people.create('Account', { Name: 'Northfield', Website: DOMAINS.fresh })
  const champion = people.create('Contact', { LastName: 'Ana', Email: WHO.champion })
  const loner = people.create('Lead', { LastName: 'Dana', Company: 'S', Email: WHO.loner })
  await thread.score()
  await syncOnce(thread.app, 'salesforce')
  return { thread, org, ids: { accountId, champion, loner } }
}

function follow(app: App): Streams {
  const streams = startStreams(app.context, app.engine, TIMES)
  closing.push(() => streams.stop())
  return streams
}

const rowOf = ({ context: { db } }: App) =>
  db.selectFrom('crm_stream').selectAll().where('crm', '=', 'salesforce').executeTakeFirst()

/** Waits until the org has begun to tell. */
async function live({ thread: { app }, org }: World): Promise<Buffer> {
  return eventually('the stream is followed', async () => {
    org.sandbox.pubsub.keepAlive()
    const row = await rowOf(app)
    return row?.state === 'live' && row.place !== null ? row.place : undefined
  })
}

/** Waits until everything that happened so far has been heard. */
async function caughtUp(world: World): Promise<void> {
  await eventually('everything was heard', async () => {
    const last = world.org.sandbox.pubsub.log().at(-1)?.replay ?? 0
    return Number((await live(world)).readBigUInt64BE()) >= last
  })
}

const titles = async ({ thread: { app } }: World) =>
  (
    await app.context.db
      .selectFrom('trait')
      .select('value')
      .where('name', '=', 'job_title')
      .execute()
  ).map(({ value }) => value)

const idle = async ({ thread: { app } }: World) => {
  for (const step of STEPS) await app.engine.idle([step])
}

/** Waits until a title has been read. */
const heard = (world: World, title: string) =>
  eventually(`${title} is a trait`, async () => (await titles(world)).includes(title), 50_000)

const updatedCalls = ({ org }: World) =>
  org.sandbox.calls().filter(({ path }) => /\/(updated|deleted)(\?|$)/.test(path))

describe("a rep's change in Salesforce", () => {
  it('is in the scores at once, by the stream and without asking', async () => {
    const world = await open()
    follow(world.thread.app)
    await live(world)
    world.org.sandbox.resetCalls()
    const { people } = world.org.sandbox
    people.edit('Lead', world.ids.loner, { Title: 'Head of Data', PQL_Disposition__c: 'rejected' })
    await heard(world, 'Head of Data')
    await idle(world)
    const { db } = world.thread.app.context
    const said = await db.selectFrom('sales_state').select('status').execute()
    expect(said).toContainEqual({ status: 'rejected' })
    expect(updatedCalls(world)).toEqual([])
    // What was heard has been taken, and its place was kept with it.
    const open_ = await db
      .selectFrom('crm_delivery')
      .select('id')
      .where('taken_at', 'is', null)
      .execute()
    expect(open_).toEqual([])
    await caughtUp(world)
  })

  it('is heard after a restart, and after the line broke', async () => {
    const world = await open()
    const { people, pubsub } = world.org.sandbox
    const first = follow(world.thread.app)
    await live(world)
    await first.stop()
    people.edit('Lead', world.ids.loner, { Title: 'While away' })
    follow(world.thread.app)
    await heard(world, 'While away')
    pubsub.disconnect()
    people.edit('Lead', world.ids.loner, { Title: 'After the break' })
    await heard(world, 'After the break')
    expect(await rowOf(world.thread.app)).toMatchObject({ state: 'live', why: null })
  })

  it('follows a lead to its contact, with what was said of it', async () => {
    const world = await open()
    follow(world.thread.app)
    await live(world)
    const { db } = world.thread.app.context
    const recordOf = (id: string) =>
      db
        .selectFrom('crm_record')
        .select(['ref', 'state'])
        .where('crm_id', '=', id)
        .executeTakeFirst()
    const before = await recordOf(world.ids.loner)
    const { contactId } = world.org.sandbox.people.convertLead(world.ids.loner)
    const after = await eventually('the record is the contact', () => recordOf(contactId), 50_000)
    expect(after.ref).toBe(before?.ref)
    expect(await recordOf(world.ids.loner)).toBeUndefined()
    await idle(world)
    expect(world.org.sandbox.record(contactId)?.values['PQL_Usage_Status__c']).toBe('qualified')
  })

  it('lets a task that somebody completed be read at once', async () => {
    const world = await open()
    follow(world.thread.app)
    await live(world)
    const { db } = world.thread.app.context
    const [task] = world.org.sandbox.records('Task')
    world.org.sandbox.people.completeTask(task?.id ?? '')
    await eventually(
      'the task is done',
      async () => {
        const rows = await db
          .selectFrom('task_intent')
          .select('state')
          .where('crm', '=', 'salesforce')
          .execute()
        return rows.some(({ state }) => state === 'done')
      },
      50_000,
    )
    await idle(world)
  })

  it('is nothing when it was our own: a sync is not read back', async () => {
    const world = await open()
    follow(world.thread.app)
    await live(world)
    const { db } = world.thread.app.context
    await idle(world)
    const before = await db.selectFrom('crm_delivery').select('id').execute()
    await db
      .updateTable('crm_record')
      .set({ state: 'pending', written: null })
      .where('crm', '=', 'salesforce')
      .execute()
    const events = world.org.sandbox.pubsub.log().length
    // The score is written anew, in the org's own words.
    world.org.sandbox.people.edit('Contact', world.ids.champion, { PQL_Score__c: 1 })
    await syncOnce(world.thread.app, 'salesforce')
    expect(world.org.sandbox.pubsub.log().length).toBeGreaterThan(events + 1)
    await caughtUp(world)
    const after = await db
      .selectFrom('crm_delivery')
      .select('body')
      .where(
        'id',
        'not in',
        before.map(({ id }) => id),
      )
      .execute()
    // Only the hand that spoilt it was heard.
    expect(after).toHaveLength(1)
    expect(JSON.parse(after[0]?.body ?? '')).toMatchObject({
      changes: [{ fields: ['PQL_Score__c'] }],
    })
  })
})

describe('what the stream did not tell', () => {
  /** Cursors begin, and no look is due for a day. */
  async function openAsked(): Promise<World> {
    const world = await open('1d')
    await world.thread.app.engine.request('listen', 'salesforce')
    await world.thread.app.engine.idle(['listen'])
    return world
  }

  const later = ({ thread }: World, minutes: number) => {
    thread.setNow(new Date(thread.app.context.clock().getTime() + minutes * MINUTE_MS))
  }

  const cursors = async ({ thread: { app } }: World) =>
    app.context.db
      .selectFrom('crm_cursor')
      .select(['object', 'polled_at', 'again_at'])
      .where('crm', '=', 'salesforce')
      .orderBy('object')
      .execute()

  /** Waits until all was asked for that a first start cannot know. */
  async function settled(world: World): Promise<void> {
    await live(world)
    await eventually('the first start was taken', async () => {
      const rows = await cursors(world)
      return rows.every(({ polled_at, again_at }) => polled_at !== null && again_at !== null)
    })
    await idle(world)
  }

  it('is asked for at once and once more, when the place is lost', async () => {
    const world = await openAsked()
    const first = follow(world.thread.app)
    await settled(world)
    await first.stop()
    const { db } = world.thread.app.context
    await db
      .updateTable('crm_stream')
      .set({ place: Buffer.from('no place') })
      .execute()
    later(world, 10)
    const at = world.thread.app.context.clock()
    follow(world.thread.app)
    await eventually('both objects were asked for', async () => {
      const rows = await cursors(world)
      return rows.every(({ polled_at }) => polled_at !== null && polled_at >= at)
    })
    await idle(world)
    expect(await cursors(world)).toEqual(
      ['company', 'contact'].map((object) => ({
        ...{ object, polled_at: at },
        again_at: new Date(at.getTime() + 3 * MINUTE_MS),
      })),
    )
    later(world, 2)
    await world.thread.app.engine.request('listen', 'salesforce')
    await world.thread.app.engine.idle(['listen'])
    expect((await cursors(world)).map(({ polled_at }) => polled_at)).toEqual([at, at])
    later(world, 2)
    await world.thread.app.engine.request('listen', 'salesforce')
    await world.thread.app.engine.idle(['listen'])
    expect((await cursors(world)).map(({ polled_at }) => polled_at)).toEqual(
      Array.from({ length: 2 }, () => world.thread.app.context.clock()),
    )
  })

  it('is asked for of the one object that had too many changes', async () => {
    const world = await openAsked()
    follow(world.thread.app)
    await settled(world)
    later(world, 10)
    const at = world.thread.app.context.clock()
    world.org.sandbox.pubsub.gap('Lead', [], 'GAP_OVERFLOW')
    await eventually('people were asked for', async () => {
      const rows = await cursors(world)
      return rows.some(
        ({ object, polled_at }) => object === 'contact' && polled_at !== null && polled_at >= at,
      )
    })
    await idle(world)
    const again = (await cursors(world)).map(({ again_at }) => again_at?.getTime() ?? 0)
    // Of companies first.
    expect(again[0]).toBeLessThan(at.getTime())
    expect(again[1]).toBe(at.getTime() + 3 * MINUTE_MS)
  })
})

describe('an org without the stream', () => {
  it('is asked what changed, and status says why; once it is permitted, it is followed', async () => {
    const world = await open()
    const { pubsub } = world.org.sandbox
    pubsub.permit(false)
    follow(world.thread.app)
    const row = await eventually('it is refused', async () => {
      const row = await rowOf(world.thread.app)
      return row?.state === 'refused' ? row : undefined
    })
    expect(row.why).toContain('PERMISSION_DENIED')
    const status = await world.thread.status()
    expect(status.crms['salesforce']?.stream).toMatchObject({ state: 'refused', heardAt: null })
    const text = describeStatus(
      { ...status, sources: {}, notices: [], schemaChanges: [], freshness: {}, alerts: [] },
      new Date(),
    )
    expect(text).toMatch(/salesforce stream: refused .*asked for instead: .*Change Data Capture/)
    pubsub.permit(true)
    await live(world)
  })
})

describe('several workers', () => {
  it('follow a stream one at a time, and another goes on where one stopped', async () => {
    const world = await open()
    const colleague = await world.thread.colleague()
    const first = follow(world.thread.app)
    await live(world)
    const place = (await rowOf(world.thread.app))?.place
    const deliveries = async () =>
      (await colleague.context.db.selectFrom('crm_delivery').select('body').execute()).length
    const before = await deliveries()
    follow(colleague)
    const { people } = world.org.sandbox
    people.edit('Lead', world.ids.loner, { Title: 'Once' })
    await heard(world, 'Once')
    await live(world)
    expect(await deliveries()).toBe(before + 1)
    await first.stop()
    people.edit('Lead', world.ids.loner, { Title: 'Twice' })
    await heard(world, 'Twice')
    expect(await deliveries()).toBe(before + 2)
    expect((await rowOf(colleague))?.place?.equals(place ?? Buffer.alloc(0))).toBe(false)
  })
})
