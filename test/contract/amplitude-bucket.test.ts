import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { mergedIdsEntry } from '../../sandbox/amplitude/export-archive.ts'
import type { S3SandboxOptions } from '../../sandbox/s3/s3-sandbox.ts'
import { ConfigError, RetryableError } from '../../src/core/errors.ts'
import type { UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import {
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
