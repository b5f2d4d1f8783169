import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EVERYTHING } from '../../src/core/usage/kept.ts'
import { joinWindows, writeEventsFile } from '../../src/infra/lake/events-file.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { lakePath, variantsPath } from '../../src/infra/lake/paths.ts'
import { type EventRow, openTempLake, planOf, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const write = async (
  rows: readonly EventRow[],
  source = 'amplitude',
  plan = planOf(usage(), [EVERYTHING]),
) => {
  const events = await lake.query(rows)
  return lake.duck.connect((c) => writeEventsFile(c, lake.lakeDir, source, events, plan))
}

const bigints = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value

const ROWS: readonly EventRow[] = [
  { key: 1, user: 'ann', event: { path: '/a' } },
  { key: 2, user: 'bob', at: '2026-09-01T23:59:59.999Z' },
  { key: 3, device: 'x', at: '2026-09-02T00:00:00Z', window: '2026-09-02' },
  { key: 4, device: 'x', at: '2026-08-31T10:00:00Z', window: '2026-09-02' },
]

describe('a file of events', () => {
  it('tells its windows, their rows and the days of their events', async () => {
    const file = await write(ROWS)
    expect(file).toMatchObject({
      rows: 4,
      windows: [
        { key: '2026-09-01', rows: 2, eventDays: ['2026-09-01'] },
        { key: '2026-09-02', rows: 2, eventDays: ['2026-08-31', '2026-09-02'] },
      ],
    })
    expect(file.bytes).toBeGreaterThan(0)
    expect(existsSync(lakePath(lake.lakeDir, file.id ?? ''))).toBe(true)
  })

  it('has the same name and content for the same rows in another order', async () => {
    const [one, other] = [await write(ROWS), await write([...ROWS].reverse())]
    expect(other.id).toBe(one.id)
    expect(other.windows).toEqual(one.windows)
  })

  it.each<{ name: string; rows: readonly EventRow[] }>([
    {
      name: 'a property',
      rows: [{ key: 1, user: 'ann', event: { path: '/b' } }, ...ROWS.slice(1)],
    },
    {
      name: 'a property of the user',
      rows: [{ ...ROWS[0], key: 1, person: { plan: 'pro' } }, ...ROWS.slice(1)],
    },
    { name: 'a user', rows: [{ ...ROWS[0], key: 1, user: 'cyd' }, ...ROWS.slice(1)] },
    { name: 'a device', rows: [{ ...ROWS[0], key: 1, device: 'y' }, ...ROWS.slice(1)] },
    { name: 'an alias', rows: [{ ...ROWS[0], key: 1, alias: '9' }, ...ROWS.slice(1)] },
    { name: 'a name', rows: [{ ...ROWS[0], key: 1, name: 'Opened' }, ...ROWS.slice(1)] },
    { name: 'a key', rows: [{ ...ROWS[0], key: 9 }, ...ROWS.slice(1)] },
    {
      name: 'an instant',
      rows: [{ ...ROWS[0], key: 1, at: '2026-09-01T10:00:01Z' }, ...ROWS.slice(1)],
    },
    {
      name: 'an arrival',
      rows: [{ ...ROWS[0], key: 1, arrived: '2026-09-01T10:00:01Z' }, ...ROWS.slice(1)],
    },
    { name: 'a second copy of a row', rows: [{ ...ROWS[0], key: 1 }, ...ROWS] },
    {
      name: 'two more copies of a row',
      rows: [{ ...ROWS[0], key: 1 }, { ...ROWS[0], key: 1 }, ...ROWS],
    },
    { name: 'a row that is gone', rows: ROWS.slice(1) },
  ])('has another name and content for $name, in that window alone', async ({ rows }) => {
    const [one, other] = [await write(ROWS), await write(rows)]
    expect(other.id).not.toBe(one.id)
    expect(other.windows[0]?.contentHash).not.toBe(one.windows[0]?.contentHash)
    expect(other.windows[1]).toEqual(one.windows[1])
  })

  it('has another name for two copies of one row than for two of another', async () => {
    const twice = (user: string): EventRow[] => [
      { key: 1, user },
      { key: 1, user },
    ]
    expect((await write(twice('ann'))).id).not.toBe((await write(twice('bob'))).id)
  })

  it('has another name for another source', async () => {
    const [one, other] = [await write(ROWS), await write(ROWS, 'mixpanel')]
    expect(one.id).toMatch(/^amplitude-[0-9a-f]{32}$/)
    expect(other.id).toMatch(/^mixpanel-[0-9a-f]{32}$/)
    expect(other.windows).toEqual(one.windows)
  })

  it('is none when there is not one row, and nothing is left behind', async () => {
    const before = await readdir(lake.lakeDir)
    expect(await write([])).toEqual({
      id: null,
      rows: 0,
      bytes: 0,
      windows: [],
      undated: 0,
      seen: [],
    })
    expect(await readdir(lake.lakeDir)).toEqual(before)
    expect(before.filter((name) => name.includes('writing'))).toEqual([])
  })

  it('counts rows without a time or a window, and puts them into no window', async () => {
    const [one, other] = [
      await write(ROWS),
      await write([...ROWS, { key: 8, user: 'ann', at: null }, { key: 9, window: null }]),
    ]
    expect(other).toMatchObject({ rows: 4, windows: one.windows, undated: 2 })
    expect(other.id).not.toBe(one.id)
    expect(await write([{ key: 8, user: 'ann', at: null }])).toMatchObject({ id: null, undated: 1 })
  })

  it('keeps only the properties that the tracking plan looks at', async () => {
    const where = { plan_size: { gte: 3 } }
    const mapping = usage({
      traits: { plan: ['user.plan'], team_size: ['group.team'] },
      actions: { opened: { label: 'x', family: 'usage', from: [{ event: 'Opened', where }] } },
    })
    const secret = 'a-secret-nobody-mapped'
    const file = await write(
      [
        {
          key: 31,
          user: 'ann',
          event: { plan_size: 4, $email: 'ann@acme.com', note: secret },
          person: { email: 'Ann@acme.com', plan: 'pro', phone: secret },
          groups: { team: ['t1'], other: secret },
        },
        { key: 32, user: 'bob', event: { note: secret }, person: { phone: secret } },
      ],
      'amplitude',
      planOf(mapping),
    )
    const id = file.id ?? ''
    const [events, variants] = await lake.duck.connect(async (c) => [
      await c.rows('select * from read_parquet([$path]) order by event_key', {
        path: lakePath(lake.lakeDir, id),
      }),
      await c.rows('select * from read_parquet([$path]) order by profile', {
        path: variantsPath(lake.lakeDir, id),
      }),
    ])
    expect(JSON.stringify([events, variants], bigints)).not.toContain(secret)
    expect(JSON.parse(String(events[0]?.['event_properties']))).toMatchObject({ plan_size: 4 })
    expect(events[1]?.['event_properties']).toBeNull()
    expect(JSON.parse(String(variants[0]?.['user_properties']))).toEqual({
      email: 'Ann@acme.com',
      plan: 'pro',
    })
    expect(JSON.parse(String(variants[0]?.['groups']))).toEqual({ team: ['t1'] })
    expect(variants[1]?.['user_properties']).toBeNull()
  })

  it('has another name when it keeps less, so that none that keeps more is written over', async () => {
    const rows = [{ key: 41, user: 'ann', person: { email: 'ann@acme.com', plan: 'pro' } }]
    const [more, less] = [
      await write(rows, 'amplitude', planOf(usage(), ['user.email', 'user.plan'])),
      await write(rows, 'amplitude', planOf(usage(), ['user.email'])),
    ]
    expect(less.id).not.toBe(more.id)
    const [variant] = await lake.duck.connect((c) =>
      c.rows('select user_properties from read_parquet([$path])', {
        path: variantsPath(lake.lakeDir, more.id ?? ''),
      }),
    )
    expect(JSON.parse(String(variant?.['user_properties']))).toMatchObject({ plan: 'pro' })
  })

  it('has another name when it keeps less, also where no event has what is not kept', async () => {
    const rows = [{ key: 42, user: 'ann', person: { email: 'ann@acme.com' } }]
    const [more, less] = [
      await write(rows, 'amplitude', planOf(usage(), ['user.email', 'event.plan'])),
      await write(rows, 'amplitude', planOf(usage(), ['user.email'])),
    ]
    expect(less.windows).toEqual(more.windows)
    expect(less.id).not.toBe(more.id)
  })

  it('that joins windows of several files holds what one file of all rows does', async () => {
    const [one, two, whole] = [
      await write(ROWS.slice(0, 1)),
      await write(ROWS.slice(1)),
      await write(ROWS),
    ]
    const plan = planOf(usage(), [EVERYTHING])
    const parts = { fileIds: [one.id ?? '', two.id ?? ''], windows: ['2026-09-01'] }
    const joined = await lake.duck.connect((c) =>
      joinWindows(c, lake.lakeDir, 'amplitude', parts, plan),
    )
    expect(joined.windows).toEqual(whole.windows.slice(0, 1))
  })

  it('leaves nothing behind when its rows cannot be read', async () => {
    const before = await readdir(lake.lakeDir)
    const broken = { sql: 'select 1 as x from missing_table', params: {} }
    await expect(
      lake.duck.connect((c) => writeEventsFile(c, lake.lakeDir, 'amplitude', broken, planOf())),
    ).rejects.toThrow(/missing_table/)
    expect(await readdir(lake.lakeDir)).toEqual(before)
  })
})

describe('whom an event counts for', () => {
  it.each<{ name: string; row: Omit<EventRow, 'key'>; profile: string | null }>([
    { name: 'is its user', row: { user: 'ann', device: 'x', alias: '9' }, profile: 'u:ann' },
    { name: 'is its device without a user', row: { device: 'x', alias: '9' }, profile: 'd:x' },
    { name: 'is its alias without either', row: { alias: '9' }, profile: 'a:9' },
    { name: 'is nobody without an id', row: {}, profile: null },
    { name: 'is not a user named null', row: { user: 'null', device: 'x' }, profile: 'd:x' },
    {
      name: 'is not a user named Anonymous',
      row: { user: ' Anonymous ', device: 'x' },
      profile: 'd:x',
    },
    { name: 'is not an empty user', row: { user: '', device: 'x' }, profile: 'd:x' },
    {
      name: 'is not a device of zeros',
      row: { device: '00000000-0000-0000-0000-000000000000' },
      profile: null,
    },
    {
      name: 'is not a device named undefined',
      row: { device: 'undefined', alias: '9' },
      profile: 'a:9',
    },
    {
      name: 'is nobody when all ids are junk',
      row: { user: '-1', device: 'n/a', alias: '0' },
      profile: null,
    },
  ])('$name', async ({ row, profile }) => {
    const facts = await factsOf([{ key: 1, ...row }])
    expect([...new Set(facts.map((f) => f.profile))]).toEqual(profile === null ? [] : [profile])
  })
})

async function factsOf(rows: readonly EventRow[], mapping = usage()) {
  return lake.duck.connect(async (c) => {
    const live = await lake.store(c, rows)
    return readFacts(c, lake.lakeDir, 'amplitude', live, planOf(mapping).facts)
  })
}

describe('the facts of a file', () => {
  const said = async (rows: readonly EventRow[], mapping = usage()) =>
    (await factsOf(rows, mapping))
      .filter((f) => f.kind !== 'seen')
      .map((f) => `${f.profile} ${f.kind} ${f.value}`)
      .sort()

  it.each<{ name: string; rows: readonly EventRow[]; want: readonly string[] }>([
    {
      name: 'link a user with her device and alias',
      rows: [{ key: 1, user: 'ann', device: 'x', alias: '9' }],
      want: ['u:ann link a:9', 'u:ann link d:x'],
    },
    {
      name: 'link a device with its alias',
      rows: [{ key: 1, device: 'x', alias: '9' }],
      want: ['d:x link a:9'],
    },
    { name: 'link an alias with nothing', rows: [{ key: 1, alias: '9' }], want: [] },
    {
      name: 'link nobody with junk',
      rows: [{ key: 1, user: 'ann', device: 'unknown', alias: '0' }],
      want: [],
    },
    {
      name: 'hold an address once, trimmed and in small letters',
      rows: [
        { key: 1, user: 'ann', person: { email: ' Ann@Acme.com ' } },
        { key: 2, user: 'ann', event: { $email: 'ann@acme.com' } },
      ],
      want: ['u:ann email ann@acme.com'],
    },
    {
      name: 'take the first place that holds text',
      rows: [
        { key: 1, user: 'ann', person: { email: '' }, event: { $email: 'b@acme.com' } },
        { key: 2, user: 'bob', person: { email: 'c@acme.com' }, event: { $email: 'd@acme.com' } },
      ],
      want: ['u:ann email b@acme.com', 'u:bob email c@acme.com'],
    },
    {
      name: 'hold every value of a trait',
      rows: [
        { key: 1, user: 'ann', person: { plan: 'free' } },
        { key: 2, user: 'ann', event: { plan: 'pro' } },
        { key: 3, user: 'ann', event: { plan: null } },
      ],
      want: ['u:ann trait:plan free', 'u:ann trait:plan pro'],
    },
  ])('$name', async ({ rows, want }) => {
    expect(await said(rows)).toEqual(want)
  })

  it('read places by their whole name, whatever stands in it', async () => {
    const rows = [
      { key: 1, user: 'ann', event: { 'a.b': 'dotted', a: { b: 'nested' }, "it's": 'x' } },
    ]
    const mapping = usage({ traits: { one: ['event.a.b'], two: ["event.it's"] } })
    expect(await said(rows, mapping)).toEqual(['u:ann trait:one dotted', 'u:ann trait:two x'])
  })

  it('are dated by the first and the last time they were said, over all windows', async () => {
    const at = (day: string) => `2026-09-${day}T10:00:00Z`
    const person = { email: 'ann@acme.com' }
    const facts = await factsOf([
      { key: 1, user: 'ann', person, at: at('02'), window: '2026-09-02' },
      { key: 2, user: 'ann', person, at: at('01') },
      { key: 3, user: 'ann', at: at('03'), window: '2026-09-03' },
    ])
    const dated = facts.map((f) => [f.kind, f.firstAt.toISOString(), f.lastAt.toISOString()])
    expect(dated.sort()).toEqual([
      ['email', '2026-09-01T10:00:00.000Z', '2026-09-02T10:00:00.000Z'],
      ['seen', '2026-09-01T10:00:00.000Z', '2026-09-03T10:00:00.000Z'],
    ])
  })

  it('hold nothing that was said at no time', async () => {
    const facts = await factsOf([
      { key: 1, user: 'ann' },
      { key: 2, user: 'bob', at: null },
    ])
    expect(facts.map((f) => f.profile)).toEqual(['u:ann'])
  })

  it('count for the windows that are live alone', async () => {
    const kinds = await lake.duck.connect(async (c) => {
      const live = await lake.store(c, [
        { key: 1, user: 'ann', person: { email: 'ann@acme.com' } },
        { key: 2, user: 'bob', window: '2026-09-02' },
      ])
      const [, second] = live
      return readFacts(c, lake.lakeDir, 'amplitude', second ? [second] : [], planOf(usage()).facts)
    })
    expect(kinds.map((f) => [f.source, f.profile, f.kind])).toEqual([
      ['amplitude', 'u:bob', 'seen'],
    ])
  })

  it('are worked out again for other windows, and older ones are dropped', async () => {
    const files = await lake.duck.connect(async (c) => {
      const live = await lake.store(c, [
        { key: 21, user: 'cat' },
        { key: 22, user: 'dan', window: '2026-09-02' },
      ])
      const [first] = live
      const id = first?.fileId ?? ''
      await readFacts(c, lake.lakeDir, 'amplitude', live, planOf(usage()).facts)
      await readFacts(c, lake.lakeDir, 'amplitude', first ? [first] : [], planOf(usage()).facts)
      const again = await readFacts(c, lake.lakeDir, 'amplitude', live, planOf(usage()).facts)
      expect(again.map((f) => f.profile).sort()).toEqual(['u:cat', 'u:dan'])
      return (await readdir(lake.lakeDir)).filter((name) => name.startsWith(`${id}.`))
    })
    expect(files.filter((name) => name.endsWith('.facts.parquet'))).toHaveLength(1)
  })

  it('are none where nothing is live', async () => {
    expect(
      await lake.duck.connect((c) =>
        readFacts(c, lake.lakeDir, 'amplitude', [], planOf(usage()).facts),
      ),
    ).toEqual([])
  })
})
