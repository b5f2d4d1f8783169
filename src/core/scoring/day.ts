export const DAY_MS = 86_400_000

/** UTC day of an instant, as days since 1970. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)

/**
 * The day after the last one that windows hold at `asOf`: the day of `asOf` counts, unless `asOf` is its
 * very beginning.
 */
export const endDay = (asOf: number): number => Math.ceil(asOf / DAY_MS)

/** The first instant at which the windows are other ones than at `asOf`. */
export const nextShift = (asOf: number): number => endDay(asOf) * DAY_MS + 1

/** The first instant at which what happened at `at` is in a window of so many days no more. */
export const leavesAt = (at: number, days: number): number => (dayOf(at) + days) * DAY_MS + 1
