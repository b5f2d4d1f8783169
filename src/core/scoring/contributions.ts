import type { Model } from '../mapping/model.ts'
import { NOTHING } from './people-amounts.ts'
import { bookkeeping, wholePoints } from './points.ts'
import type { Contribution, ContributionChange } from './score.ts'
import type { Work } from './work.ts'

/** The score, and the whole points that sum to it. */
export function contributionsOf(
  model: Model,
  { readings, raw, whole, rest }: Work,
  isExcluded: boolean,
): { score: number; contributions: Contribution[] } {
  const { sum, points } = wholePoints(raw, whole, rest)
  const parts: Contribution[] = []
  for (let i = 0; i < points.length; i++) {
    const given = points[i] ?? 0
    if (given === 0) continue
    const { amount, since, last } = readings[i] ?? NOTHING
    const id = model.signals[i]?.id ?? ''
    insert(parts, { id, points: given, amount: amount ?? 0, since, last })
  }
  const score = Math.min(100, Math.max(0, sum))
  if (score !== sum) parts.push(bookkeeping('limit', score - sum))
  if (isExcluded && score !== 0) parts.push(bookkeeping('excluded', -score))
  return { score: isExcluded ? 0 : score, contributions: parts }
}

/** Puts a contribution in its place: most points first, equal ones by id. They are few. */
function insert(parts: Contribution[], part: Contribution): void {
  let at = parts.length
  for (; at > 0; at--) {
    const other = parts[at - 1]
    if (!other || other.points > part.points) break
    if (other.points === part.points && other.id < part.id) break
  }
  parts.splice(at, 0, part)
}

/** What each signal gives now against before; what did not change is left out. */
export function differences(
  before: readonly Contribution[],
  now: readonly Contribution[],
): ContributionChange[] {
  const from = new Map(before.map(({ id, points }) => [id, points]))
  const to = new Map(now.map(({ id, points }) => [id, points]))
  return [...new Set([...to.keys(), ...from.keys()])]
    .map((id) => ({ id, from: from.get(id) ?? 0, to: to.get(id) ?? 0 }))
    .filter((change) => change.from !== change.to)
    .sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from) || (a.id < b.id ? -1 : 1))
}

/** When the newest behaviour was that gave points, in milliseconds since 1970 UTC; null without any. */
export function newestEvidence(contributions: readonly Contribution[]): number | null {
  let at: number | null = null
  for (const { points, last } of contributions) {
    if (points > 0 && last !== null && last > (at ?? 0)) at = last
  }
  return at
}
