import type { Model } from '../mapping/model.ts'
import { sameJson } from '../same-json.ts'
import { championOf, reasonsOf, summaryOf, type Trend, trendOf } from './explain.ts'
import { ACTIVITY, type Features } from './features.ts'
import { addPoints, type Contribution } from './points.ts'
import { gradeOf, nextStatus, type SalesStatus, type UsageStatus } from './status.ts'

/** The stored answer for one subject and model. Instants are ISO 8601 UTC. */
export interface Score {
  readonly subjectId: string
  readonly score: number
  readonly grade: string
  readonly usageStatus: UsageStatus
  readonly salesStatus: SalesStatus
  readonly statusSince: string
  /** When `qualified` was entered last; null if never. */
  readonly qualifiedAt: string | null
  /** Difference to the value before the last change of the score. */
  readonly change: number
  readonly trend: Trend
  readonly contributions: readonly Contribution[]
  readonly reasons: readonly string[]
  readonly facts: ScoreFacts
  /** The newest behaviour that gave points. */
  readonly evidenceAt: string | null
  /** When the score could change with no new event; null when only an event can change it. */
  readonly nextChangeAt: string | null
}

/** What is told beside the score. */
export interface ScoreFacts {
  readonly summary: string
  readonly lastActive: string | null
  readonly firstSeen: string | null
  readonly activeDays30: number
  /** Only for accounts. */
  readonly activeUsers: number
  readonly qualifiedUsers: number
  readonly championId: string | null
  readonly otherIds: readonly string[]
}

const DAY_MS = 86_400_000

/** Scores one subject at `asOf`; `previous` carries status, sales status and the last change on. */
export function scoreSubject(
  model: Model,
  features: Features,
  previous: Score | null,
  asOf: Date,
): Score {
  const { score, contributions } = addPoints(model, features)
  const ever = features.evidence.get(ACTIVITY.ever)
  const usageStatus = nextStatus(model.status, {
    score,
    previous: previous?.usageStatus ?? null,
    firstSeenAt: ever?.firstAt ?? null,
    lastActiveAt: ever?.lastAt ?? null,
    asOf,
  })
  const moved = usageStatus !== previous?.usageStatus
  const now = asOf.toISOString()
  const trend = trendOf(features)
  return {
    subjectId: features.subjectId,
    score,
    grade: gradeOf(model.bands, score),
    usageStatus,
    salesStatus: previous?.salesStatus ?? 'none',
    statusSince: moved || !previous ? now : previous.statusSince,
    qualifiedAt: moved && usageStatus === 'qualified' ? now : (previous?.qualifiedAt ?? null),
    change:
      !previous || previous.score === score ? (previous?.change ?? 0) : score - previous.score,
    trend,
    contributions,
    reasons: reasonsOf(contributions),
    facts: factsOf(model, features, summaryOf(usageStatus, score, trend, contributions)),
    evidenceAt: newest(contributions),
    nextChangeAt: nextChange(model, ever?.lastAt ?? null, asOf),
  }
}

function factsOf(model: Model, features: Features, summary: string): ScoreFacts {
  const ever = features.evidence.get(ACTIVITY.ever)
  const active = features.members.filter((m) => m.coreDays >= model['active-days'])
  const champion = championOf(features.members)
  const others = active.filter((m) => m.personId !== champion?.personId)
  return {
    summary,
    lastActive: ever?.lastAt.toISOString() ?? null,
    firstSeen: ever?.firstAt.toISOString() ?? null,
    activeDays30: features.evidence.get(ACTIVITY.active30)?.days ?? 0,
    activeUsers: active.length,
    qualifiedUsers: features.members.filter((m) => m.qualified).length,
    championId: champion?.personId ?? null,
    otherIds: others
      .sort((a, b) => b.score - a.score || (a.personId < b.personId ? -1 : 1))
      .map((m) => m.personId),
  }
}

function newest(contributions: readonly Contribution[]): string | null {
  const dates = contributions.flatMap((part) => (part.points > 0 && part.last ? [part.last] : []))
  return dates.sort().at(-1) ?? null
}

/**
 * Windows are whole UTC days, so nothing moves before the next midnight; and once the last use has
 * left every window and the status is stale, nothing moves at all.
 */
function nextChange(model: Model, lastActiveAt: Date | null, asOf: Date): string | null {
  if (!lastActiveAt) return null
  const longest = Math.max(
    30,
    model.window,
    model.status['stale-after'],
    model.status['new-for'],
    ...model.signals.map((s) => ('within' in s && s.within ? s.within : 0)),
  )
  if (asOf.getTime() - lastActiveAt.getTime() > (longest + 1) * DAY_MS) return null
  return new Date(Math.floor(asOf.getTime() / DAY_MS) * DAY_MS + DAY_MS).toISOString()
}

/** True when a stored score says the same; `nextChangeAt` alone is no news to anybody. */
export function sameScore(a: Score, b: Score): boolean {
  // Before anything costly: whoever was active has another time of it.
  if (a.score !== b.score || a.facts.lastActive !== b.facts.lastActive) return false
  return sameJson({ ...a, nextChangeAt: null }, { ...b, nextChangeAt: null })
}
