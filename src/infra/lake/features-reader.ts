import { busiestWeek, fade, longestStreak } from '../../core/scoring/day-lists.ts'
import type { Activity, CoreWork, Evidence } from '../../core/scoring/features.ts'
import type { Need } from '../../core/scoring/needs.ts'
import { addDays, type Days, type DayTotals, type NeedSlices } from '../../core/usage/day-rows.ts'
import {
  dayRowsSql,
  type FeaturePlan,
  type FeatureTime,
  type ReadAction,
  wholeSql,
} from '../../core/usage/feature-sql.ts'
import type { Connection } from './duck.ts'

/** What usage says about the people or accounts of a table `usage`; each by her number in it. */
export interface Answers {
  /** Whoever has any use, in no order. */
  readonly subjects: Float64Array
  /** Null without any use. */
  activity(subject: number): Activity | null
  /** The answer to a need of the plan; undefined where there is no row at all. */
  evidence(subject: number, place: number): Evidence | undefined
  /** Core work by the plan's windows. */
  core(subject: number): ReadonlyMap<number, CoreWork>
}

/** Answers a plan from the table that `loadUsage` made. */
export async function readAnswers(
  connection: Connection,
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): Promise<Answers> {
  const { sql, width } = dayRowsSql(subject, plan, actions, time)
  const totals = addDays(plan, actions, time, await connection.columns(sql, width))
  const whole = await readWhole(connection, subject, plan, actions, time)
  return {
    subjects: totals.subjects,
    activity(number) {
      const row = totals.rows.get(number)
      return row === undefined ? null : activityOf(totals, row)
    },
    evidence(number, place) {
      const row = totals.rows.get(number)
      const need = plan.needs[place]
      const slices = totals.needs[place]
      if (row === undefined || !need || !slices) return undefined
      const counted = countedOf(need, slices, row)
      if (!counted) return undefined
      const list = slices.lists?.[row]
      const days = slices.lists ? daysOf(need, list, time) : undefined
      const told = need.value || need.people ? whole(number, place) : undefined
      return days || told ? { ...counted, ...days, ...told } : counted
    },
    core(number) {
      const row = totals.rows.get(number)
      const work = new Map<number, CoreWork>()
      plan.windows.forEach((days, i) => {
        work.set(days, row === undefined ? NO_WORK : coreOf(totals, i, row))
      })
      return work
    },
  }
}

const NO_WORK: CoreWork = { days: 0, firstAt: null, earlierDays: 0, earlierFirstAt: null }

const orNull = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value

function activityOf({ ever, month, recent, earlier }: DayTotals, row: number): Activity | null {
  const firstAt = orNull(ever.firstAt[row])
  const lastAt = orNull(ever.lastAt[row])
  if (firstAt === null || lastAt === null) return null
  return {
    firstAt,
    lastAt,
    days30: month.days[row] ?? 0,
    first30At: orNull(month.firstAt[row]),
    recent: recent.count[row] ?? 0,
    recentFirstAt: orNull(recent.firstAt[row]),
    earlier: earlier.count[row] ?? 0,
    earlierFirstAt: orNull(earlier.firstAt[row]),
  }
}

function coreOf({ windows }: DayTotals, i: number, row: number): CoreWork {
  const { now, before } = windows[i] ?? {}
  return {
    days: now?.days[row] ?? 0,
    firstAt: orNull(now?.firstAt[row]),
    earlierDays: before?.days[row] ?? 0,
    earlierFirstAt: orNull(before?.firstAt[row]),
  }
}

function countedOf(
  need: Need,
  { within, before, ever }: NeedSlices,
  row: number,
): Evidence | undefined {
  const count = within.count[row] ?? 0
  const earlier = before?.count[row] ?? 0
  const everAt = ever ? orNull(ever.firstAt[row]) : null
  if (count === 0 && earlier === 0 && everAt === null) return undefined
  const days = within.days[row] ?? 0
  const firstAt = orNull(within.firstAt[row])
  const lastAt = orNull(within.lastAt[row])
  if (!before && !need.ever) return { count, days, firstAt, lastAt }
  return {
    count,
    days,
    firstAt,
    lastAt,
    ...(before ? { earlier, earlierFirstAt: orNull(before.firstAt[row]) } : {}),
    ...(need.ever ? { everAt } : {}),
  }
}

const NO_DAYS: Days = { days: [], counts: [], sums: [] }

/** What is worked out from single days. */
function daysOf(need: Need, list: Days = NO_DAYS, { endDay }: FeatureTime): Partial<Evidence> {
  const from = list.days.findIndex((day) => day >= endDay - need.days)
  const some = (all: readonly number[]) => (from < 0 ? [] : all.slice(from))
  const days = some(list.days)
  const counts = some(list.counts)
  const week = need.week ? busiestWeek({ days, amounts: counts }) : null
  return {
    ...(need.streak ? { streak: longestStreak({ days }) } : {}),
    ...(week ? { week: week.amount, weekDays: week.days } : {}),
    ...(need.fade ? { faded: fadedOf(need.fade, days, counts, some(list.sums), endDay) } : {}),
  }
}

function fadedOf(
  { of, halfLife }: NonNullable<Need['fade']>,
  days: readonly number[],
  counts: readonly number[],
  sums: readonly number[],
  endDay: number,
): number {
  const amounts = { count: counts, 'active-days': days.map(() => 1), sum: sums }[of]
  // A day that kept no value has no part in the sum.
  const told = amounts.map((amount) => (Number.isNaN(amount) ? 0 : amount))
  return fade({ days, amounts: told }, endDay - 1, halfLife)
}

type Whole = (subject: number, place: number) => Partial<Evidence>

/** Kept values and distinct people. */
async function readWhole(
  connection: Connection,
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): Promise<Whole> {
  const query = wholeSql(subject, plan, actions, time)
  if (!query) return () => ({})
  const columns = await connection.columns(query.sql, query.width)
  const rows = new Map<number, number>()
  columns[0]?.forEach((number, row) => void rows.set(number, row))
  return (number, place) => {
    const row = rows.get(number)
    const at = (first: number, i = 0) =>
      row === undefined ? null : orNull(columns[first + i]?.[row])
    const value = query.value[place] ?? -1
    const people = query.people[place] ?? -1
    return {
      ...(value >= 0 ? keptOf([0, 1, 2, 3, 4, 5].map((i) => at(value, i))) : {}),
      ...(people >= 0 ? { people: at(people) ?? 0 } : {}),
    }
  }
}

function keptOf(cells: readonly (number | null)[]): Pick<Evidence, 'value'> {
  if (cells.every((one) => one === null)) return {}
  const [sum = null, max = null, last = null, lastAt = null, distinct = null, capped] = cells
  return { value: { sum, max, last, lastAt, distinct, isCapped: capped === 1 } }
}
