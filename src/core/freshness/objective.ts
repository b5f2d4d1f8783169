import { BOUNDS_SECONDS, type Spread, totalOf, withinOf } from './bounds.ts'

/** What share of what is qualified is to be in the CRM how soon after it arrived, over how long. */
export interface Objective {
  /** Above 0, below 1. */
  readonly share: number
  /** One of the bounds. */
  readonly withinSeconds: number
  readonly overHours: number
}

/** How the objective stands at one CRM. */
export interface Standing {
  readonly objective: Objective
  /** How many are counted, those that are late and not in the CRM yet among them. */
  readonly total: number
  readonly kept: number
  /** From 0 to 1; null when there was nothing to be kept. */
  readonly share: number | null
  readonly isKept: boolean
  /** Of the misses that the objective allows, the part that is used up: 1 is all of them. */
  readonly budgetUsed: number | null
}

export const DEFAULT_OBJECTIVE = '95% in 15m over 24h'

/** What is told of an objective that cannot be read, with what would be right. */
export const OBJECTIVE_FORM = 'must be written 95% in 15m over 24h'

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const FORM = /^(\d+(?:\.\d+)?)\s*% in (\d+)([smhd]) over (\d+)([hd])$/

/**
 * Reads `95% in 15m over 24h`.
 * @returns the objective, or why it is none.
 */
export function readObjective(text: string): Objective | string {
  const found = FORM.exec(text.trim())
  if (!found) return OBJECTIVE_FORM
  const [, percent, within, unit = '', over, overUnit = ''] = found
  const share = Number(percent) / 100
  if (share <= 0 || share >= 1) return 'its share must be above 0 % and below 100 %'
  const withinSeconds = Number(within) * (UNIT_SECONDS[unit] ?? 0)
  if (!BOUNDS_SECONDS.some((bound) => bound === withinSeconds)) {
    return `its time must be one of ${BOUNDS_SECONDS.map(shortTime).join(', ')}`
  }
  const overHours = (Number(over) * (UNIT_SECONDS[overUnit] ?? 0)) / 3600
  if (overHours < 1 || overHours > 24 * 30) return 'it must be looked at over 1h to 30d'
  return { share, withinSeconds, overHours }
}

/**
 * Holds the objective against what was counted.
 * @param lateOpen those that are not in the CRM yet although their time is over.
 */
export function standingOf(objective: Objective, spread: Spread, lateOpen: number): Standing {
  const total = totalOf(spread) + lateOpen
  const kept = withinOf(spread, objective.withinSeconds)
  const share = total === 0 ? null : kept / total
  return {
    ...{ objective, total, kept, share },
    isKept: share === null || share >= objective.share,
    budgetUsed: total === 0 ? null : (total - kept) / (total * (1 - objective.share)),
  }
}

/** Such as 15m or 2h. */
export function shortTime(seconds: number): string {
  const [unit, size] = Object.entries(UNIT_SECONDS)
    .reverse()
    .find(([, each]) => seconds >= each && seconds % each === 0) ?? ['s', 1]
  return `${seconds / size}${unit}`
}
