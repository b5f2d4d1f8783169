import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import yauzl from 'yauzl'
import {
  type AmplitudeSandboxOptions,
  createAmplitudeSandbox,
} from '../../sandbox/amplitude/amplitude-sandbox.ts'
import { type Listening, listen } from '../../sandbox/listen.ts'

const open: Listening[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const row = (uuid: string) => JSON.stringify({ uuid, pad: 'x'.repeat(40) })
const HOURS = new Map([
  ['2026-08-31T23', [row('a1')]],
  ['2026-09-01T05', [row('b1'), row('b2'), row('b3')]],
  ['2026-09-01T06', [row('c1'), row('c2')]],
])

async function start(options: Partial<AmplitudeSandboxOptions> = {}) {
  const login = { apiKey: 'key', secretKey: 'secret' }
  const sandbox = createAmplitudeSandbox({ ...login, projectId: '77', events: HOURS, ...options })
  const server = await listen(express().use(sandbox.router))
  open.push(server)
  const authorization = `Basic ${btoa('key:secret')}`
  const get = (query: string, headers: Record<string, string> = { authorization }) =>
    fetch(`${server.baseUrl}/api/2/export?${query}`, { headers })
  return { sandbox, get }
}

async function unzip(response: Response): Promise<Record<string, Buffer>> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(await response.arrayBuffer()))
  const entries: Record<string, Buffer> = {}
  for await (const entry of zip.eachEntry()) {
    const parts: Buffer[] = []
    for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Buffer)
    entries[entry.fileName] = Buffer.concat(parts)
  }
  return entries
}

const uuidsOf = (entries: Record<string, Buffer>) =>
  Object.values(entries)
    .flatMap((body) => gunzipSync(body).toString().trimEnd().split('\n'))
    .map((line) => (JSON.parse(line) as { uuid: string }).uuid)
    .sort()

const ALL = 'start=20260831T23&end=20260901T06'

describe('the stand-in for Amplitude', () => {
  it('hands out one zip of gzipped hours, both ends included', async () => {
    const { get, sandbox } = await start()
    const response = await get(ALL)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/zip')
    const entries = await unzip(response)
    expect(Object.keys(entries)).toEqual([
      '77/77_2026-08-31_23#0.json.gz',
      '77/77_2026-09-01_5#0.json.gz',
      '77/77_2026-09-01_5#1.json.gz',
      '77/77_2026-09-01_6#0.json.gz',
    ])
    expect(uuidsOf(entries)).toEqual(['a1', 'b1', 'b2', 'b3', 'c1', 'c2'])
    const range = { from: '20260831T23', to: '20260901T06' }
    expect(sandbox.calls()).toEqual([{ method: 'GET', path: '/api/2/export', status: 200, range }])
    sandbox.resetCalls()
    expect(sandbox.calls()).toEqual([])
  })

  it('hands out a single hour when start and end are the same', async () => {
    const { get } = await start()
    const entries = await unzip(await get('start=20260901T06&end=20260901T06'))
    expect(uuidsOf(entries)).toEqual(['c1', 'c2'])
  })

  it('shows events that arrive later, in hours old and new', async () => {
    const { get, sandbox } = await start()
    sandbox.add(
      new Map([
        ['2026-09-01T06', [row('c3')]],
        ['2026-09-01T07', [row('d1')]],
      ]),
    )
    const entries = await unzip(await get('start=20260901T06&end=20260901T07'))
    expect(uuidsOf(entries)).toEqual(['c1', 'c2', 'c3', 'd1'])
  })

  it.each([
    { name: 'no data in the range', query: 'start=20260101T00&end=20260102T00', want: 404 },
    { name: 'a reversed range', query: 'start=20260901T06&end=20260901T05', want: 400 },
    { name: 'an hour in another form', query: 'start=2026-09-01&end=20260901T05', want: 400 },
    { name: 'an hour that does not exist', query: 'start=20260931T00&end=20261001T00', want: 400 },
    { name: 'a missing end', query: 'start=20260901T05', want: 400 },
    { name: 'more than a year', query: 'start=20250901T00&end=20260901T00', want: 400 },
  ])('answers $want to $name', async ({ query, want }) => {
    const { get } = await start()
    expect((await get(query)).status).toBe(want)
  })

  it('answers 401 without and 403 with wrong credentials', async () => {
    const { get } = await start()
    expect((await get(ALL, {})).status).toBe(401)
    const wrong = await get(ALL, { authorization: `Basic ${btoa('key:other')}` })
    expect([wrong.status, await wrong.text()]).toEqual([403, 'Invalid API Key'])
  })

  it('answers 400 above the size limit, measured before compression and after arrivals', async () => {
    const bytes = HOURS.get('2026-09-01T06')?.reduce((sum, line) => sum + line.length + 1, 0)
    const { get, sandbox } = await start({ sizeLimitBytes: bytes ?? 0 })
    const hour = 'start=20260901T06&end=20260901T06'
    expect((await get(hour)).status).toBe(200)
    expect((await get('start=20260901T05&end=20260901T06')).status).toBe(400)
    sandbox.add(new Map([['2026-09-01T06', [row('c3')]]]))
    expect((await get(hour)).status).toBe(400)
  })
})

describe('the faults of the stand-in for Amplitude', () => {
  it('plays a status once, then answers as usual', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'status', status: 504, body: 'timeout', headers: { 'x-id': '9' } })
    const failed = await get(ALL)
    expect([failed.status, await failed.text(), failed.headers.get('x-id')]).toEqual([
      504,
      'timeout',
      '9',
    ])
    expect((await get(ALL)).status).toBe(200)
    expect(sandbox.calls().map(({ status }) => status)).toEqual([504, 200])
  })

  it('plays a fault as often as told, only for the requests that it is meant for', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add(
      { kind: 'status', status: 504 },
      { times: 2, when: (range) => range?.from !== range?.to },
    )
    const hour = 'start=20260901T06&end=20260901T06'
    const statuses: number[] = []
    for (const query of [hour, ALL, hour, ALL, ALL]) statuses.push((await get(query)).status)
    expect(statuses).toEqual([200, 504, 200, 504, 200])
    expect(sandbox.faults.pending()).toBe(0)
  })

  it('forgets faults when cleared', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'reset' })
    sandbox.faults.clear()
    expect((await get(ALL)).status).toBe(200)
  })

  it('breaks the connection before an answer', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'reset' })
    await expect(get(ALL)).rejects.toThrow()
    expect(sandbox.calls()[0]?.status).toBe(0)
  })

  it('breaks the connection in the middle of the body', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'half-body' })
    const response = await get(ALL)
    expect(response.status).toBe(200)
    await expect(response.arrayBuffer()).rejects.toThrow()
  })

  it.each([
    { kind: 'delay', ms: 30 } as const,
    { kind: 'slow-drip', bytes: 100, everyMs: 1 } as const,
  ])('answers whole but late with $kind', async (fault) => {
    const { get, sandbox } = await start()
    sandbox.faults.add(fault)
    expect(uuidsOf(await unzip(await get(ALL)))).toHaveLength(6)
    expect(sandbox.faults.pending()).toBe(0)
  })

  it('cuts a zip short although the answer ends well', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'zip-cut-short' })
    await expect(unzip(await get(ALL))).rejects.toThrow(/end of central directory/i)
  })

  it('spoils one gzip entry inside a sound zip', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'corrupt-entry' })
    const bodies = Object.values(await unzip(await get(ALL)))
    expect(bodies).toHaveLength(4)
    const readable = bodies.map((body) => {
      try {
        return gunzipSync(body).length > 0
      } catch {
        return false
      }
    })
    expect(readable).toEqual([false, true, true, true])
  })

  it('keeps a fault of the body for an answer that has one', async () => {
    const { get, sandbox } = await start()
    sandbox.faults.add({ kind: 'zip-cut-short' })
    expect((await get('start=20260101T00&end=20260101T00')).status).toBe(404)
    expect(sandbox.faults.pending()).toBe(1)
  })
})
