import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
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
