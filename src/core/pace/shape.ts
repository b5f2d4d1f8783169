/** An allowance of a vendor: so many calls in any interval of this length. */
export interface Window {
  readonly calls: number
  readonly intervalMs: number
}

/** Between the permission and the vendor's counting of a call this much may come to pass, more or less. */
const JITTER_MS = 250
/** Of a short interval, no more than this is given up for it. */
const JITTER_SHARE = 0.1

/** How much a call's way to the vendor may differ from another's without a window holding too many. */
export function jitterMs({ intervalMs }: Window): number {
  return Math.min(JITTER_MS, intervalMs * JITTER_SHARE)
}

/**
 * The distance of evenly spaced turns at which no window holds more calls than are allowed, although
 * calls arrive a little early or late: 97.5 % of an allowance for ten seconds. Pure.
 * @param share of the allowance to use; below 1 after a refusal.
 */
export function stepMs(window: Window, share = 1): number {
  return (window.intervalMs + jitterMs(window)) / (window.calls * share)
}

const SLOWER = 0.9
const SLOWEST = 0.3
/** From the slowest back to all of it takes some 20 minutes. */
const REGAINED_EACH_MS = 0.1 / (3 * 60_000)

/** The share of the allowance that is used so long after it was slowed down to `slowed`. */
export function regained(slowed: number, sinceMs: number): number {
  return Math.min(1, slowed + Math.max(0, sinceMs) * REGAINED_EACH_MS)
}

/** The share after one more refusal. */
export function slower(share: number): number {
  return Math.max(SLOWEST, share * SLOWER)
}

/** So few calls left in a window are too few: somebody else makes calls, or ours arrived in a bunch. */
export function isNarrow(calls: number, left: number): boolean {
  return left < Math.ceil(calls / 100)
}
