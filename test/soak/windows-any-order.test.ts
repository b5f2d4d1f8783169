import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeFolder } from '../support/embedded-processes.ts'
import { smallUsage } from '../support/small-usage.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'
import { writeExports } from '../support/usage-log.ts'

type Source = 'amplitude' | 'mixpanel'

/** An export of some windows: as they are in the end, or as they were earlier, with less in them. */
interface Download {
  readonly source: Source
  readonly files: { readonly final: string; readonly earlier: string }
}

const PARTS = 3
const RUNS = 12
let downloads: Download[] = []
let expected: unknown

beforeAll(async () => {
  downloads = await writeDownloads()
  const thread = await openThread()
  for (const { source, files } of downloads) await thread.pull([source], [files.final])
  expected = await readAll(thread)
  await closeThreads()
}, 120_000)
afterEach(closeThreads)
afterAll(removeFolders)

/** Cuts the windows of both vendors into parts, and makes of each an earlier version. */
async function writeDownloads(): Promise<Download[]> {
  const dir = await makeFolder('exports')
  const usage = smallUsage(NOW)
  const all: Download[] = []
  for (const source of ['amplitude', 'mixpanel'] as const) {
    const rows = [...(source === 'amplitude' ? usage.amplitudeRows : usage.mixpanelRows)]
    const full = rows.filter(([, lines]) => lines.length > 0)
    for (let part = 0; part < PARTS; part++) {
      const final = new Map(full.filter((_, index) => index % PARTS === part))
      const earlier = new Map([...final].map(([key, lines]) => [key, lines.slice(0, 1)]))
      const write = async (version: string, some: Map<string, string[]>) => {
        const none = new Map<string, string[]>()
        const exports = await writeExports(
          source === 'amplitude'
            ? { amplitudeRows: some, mixpanelRows: none }
            : { amplitudeRows: none, mixpanelRows: some },
          join(dir, `${source}-${part}-${version}`),
        )
        return exports[source]
      }
      const files = { final: await write('final', final), earlier: await write('earlier', earlier) }
      all.push({ source, files })
    }
  }
  return all
}

/** Rollups by what they hold, people and scores by their names. */
async function readAll(thread: Thread): Promise<unknown> {
  await thread.score()
  const { db } = thread.app.context
  const days = db.selectFrom('rollup_day').select(['source', 'day', 'events'])
  const windows = db.selectFrom('source_window').select(['source', 'window_key', 'content_hash'])
  const people = db
    .selectFrom('person as p')
    .leftJoin('score as s', 's.subject_id', 'p.id')
    .select([
      'p.email',
      'p.account_id',
      'p.first_seen',
      'p.last_seen',
      's.score',
      's.contributions',
    ])
  const accounts = db
    .selectFrom('account as a')
    .leftJoin('score as s', 's.subject_id', 'a.id')
    .select(['a.domain', 's.score', 's.contributions'])
  return {
    days: await days.orderBy('source').orderBy('day').where('events', '>', 0).execute(),
    windows: await windows.orderBy('source').orderBy('window_key').execute(),
    people: await people.orderBy('p.email').execute(),
    accounts: await accounts.orderBy('a.domain').execute(),
  }
}

it('downloads in any order, repeated and with older versions between, give the same state', async () => {
  const order = fc
    .shuffledSubarray([...Array(2 * PARTS).keys()], { minLength: 2 * PARTS })
    .chain((finals) =>
      fc.tuple(
        fc.constant(finals),
        // What is pulled before each of them: any part, earlier or final; its own final comes later.
        fc.array(fc.record({ before: fc.nat(5), part: fc.nat(5), final: fc.boolean() }), {
          maxLength: 5,
        }),
      ),
    )
  await fc.assert(
    fc.asyncProperty(order, async ([finals, extras]) => {
      const thread = await openThread()
      const position = new Map(finals.map((part, index) => [part, index]))
      for (const [index, part] of finals.entries()) {
        for (const extra of extras.filter(({ before }) => before === index)) {
          const isOver = (position.get(extra.part) ?? 0) < index
          const { source, files } = downloads[extra.part] ?? { source: 'amplitude', files: null }
          const file = extra.final || isOver ? files?.final : files?.earlier
          if (file) await thread.pull([source], [file])
        }
        const { source, files } = downloads[part] ?? { source: 'amplitude', files: null }
        if (files) await thread.pull([source], [files.final])
      }
      expect(await readAll(thread)).toEqual(expected)
      await closeThreads()
    }),
    { numRuns: RUNS, endOnFailure: true, seed: Number(process.env['RIPEN_TEST_SEED'] ?? 11) },
  )
}, 240_000)
