import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeRollup } from '../../src/infra/lake/rollup-file.ts'
import { createRollupTable, type RollupTable } from '../../src/infra/lake/rollup-table.ts'
import {
  addMembers,
  clearMembers,
  loadHeldUsage,
  loadUsage,
  type SourcePart,
} from '../../src/infra/lake/usage-table.ts'
import { openTempLake, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const DAYS = ['2026-09-01', '2026-09-02', '2026-09-03']
const PLAN = usage({
  actions: {
    query_run: {
      label: 'Query Run',
      family: 'usage',
      core: true,
      from: [{ event: 'Query Run' }],
      value: { of: 'event.rows', keep: ['sum', 'distinct'] },
    },
  },
})
const MEMBERS = [
  { source: 'amplitude', profile: 'u:ann', person: 0, account: 1 },
  { source: 'amplitude', profile: 'u:bob', person: 1, account: null },
  // The same id means somebody else elsewhere.
  { source: 'mixpanel', profile: 'u:ann', person: 2, account: 1 },
]
const ASK = {
  actions: [
    { name: '$any', fromDay: 0 },
    { name: 'query_run', fromDay: Date.parse('2026-09-02') / 86_400_000 },
  ],
  withValues: true,
}

let key = 0
/** A rollup of three days in one file. */
async function rolledUp(source: string): Promise<SourcePart[]> {
  const rows = DAYS.flatMap((day) =>
    ['ann', 'bob', 'cyd'].map((user) => ({
      key: key++,
      user,
      at: `${day}T1${key % 10}:00:00Z`,
      event: { rows: key },
    })),
  )
  return lake.duck.connect(async (c) => {
    const live = await lake.store(c, rows, source)
    const { id } = await writeRollup(c, lake.lakeDir, source, DAYS, live, PLAN)
    return DAYS.map((partition) => ({ source, fileId: id ?? '', partition }))
  })
}

const ROWS = 'select columns(*)::varchar from usage order by all'

async function fromFiles(parts: readonly SourcePart[]) {
  return lake.duck.connect(async (c) => {
    await clearMembers(c)
    await addMembers(c, MEMBERS)
    await loadUsage(c, { dir: lake.lakeDir, parts }, ASK)
    return c.rows(ROWS)
  })
}

async function held(table: RollupTable, parts: readonly SourcePart[]) {
  return lake.duck.connect(async (c) => {
    const files = await table.hold(c, { dir: lake.lakeDir, parts })
    if (files === null) return null
    await clearMembers(c)
    await addMembers(c, MEMBERS)
    await loadHeldUsage(c, { dir: lake.lakeDir, parts }, ASK, files)
    return c.rows(ROWS)
  })
}

const countHeld = async () => {
  const [row] = await lake.duck.connect((c) =>
    c.rows('select count(*)::double as n from held_rollup'),
  )
  return Number(row?.['n'])
}

describe('rollups that are held', () => {
  it('say what their files say, whichever files and days come and go', async () => {
    const table = createRollupTable()
    const [a, b, c] = [
      await rolledUp('amplitude'),
      await rolledUp('amplitude'),
      await rolledUp('mixpanel'),
    ]
    const looks = [[...a, ...c], [...a, ...b, ...c], [...b.slice(1), ...a.slice(0, 1)], [...c], a]
    for (const parts of looks) {
      const rows = await held(table, parts)
      expect(rows?.length).toBeGreaterThan(0)
      expect(rows).toEqual(await fromFiles(parts))
    }
  })

  it('are no more than twice the rows of the live files, however often these are replaced', async () => {
    const table = createRollupTable()
    const first = await rolledUp('amplitude')
    await held(table, first)
    const one = await countHeld()
    for (let n = 0; n < 5; n++) {
      await held(table, await rolledUp('amplitude'))
      expect(await countHeld()).toBeLessThanOrEqual(2 * one)
    }
  })

  it('are not held when they are too many, and held again when they are fewer', async () => {
    const [a, b] = [await rolledUp('amplitude'), await rolledUp('amplitude')]
    await held(createRollupTable(), a)
    const table = createRollupTable(await countHeld())
    expect(await held(table, a)).toEqual(await fromFiles(a))
    expect(await held(table, [...a, ...b])).toBeNull()
    expect(await held(table, b)).toEqual(await fromFiles(b))
  })
})
