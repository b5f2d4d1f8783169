import { describe, expect, it } from '@jest/globals'
import type { Figure } from '../../bench/figure.ts'
import {
  chooseFigures,
  exitCode,
  judge,
  middleBy,
  toJson,
  toTable,
  WrongUseError,
} from '../../bench/report.ts'

const figure = (name: string): Figure => ({ name, unit: 'events/s', run: async () => [] })
const FIGURES = [figure('ingest'), figure('score')]
const FLOORS = { 'ingest/vs-loop': 2, 'ingest/peak-rss': 1, 'score/vs-loop': 3 }
const RSS = { name: 'ingest/peak-rss', value: 512, baseline: 1024, unit: 'MB', lessIsBetter: true }

describe('choosing figures', () => {
  it.each([
    { name: 'takes all without names', names: [], want: ['ingest', 'score'] },
    { name: 'takes those that are named', names: ['score'], want: ['score'] },
    { name: 'takes a figure once', names: ['score', 'score'], want: ['score'] },
  ])('$name', ({ names, want }) => {
    expect(chooseFigures(names, FIGURES, FLOORS).map((f) => f.name)).toEqual(want)
  })

  it('refuses an unknown name and lists the known ones', () => {
    const choose = () => chooseFigures(['ingest', 'speed'], FIGURES, FLOORS)
    expect(choose).toThrow(WrongUseError)
    expect(choose).toThrow('there is no figure speed; known are ingest, score')
  })

  it('refuses a figure without a floor before anything runs', () => {
    const choose = () => chooseFigures([], FIGURES, { 'ingest/vs-loop': 2, 'scores/vs-loop': 3 })
    expect(choose).toThrow(WrongUseError)
    expect(choose).toThrow('score has no entry in bench/floors.json; known are ingest/vs-loop')
  })
})

describe('judging a row', () => {
  it.each([
    { name: 'is well above its floor', value: 500, ratio: 5, ok: true },
    { name: 'is well on its floor', value: 200, ratio: 2, ok: true },
    {
      name: 'is not well below, even where rounding would lift it',
      value: 199.999,
      ratio: 2,
      ok: false,
    },
    { name: 'is not well when it is no number', value: Number.NaN, ratio: Number.NaN, ok: false },
  ])('$name', ({ value, ratio, ok }) => {
    const rows = judge(
      figure('ingest'),
      [{ name: 'ingest/vs-loop', value, baseline: 100 }, RSS],
      FLOORS,
    )
    expect(rows[0]).toMatchObject({ unit: 'events/s', baseline: 100, ratio, floor: 2, ok })
  })

  it('turns the ratio round where less is better', () => {
    const judged = (value: number) =>
      judge(figure('ingest'), [{ ...RSS, value }], { 'ingest/peak-rss': 1 })
    expect(judged(512)).toMatchObject([{ unit: 'MB', ratio: 2, ok: true }])
    expect(judged(2048)).toMatchObject([{ unit: 'MB', ratio: 0.5, ok: false }])
  })

  it('refuses a row without a floor', () => {
    const measured = [{ name: 'ingest/vs-rust', value: 1, baseline: 1 }]
    expect(() => judge(figure('ingest'), measured, FLOORS)).toThrow(
      'ingest/vs-rust has no entry in bench/floors.json',
    )
  })

  it('refuses a floor that guards nothing', () => {
    const measured = [{ name: 'ingest/vs-loop', value: 3, baseline: 1 }]
    expect(() => judge(figure('ingest'), measured, FLOORS)).toThrow(
      'floors.json names ingest/peak-rss, which ingest does not measure',
    )
  })
})

describe('the report', () => {
  const rows = judge(
    figure('ingest'),
    [{ name: 'ingest/vs-loop', value: 123_456.78, baseline: 50_000.4 }, RSS],
    FLOORS,
  )

  it('is one array with exactly the promised keys as JSON', () => {
    expect(JSON.parse(toJson(rows))).toEqual([
      {
        name: 'ingest/vs-loop',
        value: 123_457,
        unit: 'events/s',
        baseline: 50_000,
        ratio: 2.469,
        floor: 2,
        ok: true,
      },
      {
        name: 'ingest/peak-rss',
        value: 512,
        unit: 'MB',
        baseline: 1024,
        ratio: 2,
        floor: 1,
        ok: true,
      },
    ])
  })

  it('is an empty array when nothing was measured', () => {
    expect(toJson([])).toBe('[]\n')
  })

  it('is a table with one line for each row', () => {
    const lines = toTable(rows).split('\n')
    expect(lines[0]).toMatch(/^name +value +unit +baseline +ratio +floor +ok$/)
    expect(lines[1]).toMatch(/^ingest\/vs-loop +123457 +events\/s +50000 +2.469 +2 +yes$/)
    expect(lines).toHaveLength(4)
  })

  it.each([
    { name: 'ends with 0 when all is well', ok: true, failures: 0, want: 0 },
    { name: 'ends with 1 below a floor', ok: false, failures: 0, want: 1 },
    { name: 'ends with 1 when a figure failed', ok: true, failures: 1, want: 1 },
  ])('$name', ({ ok, failures, want }) => {
    const [row] = rows
    expect(exitCode(row ? [{ ...row, ok }] : [], failures)).toBe(want)
  })
})

it.each([
  { values: [3, 1, 2], want: 2 },
  { values: [4, 1, 2, 3], want: 2 },
  { values: [7], want: 7 },
])('the middle of $values is $want', ({ values, want }) => {
  expect(middleBy(values, (value) => value)).toBe(want)
})

it('there is no middle of nothing', () => {
  expect(() => middleBy([], Number)).toThrow(RangeError)
})
