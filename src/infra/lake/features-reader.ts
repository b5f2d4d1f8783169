import { busiestWeek, fade, longestStreak } from '../../core/scoring/day-lists.ts'
import type { Activity, CoreWork, Evidence } from '../../core/scoring/features.ts'
import type { Need } from '../../core/scoring/needs.ts'
import {
  asksForDays,
  dayListSql,
  type FeaturePlan,
  type FeatureQuery,
  type FeatureTime,
  featureSql,
  needColumns,
  type ReadAction,
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
  const query = featureSql(subject, plan, actions, time)
  const columns = await connection.columns(query.sql, query.width)
  const days = await readDayLists(connection, subject, plan, actions, time)
  return answersOf(plan, query, columns, days, time)
}

const EMPTY = new Float64Array(0)

function answersOf(
  plan: FeaturePlan,
  query: FeatureQuery,
  columns: readonly Float64Array[],
  days: DayLists,
  time: FeatureTime,
): Answers {
  const subjects = columns[0] ?? EMPTY
  const rows = new Map<number, number>()
  subjects.forEach((subject, row) => void rows.set(subject, row))
  const cell = (row: number, place: number): number => columns[place]?.[row] ?? Number.NaN
  const readers = plan.needs.map((need, i) => needReader(need, query.needs[i] ?? 0, cell))
  return {
    subjects,
    activity(subject) {
      const row = rows.get(subject)
      return row === undefined ? null : activityOf((i) => cell(row, query.activity + i))
    },
    evidence(subject, place) {
      const row = rows.get(subject)
      const need = plan.needs[place]
      if (row === undefined || !need) return undefined
      const read = readers[place]?.(row)
      return read && asksForDays(need) ? withDays(read, need, days, subject, time) : read
    },
    core(subject) {
      const row = rows.get(subject)
      const work = new Map<number, CoreWork>()
      plan.windows.forEach((window, i) => {
        const at = query.windows[i] ?? 0
        work.set(window, row === undefined ? NO_WORK : coreOf((n) => cell(row, at + n)))
      })
      return work
    },
  }
}

const NO_WORK: CoreWork = { days: 0, firstAt: null, earlierDays: 0, earlierFirstAt: null }

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value)

type Cells = (place: number) => number

/** In the order of the columns that `featureSql` writes. */
function activityOf(at: Cells): Activity | null {
  const firstAt = orNull(at(0))
  if (firstAt === null) return null
  return {
    firstAt,
    lastAt: at(1),
    days30: at(2),
    first30At: orNull(at(3)),
    recent: at(4),
    recentFirstAt: orNull(at(5)),
    earlier: at(6),
    earlierFirstAt: orNull(at(7)),
  }
}

const coreOf = (at: Cells): CoreWork => ({
  days: at(0),
  firstAt: orNull(at(1)),
  earlierDays: at(2),
  earlierFirstAt: orNull(at(3)),
})

function needReader(
  need: Need,
  first: number,
  cell: (row: number, place: number) => number,
): (row: number) => Evidence | undefined {
  const places = new Map(needColumns(need).map((name, i) => [name, first + i]))
  const place = (name: string) => places.get(name) ?? -1
  const [count, days, firstAt, lastAt] = [first, first + 1, first + 2, first + 3]
  const [sum, max, last] = [place('sum'), place('max'), place('last')]
  const [toldAt, distinct, capped] = [place('toldAt'), place('distinct'), place('isCapped')]
  const [earlier, earlierFirstAt] = [place('earlier'), place('earlierFirstAt')]
  const [everAt, people] = [place('everAt'), place('people')]
  return (row) => {
    const n = cell(row, count)
    const before = need.against > 0 ? cell(row, earlier) : 0
    const ever = need.ever ? orNull(cell(row, everAt)) : null
    if (n === 0 && before === 0 && ever === null) return undefined
    return {
      count: n,
      days: cell(row, days),
      firstAt: orNull(cell(row, firstAt)),
      lastAt: orNull(cell(row, lastAt)),
      ...(need.value
        ? keptOf([sum, max, last, toldAt, distinct, capped].map((i) => orNull(cell(row, i))))
        : {}),
      ...(need.against > 0
        ? { earlier: before, earlierFirstAt: orNull(cell(row, earlierFirstAt)) }
        : {}),
      ...(need.ever ? { everAt: ever } : {}),
      ...(need.people ? { people: cell(row, people) } : {}),
    }
  }
}

function keptOf(cells: readonly (number | null)[]): Pick<Evidence, 'value'> {
  if (cells.every((one) => one === null)) return {}
  const [sum = null, max = null, last = null, lastAt = null, distinct = null, capped] = cells
  return { value: { sum, max, last, lastAt, distinct, isCapped: capped === 1 } }
}

/** What one subject did on each day, by action. */
interface Days {
  readonly days: number[]
  readonly counts: number[]
  readonly sums: number[]
}

interface DayLists {
  of(subject: number, action: string): Days | undefined
}

/** Numbers of actions are small: subject and action make one key. */
const MOST_ACTIONS = 4096

async function readDayLists(
  connection: Connection,
  subject: 'person' | 'account',
  plan: FeaturePlan,
  actions: readonly ReadAction[],
  time: FeatureTime,
): Promise<DayLists> {
  const sql = dayListSql(subject, plan, actions, time)
  if (sql === null) return { of: () => undefined }
  const places = new Map(actions.map(({ name }, place) => [name, place]))
  const [subjects = EMPTY, action = EMPTY, day = EMPTY, count = EMPTY, sum = EMPTY] =
    await connection.columns(sql, 5)
  const lists = new Map<number, Days>()
  for (let row = 0; row < subjects.length; row++) {
    const key = (subjects[row] ?? 0) * MOST_ACTIONS + (action[row] ?? 0)
    const list = lists.get(key) ?? { days: [], counts: [], sums: [] }
    list.days.push(day[row] ?? 0)
    list.counts.push(count[row] ?? 0)
    list.sums.push(sum[row] ?? 0)
    lists.set(key, list)
  }
  return { of: (one, name) => lists.get(one * MOST_ACTIONS + (places.get(name) ?? 0)) }
}

function withDays(
  read: Evidence,
  need: Need,
  lists: DayLists,
  subject: number,
  { endDay }: FeatureTime,
): Evidence {
  const all = lists.of(subject, need.action) ?? { days: [], counts: [], sums: [] }
  const from = all.days.findIndex((day) => day >= endDay - need.days)
  const some = (list: readonly number[]) => (from < 0 ? [] : list.slice(from))
  const days = some(all.days)
  const week = need.week ? busiestWeek({ days, amounts: some(all.counts) }) : null
  return {
    ...read,
    ...(need.streak ? { streak: longestStreak({ days }) } : {}),
    ...(week ? { week: week.amount, weekDays: week.days } : {}),
    ...(need.fade ? { faded: fadedOf(need.fade, days, some(all.counts), some(all.sums)) } : {}),
  }
  function fadedOf(
    { of, halfLife }: NonNullable<Need['fade']>,
    days: readonly number[],
    counts: readonly number[],
    sums: readonly number[],
  ): number {
    const amounts = { count: counts, 'active-days': days.map(() => 1), sum: sums }[of]
    // A day that kept no value has no part in the sum.
    const told = amounts.map((amount) => (Number.isNaN(amount) ? 0 : amount))
    return fade({ days, amounts: told }, endDay - 1, halfLife)
  }
}
