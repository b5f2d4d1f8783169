import { DateTime } from 'luxon'
import { WEEKDAYS, type WorkingHours } from '../mapping/playbook-assignment.ts'

/** In how many days there is a working one, whatever holidays are declared. */
const MOST_DAYS = 3_660

/**
 * When something is due that leaves its owner so much time. With working hours only those count: what comes in the
 * evening is due in the morning. Days with a change of the clock are as long as they are.
 * @param from the instant from which the time runs.
 * @param zone IANA time zone of the owner.
 */
export function dueAt(
  from: Date,
  ms: number,
  hours: WorkingHours | undefined,
  zone: string = hours?.zone ?? 'UTC',
): Date {
  if (!hours) return new Date(from.getTime() + ms)
  let left = ms
  let day = DateTime.fromJSDate(from, { zone }).startOf('day')
  for (let n = 0; n < MOST_DAYS; n++, day = day.plus({ days: 1 })) {
    const open = openingOf(day, hours)
    if (!open) continue
    const begin = Math.max(open.from, from.getTime())
    const room = open.to - begin
    if (room <= 0) continue
    if (left <= room) return new Date(begin + left)
    left -= room
  }
  return new Date(from.getTime() + ms)
}

/** The day of an instant where somebody is, `YYYY-MM-DD`. */
export const dayIn = (at: Date, zone: string): string =>
  DateTime.fromJSDate(at, { zone }).toISODate() ?? at.toISOString().slice(0, 10)

/** When the day of an instant began where somebody is. */
export const dayBegin = (at: Date, zone: string): Date =>
  DateTime.fromJSDate(at, { zone }).startOf('day').toJSDate()

/** The zone of an owner: the one that is declared for the address, else the one that the CRM tells. */
export function zoneOf(
  hours: WorkingHours | undefined,
  owner: { readonly email: string | null; readonly timeZone?: string | null } | null,
): string {
  const declared = owner?.email ? hours?.zones[owner.email.toLowerCase()] : undefined
  return declared ?? owner?.timeZone ?? hours?.zone ?? 'UTC'
}

function openingOf(
  day: DateTime,
  { days, from, to, holidays }: WorkingHours,
): { readonly from: number; readonly to: number } | null {
  const weekday = WEEKDAYS[day.weekday - 1]
  if (!weekday || !days.includes(weekday) || holidays.includes(day.toISODate() ?? '')) return null
  return { from: at(day, from), to: at(day, to) }
}

function at(day: DateTime, clock: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number)
  return day.set({ hour, minute }).toMillis()
}
