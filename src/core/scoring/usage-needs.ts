import type { Model } from '../mapping/model.ts'
import { signalWindows } from './signal-windows.ts'

/** Rollup rows of an action that some model may look at: those of event days from `fromDay` on. */
export interface UsageNeed {
  readonly action: string
  /** `YYYY-MM-DD`, UTC. */
  readonly fromDay: string
}

const DAY_MS = 86_400_000

/** The last day boundary that is a day or more ago: what happened since is fresh. */
export const freshSince = (asOf: Date): Date =>
  new Date(Math.floor((asOf.getTime() - DAY_MS) / DAY_MS) * DAY_MS)

/** What models look at for scores at `asOf` and at `freshSince(asOf)`; everything else counts nowhere. */
export function usageNeeds(models: Iterable<Model>, asOf: Date): UsageNeed[] {
  const from = new Map<string, string>()
  for (const model of models) {
    for (const at of [asOf, freshSince(asOf)]) {
      for (const { action, fromDay } of signalWindows(model, at)) {
        const known = from.get(action)
        if (known === undefined || fromDay < known) from.set(action, fromDay)
      }
    }
  }
  return [...from].map(([action, fromDay]) => ({ action, fromDay }))
}
