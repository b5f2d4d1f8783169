import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createAmplitudeSource } from '../../connectors/sources/amplitude/amplitude-source.ts'
import { exportEntries } from '../../sandbox/amplitude/export-archive.ts'
import { zipBytes } from '../../sandbox/amplitude/zip-writer.ts'
import { listen } from '../../sandbox/listen.ts'
import { connectAmplitude } from '../../src/app/connect-amplitude.ts'
import { ConfigError, RateLimitedError, RetryableError } from '../../src/core/errors.ts'
import { readConfig } from '../../src/infra/config.ts'
import {
  downloadDir,
  type ExportStandIn,
  exportRow,
  hours,
  readRows,
  startExport,
} from '../support/amplitude-source.ts'
import { openTempLake, type TempLake } from '../support/lake-temp.ts'

let lake: TempLake
const open: { close(): Promise<void> }[] = []
beforeAll(async () => {
  lake = await openTempLake()
})
afterEach(async () => {
  for (const part of open.splice(0)) await part.close()
})
afterAll(() => lake.close())

const EVENTS = new Map([
  ['2026-08-31T23', [exportRow(1)]],
  ['2026-09-01T05', [exportRow(2), exportRow(3), exportRow(4)]],
  ['2026-09-01T06', [exportRow(5), exportRow(6)]],
  ['2026-09-02T00', [exportRow(7)]],
])

async function start(options: Parameters<typeof startExport>[0] = { events: EVENTS }) {
  const standIn = await startExport(options)
  open.push(standIn)
  return standIn
}

async function pull({ source }: ExportStandIn, from: string, to: string) {
  const signal = AbortSignal.timeout(20_000)
  const windows = hours(source, from, to)
  return readRows(lake.duck, source, source.download(windows, await downloadDir(lake.dir), signal))
}
const failureOf = (standIn: ExportStandIn, from = '2026-09-01T00', to = '2026-09-01T08') =>
  pull(standIn, from, to).then(
    () => null,
    (error: unknown) => error,
  )
const asked = ({ sandbox }: ExportStandIn) =>
  sandbox.calls().map(({ range, status }) => `${range?.from} ${range?.to} ${status}`)
const keysOf = (rows: readonly { window: string; key: string }[]) =>
  rows.map(({ window, key }) => `${window} ${key}`)

describe('an hour of Amplitude', () => {
  const login = { apiKey: 'a', secretKey: 'b' }
  const source = createAmplitudeSource({ baseUrl: 'http://127.0.0.1:9', ...login, dueHours: 5 })
  const from = new Date('2026-09-01T00:00:00Z')
  const dueAt = (now: string, last = now) =>
    source.windows(from, new Date(last), new Date(now)).map(({ key }) => key)

  it('is due so many hours after its end as are set', () => {
    expect(dueAt('2026-09-01T05:59:59.999Z')).toEqual([])
    expect(dueAt('2026-09-01T06:00:00Z')).toEqual(['2026-09-01T00'])
    expect(dueAt('2026-09-01T07:30:00Z')).toEqual(['2026-09-01T00', '2026-09-01T01'])
  })

  it('is due only within what is asked for, and whole', () => {
    expect(dueAt('2026-09-05T00:00:00Z', '2026-09-01T01:59:00Z')).toEqual(['2026-09-01T00'])
    const late = new Date('2026-09-01T00:00:01Z')
    expect(source.windows(late, new Date('2026-09-01T02:00:00Z'), new Date('2026-09-05'))).toEqual([
      {
        key: '2026-09-01T01',
        start: new Date('2026-09-01T01:00:00Z'),
        end: new Date('2026-09-01T02:00:00Z'),
      },
    ])
  })
})

describe('a download from Amplitude', () => {
  it('asks for its first and its last hour, both of which are in the answer', async () => {
    const standIn = await start()
    expect(keysOf(await pull(standIn, '2026-09-01T00', '2026-09-02T00'))).toEqual([
      '2026-09-01T05 0002',
      '2026-09-01T05 0003',
      '2026-09-01T05 0004',
      '2026-09-01T06 0005',
      '2026-09-01T06 0006',
    ])
    expect(asked(standIn)).toEqual(['20260901T00 20260901T23 200'])
  })

  it('asks for one hour by naming it twice', async () => {
    const standIn = await start()
    expect(await pull(standIn, '2026-09-02T00', '2026-09-02T01')).toHaveLength(1)
    expect(asked(standIn)).toEqual(['20260902T00 20260902T00 200'])
  })

  it('of hours without events is empty and no failure', async () => {
    const standIn = await start()
    expect(await pull(standIn, '2026-07-01T00', '2026-07-02T00')).toEqual([])
    expect(asked(standIn)).toEqual(['20260701T00 20260701T23 404'])
  })

  it.each([400, 504])('that is answered with %i is halved down to single hours', async (status) => {
    const standIn = await start()
    const isRange = (range: { from: string; to: string } | null) => range?.from !== range?.to
    standIn.sandbox.faults.add({ kind: 'status', status }, { times: 100, when: isRange })
    const rows = await pull(standIn, '2026-09-01T04', '2026-09-01T08')
    expect(rows.map(({ key }) => key)).toEqual(['0002', '0003', '0004', '0005', '0006'])
    expect(asked(standIn)).toEqual([
      `20260901T04 20260901T07 ${status}`,
      `20260901T04 20260901T05 ${status}`,
      '20260901T04 20260901T04 404',
      '20260901T05 20260901T05 200',
      `20260901T06 20260901T07 ${status}`,
      '20260901T06 20260901T06 200',
      '20260901T07 20260901T07 404',
    ])
  })

  it('with more data than Amplitude hands out at once comes in as many parts as it takes', async () => {
    const sizeLimitBytes = exportRow(2).length * 3 + 3
    const standIn = await start({ events: EVENTS, sizeLimitBytes })
    expect(await pull(standIn, '2026-09-01T00', '2026-09-02T00')).toHaveLength(5)
  })

  it('stops with the answer in words at an hour that is too large by itself', async () => {
    const standIn = await start({ events: EVENTS, sizeLimitBytes: exportRow(2).length * 2 + 2 })
    const failure = await failureOf(standIn)
    expect(failure).toBeInstanceOf(ConfigError)
    const { message } = failure as ConfigError
    expect(message).toContain('the hour 2026-09-01T05')
    expect(message).toContain('400 The exported data is too large. Shorten the time range.')
    expect(message).toContain('AMPLITUDE_S3_BUCKET')
  })

  it('keeps events that occurred long before in the hour in which they came', async () => {
    const standIn = await start()
    const late = exportRow(8, { event_time: '2026-07-04 10:00:00.000000' })
    standIn.sandbox.add(new Map([['2026-09-01T07', [late]]]))
    expect(await pull(standIn, '2026-09-01T07', '2026-09-01T08')).toEqual([
      { window: '2026-09-01T07', key: '0008', name: 'Query Run', at: '2026-07-04T10:00:00.000Z' },
    ])
  })

  it('gives both copies of an event one key', async () => {
    const standIn = await start()
    standIn.sandbox.faults.add({ kind: 'duplicates' })
    const rows = await pull(standIn, '2026-09-01T06', '2026-09-01T07')
    expect(rows.map(({ key }) => key)).toEqual(['0005', '0005', '0006', '0006'])
  })

  it.each([
    { name: 'an answer that comes late', fault: { kind: 'delay', ms: 50 } as const },
    { name: 'an answer that drips', fault: { kind: 'slow-drip', bytes: 64, everyMs: 1 } as const },
  ])('waits for $name', async ({ fault }) => {
    const standIn = await start()
    standIn.sandbox.faults.add(fault)
    expect(await pull(standIn, '2026-09-01T05', '2026-09-01T07')).toHaveLength(5)
    expect(standIn.sandbox.faults.pending()).toBe(0)
  })

  it('is on disk while it comes, not in memory', async () => {
    const zip = await buffer(
      Readable.from(zipBytes(exportEntries('7', EVENTS, [...EVENTS.keys()]))),
    )
    const dir = await downloadDir(lake.dir)
    const half = Math.ceil(zip.length / 2)
    const onDisk = () =>
      readdirSync(dir).some(
        (name) => name.endsWith('.zip') && statSync(join(dir, name)).size >= half,
      )
    // Sends the second half once the first is on disk, and never otherwise.
    const server = await listen(async (_req, res) => {
      res.writeHead(200, { 'content-length': zip.length })
      res.write(zip.subarray(0, half))
      while (!onDisk() && !res.destroyed) await sleep(5)
      res.end(zip.subarray(half))
    })
    open.push(server)
    const login = { apiKey: 'key', secretKey: 'secret', dueHours: 3 }
    const source = createAmplitudeSource({ baseUrl: server.baseUrl, ...login })
    const windows = hours(source, '2026-08-31T23', '2026-09-02T01')
    const batches = source.download(windows, dir, AbortSignal.timeout(20_000))
    expect(await readRows(lake.duck, source, batches)).toHaveLength(7)
    expect(readdirSync(dir).filter((name) => name.endsWith('.zip'))).toEqual([])
  })
})

describe('a failing download from Amplitude', () => {
  it.each([
    { name: 'a connection that breaks', fault: { kind: 'reset' } as const },
    { name: 'a body that breaks off', fault: { kind: 'half-body' } as const },
    { name: 'a zip that is cut short', fault: { kind: 'zip-cut-short' } as const },
    { name: 'a status 500', fault: { kind: 'status', status: 500 } as const },
    { name: 'a status 503', fault: { kind: 'status', status: 503 } as const },
  ])('may be tried again after $name, and then succeeds', async ({ fault }) => {
    const standIn = await start()
    standIn.sandbox.faults.add(fault)
    expect(await failureOf(standIn)).toBeInstanceOf(RetryableError)
    expect(await pull(standIn, '2026-09-01T00', '2026-09-01T08')).toHaveLength(5)
  })

  it.each([
    { name: 'so many seconds', headers: { 'retry-after': '17' }, least: 17_000, most: 17_000 },
    {
      name: 'until a time',
      headers: { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() },
      least: 3_000_000,
      most: 3_600_000,
    },
    { name: 'a minute where none is named', headers: {}, least: 60_000, most: 60_000 },
  ])('pauses after a 429 for $name', async ({ headers, least, most }) => {
    const standIn = await start()
    standIn.sandbox.faults.add({ kind: 'status', status: 429, headers })
    const failure = await failureOf(standIn)
    expect(failure).toBeInstanceOf(RateLimitedError)
    const { retryAfterMs } = failure as RateLimitedError
    expect(retryAfterMs).toBeGreaterThanOrEqual(least)
    expect(retryAfterMs).toBeLessThanOrEqual(most)
  })

  it('names the variables when the credentials are wrong', async () => {
    const standIn = await startExport({ events: EVENTS }, 'wrong-secret')
    open.push(standIn)
    const failure = await failureOf(standIn)
    expect(failure).toBeInstanceOf(ConfigError)
    const { message } = failure as ConfigError
    expect(message).toContain('AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY')
    expect(message).not.toContain('wrong-secret')
  })
})

describe('the address of Amplitude', () => {
  const keys = { AMPLITUDE_API_KEY: 'key', AMPLITUDE_SECRET_KEY: 'secret' }

  // Tests reach loopback only, and the refusal names the host that was asked.
  it.each([
    { name: 'is in the US', environment: {}, host: 'amplitude.com' },
    {
      name: 'is in the EU for a project there',
      environment: { AMPLITUDE_REGION: 'eu' },
      host: 'analytics.eu.amplitude.com',
    },
    {
      name: 'is your own before any region',
      environment: { AMPLITUDE_REGION: 'eu', AMPLITUDE_BASE_URL: 'https://proxy.example' },
      host: 'proxy.example',
    },
  ])('$name', async ({ environment, host }) => {
    const { source } = connectAmplitude(readConfig({ ...keys, ...environment }))
    const windows = hours(source, '2026-09-01T00', '2026-09-01T01')
    const batches = source.download(windows, lake.dir, AbortSignal.timeout(10_000))
    await expect(readRows(lake.duck, source, batches)).rejects.toThrow(
      `Amplitude at ${host} cannot be reached`,
    )
  })
})
