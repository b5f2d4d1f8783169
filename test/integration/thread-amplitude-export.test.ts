import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { mergedIdsEntry } from '../../sandbox/amplitude/export-archive.ts'
import { type BucketStandIn, putHours, startBucket } from '../support/amplitude-bucket.ts'
import { exportRow } from '../support/amplitude-source.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { writeMerges, writeTree } from '../support/export-tree.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { smallUsage } from '../support/small-usage.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'
import { writeExports } from '../support/usage-log.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await closeThreads()
  for (const part of open.splice(0)) await part.close()
})
afterAll(removeFolders)

const HOUR_MS = 3_600_000
const inHours = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)
/** Every hour of the small history is over. */
const LATER = inHours(6)

async function openBucketThread(): Promise<{ thread: Thread; bucket: BucketStandIn }> {
  const bucket = await startBucket()
  open.push(bucket)
  const thread = await openThread({ environment: bucket.environment })
  thread.setNow(LATER)
  return { thread, bucket }
}

/** What the bucket was asked for: objects by name; listings are left out. */
const fetched = ({ sandbox }: BucketStandIn) =>
  sandbox.calls().flatMap(({ range }) => (range ? [range.from] : []))

async function picture(thread: Thread) {
  const people = await thread.app.context.db
    .selectFrom('person')
    .select(['email', 'account_id', 'first_seen', 'last_seen'])
    .orderBy('email')
    .execute()
  const { events, rows } = (await thread.status()).sources['amplitude'] ?? {}
  return { people, events, rows }
}

describe("Amplitude's bucket", () => {
  it('gives the same events and people as zips and folders of the same hours', async () => {
    const { thread, bucket } = await openBucketThread()
    await putHours(bucket.sandbox, thread.usage.amplitudeRows)
    await thread.pull(['amplitude'])
    const dir = await makeFolder('exports')
    const tree = join(dir, 'deep', 'down')
    await writeTree(tree, smallUsage(NOW).amplitudeRows)
    await writeFile(join(dir, 'notes.txt'), 'no export')
    const fromTree = await openThread()
    await fromTree.pull(['amplitude'], [dir])
    const zips = await writeExports(smallUsage(NOW), await makeFolder('zips'))
    const fromZip = await openThread()
    await fromZip.pull(['amplitude'], [zips.amplitude])
    const want = await picture(fromZip)
    expect(want.people.length).toBeGreaterThan(5)
    expect(await picture(thread)).toEqual(want)
    expect(await picture(fromTree)).toEqual(want)
  })

  it('is asked only for hours with objects that are new or replaced', async () => {
    const { thread, bucket } = await openBucketThread()
    await putHours(bucket.sandbox, new Map([['2026-09-05T05', [exportRow(1)]]]))
    await putHours(bucket.sandbox, new Map([['2026-09-05T06', [exportRow(2)]]]))
    await thread.pull(['amplitude'])
    const [five, six] = ['5', '6'].map((hour) => `431207/431207_2026-09-05_${hour}#0.json.gz`)
    expect(fetched(bucket)).toEqual([five, six])
    bucket.sandbox.resetCalls()
    await thread.pull(['amplitude'])
    expect(fetched(bucket)).toEqual([])
    // A late partition brings its whole hour again.
    const rows = new Map([['2026-09-05T06', [exportRow(3), exportRow(4), exportRow(5)]]])
    await putHours(bucket.sandbox, rows, { project: '431208' })
    await thread.pull(['amplitude'])
    expect(fetched(bucket).sort()).toEqual([
      six,
      '431208/431208_2026-09-05_6#0.json.gz',
      '431208/431208_2026-09-05_6#1.json.gz',
    ])
    expect(await picture(thread)).toMatchObject({ events: 5, rows: 5 })
    bucket.sandbox.resetCalls()
    await putHours(bucket.sandbox, new Map([['2026-09-05T05', [exportRow(6)]]]))
    await thread.pull(['amplitude'])
    expect(fetched(bucket)).toEqual([five])
    expect(await picture(thread)).toMatchObject({ events: 5, rows: 5 })
  })

  it('may expire what was read, and nothing is lost', async () => {
    const { thread, bucket } = await openBucketThread()
    const rows = new Map([['2026-09-05T05', [exportRow(1), exportRow(2), exportRow(3)]]])
    await putHours(bucket.sandbox, rows)
    await thread.pull(['amplitude'])
    bucket.sandbox.resetCalls()
    bucket.sandbox.remove('431207/431207_2026-09-05_5#0.json.gz')
    await thread.pull(['amplitude'])
    bucket.sandbox.remove('431207/431207_2026-09-05_5#1.json.gz')
    await thread.pull(['amplitude'])
    // What is now looked at cannot be read any more; that is no reason to drop the rest.
    const from = /^email: \[/m
    const to = 'email: [event.work_email, '
    await thread.publish(await mappingFiles({ file: 'usage.yaml', from, to }))
    await thread.pull(['amplitude'])
    expect(fetched(bucket)).toEqual([])
    expect(await picture(thread)).toMatchObject({ events: 3, rows: 3 })
  })
})

describe('merged Amplitude ids', () => {
  const HOUR = '2026-09-05T05'
  const ROWS = new Map([
    [
      HOUR,
      [
        exportRow(1, { user_id: null, device_id: 'dev-first', amplitude_id: 501 }),
        exportRow(2, { user_id: null, device_id: 'dev-second', amplitude_id: 502 }),
        exportRow(3, { user_id: 'a-ann', device_id: 'dev-ann', amplitude_id: 503 }),
      ],
    ],
  ])
  const mergeTime = Date.parse('2026-09-06T05:00:00Z')
  const merge = (amplitudeId: number, mergedAmplitudeId: number) => ({
    mergeTime,
    amplitudeId,
    mergedAmplitudeId,
  })
  const ANN = ['amplitude/a:503', 'amplitude/d:dev-ann', 'amplitude/u:a-ann']
  const FIRST = ['amplitude/a:501', 'amplitude/d:dev-first']
  const SECOND = ['amplitude/a:502', 'amplitude/d:dev-second']

  async function open() {
    const dir = await makeFolder('exports')
    await writeTree(dir, ROWS)
    const thread = await openThread()
    return { dir, thread }
  }
  async function peopleOf({ app }: Thread): Promise<string[][]> {
    const nodes = await app.context.db
      .selectFrom('identity_node')
      .select(['node', 'person_id'])
      .orderBy('node')
      .execute()
    const ids = [...new Set(nodes.map(({ person_id }) => person_id))]
    return ids.map((id) => nodes.filter((n) => n.person_id === id).map(({ node }) => node))
  }

  it.each([
    { name: 'one way', merges: [merge(501, 503), merge(502, 501)] },
    { name: 'the other way', merges: [merge(503, 501), merge(501, 502)] },
  ])('join what was seen with either id, told $name', async ({ merges }) => {
    const { dir, thread } = await open()
    await thread.pull(['amplitude'], [dir])
    expect(await peopleOf(thread)).toEqual([FIRST, SECOND, ANN])
    await writeMerges(dir, HOUR, merges)
    await thread.pull(['amplitude'], [dir])
    expect(await peopleOf(thread)).toEqual([[...FIRST, ...SECOND, ...ANN].sort()])
  })

  it('are no events, move no time and make nobody', async () => {
    const { dir, thread } = await open()
    await thread.pull(['amplitude'], [dir])
    const before = await thread.status()
    await writeMerges(dir, HOUR, [merge(501, 503), merge(900, 901)])
    await thread.pull(['amplitude'], [dir])
    const after = await thread.status()
    expect(after.sources['amplitude']).toMatchObject({ events: 3, lastDay: '2026-09-01' })
    expect([before.people, after.people]).toEqual([3, 2])
    const seen = await thread.app.context.db
      .selectFrom('person')
      .select(['first_seen', 'last_seen'])
      .execute()
    const at = new Date('2026-09-01T05:00:00Z')
    expect(seen).toEqual([
      { first_seen: at, last_seen: at },
      { first_seen: at, last_seen: at },
    ])
  })

  it('are taken back when their hour comes without them', async () => {
    const { dir, thread } = await open()
    await writeMerges(dir, HOUR, [merge(501, 503)])
    await thread.pull(['amplitude'], [dir])
    expect(await peopleOf(thread)).toContainEqual([...FIRST, ...ANN].sort())
    await writeMerges(dir, HOUR, [merge(502, 503)])
    await thread.pull(['amplitude'], [dir])
    expect(await peopleOf(thread)).toEqual([FIRST, [...SECOND, ...ANN].sort()])
  })

  it('come out of a bucket too', async () => {
    const { thread, bucket } = await openBucketThread()
    await putHours(bucket.sandbox, ROWS)
    await thread.pull(['amplitude'])
    const { name, body } = await mergedIdsEntry('9', '2026-09-06T05', [merge(501, 503)])
    bucket.sandbox.put(name, body)
    await thread.pull(['amplitude'])
    expect(await peopleOf(thread)).toEqual([[...FIRST, ...ANN].sort(), SECOND])
  })
})

describe('export files in folders', () => {
  const ROWS = new Map([['2026-09-05T05', [exportRow(1), exportRow(2), exportRow(3)]]])

  it('that hold an hour twice count each event once', async () => {
    const dir = await makeFolder('exports')
    await writeTree(dir, ROWS)
    await writeExports({ amplitudeRows: ROWS, mixpanelRows: new Map() }, dir)
    const thread = await openThread()
    await thread.pull(['amplitude'], [dir])
    expect(await picture(thread)).toMatchObject({ events: 3, rows: 6 })
  })

  it('may be named one by one, and stay where they are', async () => {
    const dir = await makeFolder('exports')
    await writeTree(dir, ROWS)
    const thread = await openThread()
    const [one, other] = [0, 1].map((n) => join(dir, `431207/431207_2026-09-05_5#${n}.json.gz`))
    await thread.pull(['amplitude'], [one ?? '', other ?? ''])
    expect(await picture(thread)).toMatchObject({ events: 3, rows: 3 })
    await thread.pull(['amplitude'], [dir])
    expect(await picture(thread)).toMatchObject({ events: 3, rows: 3 })
  })

  it('are named when they are cut short, and nothing of the pull counts', async () => {
    const dir = await makeFolder('exports')
    await writeTree(dir, ROWS)
    const path = join(dir, '431207/431207_2026-09-05_5#0.json.gz')
    await mkdir(join(dir, 'other'))
    await copyFile(path, join(dir, 'other', '431207_2026-09-05_6#0.json.gz'))
    // Cut at the end of a line: what is left reads well.
    const cut = gzipSync(`${exportRow(1)}\n`).subarray(0, -8)
    await writeFile(path, cut)
    const thread = await openThread()
    await expect(thread.pull(['amplitude'], [dir])).rejects.toThrow(
      `${path} is damaged or cut short`,
    )
    expect((await thread.status()).sources).toEqual({})
  })
})
