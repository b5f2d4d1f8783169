import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread, type Thread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Writes files as a pipeline leaves them in a bucket; names that end in `.gz` are compressed. */
async function writePipeline(files: Readonly<Record<string, readonly unknown[]>>, into?: string) {
  const dir = into ?? (await makeFolder('pipeline'))
  for (const [name, rows] of Object.entries(files)) {
    const path = join(dir, '3184406', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, name.endsWith('.gz') ? gzipSync(lines(rows)) : lines(rows))
  }
  return dir
}

const event = (id: string, time: string | number, more = {}) => ({
  event_name: 'page_viewed',
  insert_id: id,
  time,
  distinct_id: 'anon-1',
  device_id: null,
  user_id: null,
  properties: { path: '/pricing', mp_processing_time_ms: 1_788_300_000_000 },
  ...more,
})

async function open(environment: Readonly<Record<string, string>> = {}): Promise<Thread> {
  return openThread({ environment })
}

const pull = (thread: Thread, path: string) => thread.pull(['mixpanel'], [path])
const daysOf = async (thread: Thread) => {
  const rows = await thread.app.context.db
    .selectFrom('rollup_day')
    .select(['day', 'events'])
    .where('source', '=', 'mixpanel')
    .where('events', '>', 0)
    .orderBy('day')
    .execute()
  return Object.fromEntries(rows.map(({ day, events }) => [day, events]))
}

describe('the folders of a JSON pipeline', () => {
  it('are recognised, in hours and days, compressed or not, with all times in UTC', async () => {
    const dir = await writePipeline({
      'mp_master_event/2026/09/01/full_day.json': [
        event('a', '2026-09-01T00:30:00Z'),
        event('b', '2026-09-01 23:30:00 UTC'),
      ],
      'mp_master_event/2026/09/02/04/part-0.json.gz': [
        event('c', Date.parse('2026-09-02T04:00:00Z') / 1000),
        event('d', Date.parse('2026-09-02T04:30:00Z')),
      ],
      'mp_master_event/2026/09/02/05/part-0.json.gz': [event('e', '2026-09-02T05:00:00.123456')],
    })
    // The zone of an old project is that of its raw export, not of a pipeline.
    const thread = await open({ MIXPANEL_TIMEZONE: 'Asia/Kolkata' })
    await pull(thread, dir)
    expect(await daysOf(thread)).toEqual({ '2026-09-01': 2, '2026-09-02': 3 })
    const { sources } = await thread.status()
    expect(sources['mixpanel']).toMatchObject({ events: 5, rows: 5, windows: 2 })
  })

  it('may get late events as further files, and copies of what is there', async () => {
    const first = event('a', '2026-09-01T10:00:00Z')
    const dir = await writePipeline({ 'mp_master_event/2026/09/01/1.json.gz': [first] })
    const thread = await open()
    await pull(thread, dir)
    expect(await daysOf(thread)).toEqual({ '2026-09-01': 1 })
    const late = {
      'mp_master_event/2026/09/01/2.json.gz': [first, event('z', '2026-09-01T11:00:00Z')],
    }
    await writePipeline(late, dir)
    await pull(thread, dir)
    expect(await daysOf(thread)).toEqual({ '2026-09-01': 2 })
    await pull(thread, dir)
    expect(await thread.status()).toMatchObject({ sources: { mixpanel: { events: 2, rows: 3 } } })
  })

  it('bring people and who is whom along, neither of which is an event', async () => {
    const dir = await writePipeline({
      'mp_master_event/2026/09/01/1.json': [
        event('a', '2026-09-01T10:00:00Z'),
        event('b', '2026-09-01T11:00:00Z', { distinct_id: '$device:dev-2' }),
        event('c', '2026-09-01T12:00:00Z', { distinct_id: 'ann', user_id: 'ann' }),
      ],
      'mp_identity_mappings_data/1.json': [
        { distinct_id: 'anon-1', resolved_distinct_id: 'ann' },
        { distinct_id: '$device:dev-2', resolved_distinct_id: 'ann' },
      ],
      'mp_people_data/2026/08/30/1.json.gz': [
        { distinct_id: 'ann', properties: { $email: 'old@paper-works.io' } },
        { distinct_id: 'gone', properties: { $email: 'gone@paper-works.io' } },
      ],
      'mp_people_data/2026/09/02/1.json.gz': [
        { distinct_id: 'ann', properties: { $email: 'ann@paper-works.io', plan: 'team' } },
      ],
    })
    const thread = await open()
    await pull(thread, dir)
    expect(await explain(thread.app.context.db, 'ann@paper-works.io')).toMatchObject({
      account: 'paper-works.io',
      identities: [
        'email/ann@paper-works.io',
        'mixpanel/a:ann',
        'mixpanel/a:anon-1',
        'mixpanel/d:dev-2',
        'mixpanel/u:ann',
      ],
    })
    expect(await thread.status()).toMatchObject({
      people: 1,
      sources: { mixpanel: { events: 3, rows: 3, windows: 1 } },
    })
    expect(await explain(thread.app.context.db, 'gone@paper-works.io')).toBeNull()
  })

  it('replace the same days of a raw export instead of adding to them', async () => {
    const raw = await makeFolder('raw')
    const time = Date.parse('2026-09-01T10:00:00Z') / 1000
    const properties = { time, distinct_id: 'ann', $insert_id: 'a' }
    await writeFile(join(raw, 'export.jsonl'), lines([{ event: 'page_viewed', properties }]))
    const dir = await writePipeline({
      'mp_master_event/2026/09/01/1.json': [event('a', '2026-09-01T10:00:00Z')],
    })
    const thread = await open()
    await pull(thread, raw)
    await pull(thread, dir)
    expect(await thread.status()).toMatchObject({ sources: { mixpanel: { events: 1, rows: 1 } } })
  })

  it('with a file that is cut short are refused, and nothing of them is kept', async () => {
    const dir = await writePipeline({
      'mp_master_event/2026/09/01/1.json.gz': [event('a', '2026-09-01T10:00:00Z')],
      'mp_master_event/2026/09/02/1.json.gz': [event('b', '2026-09-02T10:00:00Z')],
    })
    const path = join(dir, '3184406/mp_master_event/2026/09/02/1.json.gz')
    const whole = await readFile(path)
    await writeFile(path, whole.subarray(0, -4))
    const thread = await open()
    await expect(pull(thread, dir)).rejects.toThrow(`${path} is cut short or damaged`)
    expect((await thread.status()).sources['mixpanel']).toBeUndefined()
  })
})
