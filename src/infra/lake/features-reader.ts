import { busiestWeek, fade, longestStreak } from '../../core/scoring/day-lists.ts'
import type { Activity, CoreWork, Evidence } from '../../core/scoring/features.ts'
import type { Need } from '../../core/scoring/needs.ts'
import {
  addDays,
  type DaySubject,
  type Days,
  type DayTotals,
  type NeedSlices,
} from '../../core/usage/day-rows.ts'
import {
  daySumsSql,
  type FeaturePlan,
  type FeatureTime,
  type ReadAction,
  wholeSql,
} from '../../core/usage/feature-sql.ts'
import { rowsByPerson, type UsageRows, usageRowsSql } from '../../core/usage/usage-rows.ts'
import type { Connection } from './duck.ts'

/** What usage says about people or accounts; each by her number in `usage`. */
export interface Answers {
  /** Whoever has any use, in no order. */
  readonly subjects: readonly number[]
  /** Null without any use. */
  activity(subject: number): Activity | null
  /** The answer to a need of the plan; undefined where there is no row at all. */
  evidence(subject: number, place: number): Evidence | undefined
  /** Core work by the plan's windows. */
  core(subject: number): ReadonlyMap<number, CoreWork>
}

/** Who is asked about: people, or accounts, each with the numbers of her people. */
export interface AskedSubjects {
  readonly kind: 'person' | 'account'
  readonly list: readonly DaySubject[]
}

/** Reads all of `usage`, as `loadUsage` or a shard made it. */
export async function readUsage(connection: Connection): Promise<UsageRows> {
  return rowsByPerson(await connection.columns(usageRowsSql(), 5))
}

/** Answers a plan from what was read; values that days kept are asked of `usage` itself. */
export async function readAnswers(
  connection: Connection,
  { kind, list }: AskedSubjects,
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
  usage: UsageRows,
): Promise<Answers> {
  const totals = addDays(plan, actions, time, usage, list)
  const whole = await readWhole(connection, kind, plan, actions, time)
  const sums = await readSums(connection, kind, plan, actions, time)
  return {
    subjects: [...totals.rows.keys()],
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
      const days = slices.lists ? daysOf(need, list, sums(number, need), time) : undefined
      const told = need.value ? whole(number, place) : undefined
      return days || told ? { ...counted, ...days, ...told } : counted
    },
    core(number) {
      const row = totals.rows.get(number)
      const work = new Map<number, CoreWork>()
      for (let i = 0; i < plan.windows.length; i++) {
        work.set(plan.windows[i] ?? 0, row === undefined ? NO_WORK : coreOf(totals, i, row))
      }
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
  if (!before && !need.ever && !need.people) return { count, days, firstAt, lastAt }
  return {
    count,
    days,
    firstAt,
    lastAt,
    ...(before ? { earlier, earlierFirstAt: orNull(before.firstAt[row]) } : {}),
    ...(need.ever ? { everAt } : {}),
    ...(need.people ? { people: within.people?.[row] ?? 0 } : {}),
  }
}

const NO_DAYS: Days = { days: [], counts: [] }

/** What is worked out from single days. */
function daysOf(
  need: Need,
  list: Days = NO_DAYS,
  sums: Days,
  { endDay }: FeatureTime,
): Partial<Evidence> {
  const { days, counts } = since(list, endDay - need.days)
  const week = need.week ? busiestWeek({ days, amounts: counts }) : null
  return {
    ...(need.streak ? { streak: longestStreak({ days }) } : {}),
    ...(week ? { week: week.amount, weekDays: week.days } : {}),
    ...(need.fade ? { faded: fadedOf(need.fade, { days, counts }, sums, need.days, endDay) } : {}),
  }
}

function since({ days, counts }: Days, day: number): Days {
  let from = 0
  while (from < days.length && (days[from] as number) < day) from++
  return from === 0 ? { days, counts } : { days: days.slice(from), counts: counts.slice(from) }
}

function fadedOf(
  { of, halfLife }: NonNullable<Need['fade']>,
  { days, counts }: Days,
  sums: Days,
  window: number,
  endDay: number,
): number {
  if (of === 'sum') {
    const kept = since(sums, endDay - window)
    return fade({ days: kept.days, amounts: kept.counts }, endDay - 1, halfLife)
  }
  const amounts = of === 'count' ? counts : days.map(() => 1)
  return fade({ days, amounts }, endDay - 1, halfLife)
}

/** Sums that days kept, in their order. */
async function readSums(
  connection: Connection,
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): Promise<(subject: number, need: Need) => Days> {
  const query = daySumsSql(subject, plan, actions, time)
  if (!query) return () => NO_DAYS
  const columns = await connection.columns(query.sql, query.width)
  const [subjects = [], places = [], days = [], sums = []] = columns
  const lists = new Map<string, { days: number[]; counts: number[] }>()
  for (let i = 0; i < subjects.length; i++) {
    const name = `${subjects[i]} ${actions[places[i] as number]?.name}`
    const list = lists.get(name) ?? { days: [], counts: [] }
    lists.set(name, list)
    list.days.push(days[i] as number)
    list.counts.push(sums[i] as number)
  }
  return (number, { action, fade }) =>
    (fade?.of === 'sum' && lists.get(`${number} ${action}`)) || NO_DAYS
}

type Whole = (subject: number, place: number) => Partial<Evidence>

/** Kept values. */
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
    return value >= 0 ? keptOf([0, 1, 2, 3, 4, 5].map((i) => at(value, i))) : {}
  }
}

function keptOf(cells: readonly (number | null)[]): Pick<Evidence, 'value'> {
  if (cells.every((one) => one === null)) return {}
  const [sum = null, max = null, last = null, lastAt = null, distinct = null, capped] = cells
  return { value: { sum, max, last, lastAt, distinct, isCapped: capped === 1 } }
}
