import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mergedIdsEntry } from '../../sandbox/amplitude/export-archive.ts'
import type { S3SandboxOptions } from '../../sandbox/s3/s3-sandbox.ts'
import { connectAmplitude } from '../../src/app/connect-amplitude.ts'
import { ConfigError, RateLimitedError, RetryableError } from '../../src/core/errors.ts'
import type { UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import { readConfig } from '../../src/infra/config.ts'
import {
  BUCKET_LOGIN,
  type BucketStandIn,
  bucketSource,
  putHours,
  startBucket,
} from '../support/amplitude-bucket.ts'
import { downloadDir, exportRow, readRows } from '../support/amplitude-source.ts'
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
  ['2026-09-01T05', [exportRow(2), exportRow(3), exportRow(4)]],
  ['2026-09-01T06', [exportRow(5)]],
])
const HOUR_5 = '431207/431207_2026-09-01_5#0.json.gz'
const signal = () => AbortSignal.timeout(20_000)
const at = (time: string) => new Date(`2026-09-01T${time}:00Z`)

async function start(options: Partial<S3SandboxOptions> = {}): Promise<BucketStandIn> {
  const standIn = await startBucket(options)
  open.push(standIn)
  await putHours(standIn.sandbox, EVENTS)
  return standIn
}

async function listed(source: UsageSource, from = '05:00', now = '08:30') {
  return (await source.list?.(at(from), at(now), at(now), signal())) ?? []
}
async function read(source: UsageSource, windows: readonly UsageWindow[]) {
  const batches = source.download(windows, await downloadDir(lake.dir), signal())
  return readRows(lake.duck, source, batches)
}
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )
const namesOf = (windows: readonly UsageWindow[]) =>
  Object.fromEntries(windows.map(({ key, parts }) => [key, parts?.map(({ name }) => name)]))

describe('the list of a bucket', () => {
  it('has the hours with their objects, and due hours without any as empty', async () => {
    const windows = await listed(bucketSource(await start()), '04:00')
    expect(namesOf(windows)).toEqual({
      '2026-09-01T04': [],
      '2026-09-01T05': [HOUR_5, '431207/431207_2026-09-01_5#1.json.gz'],
      '2026-09-01T06': ['431207/431207_2026-09-01_6#0.json.gz'],
    })
    expect(windows[1]).toMatchObject({ start: at('05:00'), end: at('06:00') })
  })

  it('has an hour as soon as it is over and has an object', async () => {
    const source = bucketSource(await start())
    expect(Object.keys(namesOf(await listed(source, '05:00', '06:59')))).toEqual(['2026-09-01T05'])
    expect(Object.keys(namesOf(await listed(source, '05:00', '07:00')))).toEqual([
      '2026-09-01T05',
      '2026-09-01T06',
    ])
    // Seven to eight has none, and is empty only an hour after its end.
    expect(Object.keys(namesOf(await listed(source, '07:00', '08:59')))).toEqual([])
    expect(namesOf(await listed(source, '07:00', '09:00'))).toEqual({ '2026-09-01T07': [] })
  })

  it('goes through every page', async () => {
    const standIn = await start({ pageSize: 1 })
    expect(Object.values(namesOf(await listed(bucketSource(standIn)))).flat()).toHaveLength(3)
    expect(standIn.sandbox.calls().map(({ path, status }) => `${path} ${status}`)).toEqual(
      Array.from({ length: 3 }, () => '/exports/ 200'),
    )
  })

  it('keeps to the prefix, and passes over what is no export', async () => {
    const standIn = await start()
    await putHours(standIn.sandbox, new Map([['2026-09-01T05', [exportRow(9)]]]), {
      prefix: "it's & <ours>/",
      project: '77',
    })
    standIn.sandbox.put("it's & <ours>/notes.txt", Buffer.from('no export'))
    const source = bucketSource(standIn, { prefix: "it's & <ours>/" })
    const windows = await listed(source)
    expect(Object.values(namesOf(windows)).flat()).toEqual([
      "it's & <ours>/77/77_2026-09-01_5#0.json.gz",
    ])
    expect((await read(source, windows)).map(({ key }) => key)).toEqual(['0009'])
  })

  it('has another version of an object once its content is another', async () => {
    const standIn = await start()
    const source = bucketSource(standIn)
    const versions = async () =>
      (await listed(source)).map(({ parts }) => parts?.map(({ version }) => version).join())
    const before = await versions()
    expect(await versions()).toEqual(before)
    await putHours(standIn.sandbox, new Map([['2026-09-01T06', [exportRow(6)]]]))
    const after = await versions()
    expect(after[0]).toBe(before[0])
    expect(after[1]).not.toBe(before[1])
  })
})

describe('a download from a bucket', () => {
  it('brings the rows of its hours', async () => {
    const source = bucketSource(await start())
    expect((await read(source, await listed(source))).map((r) => `${r.window} ${r.key}`)).toEqual([
      '2026-09-01T05 0002',
      '2026-09-01T05 0003',
      '2026-09-01T05 0004',
      '2026-09-01T06 0005',
    ])
  })

  it('reads more objects than it asks for at once', async () => {
    const standIn = await start()
    const days = Array.from(
      { length: 20 },
      (_, n) => `2026-09-${String(n + 2).padStart(2, '0')}T00`,
    )
    await putHours(standIn.sandbox, new Map(days.map((hour, n) => [hour, [exportRow(n + 10)]])))
    const source = bucketSource(standIn)
    const now = new Date('2026-10-01T00:00:00Z')
    const windows = (await source.list?.(at('05:00'), now, now, signal())) ?? []
    expect(await read(source, windows)).toHaveLength(24)
  })

  it('reads merged ids as merges, whenever they are said to have happened', async () => {
    const standIn = await start()
    const mergeTime = Date.parse('2026-08-30T12:00:00Z')
    const merges = [{ mergeTime, amplitudeId: 7, mergedAmplitudeId: 8 }]
    const { name, body } = await mergedIdsEntry('9', '2026-09-01T06', merges)
    standIn.sandbox.put(name, body)
    const source = bucketSource(standIn)
    const windows = (await listed(source)).filter(({ key }) => key.startsWith('merged/'))
    expect(namesOf(windows)).toEqual({ 'merged/2026-09-01T06': ['-9/-9_2026-09-01_6.json.gz'] })
    const want = { window: 'merged/2026-09-01T06', name: '$amplitude_merge' }
    expect(await read(source, windows)).toEqual([
      { ...want, key: expect.any(String), at: '2026-08-30T12:00:00.000Z' },
    ])
  })

  it('reads merges that are told in seconds, or at no time', async () => {
    const standIn = await start()
    const ids = { amplitude_id: 7, merged_amplitude_id: 8 }
    const rows = [{ merge_time: 1_788_000_000, ...ids }, ids]
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    standIn.sandbox.put('-9_2026-09-01_6.json.gz', gzipSync(lines))
    const source = bucketSource(standIn)
    const windows = (await listed(source)).filter(({ key }) => key.startsWith('merged/'))
    const times = (await read(source, windows)).map((row) => row.at).sort()
    expect(times).toEqual([new Date(1_788_000_000_000).toISOString(), '2026-09-01T06:00:00.000Z'])
  })

  it.each([
    { name: 'replaced', change: (s: BucketStandIn) => s.sandbox.put(HOUR_5, gzipSync('{}\n')) },
    { name: 'removed', change: (s: BucketStandIn) => s.sandbox.remove(HOUR_5) },
  ])('may be tried again when an object was $name since it was listed', async ({ change }) => {
    const standIn = await start()
    const source = bucketSource(standIn)
    const windows = await listed(source)
    change(standIn)
    const failure = await failureOf(read(source, windows))
    expect(failure).toBeInstanceOf(RetryableError)
    expect((failure as RetryableError).message).toContain(HOUR_5)
  })

  it('names an object that is cut short where it lies', async () => {
    const standIn = await start()
    standIn.sandbox.put(HOUR_5, gzipSync(`${exportRow(1)}\n`).subarray(0, -5))
    const source = bucketSource(standIn)
    const failure = await failureOf(listed(source).then((windows) => read(source, windows)))
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as ConfigError).message).toContain(HOUR_5)
  })
})

describe('a failing bucket', () => {
  const isObject = { when: (range: unknown) => range !== null }
  const trouble = (status: number, code: string) =>
    ({ kind: 's3-error', error: { status, code, message: 'Please try later' } }) as const

  it.each([
    { name: 'a connection that breaks', fault: { kind: 'reset' } as const },
    { name: 'an object that breaks off', fault: { kind: 'half-body' } as const },
    { name: 'a status 500', fault: trouble(500, 'InternalError') },
    { name: 'a status 503 of another kind', fault: trouble(503, 'ServiceUnavailable') },
  ])('may be asked again after $name, and then answers', async ({ fault }) => {
    const standIn = await start()
    const source = bucketSource(standIn)
    const windows = await listed(source)
    standIn.sandbox.faults.add(fault, isObject)
    expect(await failureOf(read(source, windows))).toBeInstanceOf(RetryableError)
    expect(await read(source, windows)).toHaveLength(4)
  })

  it('may be asked again when its list breaks off', async () => {
    const standIn = await start()
    const source = bucketSource(standIn)
    standIn.sandbox.faults.add({ kind: 'reset' })
    expect(await failureOf(listed(source))).toBeInstanceOf(RetryableError)
    expect(await listed(source)).toHaveLength(2)
  })

  it('is waited for when it drips', async () => {
    const standIn = await start()
    const source = bucketSource(standIn)
    const windows = await listed(source)
    standIn.sandbox.faults.add({ kind: 'slow-drip', bytes: 32, everyMs: 1 }, isObject)
    expect(await read(source, windows)).toHaveLength(4)
    expect(standIn.sandbox.faults.pending()).toBe(0)
  })

  it.each([
    { status: 503, code: 'SlowDown' },
    { status: 429, code: 'TooManyRequests' },
  ])('asks for a pause with $status $code', async ({ status, code }) => {
    const standIn = await start()
    standIn.sandbox.faults.add(trouble(status, code))
    const failure = await failureOf(listed(bucketSource(standIn)))
    expect(failure).toBeInstanceOf(RateLimitedError)
    expect((failure as RateLimitedError).retryAfterMs).toBe(30_000)
    expect(standIn.sandbox.calls()).toHaveLength(1)
  })

  it.each([
    {
      name: 'a bucket that is not there',
      access: { bucket: 'other' },
      says: 'AMPLITUDE_S3_BUCKET',
    },
    {
      name: 'a key that is not known',
      access: { accessKeyId: 'AKIAOTHER' },
      says: 'ACCESS_KEY_ID',
    },
    { name: 'a wrong secret', access: { secretAccessKey: 'wrong-one' }, says: 'ACCESS_KEY_ID' },
    { name: 'another region', access: { region: 'us-west-2' }, says: 'AMPLITUDE_S3_REGION' },
  ])('says what to set for $name', async ({ access, says }) => {
    const failure = await failureOf(listed(bucketSource(await start(), access)))
    expect(failure).toBeInstanceOf(ConfigError)
    const { message } = failure as ConfigError
    expect(message).toContain(says)
    expect(message).not.toContain('wrong-one')
  })

  it('says so when the clock is wrong', async () => {
    const standIn = await start({ now: () => new Date('2026-09-01T00:00:00Z') })
    const failure = await failureOf(listed(bucketSource(standIn)))
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as ConfigError).message).toContain('clock')
  })
})

describe('the credentials of a bucket', () => {
  const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_EC2_METADATA_DISABLED'] as const
  const FILES = ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE'] as const
  const before = { ...process.env }
  beforeEach(() => {
    for (const name of NAMES) delete process.env[name]
    for (const name of FILES) process.env[name] = join(lake.dir, 'none')
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
  })
  afterEach(() => {
    for (const name of [...NAMES, ...FILES]) {
      const value = before[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const connect = ({ environment }: BucketStandIn, change: Readonly<Record<string, string>>) =>
    connectAmplitude(readConfig({ ...environment, ...change })).source
  const KEYS = ['AMPLITUDE_S3_ACCESS_KEY_ID', 'AMPLITUDE_S3_SECRET_ACCESS_KEY'] as const
  const none = { [KEYS[0]]: '', [KEYS[1]]: '' }

  it('are those that are set for it', async () => {
    expect(await listed(connect(await start(), {}))).toHaveLength(2)
  })

  it("are those of AWS's own variables where none are set for it", async () => {
    const source = connect(await start(), none)
    process.env['AWS_ACCESS_KEY_ID'] = BUCKET_LOGIN.accessKeyId
    process.env['AWS_SECRET_ACCESS_KEY'] = BUCKET_LOGIN.secretAccessKey
    expect(await listed(source)).toHaveLength(2)
  })

  it('are asked for where there are none', async () => {
    const failure = await failureOf(listed(connect(await start(), none)))
    expect(failure).toBeInstanceOf(ConfigError)
    for (const name of KEYS) expect((failure as ConfigError).message).toContain(name)
  })

  it.each(KEYS)('are not taken by half: %s', async (name) => {
    const standIn = await start()
    const half = () => connect(standIn, { [name]: '' })
    expect(half).toThrow(ConfigError)
    expect(half).toThrow('belong together')
  })
})
