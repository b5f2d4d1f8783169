import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import yauzl from 'yauzl'
import { createRandom } from '../../sandbox/company/random.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { ripenJson, startRipen } from '../support/cli.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, type Thread } from '../support/thread.ts'
import { writeExports } from '../support/usage-log.ts'

// A folder with amplitude/*.zip, mixpanel/*.jsonl and truth.json of a real log; none comes with Ripen.
const FOLDER = process.env['RIPEN_TEST_REAL_EXPORTS']
const NEEDS = 'set RIPEN_TEST_REAL_EXPORTS to a folder of exports with their truth.json'
const isThere = FOLDER !== undefined && existsSync(join(FOLDER, 'truth.json'))
if (!isThere) process.stdout.write(`skipped: the real log; ${NEEDS}\n`)
const real = isThere ? describe : describe.skip
const MAPPINGS = join(import.meta.dirname, '../fixtures/real-log')
const SEED = Number(process.env['RIPEN_TEST_SEED'] ?? 17)

/** Neighbouring windows that are pulled at once: between one and this many. */
const MOST_WINDOWS = 24

interface Part {
  readonly source: 'amplitude' | 'mixpanel'
  /** One for each window. */
  readonly files: readonly string[]
}

/** An export file of one window. */
interface WindowFile {
  readonly source: Part['source']
  readonly file: string
}

interface Truth {
  readonly amplitude: { readonly events: number }
  readonly mixpanel: { readonly events: number }
  readonly people: number
  readonly peopleInBoth: number
}

real(`a real log (${NEEDS})`, () => {
  let parts: readonly Part[] = []
  let expected: unknown
  let status: unknown

  beforeAll(async () => {
    parts = piecesOf(await splitExports(FOLDER ?? ''))
    const thread = await openReal()
    await thread.pull(['amplitude'], [join(FOLDER ?? '', 'amplitude')])
    await thread.pull(['mixpanel'], [join(FOLDER ?? '', 'mixpanel')])
    expected = await contentsOf(thread)
    status = await thread.status()
    await closeThreads()
  }, 600_000)
  afterEach(closeThreads)
  afterAll(removeFolders)

  it('comes out as its truth says', async () => {
    const truth = JSON.parse(await readFile(join(FOLDER ?? '', 'truth.json'), 'utf8')) as Truth
    expect(status).toMatchObject({
      sources: {
        amplitude: { events: truth.amplitude.events },
        mixpanel: { events: truth.mixpanel.events },
      },
      people: truth.people,
      peopleInSeveralSources: truth.peopleInBoth,
    })
  })

  it.each([
    { name: 'in the order of arrival', order: (all: readonly Part[]) => [...all] },
    { name: 'in random order', order: (all: readonly Part[]) => shuffled(all, SEED) },
    {
      name: 'twice, in two random orders',
      order: (all: readonly Part[]) => [...shuffled(all, SEED + 1), ...shuffled(all, SEED + 2)],
    },
  ])(
    'pulled in pieces of a few windows $name gives the same rollups, people and accounts',
    async ({ order }) => {
      const thread = await openReal()
      for (const { source, files } of order(parts)) {
        await thread.app.engine.request('pull', source, { files: [...files] })
        await thread.app.engine.idle(['pull'])
      }
      for (const step of ['rollup', 'identity'] as const) await thread.app.engine.idle([step])
      expect(await contentsOf(thread)).toEqual(expected)
    },
    900_000,
  )

  it('pulled by processes that are killed at random gives the same', async () => {
    const random = createRandom(SEED)
    const home = await createState()
    for (let kills = 0; kills < 12; kills++) {
      const source = random.chance(0.5) ? 'amplitude' : 'mixpanel'
      const command = startRipen(argsFor(source), home.environment)
      const timer = setTimeout(() => command.kill('SIGKILL'), random.int(300, 6_000))
      await command.ended
      clearTimeout(timer)
    }
    for (const source of ['amplitude', 'mixpanel'] as const) {
      await ripenJson(argsFor(source), home.environment)
    }
    const thread = await openReal(home)
    for (const step of ['rollup', 'identity'] as const) await thread.app.engine.idle([step])
    expect(await contentsOf(thread)).toEqual(expected)
  }, 600_000)
})

const argsFor = (source: string): string[] => [
  'pull',
  '--source',
  source,
  '--files',
  join(FOLDER ?? '', source),
  '--mappings',
  MAPPINGS,
  '--json',
]

async function openReal(origin?: TestState): Promise<Thread> {
  return openThread({
    mappings: await readMappingFolder(MAPPINGS),
    ...(origin ? { origin } : {}),
  })
}

/** Cuts the windows of each source, in order, into pieces. */
function piecesOf(files: readonly WindowFile[]): Part[] {
  const random = createRandom(SEED)
  const pieces: Part[] = []
  for (const source of ['amplitude', 'mixpanel'] as const) {
    const left = files.filter((one) => one.source === source).map(({ file }) => file)
    while (left.length > 0)
      pieces.push({ source, files: left.splice(0, random.int(1, MOST_WINDOWS)) })
  }
  return pieces
}

/** One export file for each hour of upload and each day. */
async function splitExports(folder: string): Promise<WindowFile[]> {
  const dir = await makeFolder('real-parts')
  const parts: WindowFile[] = []
  const none = new Map<string, string[]>()
  for (const name of await readdir(join(folder, 'amplitude'))) {
    for (const [hour, lines] of await readHours(join(folder, 'amplitude', name))) {
      const into = join(dir, `a-${hour}`)
      await mkdir(into)
      const rows = new Map([[hour, lines]])
      const { amplitude } = await writeExports({ amplitudeRows: rows, mixpanelRows: none }, into)
      parts.push({ source: 'amplitude', file: amplitude })
    }
  }
  const days = new Map<string, string[]>()
  for (const name of await readdir(join(folder, 'mixpanel'))) {
    for (const line of (await readFile(join(folder, 'mixpanel', name), 'utf8')).split('\n')) {
      if (line === '') continue
      const { properties } = JSON.parse(line) as { properties: { time: number } }
      const day = new Date(properties.time * 1000).toISOString().slice(0, 10)
      days.set(day, [...(days.get(day) ?? []), line])
    }
  }
  for (const [day, lines] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const into = join(dir, `m-${day}`)
    await mkdir(into)
    const rows = new Map([[day, lines]])
    const { mixpanel } = await writeExports({ amplitudeRows: none, mixpanelRows: rows }, into)
    parts.push({ source: 'mixpanel', file: mixpanel })
  }
  return parts
}

async function readHours(path: string): Promise<Map<string, string[]>> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true })
  const hours = new Map<string, string[]>()
  for await (const entry of zip.eachEntry()) {
    const [, day, hour] = /_(\d{4}-\d{2}-\d{2})_(\d{1,2})#/.exec(entry.fileName) ?? []
    if (!day || !hour) continue
    const body = gunzipSync(await buffer(await zip.openReadStreamPromise(entry))).toString('utf8')
    const key = `${day}T${hour.padStart(2, '0')}`
    hours.set(key, [...(hours.get(key) ?? []), ...body.split('\n').filter((line) => line !== '')])
  }
  return new Map([...hours].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = createRandom(seed)
  const left = [...items]
  for (let at = left.length - 1; at > 0; at--) {
    const other = random.int(0, at)
    const [a, b] = [left[at], left[other]]
    if (a === undefined || b === undefined) continue
    left[at] = b
    left[other] = a
  }
  return left
}

/** Rollups by what they hold, people and accounts by what they are. */
async function contentsOf(thread: Thread): Promise<unknown> {
  const { db, duck, lakeDir } = thread.app.context
  const live = await db
    .selectFrom('rollup_day')
    .select(['source', 'day', 'file_id', 'events'])
    .where('events', '>', 0)
    .orderBy('source')
    .orderBy('day')
    .execute()
  const files = [...new Set(live.map((row) => row.file_id))].filter((id) => id !== null)
  const rollups = await duck.connect(async (c) => {
    await c.run(
      `create temp table part as select unnest($paths::varchar[]) as path, unnest($days::varchar[])::date as day`,
      {
        paths: live.map((row) => join(lakeDir, `${row.file_id}.parquet`)),
        days: live.map((row) => row.day),
      },
    )
    return c.rows(
      `select profile, action, r.day::varchar as day, count::double as n, first_at::varchar as first_at,
         last_at::varchar as last_at
       from read_parquet($files, filename = true) r semi join part p on r.filename = p.path and r.day = p.day
       order by all`,
      { files: files.map((id) => join(lakeDir, `${id}.parquet`)) },
    )
  })
  const people = await db
    .selectFrom('person as p')
    .leftJoin('account as a', 'a.id', 'p.account_id')
    .select(['p.email', 'p.told', 'a.domain', 'p.first_seen', 'p.last_seen'])
    .orderBy('p.email')
    .orderBy('p.first_seen')
    .execute()
  const accounts = await db.selectFrom('account').select('domain').orderBy('domain').execute()
  const days = live.map(({ source, day, events }) => ({ source, day, events }))
  return { days, rollups, people, accounts }
}
