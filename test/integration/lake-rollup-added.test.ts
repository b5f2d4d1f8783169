import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MOST_DISTINCT } from '../../src/core/usage/rollup-sql.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { foldRollups, writeAddedRollup } from '../../src/infra/lake/rollup-added.ts'
import { ROLLUP_ROWS, writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { LivePart } from '../../src/infra/postgres/manifest.ts'
import { type EventRow, openTempLake, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const DAY = '2026-09-01'
const DAYS = [DAY, '2026-09-02']
const RUNS = 25
const kept = usage({
  actions: {
    ran: {
      label: 'Ran',
      family: 'usage',
      core: true,
      from: [{ event: 'Query Run' }],
      value: { of: 'event.rows', keep: ['sum', 'max', 'last', 'distinct'] },
    },
    opened: { label: 'Opened', family: 'usage', from: [{ event: 'Opened' }] },
  },
})

interface Rolled {
  /** The files of each day, which count together. */
  readonly parts: readonly LivePart[]
  readonly events: ReadonlyMap<string, number>
  readonly rebuilt: boolean
}

/** Adds one window after the other, and rebuilds the days where that has to be. */
async function addOneByOne(
  c: Connection,
  windows: readonly (readonly LivePart[])[],
): Promise<Rolled> {
  let parts: LivePart[] = []
  const events = new Map<string, number>()
  let rebuilt = false
  for (const [index, added] of windows.entries()) {
    const others = windows.slice(0, index).flat()
    const written = await writeAddedRollup(
      c,
      lake.lakeDir,
      'amplitude',
      { days: DAYS, added, others },
      kept,
    )
    const { id } = written
    if (id) for (const day of written.eventsByDay.keys()) parts.push({ fileId: id, partition: day })
    for (const [day, n] of written.eventsByDay) events.set(day, (events.get(day) ?? 0) + n)
    for (const day of written.differing) {
      rebuilt = true
      const whole = await writeRollup(
        c,
        lake.lakeDir,
        'amplitude',
        [day],
        [...others, ...added],
        kept,
      )
      parts = parts.filter((part) => part.partition !== day)
      if (whole.id) parts.push({ fileId: whole.id, partition: day })
      events.set(day, whole.eventsByDay.get(day) ?? 0)
    }
  }
  return { parts, events, rebuilt }
}

async function rowsOf(c: Connection, parts: readonly LivePart[], day: string): Promise<unknown> {
  const own = parts.filter((part) => part.partition === day)
  if (own.length === 0) return []
  const { id } = await foldRollups(c, lake.lakeDir, 'amplitude', own)
  if (id === null) return []
  return c.rows(
    `select * exclude (filename) replace (count::varchar as count, value_sum::varchar as value_sum,
       value_max::varchar as value_max, value_last::varchar as value_last)
     from ${ROLLUP_ROWS} order by profile, action`,
    { paths: [`${lake.lakeDir}/${id}.parquet`] },
  )
}

async function compare(batches: readonly (readonly EventRow[])[]): Promise<Rolled> {
  return lake.duck.connect(async (c) => {
    const windows: (readonly LivePart[])[] = []
    for (const [index, rows] of batches.entries()) {
      windows.push(
        await lake.store(
          c,
          rows.map((row) => ({ ...row, window: `w~${index}` })),
        ),
      )
    }
    const rolled = await addOneByOne(c, windows)
    for (const day of DAYS) {
      const whole = await writeRollup(c, lake.lakeDir, 'amplitude', [day], windows.flat(), kept)
      const parts = whole.id ? [{ fileId: whole.id, partition: day }] : []
      expect(await rowsOf(c, rolled.parts, day)).toEqual(await rowsOf(c, parts, day))
      expect(rolled.events.get(day) ?? 0).toBe(whole.eventsByDay.get(day) ?? 0)
    }
    return rolled
  })
}

const ran = (key: number, change: Partial<EventRow> = {}): EventRow => ({
  key,
  user: 'ann',
  at: `${DAY}T10:00:00Z`,
  event: { rows: key },
  ...change,
})

describe('windows that are added to a rollup', () => {
  it('leave what a rollup of all of them would hold, whatever comes when', async () => {
    const event = fc.record({
      key: fc.integer({ min: 1, max: 25 }),
      name: fc.constantFrom('Query Run', 'Opened', '$identify', 'Else'),
      at: fc.constantFrom(`${DAY}T10:00:00Z`, `${DAY}T11:00:00Z`, '2026-09-02T00:00:00Z'),
      arrived: fc.constantFrom('2026-09-02T10:00:00Z', '2026-09-02T11:00:00Z'),
      user: fc.constantFrom('ann', 'bob'),
      event: fc.record({ rows: fc.constantFrom(1, 2, '2.50', 'many') }),
    })
    const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 5 }), {
      minLength: 2,
      maxLength: 5,
    })
    let rebuilt = 0
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        if ((await compare(all)).rebuilt) rebuilt += 1
      }),
      { numRuns: RUNS, endOnFailure: true, seed: Number(process.env['RIPEN_TEST_SEED'] ?? 7) },
    )
    expect(rebuilt).toBeGreaterThan(0)
    expect(rebuilt).toBeLessThan(RUNS)
  }, 120_000)

  it('do not make the day anew for an event that is there already, word for word', async () => {
    const again = ran(1, { arrived: '2026-09-01T12:00:00Z' })
    expect(
      await compare([
        [ran(1), ran(2)],
        [again, ran(3)],
      ]),
    ).toMatchObject({ rebuilt: false })
  })

  it('make the day anew for a copy that says something else', async () => {
    const other = ran(1, { arrived: '2026-09-01T12:00:00Z', user: 'bob' })
    expect(
      await compare([
        [ran(1), ran(2)],
        [other, ran(3)],
      ]),
    ).toMatchObject({ rebuilt: true })
  })

  it('count twice when their rollups are equal', async () => {
    const { parts, events } = await compare([[ran(1, { event: {} })], [ran(2, { event: {} })]])
    expect(new Set(parts.map((part) => part.fileId)).size).toBe(2)
    expect(events.get(DAY)).toBe(2)
  })

  it('keep as many distinct values as one rollup does', async () => {
    const many = Array.from({ length: MOST_DISTINCT }, (_, index) => ran(index + 1))
    const more = Array.from({ length: 30 }, (_, index) => ran(1000 + index))
    await compare([many, more])
  })
})
