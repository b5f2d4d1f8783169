import type { Figure, Measured } from './figure.ts'

/** Lowest ratio that a row may have, by the row's name. */
export type Floors = Readonly<Record<string, number>>

/** One row of the report; `--json` prints exactly these keys. */
export interface ReportRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly baseline: number
  readonly ratio: number
  readonly floor: number
  readonly ok: boolean
}

/** Somebody asked for what is not there; the process exits with 2. */
export class WrongUseError extends Error {}

/**
 * The figures of these names, or all; each must have a floor.
 * @throws {WrongUseError} naming what is unknown and what is known.
 */
export function chooseFigures(
  names: readonly string[],
  figures: readonly Figure[],
  floors: Floors,
): readonly Figure[] {
  const known = figures.map((figure) => figure.name).join(', ')
  const unknown = names.filter((name) => !figures.some((figure) => figure.name === name))
  if (unknown.length > 0) {
    throw new WrongUseError(`there is no figure ${unknown.join(', ')}; known are ${known}`)
  }
  const chosen = figures.filter((figure) => names.length === 0 || names.includes(figure.name))
  for (const { name } of chosen) {
    if (floorNames(name, floors).length === 0) throw noFloor(name, floors)
  }
  return chosen
}

/**
 * Holds what a figure measured against its floors.
 * @throws {WrongUseError} when a row has no floor, or a floor has no row and so guards nothing.
 */
export function judge(
  figure: Pick<Figure, 'name' | 'unit'>,
  measured: readonly Measured[],
  floors: Floors,
): readonly ReportRow[] {
  const rows = measured.map((row) => judgeRow(row, row.unit ?? figure.unit, floors))
  const idle = floorNames(figure.name, floors).filter((n) => !rows.some((row) => row.name === n))
  if (idle.length > 0) {
    throw new WrongUseError(
      `floors.json names ${idle.join(', ')}, which ${figure.name} does not measure; it measures ${rows.map((row) => row.name).join(', ')}`,
    )
  }
  return rows
}

function judgeRow(row: Measured, unit: string, floors: Floors): ReportRow {
  const { name, value, baseline } = row
  const floor = Object.hasOwn(floors, name) ? floors[name] : undefined
  if (floor === undefined) throw noFloor(name, floors)
  const ratio = row.lessIsBetter ? baseline / value : value / baseline
  return {
    name,
    value: round(value),
    unit,
    baseline: round(baseline),
    ratio: round(ratio),
    floor,
    // Not `ratio < floor`: what is no number is not well.
    ok: Number.isFinite(ratio) && ratio >= floor,
  }
}

const floorNames = (figure: string, floors: Floors): string[] =>
  Object.keys(floors).filter((name) => name === figure || name.startsWith(`${figure}/`))

function noFloor(name: string, floors: Floors): WrongUseError {
  return new WrongUseError(
    `${name} has no entry in bench/floors.json; known are ${Object.keys(floors).join(', ')}`,
  )
}

/** 1 when a figure failed or lies below its floor, else 0. */
export function exitCode(rows: readonly ReportRow[], failures: number): 0 | 1 {
  return failures > 0 || rows.some((row) => !row.ok) ? 1 : 0
}

/** The report as the one array that `--json` promises. */
export function toJson(rows: readonly ReportRow[]): string {
  return `${JSON.stringify(rows, null, 2)}\n`
}

/** The report as a table. */
export function toTable(rows: readonly ReportRow[]): string {
  const head = ['name', 'value', 'unit', 'baseline', 'ratio', 'floor', 'ok']
  const body = rows.map((r) => [
    r.name,
    String(r.value),
    r.unit,
    String(r.baseline),
    String(r.ratio),
    String(r.floor),
    r.ok ? 'yes' : 'NO',
  ])
  const lines = [head, ...body]
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

/** The item in the middle once they stand in the order of `weigh`; of an even number, the lower one. */
export function middleBy<T>(items: readonly T[], weigh: (item: T) => number): T {
  const sorted = [...items].sort((a, b) => weigh(a) - weigh(b))
  const middle = sorted[(sorted.length - 1) >> 1]
  if (middle === undefined) throw new RangeError('there is no middle of nothing')
  return middle
}

/** Whole numbers from 1000 on, below that four digits that count. */
const round = (value: number): number =>
  Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4))
