import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as amplitude from '../../connectors/sources/amplitude/events-sql.ts'
import { sampleHeads } from '../../connectors/sources/amplitude/sample-heads.ts'
import * as mixpanel from '../../connectors/sources/mixpanel/events-sql.ts'
import { sampleLines } from '../../connectors/sources/sample-lines.ts'
import type { NarrowQuery, SqlQuery } from '../../src/core/ports/usage-source.ts'
import type { Forgotten } from '../../src/infra/lake/drop-forgotten.ts'
import { writeEventsFile, writeNarrowFile } from '../../src/infra/lake/events-file.ts'
import { factsTarget } from '../../src/infra/lake/facts-file.ts'
import { lakePath, variantsPath } from '../../src/infra/lake/paths.ts'
import { writeRollup } from '../../src/infra/lake/rollup-file.ts'
import { seal } from '../../src/infra/seal.ts'
import { openTempLake, planOf, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
let lakes = 0
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const MAPPING = usage({
  email: ['user.email', 'event.$email', 'event.distinct_id'],
  traits: { plan: ['user.plan', 'event.plan'], odd: ["event.it's (odd), né", 'user.nested'] },
  account: ['group.company', 'event.company'],
  actions: {
    query_run: {
      label: 'Query',
      family: 'usage',
      core: true,
      from: [{ event: 'Query Run', where: { rows: { gte: 10 } } }],
      value: { of: 'event.rows', keep: ['sum', 'max', 'last', 'distinct'] },
    },
  },
})

type Json = Readonly<Record<string, unknown>>

/** What the lake holds after a batch: everything that anybody reads. */
async function heldBy(
  source: string,
  read: SqlQuery | NarrowQuery,
  forgotten?: Forgotten,
): Promise<unknown> {
  const lakeDir = join(lake.dir, `lake-${lakes++}`)
  await mkdir(lakeDir)
  const plan = { ...planOf(MAPPING), ...(forgotten ? { forgotten } : {}) }
  return lake.duck.connect(async (c) => {
    const {
      id,
      bytes: _,
      ...file
    } = 'problems' in read
      ? await writeNarrowFile(c, lakeDir, source, { events: read, sample: SAMPLE }, plan)
      : await writeEventsFile(c, lakeDir, source, read, plan)
    if (id === null) throw new Error('nothing was written')
    const windows = file.windows.map(({ key }) => key)
    const path = { path: lakePath(lakeDir, id) }
    const days = [...new Set(file.windows.flatMap(({ eventDays }) => eventDays))]
    const live = windows.map((partition) => ({ fileId: id, partition }))
    const { bytes: __, ...rollup } = await writeRollup(c, lakeDir, source, days, live, MAPPING)
    const rows = (sql: string, params: Record<string, string>) =>
      c.rows(`select * from (${sql}) x order by x::varchar`, params)
    return {
      id,
      ...file,
      seen: file.seen.filter(({ kind }) => kind === 'event'),
      rollup: { ...rollup, eventsByDay: [...rollup.eventsByDay] },
      events: await rows(
        `select window_key, event_key, name, occurred_at, arrived_at, profile, variant,
          event_properties::varchar as event_properties from read_parquet([$path])`,
        path,
      ),
      variants: await rows('select * from read_parquet([$path])', {
        path: variantsPath(lakeDir, id),
      }),
      facts: await rows('select * from read_parquet([$path])', {
        path: factsTarget(lakeDir, id, plan.facts, windows),
      }),
    }
  })
}

const SAMPLE: SqlQuery = {
  params: {},
  sql: `select null::timestamp as occurred_at, null::json as event_properties,
    null::json as user_properties, null::json as groups where false`,
}

const T = Date.parse('2026-09-01T10:00:00Z')
const mixpanelRow = (n: number, properties: Json, event = 'Query Run') => ({
  event,
  properties: {
    time: T / 1000 + n,
    $insert_id: `i${n}`,
    mp_processing_time_ms: T + n * 1000 + 300,
    ...properties,
  },
})

const MIXPANEL_ROWS = [
  { $user_id: 'ann', distinct_id: 'ann', $email: 'ann@acme.com', plan: 'pro', rows: 12 },
  { $user_id: 'ann', $device_id: 'x', distinct_id: 'a9', plan: null, rows: '12.50', extra: [1] },
  { $user_id: 7, distinct_id: true, rows: 1e21, plan: { name: 'pro', seats: [1, 2.0, null] } },
  { distinct_id: '$device:y', rows: 0.1, company: ['acme', 'b'], Plan: 'another name' },
  { distinct_id: 'né', "it's (odd), né": 'quo"ted \\ \u2028 é', rows: false, plan: '' },
  { $device_id: 'z', $distinct_id_before_identity: 'before', distinct_id: 'after', plan: [] },
  { time: 1_788_256_800.25, $user_id: 'undefined', distinct_id: 'frac', rows: -3 },
  { time: null, $user_id: 'undated' },
  { mp_processing_time_ms: null, $user_id: 'no arrival', $import: true },
  { $user_id: 'ann', $insert_id: 'i0', rows: 99, $mp_api_timestamp_ms: T + 7 },
  { plan: null },
].map((properties, n) => mixpanelRow(n, properties))

const IDENTITY_ROWS = [
  mixpanelRow(50, { $identified_id: 'ann', $anon_id: 'x', distinct_id: 'ann' }, '$identify'),
  mixpanelRow(51, { alias: '$device:q', distinct_id: 'ann' }, '$create_alias'),
  mixpanelRow(52, { $distinct_ids: ['one', 'two', 'three'] }, '$merge'),
  mixpanelRow(53, { $distinct_ids: ['no', 'no2'], $failure_reason: 'shared' }, '$merge'),
  mixpanelRow(
    54,
    { mp_original_event_name: 'Query Run', mp_original_distinct_id: 'hot', rows: 20 },
    '$hotshard_events',
  ),
]

const SAID_TWICE = `{"event":"Query Run","properties":{"time":${T / 1000},"plan":"first","$insert_id":"i60","plan":"second"}}`

async function mixpanelQueries(rows: readonly unknown[], timezone: string) {
  const path = join(lake.dir, `rows-${lakes++}.jsonl`)
  const line = (row: unknown) => (typeof row === 'string' ? row : JSON.stringify(row))
  await writeFile(path, rows.map((row) => `${line(row)}\n`).join(''))
  const files = [{ path, windowKey: null }]
  return {
    wide: mixpanel.eventsSql(files, timezone),
    narrow: mixpanel.narrowEventsSql(files, planOf(MAPPING).kept, timezone),
  }
}

async function amplitudeQueries(rows: readonly unknown[]) {
  const path = join(lake.dir, `2026-09-01T10~${lakes++}.json.gz`)
  await writeFile(path, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
  const files = [{ path, windowKey: '2026-09-01T10' }]
  return {
    wide: amplitude.eventsSql(files),
    narrow: amplitude.narrowEventsSql(files, planOf(MAPPING).kept),
  }
}

const amplitudeRow = (n: number, rest: Json) => ({
  uuid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  event_type: 'Query Run',
  event_time: `2026-09-01 10:00:${String(n).padStart(2, '0')}.000000`,
  server_upload_time: '2026-09-01 10:30:00.000000',
  event_properties: {},
  user_properties: {},
  groups: {},
  ...rest,
})

const AMPLITUDE_ROWS = [
  { user_id: 'ann', user_properties: { email: 'ann@acme.com', plan: 'pro', other: 1 } },
  { user_id: 'ann', user_properties: { email: 'ann@acme.com', plan: 'pro', other: 2 } },
  { user_id: 'bob', groups: { company: ['acme', 'b'] }, event_properties: { rows: 12.5 } },
  { user_id: 'bob', user_properties: { nested: { a: [1, { b: null }] }, plan: null } },
  { device_id: 'x', amplitude_id: 12, event_properties: null, user_properties: null, groups: null },
  { user_id: 'eve', event_properties: { rows: '40', company: 7, "it's (odd), né": true } },
  { user_id: 'eve', event_time: null },
].map((rest, n) => amplitudeRow(n, rest))

describe('a batch that is read by the fields that are kept', () => {
  it.each(['UTC', 'Europe/Berlin'])(
    'of Mixpanel in %s leaves the very files that a batch read as a whole does',
    async (timezone) => {
      const { wide, narrow } = await mixpanelQueries([...MIXPANEL_ROWS, ...IDENTITY_ROWS], timezone)
      if (!narrow) throw new Error('there is no narrow way')
      const held = await heldBy('mixpanel', narrow)
      expect(held).toEqual(await heldBy('mixpanel', wide))
      expect(held).toMatchObject({ undated: 1, rollup: { rows: expect.any(Number) } })
    },
  )

  it('leaves the same files where somebody was forgotten', async () => {
    const { wide, narrow } = await mixpanelQueries(MIXPANEL_ROWS, 'UTC')
    if (!narrow) throw new Error('there is no narrow way')
    const key = Buffer.alloc(32, 1)
    const forgotten = { key, hashes: [seal(key, 'email/ann@acme.com')] }
    const held = await heldBy('mixpanel', narrow, forgotten)
    expect(held).toEqual(await heldBy('mixpanel', wide, forgotten))
    expect(held).not.toEqual(await heldBy('mixpanel', wide))
    expect(inspect(held, { depth: 9 })).not.toContain('ann@acme.com')
  })

  it('does not store who did it where no variant does: of nobody, and of no time', async () => {
    const nobody = [
      { $user_id: 'undefined', distinct_id: 'null', plan: 'pro' },
      { $user_id: 'ann', $device_id: 'x', plan: 'pro', time: null },
    ].map((properties, n) => mixpanelRow(n, properties))
    const { narrow } = await mixpanelQueries([...nobody, mixpanelRow(3, {})], 'UTC')
    if (!narrow) throw new Error('there is no narrow way')
    const { id } = (await heldBy('mixpanel', narrow)) as { id: string }
    const rows = await lake.duck.connect((c) =>
      c.rows('select device_id, alias_id, said from read_parquet([$path])', {
        path: lakePath(join(lake.dir, `lake-${lakes - 1}`), id),
      }),
    )
    const nothing = { device_id: null, alias_id: null, said: null }
    expect(rows).toEqual([nothing, nothing, nothing])
  })

  it('of Amplitude leaves the very files that a batch read as a whole does', async () => {
    const { wide, narrow } = await amplitudeQueries(AMPLITUDE_ROWS)
    if (!narrow) throw new Error('there is no narrow way')
    expect(await heldBy('amplitude', narrow)).toEqual(await heldBy('amplitude', wide))
  })

  it.each<{ name: string; row: Json | string }>([
    { name: 'has no $insert_id', row: { event: 'A', properties: { time: T / 1000 } } },
    { name: 'has a text for its time', row: mixpanelRow(1, { time: 'soon' }) },
    { name: 'says a property twice', row: SAID_TWICE },
    { name: 'has no object for its properties', row: { event: 'A', properties: 'none' } },
  ])('of Mixpanel fails on a row that $name, and leaves nothing', async ({ row }) => {
    const { wide, narrow } = await mixpanelQueries([...MIXPANEL_ROWS, row], 'UTC')
    if (!narrow) throw new Error('there is no narrow way')
    await expect(heldBy('mixpanel', narrow)).rejects.toThrow()
    await expect(heldBy('mixpanel', wide)).resolves.toBeDefined()
  })

  it('of Amplitude fails on a row without a uuid', async () => {
    const { wide, narrow } = await amplitudeQueries([amplitudeRow(1, { uuid: null })])
    if (!narrow) throw new Error('there is no narrow way')
    await expect(heldBy('amplitude', narrow)).rejects.toThrow('uuid')
    await expect(heldBy('amplitude', wide)).resolves.toBeDefined()
  })

  it('is not one where two places differ in case only', () => {
    const files = [{ path: 'none', windowKey: null }]
    const places = ['event.plan', 'event.Plan']
    expect(mixpanel.narrowEventsSql(files, places, 'UTC')).toBeNull()
    expect(mixpanel.narrowEventsSql(files, ['event.TIME'], 'UTC')).toBeNull()
    expect(amplitude.narrowEventsSql(files, places)).toBeNull()
    expect(amplitude.narrowEventsSql(files, ['event.plan', 'user.Plan'])).not.toBeNull()
  })
})

describe('a sample', () => {
  const lines = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, i) => `${JSON.stringify({ n: from + i, x: 'x'.repeat(80) })}\n`,
    )

  it('holds whole lines from all over the files, the same every time', async () => {
    const files = [0, 1].map((n) => ({ path: join(lake.dir, `s${n}.jsonl`), windowKey: null }))
    for (const [n, { path }] of files.entries())
      await writeFile(path, lines(n * 1000, 1000).join(''))
    const read = async () => {
      const [file] = await sampleLines(files, lake.dir, 10_000)
      const text = await readFile(file?.path ?? '', 'utf8')
      return text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n)
    }
    const found = await read()
    expect(found.length).toBeGreaterThan(80)
    expect(found.length).toBeLessThan(130)
    expect(new Set(found.map((n) => Math.floor(n / 200))).size).toBe(10)
    expect(await read()).toEqual(found)
  })

  it('of compressed files holds the first whole lines of each', async () => {
    const files = [0, 1].map((n) => ({ path: join(lake.dir, `s${n}.gz`), windowKey: `${n}` }))
    for (const [n, { path }] of files.entries()) {
      await writeFile(path, gzipSync(lines(n * 1000, 1000).join(''), { level: 1 }))
    }
    const [file] = await sampleHeads(files, lake.dir, 500)
    const rows = await lake.duck.connect((c) =>
      c.rows("select n from read_json($path, columns = {n: 'INTEGER'}, compression = 'gzip')", {
        path: file?.path ?? '',
      }),
    )
    const found = rows.map((row) => Number(row['n']))
    expect(found).toEqual(expect.arrayContaining([0, 1, 1000, 1001]))
    expect(found.length).toBeLessThan(200)
  })

  it('of files that are small enough is the files', async () => {
    const path = join(lake.dir, 'small.jsonl')
    await writeFile(path, lines(0, 3).join(''))
    const files = [{ path, windowKey: null }]
    expect(await sampleLines(files, lake.dir, 10_000)).toBe(files)
    expect(await sampleHeads(files, lake.dir, 10_000)).toBe(files)
  })
})
