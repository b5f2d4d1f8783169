/** Older behaviour is history: how long it takes to the CRM says nothing of how fresh the CRM is. */
const FRESH_MS = 86_400_000

/**
 * How old the last thing that somebody did was when it arrived.
 * @param lastActive ISO 8601 UTC.
 * @param waitedMs how long ago that was, by the same clock as `now`.
 * @returns milliseconds, 0 at least; null when it was history by then, or nothing is known.
 */
export function ageAtArrival(
  lastActive: string | null,
  now: Date,
  waitedMs: number,
): number | null {
  if (lastActive === null) return null
  const age = now.getTime() - waitedMs - Date.parse(lastActive)
  return age > FRESH_MS ? null : Math.max(0, age)
}
