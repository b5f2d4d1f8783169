import type { SalesStatus, UsageStatus } from './status.ts'

export type Trend = 'rising' | 'steady' | 'falling' | 'quiet'

/** Whole points that one signal gave, and why. Its words are the model's; see explain.ts. */
export interface Contribution {
  /** Signal id; `limit` for the clamp to 0–100, `excluded` for what an exclusion takes away. */
  readonly id: string
  readonly points: number
  /** What the signal measured: times, days, people, per cent or a value. */
  readonly amount: number
  /** First and last evidence, in milliseconds since 1970 UTC; null where it has no date. */
  readonly since: number | null
  readonly last: number | null
}

/** What one signal gives now against what it gave before the score changed last. */
export interface ContributionChange {
  readonly id: string
  readonly from: number
  readonly to: number
}

/** One signal that would bring a subject nearer to `qualified`. */
export interface Missing {
  /** Signal id. */
  readonly id: string
  /** Points that it would add; 0 when it is required and gives none. */
  readonly points: number
  /** How much more of its amount it takes. */
  readonly more: number
  /** Without it nothing else helps. */
  readonly isRequired: boolean
}

/** The stored answer for one subject and model. Instants are ISO 8601 UTC. */
export interface Score {
  readonly subjectId: string
  /** Version of the model that gave it. */
  readonly version: number
  readonly score: number
  readonly grade: string
  readonly usageStatus: UsageStatus
  readonly salesStatus: SalesStatus
  readonly statusSince: string
  /** Until when `min-dwell` holds the status; null when it does not. */
  readonly heldUntil: string | null
  /** The last change of the status was for the better, or there was none yet. */
  readonly roseLast: boolean
  /** When `qualified` was entered last; null if never. */
  readonly qualifiedAt: string | null
  /** Difference to the value before the last change of the score. */
  readonly change: number
  /** What made that difference. */
  readonly changed: readonly ContributionChange[]
  readonly trend: Trend
  /** They sum to the score. Largest first, `limit` and `excluded` last. */
  readonly contributions: readonly Contribution[]
  /** What would qualify the subject; empty for who is qualified. */
  readonly missing: readonly Missing[]
  readonly facts: ScoreFacts
  /** The newest behaviour that gave points. */
  readonly evidenceAt: string | null
  /** When the score could change with no new event; null when only news can change it. */
  readonly nextChangeAt: string | null
}

/** What an account's score asks of those of its people. */
export type Standing = Pick<Score, 'score' | 'usageStatus'>

/** What is told beside the score. */
export interface ScoreFacts {
  readonly lastActive: string | null
  readonly firstSeen: string | null
  readonly activeDays30: number
  /** Label of the exclusion that applies. */
  readonly excludedBy: string | null
  /** Only for accounts. */
  readonly activeUsers: number
  readonly qualifiedUsers: number
  readonly championId: string | null
  readonly otherIds: readonly string[]
}
