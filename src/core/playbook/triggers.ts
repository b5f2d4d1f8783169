import type { Model } from '../mapping/model.ts'
import type { PlaybookTrigger } from '../mapping/playbook.ts'
import type { Score } from '../scoring/score.ts'

/** How a trigger finds whom it starts for. */
export type TriggerKind =
  /** By rows of the history of scores. */
  | 'history'
  /** By the score alone: what began, and when, is part of it. */
  | 'score'
  /** By what holds now and did not at the last look. */
  | 'level'

export function kindOfTrigger(trigger: PlaybookTrigger): TriggerKind {
  if ('action-first' in trigger) return 'score'
  return 'limit-reached' in trigger || 'people-active' in trigger ? 'level' : 'history'
}

/** Whether the reason of a trigger stands by a score, however it came about. */
export function standsNow(trigger: PlaybookTrigger, score: Score): boolean {
  if ('status-entered' in trigger) return score.usageStatus === trigger['status-entered']
  if ('score-crossed' in trigger) return score.score >= trigger['score-crossed']
  if ('people-active' in trigger) return score.facts.activeUsers >= trigger['people-active']
  if ('limit-reached' in trigger) {
    const part = score.contributions.find(({ id }) => id === trigger['limit-reached'])
    return part !== undefined && part.amount >= trigger.percent
  }
  return true
}

/**
 * When an action was done for the first time within the window of the model, in milliseconds since 1970 UTC; null where no
 * signal of the model tells of it.
 */
export function firstTimeOf(action: string, model: Model, score: Score): number | null {
  const ids = new Set(signalsOf(action, model))
  const firsts = score.contributions.flatMap(({ id, since }) =>
    ids.has(id) && since !== null ? [since] : [],
  )
  return firsts.length === 0 ? null : Math.min(...firsts)
}

/** Ids of the signals of a model that tell since when an action is done. */
export function signalsOf(action: string, { signals }: Pick<Model, 'signals'>): string[] {
  return signals.flatMap((signal) =>
    'action' in signal && signal.action === action && signal.of === 'own' ? [signal.id] : [],
  )
}

/**
 * The instant that names the episode of a status: its last beginning, ISO 8601 UTC.
 * @returns null when the score is in another status by now.
 */
export function statusEpisode(status: string, score: Score): string | null {
  if (score.usageStatus !== status) return null
  return status === 'qualified' ? (score.qualifiedAt ?? score.statusSince) : score.statusSince
}

/** Whether a trigger is the entry into `qualified`. */
export const isAboutQualified = (trigger: PlaybookTrigger): boolean =>
  'status-entered' in trigger && trigger['status-entered'] === 'qualified'

/** Why the reason of a playbook is gone by the score of now; null while it stands. */
export function lapsed(trigger: PlaybookTrigger, score: Score | null): string | null {
  if (score === null) return 'nobody scores it any more'
  if (standsNow(trigger, score)) return null
  if ('status-entered' in trigger) {
    return `the usage status is ${score.usageStatus} by now, and not ${trigger['status-entered']}`
  }
  if ('score-crossed' in trigger) return `the score fell below ${trigger['score-crossed']}`
  if ('people-active' in trigger) return 'fewer people are active'
  return 'there is room below the limit again'
}
