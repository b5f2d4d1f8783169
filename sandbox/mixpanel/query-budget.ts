/** A project's allowance of queries, over the last hour and the last second. */
export interface QueryBudget {
  /** Counts a query at `nowMs`; says why it is refused, or null when it may run. */
  take(nowMs: number): string | null
}

/** Starts with the full allowance. Refused queries cost nothing. */
export function createQueryBudget(perHour: number, perSecond: number): QueryBudget {
  let taken: number[] = []
  return {
    take(nowMs) {
      taken = taken.filter((when) => when > nowMs - 3_600_000)
      const lastSecond = taken.filter((when) => when > nowMs - 1000).length
      if (taken.length >= perHour) {
        return `Query rate limit exceeded: ${taken.length + 1}/${perHour} queries running in the last hour`
      }
      if (lastSecond >= perSecond) {
        return `Query rate limit exceeded: ${lastSecond + 1}/${perSecond} queries running in the last second`
      }
      taken.push(nowMs)
      return null
    },
  }
}
