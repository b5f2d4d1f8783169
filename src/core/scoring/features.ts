import type { Need } from './needs.ts'

/**
 * What usage says about one need (see `Need`) of one subject, up to `asOf`. Instants are milliseconds
 * since 1970 UTC. What a need does not ask for is undefined.
 */
export interface Evidence {
  /** How many times within the window. */
  readonly count: number
  /** Distinct UTC days with one within the window. */
  readonly days: number
  /** First and last within the window; null without any. */
  readonly firstAt: number | null
  readonly lastAt: number | null
  readonly value?: KeptValue
  /** The additive amount, every day's part faded and rounded to a billionth. */
  readonly faded?: number
  /** Most UTC days in a row with one. */
  readonly streak?: number
  /** Most times, and most days with one, within any seven days in a row. */
  readonly week?: number
  readonly weekDays?: number
  /** How many times in the period before the window, and the first of them. */
  readonly earlier?: number
  readonly earlierFirstAt?: number | null
  /** First ever, within the window or before. */
  readonly everAt?: number | null
  /** Distinct people within the window. */
  readonly people?: number
}

/** What the tracking plan keeps of an action's value, over all days of the window; null without any. */
export interface KeptValue {
  readonly sum: number | null
  readonly max: number | null
  readonly last: number | null
  /** When the last one was told. */
  readonly lastAt: number | null
  /** How many distinct values. */
  readonly distinct: number | null
  /** Some day had more distinct values than are kept, so there may be more. */
  readonly isCapped: boolean
}

/** Any use: what every model is fed besides its own needs. Numbers are days, instants milliseconds. */
export interface Activity {
  /** First and last use ever. */
  readonly firstAt: number
  readonly lastAt: number
  /** Days with use in the last 30, and the first use in them. */
  readonly days30: number
  readonly first30At: number | null
  /** Times in the last 14 days, and the first of them. */
  readonly recent: number
  readonly recentFirstAt: number | null
  /** Times in the 14 days before those, and the first of them. */
  readonly earlier: number
  readonly earlierFirstAt: number | null
}

/** One person of an account: what she did, and what she scored by the model of persons. */
export interface Member {
  readonly personId: string
  /** First and last use ever; null without any up to `asOf`. */
  readonly firstAt: number | null
  readonly lastAt: number | null
  /** Days with core work by window length in days: within the window, and in the one before it. */
  readonly core: ReadonlyMap<number, CoreWork>
  readonly score: number
  readonly qualified: boolean
}

/** Days with core work within a window, and in the window of the same length before. */
export interface CoreWork {
  readonly days: number
  readonly firstAt: number | null
  readonly earlierDays: number
  readonly earlierFirstAt: number | null
}

/** Values of traits by name; an account has those of all its people besides its own. */
export type Traits = Readonly<Record<string, readonly string[]>>

/** What sales said last about a subject. */
export interface SalesState {
  readonly status: 'none' | 'accepted' | 'rejected' | 'opportunity' | 'won' | 'lost'
  /** When; null for `none`. */
  readonly since: number | null
  /** The score when it was rejected; null otherwise. */
  readonly scoreThen: number | null
}

export const NO_SALES: SalesState = { status: 'none', since: null, scoreThen: null }

/** All that a model is fed about one subject. The same for live scoring, previews and backtests. */
export interface Features {
  readonly subjectId: string
  readonly activity: Activity
  /** By the place of the need in `needsOf(model)`; undefined where there is no row at all. */
  readonly evidence: readonly (Evidence | undefined)[]
  readonly traits: Traits
  /** When traits next say something else with time alone; absent when they do not. */
  readonly traitsChangeAt?: number | undefined
  /** People of the account, of a person that of hers: one array shared by all; empty without an account. */
  readonly members: readonly Member[]
  readonly sales: SalesState
}

export type { Need }
