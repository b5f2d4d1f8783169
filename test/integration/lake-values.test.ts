import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { MOST_DISTINCT } from '../../src/core/usage/rollup-sql.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { lakePath } from '../../src/infra/lake/paths.ts'
import { mergeRollups, writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { LivePart } from '../../src/infra/postgres/manifest.ts'
import { type EventRow, openTempLake, type TempLake, usage } from '../support/lake-temp.ts'
import { askUsage, need } from '../support/usage-answers.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const DAYS = ['2026-09-01', '2026-09-02', '2026-09-03']

const keeping = (...keep: string[]) =>
  usage({
    actions: {
      ran: {
        label: 'Ran',
        family: 'usage',
        from: [{ event: 'Query Run' }],
        value: { of: 'event.rows', keep },
      },
    },
  })
const all = keeping('sum', 'max', 'last', 'distinct')

let key = 0
const ran = (rows: unknown, at = '2026-09-01T10:00:00Z', user = 'ann'): EventRow => ({
  key: key++,
  user,
  at,
  window: at.slice(0, 13),
  event: rows === undefined ? {} : { rows, other: key },
})

/** Rolls up each group of days for itself, as one file each. */
async function rollUp(
  c: Connection,
  live: readonly LivePart[],
  groups: readonly (readonly string[])[],
  mapping = all,
): Promise<LivePart[]> {
  const parts: LivePart[] = []
  for (const days of groups) {
    const { id } = await writeRollup(c, lake.lakeDir, 'amplitude', days, live, mapping)
    if (id) parts.push(...days.map((partition) => ({ fileId: id, partition })))
  }
  return parts
}

async function evidenceOf(c: Connection, parts: readonly LivePart[]): Promise<Evidence> {
  const answers = await askUsage(c, {
    dir: lake.lakeDir,
    parts: parts.map((part) => ({ ...part, source: 'amplitude' })),
    members: [{ source: 'amplitude', profile: 'u:ann', person: 0, account: null }],
    needs: [need('ran', { value: true, fade: { of: 'sum', halfLife: 1 } })],
    asOf: '2026-09-30T00:00:00Z',
  })
  const evidence = answers.evidence(0, 0)
  if (!evidence) throw new Error('no evidence')
  return evidence
}

const keptOf = (rows: readonly EventRow[], mapping = all) =>
  lake.duck.connect(async (c) => {
    const parts = await rollUp(c, await lake.store(c, rows), [DAYS], mapping)
    return (await evidenceOf(c, parts)).value
  })

describe('the value of an action', () => {
  it('is kept as sum, greatest, last and distinct, over all days', async () => {
    const value = await keptOf([
      ran(5, '2026-09-01T10:00:00Z'),
      ran('7.25', '2026-09-02T08:00:00Z'),
      ran(5, '2026-09-02T07:00:00Z'),
      ran(100, '2026-09-02T07:30:00Z', 'bob'),
    ])
    expect(value).toEqual({
      sum: 17.25,
      max: 7.25,
      last: 7.25,
      lastAt: Date.parse('2026-09-02T08:00:00Z'),
      distinct: 2,
      isCapped: false,
    })
  })

  it('is kept only as the plan says', async () => {
    const rows = [ran(5), ran(6)]
    const none = { sum: null, max: null, last: null, lastAt: null, distinct: null, isCapped: false }
    expect(await keptOf(rows, keeping('sum'))).toEqual({ ...none, sum: 11 })
    expect(await keptOf(rows, keeping('distinct'))).toEqual({ ...none, distinct: 2 })
    expect(await keptOf(rows, usage({ actions: noValue }))).toBeUndefined()
  })

  it('that is no number counts as text alone', async () => {
    const value = await keptOf([ran('many'), ran(undefined), ran(3)])
    expect(value).toMatchObject({ sum: 3, max: 3, last: 3, distinct: 2 })
  })

  it('adds up exactly', async () => {
    const rows = [0.1, 0.2, 1e15, -1e15, 0.3].map((n) => ran(n))
    expect(await keptOf(rows)).toMatchObject({ sum: 0.6 })
  })

  it('of two events at one instant is the greater one', async () => {
    const rows = [ran(2), ran(9), ran(4)]
    expect(await keptOf(rows)).toMatchObject({ last: 9 })
    expect(await keptOf([...rows].reverse())).toMatchObject({ last: 9 })
  })

  it.each([
    { n: MOST_DISTINCT, isCapped: false },
    { n: MOST_DISTINCT + 1, isCapped: true },
  ])('with $n distinct values a day tells whether there may be more', async ({ n, isCapped }) => {
    const rows = Array.from({ length: n }, (_, i) => ran(`v${i}`))
    expect(await keptOf(rows)).toMatchObject({ distinct: MOST_DISTINCT, isCapped })
  })

  it('is null in rollups from before values were kept', async () => {
    const file = 'amplitude-rollup-old'
    const evidence = await lake.duck.connect(async (c) => {
      await c.run(
        `copy (select 'u:ann' as profile, 'ran' as action, date '2026-09-01' as day, 3::bigint as count,
           timestamp '2026-09-01 10:00:00' as first_at, timestamp '2026-09-01 10:00:00' as last_at)
         to '${lakePath(lake.lakeDir, file)}' (format parquet)`,
      )
      return evidenceOf(c, [{ fileId: file, partition: '2026-09-01' }])
    })
    expect(evidence).toMatchObject({ count: 3 })
    expect(evidence.value).toBeUndefined()
  })
})

const noValue = { ran: { label: 'Ran', family: 'usage', from: [{ event: 'Query Run' }] } }

it('rollups are the same however events lie in files, and days are rebuilt and merged', async () => {
  const event = fc.record({
    day: fc.constantFrom(...DAYS),
    hour: fc.integer({ min: 0, max: 23 }),
    rows: fc.oneof(
      fc.integer({ min: -1000, max: 1000 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom('a', 'b'),
    ),
    file: fc.nat(2),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 25 }), async (events) => {
      const rows = events.map(({ day, hour, rows, file }, i) => ({
        ...ran(rows, `${day}T${String(hour).padStart(2, '0')}:00:00Z`),
        key: i,
        window: `file ${file}`,
      }))
      const ids = await lake.duck.connect(async (c) => {
        const together = await rollUp(c, await lake.store(c, rows), [DAYS])
        const live: LivePart[] = []
        for (const file of [2, 0, 1]) {
          const some = rows.filter(({ window }) => window === `file ${file}`)
          if (some.length > 0) live.push(...(await lake.store(c, some.reverse())))
        }
        const alone = await rollUp(
          c,
          live,
          DAYS.map((day) => [day]),
        )
        const merged = await mergeRollups(c, lake.lakeDir, 'amplitude', alone)
        return [together[0]?.fileId, merged.id]
      })
      expect(ids[1]).toBe(ids[0])
    }),
    { numRuns: 20 },
  )
})
