import type { Need } from '../scoring/needs.ts'
import { ANY_ACTION, CORE_ACTION } from './rollup-sql.ts'

const DAY_MS = 86_400_000

/** All that is asked of usage about one kind of subject, for all models together. */
export interface FeaturePlan {
  readonly needs: readonly Need[]
  /** Lengths of the windows that core work is asked for, in days. */
  readonly windows: readonly number[]
}

/** An action that is read, by number, and the first day that somebody asks for, since 1970. */
export interface ReadAction {
  readonly name: string
  readonly fromDay: number
}

/** The actions of which rows are read; their place is their number in the table `usage`. */
export function readActions(plans: readonly FeaturePlan[], endDay: number): readonly ReadAction[] {
  const days = new Map<string, number>([[ANY_ACTION, Number.POSITIVE_INFINITY]])
  const ask = (action: string, n: number) =>
    void days.set(action, Math.max(days.get(action) ?? 0, n))
  for (const { needs, windows } of plans) {
    for (const need of needs) {
      ask(need.action, need.ever ? Number.POSITIVE_INFINITY : need.days + need.against)
    }
    if (windows.length > 0) ask(CORE_ACTION, 2 * Math.max(...windows))
  }
  return [...days].map(([name, n]) => ({ name, fromDay: Math.max(-700_000, endDay - n) }))
}

/** Whether a plan asks for values: most rollup rows keep none. */
export const asksForValues = ({ needs }: FeaturePlan): boolean =>
  needs.some(({ value, fade }) => value || fade?.of === 'sum')

/** Which days the windows hold: `endDay` is the first after them. */
export interface FeatureTime {
  readonly asOf: number
  readonly endDay: number
}

/** A statement whose columns are all numbers, `NaN` for null; the first is the subject's. */
export interface FeatureQuery {
  readonly sql: string
  /** Column of each place of `Offsets`. */
  readonly width: number
  readonly activity: number
  /** First column of each need, see `needColumns`. */
  readonly needs: readonly number[]
  /** First column of each window: days, first, earlier days, earlier first. */
  readonly windows: readonly number[]
}

/** Names of a need's columns, in their order. */
export function needColumns(need: Need): string[] {
  return [
    'count',
    'days',
    'firstAt',
    'lastAt',
    ...(need.value ? ['sum', 'max', 'last', 'toldAt', 'distinct', 'isCapped'] : []),
    ...(need.against > 0 ? ['earlier', 'earlierFirstAt'] : []),
    ...(need.ever ? ['everAt'] : []),
    ...(need.people ? ['people'] : []),
  ]
}

/**
 * Compiles a plan to one DuckDB select over the table `usage (person, account, action, day, bit, count,
 * first_at, last_at, value_…)`: a row for each subject, a column for each answer. All that is written into the
 * statement are numbers of ours; actions are their places in `actions`.
 */
export function featureSql(
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  { asOf, endDay }: FeatureTime,
): FeatureQuery {
  const numbers = new Map(actions.map(({ name }, place) => [name, place]))
  const columns: string[] = [`${subject}::double`]
  const start = (some: readonly string[]) => columns.push(...some) - some.length
  const rows = (action: string, from: number, days: number) =>
    within(numbers.get(action) ?? -1, endDay - from - days, endDay - from)
  const activity = start(activityColumns(rows))
  const needs = plan.needs.map((need) => start(needSql(need, endDay, rows)))
  const windows = plan.windows.map((days) => {
    const now = rows(CORE_ACTION, 0, days)
    const before = rows(CORE_ACTION, days, days)
    return start([daysSql(now), least(now), daysSql(before), least(before)])
  })
  const told = columns.map((sql, i) => `coalesce(${sql}, 'nan'::double) as c${i}`)
  return {
    sql: `select ${told.join(',\n')} from usage
      where ${subject} is not null and day < ${int(endDay)} and first_at < ${int(asOf)}
      group by ${subject}`,
    width: columns.length,
    activity,
    needs,
    windows,
  }
}

/** Rows of an action on days in [from, to). */
interface Rows {
  readonly from: number
  readonly to: number
  readonly where: string
  readonly action: number
}

type RowsOf = (action: string, from: number, days: number) => Rows

/** All history, whatever it is. */
const EVER = 700_000

function within(action: number, from: number, to: number): Rows {
  const since = Math.max(from, -EVER)
  const where = `action = ${int(action)} and day >= ${int(since)} and day < ${int(to)}`
  return { from: since, to, action, where }
}

function activityColumns(rows: RowsOf): string[] {
  const ever = rows(ANY_ACTION, 0, EVER)
  const month = rows(ANY_ACTION, 0, 30)
  const recent = rows(ANY_ACTION, 0, 14)
  const earlier = rows(ANY_ACTION, 14, 14)
  return [
    least(ever),
    most(ever),
    daysSql(month),
    least(month),
    total(recent),
    least(recent),
    total(earlier),
    least(earlier),
  ]
}

function needSql(need: Need, endDay: number, rowsOf: RowsOf): string[] {
  const rows = rowsOf(need.action, 0, need.days)
  const before = rowsOf(need.action, need.days, need.against)
  const ever = rowsOf(need.action, 0, endDay + EVER)
  return [
    total(rows),
    daysSql(rows),
    least(rows),
    most(rows),
    ...(need.value ? valueSql(rows) : []),
    ...(need.against > 0 ? [total(before), least(before)] : []),
    ...(need.ever ? [least(ever)] : []),
    ...(need.people ? [`count(distinct person) filter (where ${rows.where})::double`] : []),
  ]
}

const total = ({ where }: Rows): string => `coalesce(sum(count) filter (where ${where}), 0)`
const least = ({ where }: Rows): string => `min(first_at) filter (where ${where})`
const most = ({ where }: Rows): string => `max(last_at) filter (where ${where})`

/**
 * Days that one number holds, a bit for each: in so many days in a row no two have the same. A window of
 * more words than `MOST_WORDS` is counted.
 */
const WORD = 60

/** The bit of a day. */
export const daySql = (day: string): string => `1::bigint << (${day} % ${WORD} + ${WORD}) % ${WORD}`

const MOST_WORDS = 7

/** Distinct days: bits of a number are far cheaper to collect than a set. */
function daysSql({ from, to, action, where }: Rows): string {
  if (to - from > WORD * MOST_WORDS) {
    return `(count(distinct day) filter (where ${where}))::double`
  }
  const words: string[] = []
  for (let start = from; start < to; start += WORD) {
    const some = within(action, start, Math.min(to, start + WORD))
    words.push(`coalesce(bit_count(bit_or(bit) filter (where ${some.where})), 0)::double`)
  }
  return `(${words.join(' + ')})`
}

/** What the days of a window kept of the action's value, over all of them. */
function valueSql({ where }: Rows): string[] {
  const rows = `filter (where ${where})`
  const told = `filter (where ${where} and value_last_at is not null)`
  return [
    `(sum(value_sum) ${rows})::double`,
    `(max(value_max) ${rows})::double`,
    // Of two at one instant the greater one is the last, whatever order they come in.
    `struct_extract(max({told: value_last_at, n: value_last}) ${told}, 'n')::double`,
    `epoch_ms(max(value_last_at) ${told})::double`,
    `len(list_distinct(flatten(list(value_distinct)
      filter (where ${where} and value_distinct is not null))))::double`,
    `(bool_or(value_capped) ${rows})::double`,
  ]
}

/** What is asked for day by day: a row for each subject, action and day, numbers all. */
export function dayListSql(
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  { asOf, endDay }: FeatureTime,
): string | null {
  const asked = plan.needs.filter(asksForDays)
  if (asked.length === 0) return null
  const from = endDay - Math.max(...asked.map(({ days }) => days))
  const places = actions.flatMap(({ name }, place) =>
    asked.some(({ action }) => action === name) ? [int(place)] : [],
  )
  const sum = asksForValues(plan) ? `coalesce(sum(value_sum)::double, 'nan'::double)` : '0::double'
  return `select ${subject}::double, action::double, day::double, sum(count)::double, ${sum}
    from usage where ${subject} is not null and action in (${places.join(', ')})
      and day >= ${int(from)} and day < ${int(endDay)} and first_at < ${int(asOf)}
    group by ${subject}, action, day order by 1, 2, 3`
}

/** Whether an answer to the need is worked out from what was on each day. */
export const asksForDays = ({ fade, streak, week }: Need): boolean =>
  fade !== null || streak || week

function int(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`)
  return String(value)
}

/** The first day after the windows at `asOf`: that of `asOf` counts, unless `asOf` is its beginning. */
export const featureTime = (asOf: Date): FeatureTime => ({
  asOf: asOf.getTime(),
  endDay: Math.ceil(asOf.getTime() / DAY_MS),
})
