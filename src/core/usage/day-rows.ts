import type { Need } from '../scoring/needs.ts'
import { asksForDays, type FeaturePlan, type FeatureTime, type ReadAction } from './feature-sql.ts'
import { ANY_ACTION, CORE_ACTION } from './rollup-sql.ts'
import { SubjectDays } from './subject-days.ts'
import type { UsageRows } from './usage-rows.ts'

/** How many times, on how many days, first and last, on days in [from, to): columns by subject. */
export interface Slice {
  readonly from: number
  readonly to: number
  readonly count: Float64Array
  readonly days: Float64Array
  /** `NaN` for none. */
  readonly firstAt: Float64Array
  readonly lastAt: Float64Array
  /** Distinct people; null where nobody asks. */
  people: Float64Array | null
}

/** What one subject did on each day, in the order of days. */
export interface Days {
  readonly days: readonly number[]
  readonly counts: readonly number[]
}

/** Day rows of many subjects, added up for every window that a plan asks for. */
export interface DayTotals {
  /** Row of each subject in the columns; only of those with any use. */
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

/** A person, or an account with all of its people, by their numbers. */
export interface DaySubject {
  readonly number: number
  readonly people: readonly number[]
}

/** All history, in days since 1970. */
const FIRST_DAY = -1_000_000

/** Adds up what each subject did, in any order of rows. */
export function addDays(
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
  usage: UsageRows,
  subjects: readonly DaySubject[],
): DayTotals {
  const board = new Board(actions, time, subjects.length)
  const totals = {
    ever: board.slice(ANY_ACTION, FIRST_DAY, time.endDay),
    month: board.last(ANY_ACTION, 30),
    recent: board.last(ANY_ACTION, 14),
    earlier: board.last(ANY_ACTION, 14, 14),
    needs: plan.needs.map((need) => board.need(need)),
    windows: plan.windows.map((days) => ({
      now: board.last(CORE_ACTION, days),
      before: board.last(CORE_ACTION, days, days),
    })),
  }
  const days = new SubjectDays(usage, board.asked(), time)
  const rows = new Map<number, number>()
  for (const { number, people } of subjects) {
    if (!days.take(people)) continue
    board.add(days, rows.size)
    rows.set(number, rows.size)
  }
  return { rows, ...totals }
}

type List = (Days | undefined)[]

/** All slices and lists that are filled, each once, by the number of their action. */
class Board {
  readonly #slices = new Map<string, Slice>()
  readonly #byAction: Slice[][]
  readonly #lists: (List | undefined)[]
  readonly #numbers: ReadonlyMap<string, number>
  readonly #endDay: number
  readonly #columns: Columns
  readonly #distinct = new Distinct()

  constructor(actions: readonly ReadAction[], { endDay }: FeatureTime, size: number) {
    this.#numbers = new Map(actions.map(({ name }, place) => [name, place]))
    this.#byAction = actions.map(() => [])
    this.#lists = actions.map(() => undefined)
    this.#endDay = endDay
    this.#columns = new Columns(size)
  }

  /** By action: whether anything is asked of it. */
  asked(): readonly boolean[] {
    return this.#byAction.map((slices) => slices.length > 0)
  }

  last(action: string, days: number, earlier = 0): Slice {
    return this.slice(action, this.#endDay - earlier - days, this.#endDay - earlier)
  }

  slice(action: string, from: number, to: number): Slice {
    const name = `${action} ${from} ${to}`
    const known = this.#slices.get(name)
    if (known) return known
    const made: Slice = {
      ...{ from, to, people: null },
      count: this.#columns.next(),
      days: this.#columns.next(),
      firstAt: this.#columns.next().fill(Number.NaN),
      lastAt: this.#columns.next().fill(Number.NaN),
    }
    this.#slices.set(name, made)
    this.#byAction[this.#numbers.get(action) ?? -1]?.push(made)
    return made
  }

  need(need: Need): NeedSlices {
    const within = this.last(need.action, need.days)
    if (need.people) within.people ??= this.#columns.next()
    return {
      within,
      before: need.against > 0 ? this.last(need.action, need.against, need.days) : null,
      ever: need.ever ? this.slice(need.action, FIRST_DAY, this.#endDay) : null,
      lists: asksForDays(need) ? this.#listOf(need) : null,
    }
  }

  #listOf({ action }: Need): List {
    const place = this.#numbers.get(action) ?? -1
    const list = this.#lists[place] ?? []
    if (place >= 0) this.#lists[place] = list
    return list
  }

  /** Adds what one subject did to a row: runs of rows of one action, in the order of days. */
  add(days: SubjectDays, row: number): void {
    const { action, length } = days
    for (let from = 0; from < length; ) {
      const which = action[from] as number
      let to = from + 1
      while (to < length && action[to] === which) to++
      const slices = this.#byAction[which] ?? []
      for (let i = 0; i < slices.length; i++) addRun(slices[i] as Slice, row, days, from, to)
      for (const slice of slices) {
        if (slice.people) slice.people[row] = this.#distinct.people(slice, days, from, to)
      }
      const list = this.#lists[which]
      if (list) list[row] = listed(days, from, to)
      from = to
    }
  }
}

/** Columns of zeros, many to a buffer: each buffer of its own costs more than the columns in it. */
class Columns {
  readonly #size: number
  #buffer = new Float64Array(0)
  #used = 0

  constructor(size: number) {
    this.#size = size
  }

  next(): Float64Array {
    if (this.#used === this.#buffer.length) {
      this.#buffer = new Float64Array(COLUMNS * this.#size)
      this.#used = 0
    }
    this.#used += this.#size
    return this.#buffer.subarray(this.#used - this.#size, this.#used)
  }
}

const COLUMNS = 64

/** The hot loop: nothing is made in it. */
function addRun(slice: Slice, row: number, of: SubjectDays, from: number, to: number): void {
  const { day, count, firstAt, lastAt } = of
  let times = 0
  let days = 0
  let before = Number.NaN
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) {
    const on = day[i] as number
    if (on < slice.from) continue
    if (on >= slice.to) break
    times += count[i] as number
    if (on !== before) days++
    before = on
    if ((firstAt[i] as number) < first) first = firstAt[i] as number
    if ((lastAt[i] as number) > last) last = lastAt[i] as number
  }
  if (days === 0) return
  slice.count[row] = times
  slice.days[row] = days
  slice.firstAt[row] = first
  slice.lastAt[row] = last
}

/** Counts people, who come in any order. */
class Distinct {
  #seen = new Set<number>()

  people({ from, to }: Slice, { day, person }: SubjectDays, start: number, end: number): number {
    this.#seen.clear()
    for (let i = start; i < end; i++) {
      if ((day[i] as number) >= from && (day[i] as number) < to) this.#seen.add(person[i] as number)
    }
    return this.#seen.size
  }
}

/** One entry for each day, whoever did it under whatever identity. */
function listed({ day, count }: SubjectDays, from: number, to: number): Days {
  const days: number[] = []
  const counts: number[] = []
  for (let i = from; i < to; i++) {
    const on = day[i] as number
    if (days[days.length - 1] === on) (counts[counts.length - 1] as number) += count[i] as number
    else {
      days.push(on)
      counts.push(count[i] as number)
    }
  }
  return { days, counts }
}
