import { get as httpGet, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { type Listening, listen } from '../../sandbox/listen.ts'
import {
  createMixpanelSandbox,
  type MixpanelSandboxOptions,
} from '../../sandbox/mixpanel/mixpanel-sandbox.ts'

const open: Listening[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const row = (id: string, day: number, event = 'page_viewed') => {
  const time = Date.UTC(2026, 8, day, 12) / 1000
  const properties = { time, $insert_id: id, mp_processing_time_ms: time * 1000 + 500 }
  return JSON.stringify({ event, properties: { ...properties, pad: 'x'.repeat(300) } })
}
const DAYS = new Map([
  ['2026-09-01', [row('a1', 1), row('a2', 1, 'invite_sent')]],
  ['2026-09-02', [row('b1', 2), row('b2', 2), row('b3', 2)]],
  ['2026-09-03', [row('c1', 3), row('c2', 3)]],
])
const NOW = new Date('2026-09-03T20:00:00Z')

async function start(options: Partial<MixpanelSandboxOptions> = {}) {
  const clock = { now: NOW }
  const sandbox = createMixpanelSandbox({
    projectId: '88',
    serviceAccount: 'robot',
    secret: 'secret',
    events: DAYS,
    ratePerSecond: 100,
    now: () => clock.now,
    ...options,
  })
  const server = await listen(express().use(sandbox.router))
  open.push(server)
  const url = (query: string) => `${server.baseUrl}/api/2.0/export?${query}`
  const authorization = `Basic ${btoa('robot:secret')}`
  const get = (query: string, headers: Record<string, string> = { authorization }) =>
    fetch(url(query), { headers })
  const raw = (query: string, encoding: string) =>
    new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const headers = { authorization, 'accept-encoding': encoding }
      httpGet(url(query), { headers }, (res) => {
        buffer(res).then((body) => resolve({ headers: res.headers, body }), reject)
      }).on('error', reject)
    })
  return { sandbox, clock, get, raw }
}

const idsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { properties: { $insert_id: string } }).properties)
    .map(({ $insert_id }) => $insert_id)

const WHOLE = 'project_id=88&from_date=2026-09-01&to_date=2026-09-03'

describe('the stand-in for Mixpanel', () => {
  it('hands out JSON lines of whole days, both ends included', async () => {
    const { get, sandbox } = await start()
    const response = await get('project_id=88&from_date=2026-09-01&to_date=2026-09-02')
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
    const text = await response.text()
    expect(idsOf(text)).toEqual(['a1', 'a2', 'b1', 'b2', 'b3'])
    expect(text.endsWith('\n')).toBe(true)
    const range = { from: '2026-09-01', to: '2026-09-02' }
    expect(sandbox.calls()).toEqual([
      { method: 'GET', path: '/api/2.0/export', status: 200, range },
    ])
    sandbox.resetCalls()
    expect(sandbox.calls()).toEqual([])
  })

  it('compresses a large body for those who take gzip, and nothing else', async () => {
    const { raw } = await start()
    const large = await raw(WHOLE, 'gzip')
    expect(large.headers['content-encoding']).toBe('gzip')
    expect(idsOf(gunzipSync(large.body).toString())).toHaveLength(7)
    const plain = await raw(WHOLE, 'identity')
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(idsOf(plain.body.toString())).toHaveLength(7)
    const small = await raw('project_id=88&from_date=2026-09-01&to_date=2026-09-01', 'gzip')
    expect(small.headers['content-encoding']).toBeUndefined()
    expect(idsOf(small.body.toString())).toHaveLength(2)
  })

  it.each([
    { name: 'event names', extra: '&event=["invite_sent"]', want: ['a2'] },
    { name: 'a limit', extra: '&limit=3', want: ['a1', 'a2', 'b1'] },
    {
      name: 'a moment of processing',
      extra: `&where=${encodeURIComponent(`number(properties["mp_processing_time_ms"])>=${Date.UTC(2026, 8, 3)}`)}`,
      want: ['c1', 'c2'],
    },
  ])('selects by $name', async ({ extra, want }) => {
    const { get } = await start()
    expect(idsOf(await (await get(`${WHOLE}${extra}`)).text())).toEqual(want)
  })

  it('tells times in milliseconds on request', async () => {
    const { get } = await start()
    const text = await (await get(`${WHOLE}&time_in_ms=true&limit=1`)).text()
    expect(JSON.parse(text)).toMatchObject({ properties: { time: Date.UTC(2026, 8, 1, 12) } })
  })

  it('shows events that arrive later, and an empty body for a day without any', async () => {
    const { get, sandbox } = await start()
    sandbox.add(new Map([['2026-09-01', [row('a3', 1)]]]))
    const day = await get('project_id=88&from_date=2026-09-01&to_date=2026-09-01')
    expect(idsOf(await day.text())).toEqual(['a1', 'a2', 'a3'])
    const empty = await get('project_id=88&from_date=2026-08-01&to_date=2026-08-01')
    expect([empty.status, await empty.text()]).toEqual([200, ''])
  })

  it.each([
    { query: 'from_date=2026-09-01&to_date=2026-09-01', want: 'project_id is a required' },
    { query: 'project_id=88&from_date=2026-09-01&to_date=2026-09-04', want: 'later than today' },
    { query: 'project_id=88&from_date=2026-09-02&to_date=2026-09-01', want: 'later than to_date' },
    { query: 'project_id=88&from_date=20260902&to_date=2026-09-03', want: 'from_date' },
    { query: `${WHOLE}&where=true`, want: 'selector' },
    { query: `${WHOLE}&limit=100001`, want: 'limit' },
    { query: `${WHOLE}&event=invite_sent`, want: 'event' },
  ])('answers 400 to $query', async ({ query, want }) => {
    const { get } = await start()
    const response = await get(query)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: expect.stringContaining(want),
      status: 'error',
    })
  })

  it('takes its today from the time zone of the project', async () => {
    const { get } = await start({ timezone: 'Asia/Kolkata' })
    const tomorrow = 'project_id=88&from_date=2026-09-04&to_date=2026-09-04'
    expect((await get(tomorrow)).status).toBe(200)
  })

  it('answers 401 to wrong credentials and 403 to another project', async () => {
    const { get } = await start()
    expect((await get(WHOLE, { authorization: `Basic ${btoa('robot:no')}` })).status).toBe(401)
    expect((await get(WHOLE, {})).status).toBe(401)
    expect((await get(WHOLE.replace('88', '89'))).status).toBe(403)
  })

  it('answers 429 over the budget of an hour or a second, and recovers', async () => {
    const { get, clock, sandbox } = await start({ ratePerSecond: 2, ratePerHour: 3 })
    const ask = async () => (await get(WHOLE)).status
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
    clock.now = new Date(NOW.getTime() + 1001)
    expect([await ask(), await ask()]).toEqual([200, 429])
    clock.now = new Date(NOW.getTime() + 3_600_000)
    expect(await ask()).toBe(200)
    expect(sandbox.calls().map(({ status }) => status)).toEqual([200, 200, 429, 200, 429, 200])
  })
})

describe('the faults of the stand-in for Mixpanel', () => {
  it('plays statuses and resets before it answers as usual', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'status', status: 503, headers: { 'retry-after': '7' } })
    sandbox.faults.add({ kind: 'reset' })
    expect((await get(WHOLE)).headers.get('retry-after')).toBe('7')
    await expect(get(WHOLE)).rejects.toThrow()
    expect((await get(WHOLE)).status).toBe(200)
    expect(sandbox.calls().map(({ status }) => status)).toEqual([503, 0, 200])
  })

  it('breaks the connection in the middle of the body', async () => {
    const { raw, sandbox } = await start()
    sandbox.faults.add({ kind: 'half-body' }, { times: 2 })
    await expect(raw(WHOLE, 'gzip')).rejects.toThrow()
    await expect(raw(WHOLE, 'identity')).rejects.toThrow()
  })

  it.each([
    { kind: 'delay', ms: 30 } as const,
    { kind: 'slow-drip', bytes: 500, everyMs: 1 } as const,
  ])('answers whole but late with $kind', async (fault) => {
    const { raw, sandbox } = await start()
    sandbox.faults.add(fault)
    expect(idsOf((await raw(WHOLE, 'identity')).body.toString())).toHaveLength(7)
  })

  it.each(['gzip', 'identity'])(
    'says that it stopped early inside a 200 (%s)',
    async (encoding) => {
      const { raw, sandbox } = await start()
      sandbox.faults.add({ kind: 'terminated-early' })
      const { headers, body } = await raw(WHOLE, encoding)
      const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
      expect(text.endsWith('\nterminated early\n')).toBe(true)
      expect(text.split('\n')).toHaveLength(5)
    },
  )

  it('breaks one line in the middle', async () => {
    const { raw, sandbox } = await start()
    sandbox.faults.add({ kind: 'broken-line' })
    const lines = (await raw(WHOLE, 'identity')).body.toString().trimEnd().split('\n')
    expect(lines).toHaveLength(7)
    expect(lines.filter((line) => !line.endsWith('}}'))).toHaveLength(1)
  })

  it('leaves out the end of the last line', async () => {
    const { raw, sandbox } = await start()
    sandbox.faults.add({ kind: 'no-last-newline' })
    const text = (await raw(WHOLE, 'identity')).body.toString()
    expect(text.endsWith('}}')).toBe(true)
    expect(idsOf(text)).toHaveLength(7)
  })

  it('ends a compressed body with a wrong checksum', async () => {
    const { raw, sandbox } = await start()
    sandbox.faults.add({ kind: 'bad-gzip-trailer' })
    const { body } = await raw(WHOLE, 'gzip')
    expect(() => gunzipSync(body)).toThrow(/incorrect data check/)
  })

  it('ends a compressed body without its trailer, though well on the wire', async () => {
    const { raw, sandbox } = await start()
    sandbox.faults.add({ kind: 'gzip-cut-short' })
    const { body } = await raw(WHOLE, 'gzip')
    expect(() => gunzipSync(body)).toThrow(/unexpected end of file/)
  })
})
