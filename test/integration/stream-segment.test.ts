import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { segmentStream } from '../../connectors/sources/segment/segment-stream.ts'
import { explain } from '../../src/app/explanation.ts'
import { closeIngest, type IngestThread, openIngest } from '../support/ingest.ts'
import { WRITE_KEY } from '../support/log-secrets.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'

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

const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString()
const track = (event: string, rest = {}) => ({ event, timestamp: ago(5), ...rest })

async function scoreOf(thread: IngestThread, who: string) {
  const found = await explain(thread.app.context.db, who)
  return { identities: found?.identities, score: found?.scores[0]?.score }
}

const windows = (thread: IngestThread) =>
  thread.app.context.db
    .selectFrom('source_window')
    .selectAll()
    .where('source', '=', 'segment')
    .execute()

describe('calls of the Segment spec', () => {
  it('make a person out of what came before and after she was known', async () => {
    const thread = await openIngest({ origin })
    await thread.segment('page', {
      anonymousId: 'anon-1',
      name: 'Pricing',
      properties: { path: '/pricing' },
      timestamp: ago(30),
    })
    const identify = { anonymousId: 'anon-1', userId: 's-kim', timestamp: ago(20) }
    const traits = { email: 'kim@brand-new.dev', plan: 'trial' }
    await thread.segment('identify', { ...identify, traits })
    await thread.segment(
      'track',
      track('Activation Reached', { userId: 's-kim', messageId: 'm-1' }),
    )
    await thread.segment('alias', { previousId: 'anon-2', userId: 's-kim' })
    await thread.segment('group', {
      userId: 's-kim',
      groupId: 'brand-new',
      traits: { plan: 'pro' },
      timestamp: ago(1),
    })
    await thread.settle('segment')
    const kim = await explain(thread.app.context.db, 'kim@brand-new.dev')
    expect(kim).toMatchObject({
      account: 'brand-new.dev',
      traits: expect.arrayContaining([expect.objectContaining({ name: 'plan', value: 'pro' })]),
      identities: [
        'email/kim@brand-new.dev',
        'segment/d:anon-1',
        'segment/d:anon-2',
        'segment/u:s-kim',
      ],
      scores: expect.arrayContaining([expect.objectContaining({ model: 'people', score: 30 })]),
    })
    expect((await thread.status()).sources['segment']).toMatchObject({ rows: 5 })
  })

  it('join a person whom another source knows', async () => {
    const thread = await openIngest({ origin })
    await thread.score()
    const before = (await scoreOf(thread, WHO.quiet)).score ?? 0
    const context = { traits: { email: WHO.quiet } }
    await thread.segment('track', track('Activation Reached', { userId: 's-jon', context }))
    await thread.settle('segment')
    expect(await scoreOf(thread, WHO.quiet)).toMatchObject({
      score: before + 30,
      identities: expect.arrayContaining(['mixpanel/u:m-jon', 'segment/u:s-jon']),
    })
  })

  it('count once for each messageId, in a batch and alone', async () => {
    const thread = await openIngest({ origin })
    const call = { ...track('Query Run'), userId: 's-1', messageId: 'm-7' }
    await thread.segment('track', call)
    await thread.segment('batch', {
      batch: [
        { ...call, type: 'track' },
        { ...call, type: 'track', messageId: 'm-8' },
        { type: 'identify', userId: 's-1', traits: { email: 's1@brand-new.dev' } },
      ],
    })
    await thread.settle('segment')
    expect((await thread.status()).sources['segment']).toMatchObject({ rows: 4, events: 3 })
  })

  it('put the sender clock right', async () => {
    const thread = await openIngest({ origin, working: false })
    const { context } = thread.app
    const receivedAt = NOW
    const rows = async (call: unknown) => {
      const query = segmentStream.eventsSql([{ id: 1, receivedAt, body: JSON.stringify(call) }])
      return context.duck.connect((c) => c.rows(query.sql, query.params))
    }
    const hourFast = new Date(NOW.getTime() + 3_600_000).toISOString()
    const early = new Date(NOW.getTime() + 3_000_000).toISOString()
    // Sent by a clock that is an hour fast, ten minutes after it happened.
    expect(
      await rows({ type: 'track', event: 'x', timestamp: early, sentAt: hourFast }),
    ).toMatchObject([
      {
        occurred_at: new Date(NOW.getTime() - 600_000),
        window_key: NOW.toISOString().slice(0, 13),
      },
    ])
    // Segment has done it already.
    const done = { timestamp: ago(7), originalTimestamp: early, sentAt: hourFast }
    expect(await rows({ type: 'track', event: 'x', ...done })).toMatchObject([
      { occurred_at: new Date(ago(7)) },
    ])
    expect(await rows({ type: 'screen', name: 'Home', timestamp: 'soon' })).toMatchObject([
      { name: 'screen', occurred_at: NOW },
    ])
  })
})

describe('who is let in', () => {
  const call = { ...track('Query Run'), userId: 's-1' }
  const basic = (key: string) => ({
    authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  })

  it.each([
    {
      who: 'another key',
      type: 'track',
      body: call,
      headers: basic('another-write-key'),
      status: 401,
    },
    { who: 'no key', type: 'track', body: call, headers: {}, status: 401 },
    {
      who: 'a key in the body',
      type: 'track',
      body: { ...call, writeKey: WRITE_KEY },
      headers: {},
      status: 200,
    },
    {
      who: 'no event',
      type: 'track',
      body: { userId: 'x' },
      headers: basic(WRITE_KEY),
      status: 400,
    },
    {
      who: 'nobody',
      type: 'identify',
      body: { traits: {} },
      headers: basic(WRITE_KEY),
      status: 400,
    },
    {
      who: 'no group',
      type: 'group',
      body: { userId: 'x' },
      headers: basic(WRITE_KEY),
      status: 400,
    },
    {
      who: 'no type',
      type: 'batch',
      body: { batch: [call] },
      headers: basic(WRITE_KEY),
      status: 400,
    },
    { who: 'no JSON', type: 'track', body: '{"event"', headers: basic(WRITE_KEY), status: 400 },
  ])('$who is answered $status', async ({ type, body, headers, status }) => {
    const thread = await openIngest({ origin, working: false })
    expect(await thread.post(`/ingest/segment/v1/${type}`, body, headers)).toMatchObject({ status })
    const { db } = thread.app.context
    const kept = await db.selectFrom('staged_event').select('body').execute()
    expect(kept).toHaveLength(status === 200 ? 1 : 0)
    expect(JSON.stringify(kept)).not.toContain(WRITE_KEY)
    expect(await windows(thread)).toEqual([])
  })
})
