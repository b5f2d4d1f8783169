import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Evidence } from '../../src/core/scoring/features.ts'
import type { SignalWindow } from '../../src/core/scoring/signal-windows.ts'
import { loadUsage, type Membership, readEvidence } from '../../src/infra/lake/features-reader.ts'
import { writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { LivePart } from '../../src/infra/postgres/manifest.ts'
import { type EventRow, openTempLake, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

interface Stored {
  readonly source: string
  readonly rows: readonly EventRow[]
}
type SourcePart = LivePart & { readonly source: string }

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

const MEMBERS: readonly Membership[] = [
  { source: 'amplitude', profile: 'u:ann', personId: 'per_ann', accountId: 'acc_acme' },
  { source: 'amplitude', profile: 'd:x', personId: 'per_ann', accountId: 'acc_acme' },
  { source: 'mixpanel', profile: 'u:7', personId: 'per_ann', accountId: 'acc_acme' },
  { source: 'amplitude', profile: 'u:bob', personId: 'per_bob', accountId: 'acc_acme' },
  { source: 'amplitude', profile: 'u:cyd', personId: 'per_cyd', accountId: null },
]

async function evidenceOf(
  stored: readonly Stored[],
  subject: 'person' | 'account',
  windows: readonly SignalWindow[],
  asOf: string,
  pick: (parts: readonly SourcePart[]) => readonly SourcePart[] = (parts) => parts,
  members = MEMBERS,
) {
  const parts = (await Promise.all(stored.map(rollUp))).flat()
  return lake.duck.connect(async (c) => {
    await loadUsage(c, lake.lakeDir, pick(parts), members)
    return readEvidence(c, subject, windows, new Date(asOf))
  })
}

const any: SignalWindow = {
  signal: 'any',
  action: '$any',
  fromDay: '0001-01-01',
  toDay: '2026-09-30',
}
const NOW = '2026-09-30T00:00:00Z'
let key = 0
const used = (user: string, at: string, name = 'Query Run'): EventRow => ({
  key: key++,
  name,
  user,
  at,
})
const amplitude = (...rows: EventRow[]): Stored => ({ source: 'amplitude', rows })

const short = (evidence: Evidence | undefined) =>
  evidence && [
    evidence.count,
    evidence.days,
    evidence.firstAt.toISOString(),
    evidence.lastAt.toISOString(),
  ]

describe('the evidence of a person', () => {
  it('is that of all her ids in all sources, days counted once', async () => {
    const evidence = await evidenceOf(
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
      'person',
      [any],
      NOW,
    )
    expect([...evidence.keys()]).toEqual(['per_ann'])
    expect(short(evidence.get('per_ann')?.get('any'))).toEqual([
      5,
      3,
      '2026-09-01T09:00:00.000Z',
      '2026-09-03T08:00:00.000Z',
    ])
  })

  it('holds each signal by its own action', async () => {
    const windows = [
      { ...any, signal: 'queries', action: 'query_run' },
      { ...any, signal: 'opens', action: 'opened' },
      { ...any, signal: 'core', action: '$core' },
      { ...any, signal: 'again', action: 'query_run' },
      { ...any, signal: 'never', action: 'nothing' },
      any,
    ]
    const stored = amplitude(
      used('ann', '2026-09-01T10:00:00Z'),
      used('ann', '2026-09-01T11:00:00Z', 'Opened'),
      used('ann', '2026-09-01T12:00:00Z', 'Opened'),
    )
    const own = (await evidenceOf([stored], 'person', windows, NOW)).get('per_ann')
    const counts = [...(own ?? [])].map(([signal, e]) => [signal, e.count]).sort()
    expect(counts).toEqual([
      ['again', 1],
      ['any', 3],
      ['core', 1],
      ['opens', 2],
      ['queries', 1],
    ])
  })

  it('is nobody’s for an id that belongs to nobody', async () => {
    const stored = amplitude(used('stranger', '2026-09-01T10:00:00Z'))
    expect((await evidenceOf([stored], 'person', [any], NOW)).size).toBe(0)
  })

  it('is not that of the same id in another source', async () => {
    const stored = { source: 'mixpanel', rows: [used('ann', '2026-09-01T10:00:00Z')] }
    expect((await evidenceOf([stored], 'person', [any], NOW)).size).toBe(0)
  })
})

describe('the evidence of an account', () => {
  const stored = amplitude(
    used('ann', '2026-09-01T10:00:00Z'),
    used('bob', '2026-09-01T12:00:00Z'),
    used('cyd', '2026-09-01T12:00:00Z'),
  )

  it('is that of its people together', async () => {
    const evidence = await evidenceOf([stored], 'account', [any], NOW)
    expect([...evidence.keys()]).toEqual(['acc_acme'])
    expect(short(evidence.get('acc_acme')?.get('any'))).toEqual([
      2,
      1,
      '2026-09-01T10:00:00.000Z',
      '2026-09-01T12:00:00.000Z',
    ])
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
    { fromDay: '2026-09-02', toDay: '2026-09-04', asOf: NOW, count: 2 },
    { fromDay: '2026-09-01', toDay: '2026-09-02', asOf: NOW, count: 1 },
    { fromDay: '2026-09-04', toDay: '2026-09-05', asOf: NOW, count: 1 },
    { fromDay: '2026-09-05', toDay: '2026-09-30', asOf: NOW, count: undefined },
    { fromDay: '0001-01-01', toDay: '2026-09-30', asOf: '2026-09-04T00:00:00Z', count: 3 },
    { fromDay: '0001-01-01', toDay: '2026-09-30', asOf: '2026-09-02T00:00:00Z', count: 1 },
    { fromDay: '0001-01-01', toDay: '2026-09-30', asOf: '2026-09-01T23:00:00Z', count: undefined },
  ])('of $fromDay to $toDay, as of $asOf, holds $count', async ({ asOf, count, ...days }) => {
    const evidence = await evidenceOf([stored], 'person', [{ ...any, ...days }], asOf)
    expect(evidence.get('per_ann')?.get('any')?.count).toBe(count)
  })
})

describe('a day that is not live', () => {
  it('does not count, though its file is read for another day', async () => {
    const stored = amplitude(
      used('ann', '2026-09-01T10:00:00Z'),
      used('ann', '2026-09-02T10:00:00Z'),
      used('ann', '2026-09-02T11:00:00Z'),
    )
    const evidence = await evidenceOf([stored], 'person', [any], NOW, (parts) =>
      parts.filter((part) => part.partition === '2026-09-02'),
    )
    expect(evidence.get('per_ann')?.get('any')?.count).toBe(2)
  })

  it('leaves nothing when there is no other', async () => {
    const stored = amplitude(used('ann', '2026-09-01T10:00:00Z'))
    expect((await evidenceOf([stored], 'person', [any], NOW, () => [])).size).toBe(0)
  })
})
