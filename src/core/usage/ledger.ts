import type { UsageWindow } from '../ports/usage-source.ts'

/** A window that was pulled: when last. */
export interface PulledWindow {
  readonly key: string
  readonly pulledAt: Date
}

/** Adjacent windows that nobody pulled, though earlier and later ones were. */
export interface Gap {
  readonly from: string
  readonly to: string
  readonly windows: number
}

/**
 * Windows that are missing between the first and the last that were pulled, as ranges, oldest first.
 * @param windows all that there are around those, oldest first.
 */
export function findGaps(windows: readonly UsageWindow[], pulled: readonly PulledWindow[]): Gap[] {
  const known = new Set(pulled.map(({ key }) => key))
  const inside = windows.slice(
    windows.findIndex(({ key }) => known.has(key)),
    windows.findLastIndex(({ key }) => known.has(key)) + 1,
  )
  const gaps: Gap[] = []
  let open = false
  for (const { key } of inside) {
    const isMissing = !known.has(key)
    const last = gaps.at(-1)
    if (isMissing && open && last) {
      gaps[gaps.length - 1] = { ...last, to: key, windows: last.windows + 1 }
    } else if (isMissing) {
      gaps.push({ from: key, to: key, windows: 1 })
    }
    open = isMissing
  }
  return gaps
}

/** How long the newest window that was pulled after its end lies back; null when there is none. */
export function lagMs(
  windows: readonly UsageWindow[],
  pulled: readonly PulledWindow[],
  now: Date,
): number | null {
  const at = new Map(pulled.map(({ key, pulledAt }) => [key, pulledAt]))
  const newest = windows.findLast(({ key, end }) => (at.get(key)?.getTime() ?? 0) >= end.getTime())
  return newest ? now.getTime() - newest.end.getTime() : null
}

/** How long the rest takes when it goes on as it did; null before anything is done. */
export function estimateMs(done: number, left: number, elapsedMs: number): number | null {
  return done > 0 ? Math.round((elapsedMs / done) * left) : null
}
