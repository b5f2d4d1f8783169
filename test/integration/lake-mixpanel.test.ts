import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsSql } from '../../connectors/sources/mixpanel/events-sql.ts'
import { writeEventsFile } from '../../src/infra/lake/events-file.ts'
import { openTempLake, planOf, type TempLake } from '../support/lake-temp.ts'

let lake: TempLake
let files = 0
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

type Properties = Readonly<Record<string, unknown>>
interface Row {
  readonly event?: string
  readonly properties: Properties
}

async function query(rows: readonly Row[], timezone: string) {
  const path = join(lake.dir, `mixpanel-${files++}.jsonl`)
  const lines = rows.map((row) => `${JSON.stringify({ event: 'Query Run', ...row })}\n`)
  await writeFile(path, lines.join(''))
  return eventsSql([{ path, windowKey: null }], timezone)
}

async function read(rows: readonly Row[], timezone = 'UTC') {
  const { sql, params } = await query(rows, timezone)
  return lake.duck.connect((c) => c.rows(`select * from (${sql}) order by occurred_at`, params))
}

async function readOne(properties: Properties, timezone = 'UTC') {
  const [row] = await read(
    [{ properties: { time: seconds('2026-09-01T10:00:00Z'), ...properties } }],
    timezone,
  )
  return row ?? {}
}

const seconds = (iso: string) => Date.parse(iso) / 1000
const iso = (value: unknown) => (value as Date).toISOString()

describe('a Mixpanel event', () => {
  it('has the columns that every source has, in their order', async () => {
    const row = await readOne({ $user_id: 'ann', $insert_id: 'i1', path: '/a' })
    expect(Object.keys(row)).toEqual([
      'window_key',
      'event_key',
      'name',
      'occurred_at',
      'arrived_at',
      'user_id',
      'device_id',
      'alias_id',
      'event_properties',
      'user_properties',
      'groups',
      'linked_ids',
    ])
    expect(row).toMatchObject({
      window_key: '2026-09-01',
      name: 'Query Run',
      user_properties: null,
    })
    expect(JSON.parse(String(row['event_properties']))).toMatchObject({ path: '/a' })
  })

  it('arrives when Mixpanel processes it, or else when it occurs', async () => {
    const late = await readOne({ mp_processing_time_ms: Date.parse('2026-09-02T01:02:03.004Z') })
    expect(iso(late['arrived_at'])).toBe('2026-09-02T01:02:03.004Z')
    expect(iso((await readOne({}))['arrived_at'])).toBe('2026-09-01T10:00:00.000Z')
    const odd = await readOne({ mp_processing_time_ms: 'soon' })
    expect(iso(odd['arrived_at'])).toBe('2026-09-01T10:00:00.000Z')
  })
})

describe('the time of a project from before 2023, written as its wall clock,', () => {
  it.each([
    { zone: 'UTC', wall: '2026-09-01T10:00:00Z', utc: '2026-09-01T10:00:00.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-01-15T12:00:00Z', utc: '2026-01-15T11:00:00.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-07-15T12:00:00Z', utc: '2026-07-15T10:00:00.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-03-29T01:59:59Z', utc: '2026-03-29T00:59:59.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-03-29T03:00:00Z', utc: '2026-03-29T01:00:00.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-10-25T01:59:59Z', utc: '2026-10-24T23:59:59.000Z' },
    { zone: 'Europe/Berlin', wall: '2026-10-25T03:00:00Z', utc: '2026-10-25T02:00:00.000Z' },
    { zone: 'America/Mexico_City', wall: '2022-07-15T12:00:00Z', utc: '2022-07-15T17:00:00.000Z' },
    { zone: 'America/Mexico_City', wall: '2026-07-15T12:00:00Z', utc: '2026-07-15T18:00:00.000Z' },
    { zone: 'America/Mexico_City', wall: '2026-01-15T12:00:00Z', utc: '2026-01-15T18:00:00.000Z' },
    { zone: 'Asia/Kolkata', wall: '2026-09-01T00:15:00Z', utc: '2026-08-31T18:45:00.000Z' },
  ])('in $zone at $wall is $utc', async ({ zone, wall, utc }) => {
    const row = await readOne({ time: seconds(wall) }, zone)
    expect(iso(row['occurred_at'])).toBe(utc)
    expect(row['window_key']).toBe(wall.slice(0, 10))
  })

  it('in the hour that comes twice is one of its two meanings', async () => {
    const row = await readOne({ time: seconds('2026-10-25T02:30:00Z') }, 'Europe/Berlin')
    expect(['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']).toContain(
      iso(row['occurred_at']),
    )
  })

  it('may hold parts of a second', async () => {
    const row = await readOne({ time: 1_788_256_800.25 })
    expect(iso(row['occurred_at'])).toBe(new Date(1_788_256_800_250).toISOString())
  })
})

describe('whom a Mixpanel event names', () => {
  it.each<{ name: string; given: Properties; want: readonly (string | null)[] }>([
    {
      name: 'is user and device, and nobody by another name',
      given: { distinct_id: 'ann', $user_id: 'ann', $device_id: 'x' },
      want: ['ann', 'x', null],
    },
    {
      name: 'is the device before sign-up',
      given: { distinct_id: '$device:x', $device_id: 'x' },
      want: [null, 'x', null],
    },
    {
      name: 'is the device that only distinct_id names',
      given: { distinct_id: '$device:x' },
      want: [null, 'x', null],
    },
    {
      name: 'is the device that distinct_id names beside the user',
      given: { distinct_id: '$device:x', $user_id: 'ann' },
      want: ['ann', 'x', null],
    },
    {
      name: 'is the alias of an old project',
      given: { distinct_id: 'ann' },
      want: [null, null, 'ann'],
    },
    {
      name: 'is an alias beside the user when it is another',
      given: { distinct_id: 'a9', $user_id: 'ann', $device_id: 'x' },
      want: ['ann', 'x', 'a9'],
    },
    {
      name: 'is who it was before a merge',
      given: { distinct_id: 'merged', $distinct_id_before_identity: 'a9', $user_id: 'ann' },
      want: ['ann', null, 'a9'],
    },
    {
      name: 'is the device before sign-up, and whom it turned out to be',
      given: { distinct_id: 'ann', $distinct_id_before_identity: '$device:x', $device_id: 'x' },
      want: [null, 'x', 'ann'],
    },
    {
      name: 'is nobody by the device id written again',
      given: { distinct_id: 'x', $device_id: 'x' },
      want: [null, 'x', null],
    },
    {
      name: 'is nobody where all are empty',
      given: { distinct_id: '', $user_id: '', $device_id: '' },
      want: [null, null, null],
    },
    { name: 'is nobody where none is given', given: {}, want: [null, null, null] },
    {
      name: 'is a number as its text',
      given: { distinct_id: 7, $user_id: 7 },
      want: ['7', null, null],
    },
  ])('$name', async ({ given, want }) => {
    const row = await readOne(given)
    expect([row['user_id'], row['device_id'], row['alias_id']]).toEqual(want)
  })
})

describe('an id that Mixpanel has merged into another', () => {
  it.each<{ name: string; given: Record<string, unknown>; want: readonly string[] | null }>([
    {
      name: 'is linked with it where the event names nobody else',
      given: { distinct_id: 'merged', $distinct_id_before_identity: 'a9' },
      want: ['a:a9', 'a:merged'],
    },
    {
      name: 'is linked with it beside a user',
      given: { distinct_id: 'merged', $distinct_id_before_identity: '$device:x', $user_id: 'ann' },
      want: ['d:x', 'a:merged'],
    },
    {
      name: 'links nothing where it is the same',
      given: { distinct_id: 'a9', $distinct_id_before_identity: 'a9' },
      want: null,
    },
    { name: 'links nothing where there is none', given: { distinct_id: 'a9' }, want: null },
  ])('$name', async ({ given, want }) => {
    expect((await readOne(given))['linked_ids']).toEqual(want)
  })
})

describe('two copies of a Mixpanel event', () => {
  const time = seconds('2026-09-01T10:00:00Z')
  const base = { time, $insert_id: 'i1', distinct_id: 'ann' }
  const keysOf = async (rows: readonly Row[], timezone?: string) =>
    new Set((await read(rows, timezone)).map((row) => row['event_key'])).size

  it.each<{ name: string; other: Row; keys: number }>([
    {
      name: 'are one when another person has it since a merge',
      other: { properties: { ...base, distinct_id: 'merged', mp_processing_time_ms: 1 } },
      keys: 1,
    },
    {
      name: 'are one later on the same day',
      other: { properties: { ...base, time: time + 3600 } },
      keys: 1,
    },
    {
      name: 'are two on another day',
      other: { properties: { ...base, time: time + 86_400 } },
      keys: 2,
    },
    {
      name: 'are two by another name',
      other: { event: 'Opened', properties: base },
      keys: 2,
    },
    {
      name: 'are two with another $insert_id',
      other: { properties: { ...base, $insert_id: 'i2' } },
      keys: 2,
    },
  ])('$name', async ({ other, keys }) => {
    expect(await keysOf([{ properties: base }, other])).toBe(keys)
  })

  it.each<{ name: string; id: Properties }>([
    { name: 'no', id: {} },
    { name: 'an empty', id: { $insert_id: '' } },
  ])('with $name $insert_id are one only when they are equal', async ({ id }) => {
    const row = (path: string): Row => ({ properties: { time, distinct_id: 'ann', path, ...id } })
    expect(await keysOf([row('/a'), row('/a'), row('/b')])).toBe(2)
  })

  it('are told apart by the UTC day, not by the day of the project', async () => {
    const at = (wall: string): Row => ({ properties: { ...base, time: seconds(wall) } })
    expect(
      await keysOf([at('2026-09-01T23:00:00Z'), at('2026-09-02T01:00:00Z')], 'Europe/Berlin'),
    ).toBe(1)
    expect(
      await keysOf([at('2026-09-01T01:00:00Z'), at('2026-09-01T03:00:00Z')], 'Europe/Berlin'),
    ).toBe(2)
  })
})

describe('an event of a hot shard', () => {
  it('has its own name and person again', async () => {
    const properties = {
      time: 1_788_256_800,
      distinct_id: '',
      mp_original_event_name: 'Opened',
      mp_original_distinct_id: 'robot',
    }
    const [row] = await read([{ event: '$hotshard_events', properties }])
    expect(row).toMatchObject({ name: 'Opened', alias_id: 'robot' })
  })

  it('keeps its name where the first one is not told', async () => {
    const [row] = await read([{ event: '$hotshard_events', properties: { time: 1 } }])
    expect(row?.['name']).toBe('$hotshard_events')
  })

  it('is the same event as its copy from before', async () => {
    const base = { time: 1_788_256_800, $insert_id: 'i1' }
    const rows = await read([
      { event: 'Opened', properties: { ...base, distinct_id: 'robot' } },
      {
        event: '$hotshard_events',
        properties: { ...base, distinct_id: '', mp_original_event_name: 'Opened' },
      },
    ])
    expect(rows[0]?.['event_key']).toBe(rows[1]?.['event_key'])
  })
})

describe('a Mixpanel row that no clock can place', () => {
  it.each<{ name: string; properties: Properties }>([
    { name: 'has no time', properties: { $user_id: 'ann' } },
    { name: 'has a word for its time', properties: { $user_id: 'ann', time: 'soon' } },
    { name: 'has a time beyond all calendars', properties: { $user_id: 'ann', time: 1e18 } },
  ])('because it $name is counted, and stops no other', async ({ properties }) => {
    const good = { properties: { time: 1_788_256_800, $user_id: 'ann' } }
    const events = await query([good, { properties }], 'UTC')
    const file = await lake.duck.connect((c) =>
      writeEventsFile(c, lake.lakeDir, 'mixpanel', events, planOf()),
    )
    expect(file).toMatchObject({ rows: 1, undated: 1 })
  })
})
