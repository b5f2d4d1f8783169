/** What the days of a window held, in their order: days since 1970 UTC, and how much on each. */
export interface DayList {
  readonly days: readonly number[]
  readonly amounts: readonly number[]
}

/** Most days in a row that are in the list. */
export function longestStreak({ days }: Pick<DayList, 'days'>): number {
  let best = 0
  let run = 0
  days.forEach((day, i) => {
    run = i > 0 && day === (days[i - 1] ?? 0) + 1 ? run + 1 : 1
    if (run > best) best = run
  })
  return best
}

/** Most of the amount, and most days, within any seven days in a row. */
export function busiestWeek({ days, amounts }: DayList): {
  readonly amount: number
  readonly days: number
} {
  let amount = 0
  let most = 0
  let sum = 0
  let from = 0
  days.forEach((day, i) => {
    sum += amounts[i] ?? 0
    while ((days[from] ?? day) <= day - 7) sum -= amounts[from++] ?? 0
    if (sum > amount) amount = sum
    if (i - from + 1 > most) most = i - from + 1
  })
  return { amount, days: most }
}

const BILLION = 1e9

/**
 * The amounts faded day by day, each day's part rounded to a billionth: one of the last day of the
 * window is whole, one that is a half-life older is half.
 * @param lastDay the last day of the window.
 */
export function fade({ days, amounts }: DayList, lastDay: number, halfLifeDays: number): number {
  let billionths = 0
  days.forEach((day, i) => {
    const part = (amounts[i] ?? 0) * 2 ** ((day - lastDay) / halfLifeDays)
    billionths += Math.round(part * BILLION)
  })
  return billionths / BILLION
}
