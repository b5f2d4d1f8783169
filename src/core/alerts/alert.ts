/** What is watched. */
export const ALERT_KINDS = [
  'missed-run',
  'gap',
  'parked-share',
  'freshness',
  'token-expiry',
  'quota',
  'schema-drift',
  'canary',
] as const
export type AlertKind = (typeof ALERT_KINDS)[number]

/** What one look found. */
export interface Finding {
  readonly kind: AlertKind
  /** What it is about: a source, a CRM, an account of a vendor. */
  readonly about: string
  /** `between` is neither bad enough to begin nor good enough to end. */
  readonly level: 'good' | 'between' | 'bad'
  /** What is wrong, with its figures and what to do; without names of people. */
  readonly text: string
}

/** How something that is watched stands. */
export interface AlertState {
  readonly isFiring: boolean
  /** When the last change of `isFiring` was; null when there never was one. */
  readonly since: Date | null
  /** Since when looks have found what would change it; null when they do not. */
  readonly leaningSince: Date | null
}

/** Nothing was found yet. */
export const QUIET: AlertState = { isFiring: false, since: null, leaningSince: null }

/** How long what is found must last. */
export interface Patience {
  readonly fireAfterMs: number
  readonly resolveAfterMs: number
}

const MINUTE_MS = 60_000

/** What is durable by itself is told at once; what comes and goes must last. */
export const PATIENCE: Readonly<Record<AlertKind, Patience>> = {
  'missed-run': { fireAfterMs: 0, resolveAfterMs: 0 },
  // The next pull may fill it.
  gap: { fireAfterMs: 30 * MINUTE_MS, resolveAfterMs: 0 },
  'parked-share': { fireAfterMs: 5 * MINUTE_MS, resolveAfterMs: 5 * MINUTE_MS },
  freshness: { fireAfterMs: 5 * MINUTE_MS, resolveAfterMs: 15 * MINUTE_MS },
  'token-expiry': { fireAfterMs: 0, resolveAfterMs: 0 },
  quota: { fireAfterMs: 0, resolveAfterMs: 5 * MINUTE_MS },
  'schema-drift': { fireAfterMs: 0, resolveAfterMs: 0 },
  canary: { fireAfterMs: 0, resolveAfterMs: 0 },
}

/** A state, and what is to be told of it. */
export interface AlertStep {
  readonly state: AlertState
  readonly tell: 'firing' | 'resolved' | null
}

/**
 * What a look makes of a state: it is told once when it changes, and not again until it changes back.
 */
export function nextAlert(
  state: AlertState,
  level: Finding['level'],
  now: Date,
  { fireAfterMs, resolveAfterMs }: Patience,
): AlertStep {
  const leans = state.isFiring ? level === 'good' : level === 'bad'
  if (!leans) return { state: { ...state, leaningSince: null }, tell: null }
  const leaningSince = state.leaningSince ?? now
  const lastMs = now.getTime() - leaningSince.getTime()
  if (lastMs < (state.isFiring ? resolveAfterMs : fireAfterMs)) {
    return { state: { ...state, leaningSince }, tell: null }
  }
  const isFiring = !state.isFiring
  return {
    state: { isFiring, since: now, leaningSince: null },
    tell: isFiring ? 'firing' : 'resolved',
  }
}
