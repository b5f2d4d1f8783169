/** The calendar day of an instant in a zone, as `YYYY-MM-DD`. */
export function projectDay(at: Date, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at)
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`
}

const HOUR_MS = 3_600_000
const QUARTER_MS = 900_000

/** The first instant of a calendar day (`YYYY-MM-DD`) in a zone; zones keep to quarters of an hour. */
export function startOfDay(day: string, timezone: string): Date {
  // No zone is further from UTC than 14 h, and none shifts its clock by more than a few.
  let low = Date.parse(day) - 15 * HOUR_MS
  let high = Date.parse(day) + 15 * HOUR_MS
  while (high - low > QUARTER_MS) {
    const middle = low + Math.floor((high - low) / 2 / QUARTER_MS) * QUARTER_MS
    if (projectDay(new Date(middle), timezone) < day) low = middle
    else high = middle
  }
  return new Date(high)
}
