import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { CATALOG } from '../../jobs/catalog.ts'
import type { JobContext } from '../../jobs/context.ts'
import { startSchedule } from '../../jobs/schedule.ts'
import { explain } from '../../src/app/explanation.ts'
import { liveRollups } from '../../src/infra/postgres/manifest.ts'
import { closeIngest, type IngestThread, openIngest } from '../support/ingest.ts'
import { WEBHOOK_TOKEN } from '../support/log-secrets.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'
import { hourOf } from '../support/usage-log.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeIngest()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
/** Lately, in an hour that no export covers. */
const LATELY = new Date(NOW.getTime() - 60_000)
const wire = (at: Date) => at.toISOString().replace('T', ' ').replace('Z', '000')
let made = 0
const uuid = () => `aaaaaaaa-0000-4000-8000-${String(++made).padStart(12, '0')}`

function eventOf(event_type: string, rest: Readonly<Record<string, unknown>> = {}) {
  const at = wire((rest['at'] as Date | undefined) ?? LATELY)
  const { at: _, ...given } = rest
  return {
    uuid: uuid(),
    event_type,
    event_time: at,
    server_upload_time: at,
    user_id: 'a-jon',
    device_id: 'dev-jon',
    event_properties: {},
    user_properties: { email: WHO.quiet },
    ...given,
  }
}

async function scoreOf(thread: IngestThread, who: string): Promise<number | undefined> {
  return (await explain(thread.app.context.db, who))?.scores[0]?.score
}

const staged = (thread: IngestThread) =>
  thread.app.context.db.selectFrom('staged_event').selectAll().execute()

const subWindows = async (thread: IngestThread) => {
  const rows = await thread.app.context.db.selectFrom('source_window').selectAll().execute()
  return rows.filter((row) => row.window_key.includes('~'))
}

/** How often an action was counted, by everybody and in all sources. */
async function countOf(thread: IngestThread, action: string): Promise<number> {
  const { db, duck, lakeDir } = thread.app.context
  const parts = await liveRollups(db)
  return duck.connect(async (connection) => {
    let sum = 0
    for (const { fileId, partition } of parts) {
      const [row] = await connection.rows(
        `select coalesce(sum(count), 0)::double as n from read_parquet($path)
         where day::varchar = $partition and action = $action`,
        { path: `${lakeDir}/${fileId}.parquet`, partition, action },
      )
      sum += Number(row?.['n'])
    }
    return sum
  })
}

describe('an event that comes by webhook', () => {
  it('moves the score of the person it belongs to', async () => {
    const thread = await openIngest({ origin })
    await thread.score()
    const before = (await scoreOf(thread, WHO.quiet)) ?? 0
    expect(await thread.amplitude(eventOf('Activation Reached'))).toMatchObject({ status: 200 })
    await thread.settle()
    expect(await scoreOf(thread, WHO.quiet)).toBe(before + 30)
    expect(await explain(thread.app.context.db, WHO.quiet)).toMatchObject({
      identities: expect.arrayContaining(['amplitude/u:a-jon', 'mixpanel/u:m-jon']),
    })
    expect(await staged(thread)).toEqual([])
  })

  it('counts once, however often it is sent', async () => {
    const thread = await openIngest({ origin })
    const before = await countOf(thread, 'activated')
    const event = eventOf('Activation Reached')
    for (let turn = 0; turn < 3; turn++) {
      await thread.amplitude(event)
      await thread.amplitude([event, event])
      await thread.settle()
    }
    expect(await countOf(thread, 'activated')).toBe(before + 1)
  })

  it('that cannot be read holds up none of the others', async () => {
    const thread = await openIngest({ origin })
    const before = await countOf(thread, 'activated')
    await thread.amplitude([
      { event_type: 'Odd', event_time: 'yesterday', server_upload_time: {}, uuid: 7, groups: 'x' },
      eventOf('Activation Reached'),
      { event_type: 'Odd', user_id: 'a\u0000b', event_properties: { half: '\ud800' } },
      { event_type: 'Odd', user_id: 'x', event_properties: { '\ud800': 1 } },
    ])
    await thread.settle()
    expect(await countOf(thread, 'activated')).toBe(before + 1)
    expect(await staged(thread)).toEqual([])
  })
})

describe('the export of an hour', () => {
  it('replaces what was streamed of it, whatever the ids say', async () => {
    const thread = await openIngest({ origin })
    const at = new Date(NOW.getTime() + HOUR_MS / 2)
    const before = await countOf(thread, 'activated')
    await thread.amplitude(eventOf('Activation Reached', { at }))
    await thread.amplitude(eventOf('Activation Reached', { at, user_id: 'a-dana' }))
    await thread.settle()
    expect(await countOf(thread, 'activated')).toBe(before + 2)
    expect((await subWindows(thread)).length).toBeGreaterThan(0)
    // The export knows one of them, under another uuid, and one that was never streamed.
    thread.usage.amplitude({ event: 'Activation Reached', user: 'a-jon', at, email: WHO.quiet })
    thread.usage.amplitude({ event: 'Query Run', user: 'a-jon', at, email: WHO.quiet })
    thread.setNow(new Date(NOW.getTime() + 4 * HOUR_MS))
    await thread.pull(['amplitude'])
    expect(await subWindows(thread)).toEqual([])
    expect(await countOf(thread, 'activated')).toBe(before + 1)
    await thread.score()
    expect(await scoreOf(thread, WHO.quiet)).toBe(30)
  })

  it('takes out what was streamed even when it is empty', async () => {
    const thread = await openIngest({ origin })
    const at = new Date(NOW.getTime() + HOUR_MS / 2)
    const before = await countOf(thread, 'activated')
    await thread.amplitude(eventOf('Activation Reached', { at }))
    await thread.settle()
    thread.setNow(new Date(NOW.getTime() + 4 * HOUR_MS))
    await thread.pull(['amplitude'])
    expect(await countOf(thread, 'activated')).toBe(before)
    expect(await subWindows(thread)).toEqual([])
  })

  it('covers what is streamed of it afterwards', async () => {
    const thread = await openIngest({ origin })
    const before = await countOf(thread, 'activated')
    const at = new Date(NOW.getTime() - 10 * HOUR_MS)
    await thread.amplitude(eventOf('Activation Reached', { at }))
    await thread.settle()
    expect(await countOf(thread, 'activated')).toBe(before)
    expect(await subWindows(thread)).toEqual([])
    expect(await staged(thread)).toEqual([])
    const [run] = await thread.app.context.db
      .selectFrom('run')
      .select('counts')
      .where('step', '=', 'stage')
      .execute()
    expect(run?.counts).toMatchObject({ events: 1, covered: 1, rows: 0 })
  })
})

describe('many small sub-windows', () => {
  it('become few, and count as before', async () => {
    const thread = await openIngest({ origin })
    const before = await countOf(thread, 'query_run')
    for (let n = 0; n < 30; n++) {
      await thread.amplitude(eventOf('Query Run'))
      await thread.settle()
    }
    expect(await countOf(thread, 'query_run')).toBe(before + 30)
    const windows = await subWindows(thread)
    expect(windows.length).toBeLessThan(16)
    expect(windows.reduce((rows, window) => rows + window.rows, 0)).toBe(30)
    expect(windows.every(({ window_key }) => window_key.startsWith(hourOf(LATELY)))).toBe(true)
  }, 60_000)
})

describe('a crash', () => {
  const run = { note: () => undefined, count: () => undefined }
  const stage = (context: JobContext) =>
    CATALOG.stage.handler(context, 'amplitude', null, new AbortController().signal, run)

  it.each(['before the lake file is named', 'while it is being named'])(
    '%s loses nothing and counts nothing twice',
    async (moment) => {
      const thread = await openIngest({ origin, working: false })
      const { context } = thread.app
      await thread.amplitude([eventOf('Activation Reached'), eventOf('Query Run')])
      const windowsBefore = await context.db.selectFrom('source_window').selectAll().execute()
      await expect(stage({ ...context, db: breaking(context.db, moment) })).rejects.toThrow(
        'killed',
      )
      expect(await staged(thread)).toHaveLength(2)
      expect(await context.db.selectFrom('source_window').selectAll().execute()).toEqual(
        windowsBefore,
      )
      // More came before somebody looks again.
      await thread.amplitude(eventOf('Query Run'))
      expect(await stage(context)).toMatchObject({ events: 3, rows: 3 })
      expect(await staged(thread)).toEqual([])
      expect(await stage(context)).toMatchObject({ events: 0, rows: 0 })
      expect((await subWindows(thread)).reduce((rows, w) => rows + w.rows, 0)).toBe(3)
    },
  )

  it('between storing an event and waking somebody is made good by the sweep of a worker', async () => {
    const thread = await openIngest({ origin })
    const { context, engine } = thread.app
    const body = JSON.stringify(eventOf('Activation Reached'))
    await context.db.insertInto('staged_event').values({ source: 'amplitude', body }).execute()
    const schedule = startSchedule(context, engine)
    try {
      const deadline = Date.now() + 10_000
      while ((await staged(thread)).length > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      expect(await staged(thread)).toEqual([])
    } finally {
      schedule.stop()
    }
  })

  /** A database whose transactions end early: at their start, or just before they commit. */
  function breaking(db: JobContext['db'], moment: string): JobContext['db'] {
    const killed = () => {
      throw new Error('killed')
    }
    const transaction = () => ({
      execute: (work: (tx: unknown) => Promise<unknown>) =>
        moment.startsWith('before')
          ? Promise.reject(new Error('killed'))
          : db.transaction().execute(async (tx) => {
              await work(tx)
              killed()
            }),
    })
    return new Proxy(db, {
      get: (target, name) => {
        if (name === 'transaction') return transaction
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
})

describe('who is let in', () => {
  const event = eventOf('Query Run')

  it.each([
    {
      what: 'another token',
      path: '/ingest/amplitude/another-webhook-token',
      body: event,
      status: 401,
    },
    {
      what: 'half of it',
      path: `/ingest/amplitude/${WEBHOOK_TOKEN.slice(0, 9)}`,
      body: event,
      status: 401,
    },
    {
      what: 'no JSON',
      path: `/ingest/amplitude/${WEBHOOK_TOKEN}`,
      body: '{"event_type',
      status: 400,
    },
    {
      what: 'no event',
      path: `/ingest/amplitude/${WEBHOOK_TOKEN}`,
      body: { user_id: 'a' },
      status: 400,
    },
    { what: 'an empty list', path: `/ingest/amplitude/${WEBHOOK_TOKEN}`, body: [], status: 400 },
    {
      what: 'too much',
      path: `/ingest/amplitude/${WEBHOOK_TOKEN}`,
      body: { event_type: 'x'.repeat(1_100_000) },
      status: 413,
    },
  ])('$what is answered $status and not kept', async ({ path, body, status }) => {
    const thread = await openIngest({ origin, working: false })
    const answer = await thread.post(path, body)
    expect(answer).toMatchObject({ status, json: { detail: expect.any(String) } })
    expect(JSON.stringify(answer.json)).not.toContain(WEBHOOK_TOKEN)
    expect(await staged(thread)).toEqual([])
  })

  it('without a token there is no webhook', async () => {
    const environment = { AMPLITUDE_WEBHOOK_TOKEN: '', SEGMENT_WRITE_KEY: '' }
    const thread = await openIngest({ origin, working: false, environment })
    expect(await thread.amplitude(event)).toMatchObject({ status: 404 })
    expect(await thread.segment('track', { event: 'x', userId: 'u' })).toMatchObject({
      status: 404,
    })
  })
})
