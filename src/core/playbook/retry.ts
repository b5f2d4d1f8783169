/** A message is dead after so many tries: some seven hours. */
export const MOST_TRIES = 8

const FIRST_MS = 30_000
const LONGEST_MS = 4 * 3_600_000

/**
 * How long to wait after a try that failed: 30 seconds, then four times as long each time, up to four hours; longer if the
 * receiver asks for it.
 * @param tries how many there were, this one among them.
 * @returns milliseconds; null when it is dead.
 */
export function waitAfter(tries: number, askedMs: number | null): number | null {
  if (tries >= MOST_TRIES) return null
  return Math.max(Math.min(FIRST_MS * 4 ** (tries - 1), LONGEST_MS), askedMs ?? 0)
}
