import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RESERVED_EVENTS, RESERVED_PREFIXES } from '../../src/core/usage/reserved.ts'
import { lakePath } from '../../src/infra/lake/paths.ts'
import { mergeRollups, writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { LivePart } from '../../src/infra/postgres/manifest.ts'
import { type EventRow, openTempLake, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const DAY = '2026-09-01'

interface Rolled {
  readonly id: string | null
  readonly events: Readonly<Record<string, number>>
  /** `profile action day count`, sorted. */
  readonly rows: readonly string[]
}

const SELECT = `select profile, action, day::varchar as day, count::double as count,
  first_at, last_at from read_parquet($path) order by day, profile, action`

async function readRollup(id: string | null): Promise<Record<string, unknown>[]> {
  if (id === null) return []
  return lake.duck.connect((c) => c.rows(SELECT, { path: lakePath(lake.lakeDir, id) }))
}

const told = (row: Record<string, unknown>) =>
  `${row['profile']} ${row['action']} ${row['day']} ${row['count']}`

/** Stores files of events, and rolls days of them up; `pick` says which windows are live. */
async function roll(
  files: readonly (readonly EventRow[])[],
  mapping = usage(),
  days: readonly string[] = [DAY],
  pick: (parts: readonly (readonly LivePart[])[]) => readonly LivePart[] = (parts) => parts.flat(),
  source = 'amplitude',
): Promise<Rolled> {
  const written = await lake.duck.connect(async (c) => {
    const parts: (readonly LivePart[])[] = []
    for (const rows of files) parts.push(await lake.store(c, rows, source))
    return writeRollup(c, lake.lakeDir, source, days, pick(parts), mapping)
  })
  const rows = await readRollup(written.id)
  return { id: written.id, events: Object.fromEntries(written.eventsByDay), rows: rows.map(told) }
}

describe('a rollup', () => {
  it('counts each action of a profile and day, any use, and core work', async () => {
    const { rows, events } = await roll([
      [
        { key: 1, user: 'ann' },
        { key: 2, user: 'ann' },
        { key: 3, user: 'ann', name: 'Opened' },
        { key: 4, user: 'ann', name: 'Something Else' },
        { key: 5, device: 'x', name: 'Opened' },
      ],
    ])
    expect(rows).toEqual([
      'd:x $any 2026-09-01 1',
      'd:x opened 2026-09-01 1',
      'u:ann $any 2026-09-01 4',
      'u:ann $core 2026-09-01 2',
      'u:ann opened 2026-09-01 1',
      'u:ann query_run 2026-09-01 2',
    ])
    expect(events).toEqual({ [DAY]: 5 })
  })

  it.each([
    { name: 'one day', days: ['2026-09-02'] },
    { name: 'days that follow each other, in any order', days: ['2026-09-03', '2026-09-02'] },
    { name: 'days with others between them', days: ['2026-09-04', '2026-09-02'] },
  ])('takes what lies between two midnights: $name', async ({ days }) => {
    const all = ['2026-09-01', '2026-09-02', '2026-09-03', '2026-09-04', '2026-09-05']
    const rows = all.flatMap((day, n) => [
      { key: n * 2, user: 'ann', at: `${day}T00:00:00Z` },
      { key: n * 2 + 1, user: 'ann', at: `${day}T23:59:59.999Z` },
    ])
    const { events } = await roll([rows], usage(), days)
    expect(events).toEqual(Object.fromEntries(days.map((day) => [day, 2])))
  })

  it('holds the first and the last time of the day', async () => {
    const { id } = await roll([
      [
        { key: 1, user: 'bob', at: '2026-09-01T12:00:00Z' },
        { key: 2, user: 'bob', at: '2026-09-01T00:00:00Z' },
        { key: 3, user: 'bob', at: '2026-09-01T23:59:59.999Z' },
      ],
    ])
    expect((await readRollup(id))[0]).toMatchObject({
      first_at: new Date('2026-09-01T00:00:00.000Z'),
      last_at: new Date('2026-09-01T23:59:59.999Z'),
    })
  })

  it('holds the days that were asked for alone', async () => {
    const rows: EventRow[] = [
      { key: 1, user: 'ann', name: 'X', at: '2026-08-31T23:59:59.999Z' },
      { key: 2, user: 'ann', name: 'X', at: '2026-09-01T00:00:00Z' },
      { key: 3, user: 'ann', name: 'X', at: '2026-09-02T00:00:00Z' },
    ]
    const one = await roll([rows])
    expect(one.rows).toEqual(['u:ann $any 2026-09-01 1'])
    const two = await roll([rows], usage(), ['2026-08-31', '2026-09-02'])
    expect(two.events).toEqual({ '2026-08-31': 1, '2026-09-02': 1 })
  })

  it('counts nobody for an event without an id', async () => {
    const { rows, events } = await roll([[{ key: 1 }, { key: 2, user: 'null' }]])
    expect(rows).toEqual([])
    expect(events).toEqual({ [DAY]: 2 })
  })

  it('is none where nothing is live, or no event is left', async () => {
    expect(await roll([])).toEqual({ id: null, events: {}, rows: [] })
    const elsewhere = await roll([[{ key: 1, user: 'ann' }]], usage(), ['2026-09-09'])
    expect(elsewhere).toEqual({ id: null, events: {}, rows: [] })
  })

  it('is named by what it holds', async () => {
    const rows: EventRow[] = [
      { key: 1, user: 'ann' },
      { key: 2, user: 'bob' },
    ]
    const [one, again, other] = [
      await roll([rows]),
      await roll([[...rows].reverse()]),
      await roll([rows.slice(1)]),
    ]
    expect(again.id).toBe(one.id)
    expect(other.id).not.toBe(one.id)
    expect(one.id).toMatch(/^amplitude-rollup-[0-9a-f]{32}$/)
    expect(existsSync(lakePath(lake.lakeDir, one.id ?? ''))).toBe(true)
  })

  it('is the same for each of its days rebuilt alone or together', async () => {
    const rows = ['01', '02', '03'].map((day, index) => ({
      key: index,
      user: 'ann',
      at: `2026-09-${day}T10:00:00Z`,
      window: `2026-09-${day}`,
    }))
    const days = rows.map((row) => row.window)
    const together = await roll([rows], usage(), days)
    const alone = await Promise.all(days.map((day) => roll([rows], usage(), [day])))
    expect(alone.flatMap((r) => r.rows)).toEqual(together.rows)
    const parts = alone.map((r, i) => ({ fileId: r.id ?? '', partition: days[i] ?? '' }))
    const merged = await lake.duck.connect((c) => mergeRollups(c, lake.lakeDir, 'amplitude', parts))
    expect(merged.id).toBe(together.id)
    expect(merged.rows).toBe(together.rows.length)
  })
})

describe('two copies of one event', () => {
  it('count once, as the copy that arrived last has it', async () => {
    const early: EventRow = { key: 1, user: 'ann', arrived: '2026-09-01T10:00:01Z' }
    const late: EventRow = { key: 1, user: 'bob', arrived: '2026-09-01T10:00:02Z' }
    const want = [
      'u:bob $any 2026-09-01 1',
      'u:bob $core 2026-09-01 1',
      'u:bob query_run 2026-09-01 1',
    ]
    for (const files of [[[early, late]], [[late, early]], [[early], [late]], [[late], [early]]]) {
      expect(await roll(files)).toMatchObject({ rows: want, events: { [DAY]: 1 } })
    }
  })

  it('that arrived at once count as the later window has it', async () => {
    const one: EventRow = { key: 1, user: 'ann', name: 'X', window: '2026-09-01T10' }
    const other: EventRow = { key: 1, user: 'bob', name: 'X', window: '2026-09-01T11' }
    for (const files of [[[one], [other]], [[other], [one]], [[one, other]]]) {
      expect((await roll(files)).rows).toEqual(['u:bob $any 2026-09-01 1'])
    }
  })

  it('on two days count once on each, whether the days are rebuilt alone or together', async () => {
    const copies: EventRow[] = ['2026-09-01T23:59:59Z', '2026-09-02T00:00:01Z'].map((at) => ({
      key: 1,
      user: 'ann',
      name: 'X',
      at,
      arrived: at,
    }))
    const days = ['2026-09-01', '2026-09-02']
    const alone = await Promise.all(days.map((day) => roll([copies], usage(), [day])))
    expect((await roll([copies], usage(), days)).rows).toEqual(alone.flatMap((r) => r.rows))
  })

  it('that differ in a property alone count the same in any order', async () => {
    const copies: EventRow[] = ['a', 'b', 'c'].map((plan) => ({
      key: 1,
      user: 'ann',
      name: 'Status',
      event: { plan },
    }))
    const mapping = conditional({ plan: { equals: 'a' } })
    const one = await roll([copies], mapping)
    expect((await roll([[...copies].reverse()], mapping)).rows).toEqual(one.rows)
  })

  it('leave other events alone', async () => {
    const rows: EventRow[] = [1, 1, 2, 3, 3, 3].map((key) => ({ key, user: 'ann', name: 'X' }))
    expect(await roll([rows])).toMatchObject({
      rows: ['u:ann $any 2026-09-01 3'],
      events: { [DAY]: 3 },
    })
  })
})

describe('a window that was replaced', () => {
  const shared: readonly EventRow[] = [
    { key: 1, user: 'old', name: 'X', window: '2026-09-01T10' },
    { key: 2, user: 'kept', name: 'X', window: '2026-09-01T11' },
  ]
  const fresh: readonly EventRow[] = [{ key: 3, user: 'new', name: 'X', window: '2026-09-01T10' }]

  it('does not count, though its file is still read for another one', async () => {
    const { rows } = await roll([shared, fresh], usage(), [DAY], ([first, second]) => [
      ...(first ?? []).filter((p) => p.partition === '2026-09-01T11'),
      ...(second ?? []),
    ])
    expect(rows).toEqual(['u:kept $any 2026-09-01 1', 'u:new $any 2026-09-01 1'])
  })

  it('does not win as a copy either', async () => {
    const stale: EventRow = {
      key: 9,
      user: 'old',
      name: 'X',
      window: '2026-09-01T10',
      arrived: '2026-09-05T00:00:00Z',
    }
    const live: EventRow = { key: 9, user: 'new', name: 'X', window: '2026-09-01T12' }
    const { rows } = await roll([[stale], [live]], usage(), [DAY], ([, second]) => second ?? [])
    expect(rows).toEqual(['u:new $any 2026-09-01 1'])
  })
})

describe('names that are no usage', () => {
  it.each([
    ...RESERVED_EVENTS.map((name) => ({ name })),
    ...RESERVED_PREFIXES.map((prefix) => ({ name: `${prefix} Something` })),
    { name: 'Heartbeat' },
  ])('such as $name count for nobody', async ({ name }) => {
    const mapping = usage({ ignore: ['Heartbeat'] })
    const { rows, events } = await roll([[{ key: 1, user: 'ann', name }]], mapping)
    expect(rows).toEqual([])
    expect(events).toEqual({ [DAY]: 1 })
  })

  it('are told by their whole beginning', async () => {
    const names = ['Amplitude', 'session_started', 'My [Amplitude] Chart', 'heartbeat']
    const rows = names.map((name, key) => ({ key, user: 'ann', name }))
    expect((await roll([rows], usage({ ignore: ['Heartbeat'] }))).rows).toEqual([
      'u:ann $any 2026-09-01 4',
    ])
  })
})

const conditional = (where: Readonly<Record<string, unknown>>) =>
  usage({
    actions: { hit: { label: 'Hit', family: 'usage', from: [{ event: 'Status', where }] } },
  })

describe('a condition on a property', () => {
  it.each<{
    name: string
    where: Readonly<Record<string, unknown>>
    holds: unknown[]
    fails: unknown[]
  }>([
    { name: 'equals text', where: { equals: 'pro' }, holds: ['pro'], fails: ['Pro', 'pro ', null] },
    { name: 'equals a number', where: { equals: 80 }, holds: [80, '80'], fails: [80.5, 8] },
    {
      name: 'equals a truth',
      where: { equals: true },
      holds: [true, 'true'],
      fails: [false, 1, null],
    },
    {
      name: 'in',
      where: { in: ['a', 2, true] },
      holds: ['a', 2, true],
      fails: ['b', 3, false, null],
    },
    {
      name: 'gte',
      where: { gte: 80 },
      holds: [80, 80.1, '90', 100],
      fails: [79.9, '9', 'many', null],
    },
    { name: 'lte', where: { lte: 80 }, holds: [80, -1, '9'], fails: [80.1, 'few', null] },
    { name: 'gte and lte', where: { gte: 1, lte: 3 }, holds: [1, 2, 3], fails: [0, 4] },
    {
      name: 'matches',
      where: { matches: '^/(pricing|plans)(/|$)' },
      holds: ['/pricing', '/plans/team'],
      fails: ['/pricing-faq', 'x/pricing', 7, null],
    },
    {
      name: 'matches anywhere, without case',
      where: { matches: '(?i)trial' },
      holds: ['Trial', 'a trial 2'],
      fails: ['tri al', null],
    },
    { name: 'exists', where: { exists: true }, holds: ['', 0, false, 'x'], fails: [null] },
    { name: 'exists not', where: { exists: false }, holds: [null], fails: ['', 0, false] },
    {
      name: "text with a '",
      where: { equals: 'it\'s $p0 "x"' },
      holds: ['it\'s $p0 "x"'],
      fails: ['its'],
    },
  ])('$name', async ({ where, holds, fails }) => {
    const row = (value: unknown, key: number, user: string): EventRow => ({
      key,
      user,
      name: 'Status',
      event: value === null ? {} : { 'the value': value },
    })
    const events = [
      ...holds.map((value, i) => row(value, i, 'yes')),
      ...fails.map((value, i) => row(value, 100 + i, 'no')),
    ]
    const { rows } = await roll([events], conditional({ 'the value': where }))
    expect(rows.filter((r) => r.includes(' hit '))).toEqual([`u:yes hit ${DAY} ${holds.length}`])
  })

  it('holds with all others on one event', async () => {
    const mapping = conditional({ a: { equals: 1 }, b: { equals: 2 } })
    const events = [{ a: 1, b: 2 }, { a: 1 }, { b: 2 }].map((event, key) => ({
      key,
      user: 'ann',
      name: 'Status',
      event,
    }))
    expect((await roll([events], mapping)).rows).toContain(`u:ann hit ${DAY} 1`)
  })

  it('is not met by another event', async () => {
    const rows: EventRow[] = [{ key: 1, user: 'ann', name: 'Other', event: { a: 1 } }]
    expect((await roll([rows], conditional({ a: { equals: 1 } }))).rows).toEqual([
      `u:ann $any ${DAY} 1`,
    ])
  })
})

describe('an action', () => {
  const rows: readonly EventRow[] = [
    { key: 1, user: 'ann', name: 'A' },
    { key: 2, user: 'ann', name: 'B' },
  ]
  const mapping = usage({
    actions: {
      both: { label: 'X', family: 'usage', core: true, from: [{ event: 'A' }, { event: 'B' }] },
      also: { label: 'X', family: 'usage', core: true, from: [{ event: 'A' }] },
      only: { label: 'X', family: 'usage', from: [{ event: 'A', source: 'mixpanel' }] },
      never: { label: 'X', family: 'usage', from: [{ event: 'Z' }] },
    },
  })

  it('may come from several events, and an event may be several actions, core work once', async () => {
    expect((await roll([rows], mapping)).rows).toEqual([
      'u:ann $any 2026-09-01 2',
      'u:ann $core 2026-09-01 2',
      'u:ann also 2026-09-01 1',
      'u:ann both 2026-09-01 2',
    ])
  })

  it('may come from one source alone', async () => {
    const parts = (all: readonly (readonly LivePart[])[]) => all.flat()
    const { rows: told } = await roll([rows], mapping, [DAY], parts, 'mixpanel')
    expect(told).toContain('u:ann only 2026-09-01 1')
  })
})

it('as it was known at some time has what had arrived by then, each event by its copy of then', async () => {
  const at = (day: number) => `2026-09-0${day}T12:00:00Z`
  const rows: EventRow[] = [
    { key: 1, user: 'ann', at: at(1), arrived: at(1) },
    // A copy that arrived later says that it was somebody else.
    { key: 2, user: 'bob', at: at(1), arrived: at(2) },
    { key: 2, user: 'cyd', at: at(1), arrived: at(4) },
    { key: 3, user: 'ann', at: at(1), arrived: at(3) },
  ]
  const known = async (arrivedBy: string) => {
    const into = `${lake.dir}/known`
    const { id } = await lake.duck.connect(async (c) => {
      const live = await lake.store(c, rows)
      const options = { arrivedBy: new Date(arrivedBy), into }
      return writeRollup(c, lake.lakeDir, 'amplitude', [DAY], live, usage(), options)
    })
    if (id === null) return []
    const read = await lake.duck.connect((c) => c.rows(SELECT, { path: lakePath(into, id) }))
    expect(existsSync(lakePath(lake.lakeDir, id))).toBe(false)
    return read.map(told).filter((row) => row.includes('query_run'))
  }
  expect(await known('2026-09-01T11:59:59Z')).toEqual([])
  expect(await known(at(1))).toEqual(['u:ann query_run 2026-09-01 1'])
  expect(await known(at(3))).toEqual([
    'u:ann query_run 2026-09-01 2',
    'u:bob query_run 2026-09-01 1',
  ])
  expect(await known(at(4))).toEqual([
    'u:ann query_run 2026-09-01 2',
    'u:cyd query_run 2026-09-01 1',
  ])
})
