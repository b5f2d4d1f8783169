import type { Need } from '../scoring/needs.ts'
import {
  asksForDays,
  DAY_ROW,
  type FeaturePlan,
  type FeatureTime,
  type ReadAction,
} from './feature-sql.ts'
import { ANY_ACTION, CORE_ACTION } from './rollup-sql.ts'

/** How many times, on how many days, first and last, on days in [from, to): columns by subject. */
export interface Slice {
  readonly from: number
  readonly to: number
  readonly count: Float64Array
  readonly days: Float64Array
  /** `NaN` for none. */
  readonly firstAt: Float64Array
  readonly lastAt: Float64Array
}

/** What one subject did on each day, in the order of days. */
export interface Days {
  readonly days: readonly number[]
  readonly counts: readonly number[]
  readonly sums: readonly number[]
}

/** Day rows of many subjects, added up for every window that a plan asks for. */
export interface DayTotals {
  /** Subjects by their row in the columns. */
  readonly subjects: Float64Array
  /** Row of each subject. */
  readonly rows: ReadonlyMap<number, number>
  readonly ever: Slice
  readonly month: Slice
  readonly recent: Slice
  readonly earlier: Slice
  readonly needs: readonly NeedSlices[]
  /** Core work by the plan's windows: within, and in the window before. */
  readonly windows: readonly { readonly now: Slice; readonly before: Slice }[]
}

/** The slices of one need; null where it does not ask. */
export interface NeedSlices {
  readonly within: Slice
  readonly before: Slice | null
  readonly ever: Slice | null
  /** By row; null where nobody asks for single days. */
  readonly lists: readonly (Days | undefined)[] | null
}

/** All history, in days since 1970. */
const FIRST_DAY = -1_000_000

/**
 * Adds day rows up, in any order of them: columns as `dayRowsSql` yields them, one row for each
 * subject, action and day.
 */
export function addDays(
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  { endDay }: FeatureTime,
  columns: readonly Float64Array[],
): DayTotals {
  const { subjects, rows, places } = numbered(columns[DAY_ROW.subject] ?? new Float64Array(0))
  const numbers = new Map(actions.map(({ name }, place) => [name, place]))
  const slices = new Map<string, Slice>()
  const byAction: Slice[][] = actions.map(() => [])
  const slice = (action: string, from: number, to: number): Slice => {
    const name = `${action} ${from} ${to}`
    const known = slices.get(name)
    if (known) return known
    const made = emptySlice(from, to, subjects.length)
    slices.set(name, made)
    byAction[numbers.get(action) ?? -1]?.push(made)
    return made
  }
  const last = (action: string, days: number, earlier = 0) =>
    slice(action, endDay - earlier - days, endDay - earlier)
  const lists = new Map<string, (Days | undefined)[]>()
  const totals: DayTotals = {
    subjects,
    rows,
    ever: slice(ANY_ACTION, FIRST_DAY, endDay),
    month: last(ANY_ACTION, 30),
    recent: last(ANY_ACTION, 14),
    earlier: last(ANY_ACTION, 14, 14),
    needs: plan.needs.map((need) => ({
      within: last(need.action, need.days),
      before: need.against > 0 ? last(need.action, need.against, need.days) : null,
      ever: need.ever ? slice(need.action, FIRST_DAY, endDay) : null,
      lists: asksForDays(need) ? listOf(lists, need) : null,
    })),
    windows: plan.windows.map((days) => ({
      now: last(CORE_ACTION, days),
      before: last(CORE_ACTION, days, days),
    })),
  }
  fill(byAction, places, columns)
  for (const [action, list] of lists) collect(list, numbers.get(action) ?? -1, places, columns)
  return totals
}

function listOf(lists: Map<string, (Days | undefined)[]>, { action }: Need) {
  const list = lists.get(action) ?? []
  lists.set(action, list)
  return list
}

/** Gives each subject a row; `places` tells it for each row of the columns. */
function numbered(ids: Float64Array) {
  const rows = new Map<number, number>()
  const places = new Int32Array(ids.length)
  const subjects: number[] = []
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? 0
    let row = rows.get(id)
    if (row === undefined) {
      row = subjects.push(id) - 1
      rows.set(id, row)
    }
    places[i] = row
  }
  return { subjects: Float64Array.from(subjects), rows, places }
}

function emptySlice(from: number, to: number, size: number): Slice {
  return {
    from,
    to,
    count: new Float64Array(size),
    days: new Float64Array(size),
    firstAt: new Float64Array(size).fill(Number.NaN),
    lastAt: new Float64Array(size).fill(Number.NaN),
  }
}

const NONE = new Float64Array(0)

/** The hot loop: nothing is made in it. */
function fill(
  byAction: readonly (readonly Slice[])[],
  places: Int32Array,
  columns: readonly Float64Array[],
): void {
  const [, action = NONE, day = NONE, count = NONE, firstAt = NONE, lastAt = NONE] = columns
  for (let i = 0; i < places.length; i++) {
    const row = places[i] as number
    const on = day[i] as number
    for (const slice of byAction[action[i] as number] ?? []) {
      if (on < slice.from || on >= slice.to) continue
      ;(slice.count[row] as number) += count[i] as number
      ;(slice.days[row] as number) += 1
      const first = firstAt[i] as number
      const last = lastAt[i] as number
      // `NaN` is neither more nor less than anything.
      if (!((slice.firstAt[row] as number) <= first)) slice.firstAt[row] = first
      if (!((slice.lastAt[row] as number) >= last)) slice.lastAt[row] = last
    }
  }
}

function collect(
  list: (Days | undefined)[],
  wanted: number,
  places: Int32Array,
  columns: readonly Float64Array[],
): void {
  const [, action = NONE, day = NONE, count = NONE, , , sum] = columns
  const rows = new Map<number, number[]>()
  for (let i = 0; i < places.length; i++) {
    if (action[i] !== wanted) continue
    const row = places[i] as number
    const known = rows.get(row)
    if (known) known.push(i)
    else rows.set(row, [i])
  }
  for (const [row, some] of rows) {
    some.sort((a, b) => (day[a] as number) - (day[b] as number))
    list[row] = {
      days: some.map((i) => day[i] as number),
      counts: some.map((i) => count[i] as number),
      sums: sum ? some.map((i) => sum[i] as number) : [],
    }
  }
}
