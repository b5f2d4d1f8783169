const HOUR_MS = 3_600_000
/** When a day ends is not known: look again after this. */
const LOOK_AGAIN_MS = HOUR_MS / 4
/** A vendor may begin its new day a little late; what is said so early is no word about the new one. */
const EARLY_MS = HOUR_MS / 4
const LOOK_AGAIN_EARLY_MS = HOUR_MS / 12

/**
 * When to go on after a day's quota is used up: at midnight in the account's time zone; in a quarter of
 * an hour where the zone is not known; soon where the day has only begun, and the vendor may not know yet.
 */
export function dayPauseEnds(now: Date, zone: string | null): Date {
  if (zone === null) return new Date(now.getTime() + LOOK_AGAIN_MS)
  const early = new Date(now.getTime() - EARLY_MS)
  if (dayOf(early, zone) !== dayOf(now, zone)) {
    return new Date(now.getTime() + LOOK_AGAIN_EARLY_MS)
  }
  return nextMidnight(now, zone)
}

/** Calls of the day that may still be made when others are to find the rest. Below zero: too many are gone. */
export function leftOfShare(
  day: { readonly calls: number; readonly left: number },
  share: number,
): number {
  return day.left - Math.ceil(day.calls * (1 - share))
}

/** The first instant of the next day: found by halving, since days of a zone are 23 to 25 hours long. */
function nextMidnight(now: Date, zone: string): Date {
  const today = dayOf(now, zone)
  let before = now.getTime()
  let after = before + 26 * HOUR_MS
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (dayOf(new Date(middle), zone) === today) before = middle
    else after = middle
  }
  return new Date(after)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function dayOf(at: Date, zone: string): string {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
  formats.set(zone, format)
  return format.format(at)
}
