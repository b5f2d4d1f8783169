import type { Model } from '../mapping/model.ts'
import { ANY_ACTION, CORE_ACTION } from '../usage/rollup-sql.ts'
import { ACTIVITY } from './features.ts'

/** Which rollup rows one signal counts: an action on event days within [fromDay, toDay). */
export interface SignalWindow {
  readonly signal: string
  readonly action: string
  /** `YYYY-MM-DD`, UTC. */
  readonly fromDay: string
  readonly toDay: string
}

const DAY_MS = 86_400_000
const FIRST_DAY = '0001-01-01'

/**
 * The rows that a model needs at `asOf`, the activity signals included. Windows are whole UTC days: a
 * window of 30 days holds the 30 days before `asOf` when that is a day boundary, else today and the 29
 * days before.
 */
export function signalWindows(model: Model, asOf: Date): SignalWindow[] {
  const end = asOf.getTime()
  const toDay = day(Math.ceil(end / DAY_MS) * DAY_MS)
  const back = (days: number) => day(Math.ceil((end - days * DAY_MS) / DAY_MS) * DAY_MS)
  const windows: SignalWindow[] = [
    { signal: ACTIVITY.ever, action: ANY_ACTION, fromDay: FIRST_DAY, toDay },
    { signal: ACTIVITY.active30, action: ANY_ACTION, fromDay: back(30), toDay },
    { signal: ACTIVITY.recent, action: ANY_ACTION, fromDay: back(14), toDay },
    { signal: ACTIVITY.earlier, action: ANY_ACTION, fromDay: back(28), toDay: back(14) },
    { signal: ACTIVITY.core, action: CORE_ACTION, fromDay: back(model.window), toDay },
  ]
  for (const signal of model.signals) {
    if (!('action' in signal)) continue
    const fromDay = back(signal.within ?? model.window)
    windows.push({ signal: signal.id, action: signal.action, fromDay, toDay })
  }
  return windows
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
