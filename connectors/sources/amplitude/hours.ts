import type { UsageWindow } from '../../../src/core/ports/usage-source.ts'

export const HOUR_MS = 3_600_000

/** The UTC hours within [from, to) that ended `dueHours` before `now` or earlier, oldest first. */
export function hoursBetween(from: Date, to: Date, now: Date, dueHours: number): UsageWindow[] {
  const windows: UsageWindow[] = []
  const last = Math.min(to.getTime(), now.getTime() - dueHours * HOUR_MS)
  const first = Math.ceil(from.getTime() / HOUR_MS) * HOUR_MS
  for (let at = first; at + HOUR_MS <= last; at += HOUR_MS) {
    windows.push({ key: hourKey(at), start: new Date(at), end: new Date(at + HOUR_MS) })
  }
  return windows
}

/** `2026-09-01T05`. */
const hourKey = (at: number): string => new Date(at).toISOString().slice(0, 13)
