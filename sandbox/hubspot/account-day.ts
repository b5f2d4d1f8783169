/** The first instant of the account's next day, in milliseconds since 1970. */
export function midnightAfter(now: number, timeZone: string): number {
  const guess = now + DAY_MS - timeOfDay(now, timeZone)
  // Clocks that are changed in between shift the guess by an hour or so.
  const off = timeOfDay(guess, timeZone)
  return off > DAY_MS / 2 ? guess + DAY_MS - off : guess - off
}

/** How far the zone's clocks are ahead of UTC. */
export function zoneOffsetMs(timeZone: string, now: number): number {
  const off = timeOfDay(now, timeZone) - timeOfDay(now, 'Etc/UTC')
  if (off > DAY_MS / 2) return off - DAY_MS
  return off <= -DAY_MS / 2 ? off + DAY_MS : off
}

const DAY_MS = 86_400_000

function timeOfDay(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0)
  const seconds = part('hour') * 3600 + part('minute') * 60 + part('second')
  return seconds * 1000 + (((at % 1000) + 1000) % 1000)
}
