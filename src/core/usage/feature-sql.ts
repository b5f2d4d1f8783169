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
  return [...days].map(([name, n]) => ({ name, fromDay: Math.max(-EVER, endDay - n) }))
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
  readonly width: number
}

/** Rows of `usage` that count at a time; all that is written into it are numbers of ours. */
const rowsOf = (subject: string, { asOf, endDay }: FeatureTime): string =>
  `${subject} is not null and day < ${int(endDay)} and first_at < ${int(asOf)}`

/**
 * What the days kept of the values of actions whose sums fade, exact to the last digit: subject, action,
 * day and sum, in the order of days. Null when nobody asks.
 */
export function daySumsSql(
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): FeatureQuery | null {
  const asked = new Set(plan.needs.flatMap((n) => (n.fade?.of === 'sum' ? [n.action] : [])))
  if (asked.size === 0) return null
  const among = actions.flatMap(({ name }, place) => (asked.has(name) ? [int(place)] : []))
  return {
    sql: `select ${subject}::double, action::double, day::double, sum(value_sum)::double
      from usage where ${rowsOf(subject, time)} and value_sum is not null
        and action in (${among.join(', ')})
      group by ${subject}, action, day order by ${subject}, action, day`,
    width: 4,
  }
}

/** What cannot be worked out from days alone: first column of each need's answers, or -1. */
export interface WholeQuery extends FeatureQuery {
  readonly value: readonly number[]
}

/** Kept values, a row for each subject; null when nobody asks for them. */
export function wholeSql(
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): WholeQuery | null {
  const numbers = new Map(actions.map(({ name }, place) => [name, place]))
  const columns: string[] = [`${subject}::double`]
  const start = (isAsked: boolean, some: readonly string[]) =>
    isAsked ? columns.push(...some) - some.length : -1
  const places = plan.needs.map((need) => {
    const from = Math.max(-EVER, time.endDay - need.days)
    const where = `action = ${int(numbers.get(need.action) ?? -1)} and day >= ${int(from)}`
    return start(need.value, valueSql(where))
  })
  if (columns.length === 1) return null
  const asked = [...new Set(plan.needs.flatMap((n) => (n.value ? [n.action] : [])))]
  const among = asked.map((name) => int(numbers.get(name) ?? -1)).join(', ')
  return {
    sql: `select ${columns.map((sql) => `coalesce(${sql}, 'nan'::double)`).join(',\n')}
      from usage where ${rowsOf(subject, time)} and action in (${among}) group by ${subject}`,
    width: columns.length,
    value: places,
  }
}

/** All history, whatever it is, in days. */
const EVER = 700_000

/** What the days of a window kept of the action's value, over all of them. */
function valueSql(where: string): string[] {
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
