import { DAY_MS, dayOf } from './day.ts'

const dates = new Map<number, string>()
const two = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))

/** An instant as ISO 8601 UTC: what `toISOString` says, at a tenth of its cost, for scores by the million. */
export function isoOf(ms: number): string {
  const day = dayOf(ms)
  let date = dates.get(day)
  if (date === undefined) {
    date = new Date(day * DAY_MS).toISOString().slice(0, 11)
    // Years of days are few; what asks for more asks for anything.
    if (dates.size > 20_000) dates.clear()
    dates.set(day, date)
  }
  const left = ms - day * DAY_MS
  const hours = Math.floor(left / 3_600_000)
  const minutes = Math.floor(left / 60_000) % 60
  const seconds = Math.floor(left / 1000) % 60
  const thousandths = String(Math.floor(left) % 1000).padStart(3, '0')
  return `${date}${two[hours]}:${two[minutes]}:${two[seconds]}.${thousandths}Z`
}
