import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsSql } from '../../connectors/sources/amplitude/events-sql.ts'
import { openTempLake, type TempLake } from '../support/lake-temp.ts'

let lake: TempLake
let folders = 0
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

type Row = Readonly<Record<string, unknown>>

/** Reads rows out of export files, named as an opened export is. */
async function read(files: Readonly<Record<string, readonly Row[]>>, folder = 'amplitude') {
  const dir = join(lake.dir, `${folder}-${folders++}`)
  await mkdir(dir, { recursive: true })
  const paths = Object.entries(files).map(async ([name, rows]) => {
    const path = join(dir, name)
    await writeFile(path, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
    return { path, windowKey: null }
  })
  const { sql, params } = eventsSql(await Promise.all(paths))
  return lake.duck.connect((c) => c.rows(`select * from (${sql}) order by name`, params))
}

const HOUR = '2026-09-01T05~0.json.gz'
const readOne = async (row: Row) =>
  (await read({ [HOUR]: [{ event_type: 'Query Run', ...row }] }))[0] ?? {}
const iso = (value: unknown) => (value as Date).toISOString()

describe('an Amplitude event', () => {
  it('has the columns that every source has, in their order', async () => {
    const row = await readOne({
      uuid: '0b1c2d3e-0000-4000-8000-000000000001',
      event_time: '2026-09-01 04:59:58.123000',
      client_event_time: '2026-09-01 04:00:00.000000',
      server_upload_time: '2026-09-01 05:00:01.456000',
      user_id: 'ann',
      device_id: 'x',
      amplitude_id: 123_456_789_012,
      event_properties: { path: '/a' },
      user_properties: { email: 'ann@acme.com' },
    })
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
    ])
    expect(row).toMatchObject({
      window_key: '2026-09-01T05',
      event_key: '0b1c2d3e-0000-4000-8000-000000000001',
      name: 'Query Run',
      user_id: 'ann',
      device_id: 'x',
      alias_id: '123456789012',
    })
    expect(iso(row['occurred_at'])).toBe('2026-09-01T04:59:58.123Z')
    expect(iso(row['arrived_at'])).toBe('2026-09-01T05:00:01.456Z')
    expect(JSON.parse(String(row['user_properties']))).toEqual({ email: 'ann@acme.com' })
  })

  it('belongs to the hour of upload in the name of its file, whenever it occurred', async () => {
    const row = (name: string) => ({ event_type: name, event_time: '2026-08-01 00:00:00.000000' })
    const rows = await read({
      '2026-09-01T05~0.json.gz': [row('a')],
      '2026-09-01T23~17.json.gz': [row('b')],
    })
    expect(rows.map((r) => [r['name'], r['window_key']])).toEqual([
      ['a', '2026-09-01T05'],
      ['b', '2026-09-01T23'],
    ])
  })

  it('may lie in a folder of any name', async () => {
    const [row] = await read({ [HOUR]: [{ event_type: 'a' }] }, "it's a ~ folder 2026-01-01T00")
    expect(row?.['window_key']).toBe('2026-09-01T05')
  })

  it.each([
    {
      name: 'when the client says, without a time of its own',
      row: {
        client_event_time: '2026-09-01 04:00:00.000000',
        server_upload_time: '2026-09-01 05:00:00.000000',
      },
      occurred: '2026-09-01T04:00:00.000Z',
      arrived: '2026-09-01T05:00:00.000Z',
    },
    {
      name: 'at its upload, without any other time',
      row: { server_upload_time: '2026-09-01 05:00:00.000000' },
      occurred: '2026-09-01T05:00:00.000Z',
      arrived: '2026-09-01T05:00:00.000Z',
    },
    {
      name: 'and arrives when it occurs, without an upload',
      row: { event_time: '2026-09-01 04:00:00.000000' },
      occurred: '2026-09-01T04:00:00.000Z',
      arrived: '2026-09-01T04:00:00.000Z',
    },
  ])('occurs $name', async ({ row, occurred, arrived }) => {
    const read = await readOne(row)
    expect([iso(read['occurred_at']), iso(read['arrived_at'])]).toEqual([occurred, arrived])
  })

  it('without ids or properties has none', async () => {
    expect(await readOne({ user_id: null, event_properties: null })).toMatchObject({
      user_id: null,
      device_id: null,
      alias_id: null,
    })
  })
})

describe('two copies of an Amplitude event', () => {
  const base = { event_type: 'a', event_time: '2026-09-01 04:00:00.000000', user_id: 'ann' }
  const keysOf = async (...rows: readonly Row[]) =>
    new Set((await read({ [HOUR]: rows })).map((row) => row['event_key'])).size

  it('are one by their uuid, whatever else they say', async () => {
    const uuid = '0b1c2d3e-0000-4000-8000-000000000001'
    expect(await keysOf({ ...base, uuid }, { event_type: 'b', uuid: uuid.toUpperCase() })).toBe(1)
    expect(await keysOf({ ...base, uuid }, { ...base, uuid: uuid.replace(/1$/, '2') })).toBe(2)
  })

  it.each([
    { name: 'another name', other: { event_type: 'b' } },
    { name: 'another time', other: { event_time: '2026-09-01 04:00:00.001000' } },
    { name: 'another user', other: { user_id: 'bob' } },
    { name: 'the name of the user as a device', other: { user_id: null, device_id: 'ann' } },
    { name: 'another property', other: { event_properties: { path: '/b' } } },
  ])('without a uuid are two with $name', async ({ other }) => {
    expect(await keysOf(base, { ...base, ...other })).toBe(2)
    expect(await keysOf({ ...base, uuid: 'none' }, { ...base, uuid: 'none' })).toBe(1)
  })
})
