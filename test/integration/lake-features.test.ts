import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Evidence } from '../../src/core/scoring/features.ts'
import { EVER_DAYS, type Need } from '../../src/core/scoring/needs.ts'
import { writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { Membership, SourcePart } from '../../src/infra/lake/usage-table.ts'
import { type EventRow, openTempLake, type TempLake, usage } from '../support/lake-temp.ts'
import { type Asking, askUsage, need } from '../support/usage-answers.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

interface Stored {
  readonly source: string
  readonly rows: readonly EventRow[]
}

const dayOf = (row: EventRow) => (row.at ?? '').slice(0, 10)

/** Rolls up what each source holds, and says which days of it are live. */
async function rollUp({ source, rows }: Stored): Promise<SourcePart[]> {
  const days = [...new Set(rows.map(dayOf))]
  return lake.duck.connect(async (c) => {
    const live = await lake.store(c, rows, source)
    const { id } = await writeRollup(c, lake.lakeDir, source, days, live, usage())
    return days.map((partition) => ({ source, fileId: id ?? '', partition }))
  })
}

const [ANN, BOB, CYD] = [0, 1, 2]
const ACME = 1
const MEMBERS: readonly Membership[] = [
  { source: 'amplitude', profile: 'u:ann', person: ANN, account: ACME },
  { source: 'amplitude', profile: 'd:x', person: ANN, account: ACME },
  { source: 'mixpanel', profile: 'u:7', person: ANN, account: ACME },
  { source: 'amplitude', profile: 'u:bob', person: BOB, account: ACME },
  { source: 'amplitude', profile: 'u:cyd', person: CYD, account: null },
]

const NOW = '2026-09-30T00:00:00Z'

async function ask(
  stored: readonly Stored[],
  asking: Partial<Asking> & Pick<Asking, 'needs'>,
  pick: (parts: readonly SourcePart[]) => readonly SourcePart[] = (parts) => parts,
) {
  const parts = pick((await Promise.all(stored.map(rollUp))).flat())
  const all = { dir: lake.lakeDir, parts, members: MEMBERS, asOf: NOW, ...asking }
  return lake.duck.connect((c) => askUsage(c, all))
}

let key = 0
const used = (user: string, at: string, name = 'Query Run'): EventRow => ({
  key: key++,
  name,
  user,
  at,
})
const amplitude = (...rows: EventRow[]): Stored => ({ source: 'amplitude', rows })
const on = (...days: number[]): Stored =>
  amplitude(...days.map((day) => used('ann', `2026-09-${String(day).padStart(2, '0')}T10:00:00Z`)))

const ms = (iso: string) => Date.parse(iso)

describe('the evidence of a person', () => {
  it('is that of all her ids in all sources, days counted once', async () => {
    const answers = await ask(
      [
        amplitude(used('ann', '2026-09-01T10:00:00Z'), used('ann', '2026-09-02T11:00:00Z'), {
          key: 900,
          device: 'x',
          at: '2026-09-01T09:00:00Z',
        }),
        {
          source: 'mixpanel',
          rows: [used('7', '2026-09-02T12:00:00Z'), used('7', '2026-09-03T08:00:00Z')],
        },
      ],
      { needs: [need('query_run')] },
    )
    expect([...answers.subjects]).toEqual([ANN])
    expect(answers.evidence(ANN, 0)).toEqual({
      count: 5,
      days: 3,
      firstAt: ms('2026-09-01T09:00:00Z'),
      lastAt: ms('2026-09-03T08:00:00Z'),
    })
  })

  it('is asked by action, and absent without a row', async () => {
    const stored = amplitude(
      used('ann', '2026-09-02T10:00:00Z'),
      used('ann', '2026-09-02T11:00:00Z', 'Opened'),
      used('ann', '2026-09-02T12:00:00Z', 'Opened'),
    )
    const needs = [need('query_run'), need('opened'), need('nothing')]
    const answers = await ask([stored], { needs })
    expect(needs.map((_, place) => answers.evidence(ANN, place)?.count)).toEqual([1, 2, undefined])
  })

  it('is nobody’s for an id that belongs to nobody', async () => {
    const stored = amplitude(used('stranger', '2026-09-02T10:00:00Z'))
    expect((await ask([stored], { needs: [] })).subjects).toHaveLength(0)
  })

  it('is not that of the same id in another source', async () => {
    const stored = { source: 'mixpanel', rows: [used('ann', '2026-09-02T10:00:00Z')] }
    expect((await ask([stored], { needs: [] })).subjects).toHaveLength(0)
  })
})

describe('the evidence of an account', () => {
  it('is that of its people together', async () => {
    const stored = amplitude(
      used('ann', '2026-09-02T10:00:00Z'),
      used('bob', '2026-09-02T12:00:00Z'),
      used('bob', '2026-09-03T12:00:00Z'),
      used('cyd', '2026-09-02T12:00:00Z'),
    )
    const needs = [need('query_run', { people: true })]
    const answers = await ask([stored], { subject: 'account', needs })
    expect([...answers.subjects]).toEqual([ACME])
    expect(answers.evidence(ACME, 0)).toEqual({
      count: 3,
      days: 2,
      people: 2,
      firstAt: ms('2026-09-02T10:00:00Z'),
      lastAt: ms('2026-09-03T12:00:00Z'),
    })
  })
})

describe('a measure', () => {
  const cases: {
    readonly name: string
    readonly days: readonly number[]
    readonly need: Partial<Need>
    readonly asOf?: string
    readonly want: Partial<Evidence> | undefined
  }[] = [
    {
      name: 'first-ever knows the first use before the window',
      days: [1, 20],
      need: { days: 15, ever: true },
      want: { count: 1, everAt: ms('2026-09-01T10:00:00Z') },
    },
    {
      name: 'first-ever is told where nothing lies within the window',
      days: [1],
      need: { days: 15, ever: true },
      want: { count: 0, days: 0, firstAt: null, everAt: ms('2026-09-01T10:00:00Z') },
    },
    {
      name: 'count has no evidence where all lies before the window',
      days: [1],
      need: { days: 15 },
      want: undefined,
    },
    {
      name: 'streak is the longest run of days',
      days: [1, 2, 5, 6, 7, 20],
      need: { streak: true },
      want: { days: 6, streak: 3 },
    },
    {
      name: 'streak does not reach out of the window',
      days: [13, 14, 15, 16, 17],
      need: { days: 15, streak: true },
      want: { streak: 3 },
    },
    {
      name: 'week is the fullest seven days in a row',
      days: [1, 7, 8, 8, 9, 20],
      need: { week: true },
      want: { week: 4, weekDays: 3 },
    },
    {
      name: 'velocity tells the period before the window apart',
      days: [1, 2, 2, 25, 29],
      need: { days: 10, against: 20 },
      asOf: '2026-09-30T00:00:00Z',
      want: { count: 2, earlier: 3, earlierFirstAt: ms('2026-09-01T10:00:00Z') },
    },
    {
      name: 'velocity leaves out what lies before the period before',
      days: [1, 14, 29],
      need: { days: 10, against: 10 },
      want: { count: 1, earlier: 1, earlierFirstAt: ms('2026-09-14T10:00:00Z') },
    },
    {
      name: 'count fades by half in a half-life, and that of the last day is whole',
      days: [29, 29, 22, 15],
      need: { fade: { of: 'count', halfLife: 7 } },
      want: { count: 4, faded: 2.75 },
    },
    {
      name: 'active days fade each for itself, rounded to a billionth',
      days: [29, 29, 28],
      need: { fade: { of: 'active-days', halfLife: 7 } },
      want: { days: 2, faded: 1.905723664 },
    },
    {
      name: 'days are counted in a window of several words',
      days: [1, 2, 2, 29],
      need: { days: 365 },
      want: { count: 4, days: 3 },
    },
    {
      name: 'days are counted in a window longer than any history',
      days: [1, 2, 2, 29],
      need: { days: EVER_DAYS },
      want: { count: 4, days: 3 },
    },
  ]
  it.each(cases)('$name', async ({ days, need: asked, asOf = NOW, want }) => {
    const answers = await ask([on(...days)], { needs: [need('query_run', asked)], asOf })
    const told = answers.evidence(ANN, 0)
    if (want === undefined) expect(told).toBeUndefined()
    else expect(told).toMatchObject(want)
  })

  it('of days is the same for ids and sources in any number', async () => {
    const rows = [used('ann', '2026-09-20T10:00:00Z'), used('ann', '2026-09-21T10:00:00Z')]
    const device = { key: 901, device: 'x', at: '2026-09-21T23:00:00Z' }
    const other = { source: 'mixpanel', rows: [used('7', '2026-09-22T08:00:00Z')] }
    const needs = [
      need('query_run', { streak: true, week: true, fade: { of: 'count', halfLife: 1 } }),
    ]
    const answers = await ask([amplitude(...rows, device), other], {
      needs,
      asOf: '2026-09-23T00:00:00Z',
    })
    expect(answers.evidence(ANN, 0)).toMatchObject({
      days: 3,
      streak: 3,
      week: 4,
      weekDays: 3,
      faded: 2.25,
    })
  })
})

describe('a window', () => {
  const stored = amplitude(
    used('ann', '2026-09-01T23:59:59.999Z'),
    used('ann', '2026-09-02T00:00:00Z'),
    used('ann', '2026-09-03T23:59:59.999Z'),
    used('ann', '2026-09-04T00:00:00Z'),
  )
  it.each([
    { days: 2, asOf: '2026-09-04T00:00:00Z', count: 2 },
    { days: 2, asOf: '2026-09-04T00:00:01Z', count: 2 },
    { days: 1, asOf: '2026-09-02T00:00:00Z', count: 1 },
    { days: 1, asOf: '2026-09-05T00:00:00Z', count: 1 },
    { days: 9, asOf: '2026-09-04T00:00:00Z', count: 3 },
    { days: 9, asOf: '2026-09-02T00:00:00Z', count: 1 },
    { days: 9, asOf: '2026-09-01T23:00:00Z', count: undefined },
  ])('of $days days, as of $asOf, holds $count', async ({ days, asOf, count }) => {
    const answers = await ask([stored], { needs: [need('query_run', { days })], asOf })
    expect(answers.evidence(ANN, 0)?.count).toBe(count)
  })
})

describe('activity', () => {
  it('is that of any action, by the last 30, 14 and the 14 days before', async () => {
    const answers = await ask([on(1, 5, 6, 20, 20, 29)], {
      needs: [],
      asOf: '2026-10-02T00:00:00Z',
    })
    expect(answers.activity(ANN)).toEqual({
      firstAt: ms('2026-09-01T10:00:00Z'),
      lastAt: ms('2026-09-29T10:00:00Z'),
      days30: 4,
      first30At: ms('2026-09-05T10:00:00Z'),
      recent: 3,
      recentFirstAt: ms('2026-09-20T10:00:00Z'),
      earlier: 2,
      earlierFirstAt: ms('2026-09-05T10:00:00Z'),
    })
  })

  it('is nobody’s who did nothing before', async () => {
    const answers = await ask([on(5)], { needs: [], asOf: '2026-09-05T00:00:00Z' })
    expect(answers.activity(ANN)).toBeNull()
  })
})

describe('core work', () => {
  it('is told by window, with the window before', async () => {
    const opened = amplitude(used('ann', '2026-09-25T10:00:00Z', 'Opened'))
    const answers = await ask([on(10, 12, 21, 21, 29), opened], { needs: [], windows: [10, 20] })
    expect(Object.fromEntries(answers.core(ANN))).toEqual({
      10: {
        days: 2,
        firstAt: ms('2026-09-21T10:00:00Z'),
        earlierDays: 2,
        earlierFirstAt: ms('2026-09-10T10:00:00Z'),
      },
      20: { days: 4, firstAt: ms('2026-09-10T10:00:00Z'), earlierDays: 0, earlierFirstAt: null },
    })
    expect(answers.core(BOB).get(10)).toEqual({
      days: 0,
      firstAt: null,
      earlierDays: 0,
      earlierFirstAt: null,
    })
  })
})

describe('a day that is not live', () => {
  it('does not count, though its file is read for another day', async () => {
    const stored = amplitude(
      used('ann', '2026-09-01T10:00:00Z'),
      used('ann', '2026-09-02T10:00:00Z'),
      used('ann', '2026-09-02T11:00:00Z'),
    )
    const answers = await ask([stored], { needs: [need('query_run')] }, (parts) =>
      parts.filter((part) => part.partition === '2026-09-02'),
    )
    expect(answers.evidence(ANN, 0)?.count).toBe(2)
  })

  it('leaves nothing when there is no other', async () => {
    const stored = amplitude(used('ann', '2026-09-01T10:00:00Z'))
    expect((await ask([stored], { needs: [] }, () => [])).subjects).toHaveLength(0)
  })
})
