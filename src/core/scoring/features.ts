/** What usage says about one subject and one signal, up to `asOf`. */
export interface Evidence {
  readonly count: number
  /** Distinct UTC days. */
  readonly days: number
  readonly firstAt: Date
  readonly lastAt: Date
  /** Present when the tracking plan keeps a value of the action. */
  readonly value?: KeptValue
}

/** What the tracking plan keeps of an action's value; null where it does not. */
export interface KeptValue {
  readonly sum: number | null
  readonly max: number | null
  readonly last: number | null
  /** When the last one was told. */
  readonly lastAt: Date | null
  /** How many distinct values. */
  readonly distinct: number | null
  /** Some day had more distinct values than are kept, so there may be more. */
  readonly isCapped: boolean
}

/** The signals that every model is fed besides its own, by reserved id. */
export const ACTIVITY = {
  /** Any use, ever. */
  ever: '$ever',
  /** Any use in the last 30 days. */
  active30: '$active30',
  /** Any use in the last 14 days. */
  recent: '$recent',
  /** Any use in the 14 days before those. */
  earlier: '$earlier',
  /** Core work within the model's window. */
  core: '$core',
} as const

/** One person of an account, as the account's model sees her. */
export interface Member {
  readonly personId: string
  readonly email: string | null
  readonly score: number
  readonly qualified: boolean
  /** Days with core work within the window. */
  readonly coreDays: number
  readonly lastActiveAt: Date | null
}

/** All that a model is fed about one subject. The same for live scoring, previews and backtests. */
export interface Features {
  readonly subjectId: string
  readonly evidence: ReadonlyMap<string, Evidence>
  readonly traits: Readonly<Record<string, readonly string[]>>
  /** People of the account; empty for a person. */
  readonly members: readonly Member[]
}
