import { ACTIVITY, type Features, type Member } from './features.ts'
import type { Contribution } from './points.ts'

export type Trend = 'rising' | 'steady' | 'falling' | 'quiet'

/** Fewer uses than this in four weeks say nothing about a direction. */
const LEAST_USES_FOR_TREND = 6

/**
 * The last 14 days against the 14 before them: a change by half or more is a direction, below
 * `LEAST_USES_FOR_TREND` uses there is none.
 */
export function trendOf(features: Features): Trend {
  const recent = features.evidence.get(ACTIVITY.recent)?.count ?? 0
  const earlier = features.evidence.get(ACTIVITY.earlier)?.count ?? 0
  if (recent === 0) return 'quiet'
  if (recent + earlier < LEAST_USES_FOR_TREND) return 'steady'
  if (recent >= earlier * 1.5) return 'rising'
  return recent <= earlier * 0.5 ? 'falling' : 'steady'
}

/** One contribution with its points: `+40 Invited colleagues (2 times, last on 2026-11-20)`. */
export function reasonOf(part: Contribution): string {
  const points = part.points > 0 ? `+${part.points}` : `${part.points}`
  return `${points} ${behaviourOf(part)}`
}

/** The same without points, as one tells it: `Invited colleagues (2 times, last on 2026-11-20)`. */
export function behaviourOf(part: Contribution): string {
  const evidence = evidenceOf(part)
  return `${part.label}${evidence ? ` (${evidence})` : ''}`
}

function evidenceOf(part: Contribution): string {
  const last = part.last?.slice(0, 10)
  const many = amountOf(part)
  if (many) return last ? `${many}, last on ${last}` : many
  return last ? `on ${last}` : ''
}

/** How many, where that says more than "it happened". */
function amountOf({ unit, count }: Contribution): string {
  if (count === 1) return unit === 'people' ? '1 person' : ''
  return `${count} ${unit}`
}

/** The strongest reasons, best first; `limit` explains arithmetic, not behaviour, and comes last. */
export function reasonsOf(contributions: readonly Contribution[]): string[] {
  const behaviour = contributions.filter((part) => part.id !== 'limit')
  return [...behaviour]
    .sort((a, b) => Math.abs(b.points) - Math.abs(a.points) || (a.id < b.id ? -1 : 1))
    .map(reasonOf)
}

/** One line about the whole. */
export function summaryOf(
  status: string,
  score: number,
  trend: Trend,
  contributions: readonly Contribution[],
): string {
  const best = contributions.filter((part) => part.points > 0 && part.id !== 'limit').slice(0, 3)
  const what = best.map((part) => part.label.charAt(0).toLowerCase() + part.label.slice(1))
  const why = what.length > 0 ? what.join(', ') : 'no signal within the window'
  return `${status}, ${score} of 100, ${trend}: ${why}`
}

/** Whom to call first: the best score, then the most core work. */
export function championOf(members: readonly Member[]): Member | null {
  const ranked = [...members].sort(
    (a, b) => b.score - a.score || b.coreDays - a.coreDays || (a.personId < b.personId ? -1 : 1),
  )
  const best = ranked[0]
  return best && (best.coreDays > 0 || best.score > 0) ? best : null
}
