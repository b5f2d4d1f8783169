/** The clocks of the demo: Ripen's stands still while a day is looked at, the stand-in's goes on from there. */
export interface DemoClock {
  readonly now: () => Date
  /** Milliseconds since 1970: limits by the second need a clock that goes. */
  readonly standIn: () => number
  set(at: Date): void
}

export function createDemoClock(from: Date): DemoClock {
  let at = from
  let setAt = performance.now()
  return {
    now: () => at,
    standIn: () => at.getTime() + (performance.now() - setAt),
    set(next) {
      at = next
      setAt = performance.now()
    },
  }
}
