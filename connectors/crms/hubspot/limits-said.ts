import type { LimitsSaid } from '../../../src/core/ports/crm.ts'
import { type Answer, parseErrorBody } from './wire-shapes.ts'

const TEN_SECONDS_MS = 10_000
const ONE_SECOND_MS = 1_000
/**
 * The daily quota is free again at midnight in the account's own time zone, which the answer does
 * not tell, and another app of the account may have used it up: look again every quarter of an hour.
 */
const DAILY_PAUSE_MS = 15 * 60_000
/** A lock lasts two seconds. */
const LOCKED_PAUSE_MS = 2_000
const MIGRATION_PAUSE_MS = 60_000
const MAX_PAUSE_MS = 24 * 60 * 60_000

/** A refusal that asks for a pause: of which allowance, and for how long. */
export type AskedPause = Required<LimitsSaid>['refused'] & { readonly why: string }

/** The pause that an answer asks for; null when it asks for none. `Retry-After` is worth no less than our own guess. */
export function askedPause(answer: Answer): AskedPause | null {
  const asked = (of: AskedPause['of'], why: string, leastMs: number): AskedPause => {
    // Promised, in seconds, for a migration only.
    const retryAfterMs = Number(answer.headers['retry-after']) * 1_000
    const waitMs = Number.isFinite(retryAfterMs) ? Math.max(leastMs, retryAfterMs) : leastMs
    return { of, why, pauseMs: Math.min(waitMs, MAX_PAUSE_MS) }
  }
  if (answer.status === 423) return asked('account', 'record lock', LOCKED_PAUSE_MS)
  if (answer.status === 477) return asked('account', 'account migration', MIGRATION_PAUSE_MS)
  if (answer.status !== 429) return null
  const { policyName = '', message = '' } = parseErrorBody(answer.body)
  const policy = `${policyName} ${message}`.toLowerCase()
  if (policy.includes('daily')) return asked('day', 'daily limit', DAILY_PAUSE_MS)
  if (policy.includes('ten_secondly')) return asked('window', 'rate limit', intervalMs(answer))
  return asked('window', 'rate limit', policy.includes('secondly') ? ONE_SECOND_MS : TEN_SECONDS_MS)
}

/** What an answer tells about the account's allowances; searches and apps with OAuth are told less. */
export function limitsSaid(answer: Answer): LimitsSaid {
  const calls = headerOf(answer, 'max')
  const left = headerOf(answer, 'remaining')
  const interval = headerOf(answer, 'interval-milliseconds')
  const dayCalls = headerOf(answer, 'daily')
  const dayLeft = headerOf(answer, 'daily-remaining')
  const pause = askedPause(answer)
  return {
    ...(calls && left !== null && interval
      ? { window: { calls, left, intervalMs: interval } }
      : {}),
    ...(dayCalls && dayLeft !== null ? { day: { calls: dayCalls, left: dayLeft } } : {}),
    ...(pause ? { refused: { of: pause.of, pauseMs: pause.pauseMs } } : {}),
  }
}

function intervalMs(answer: Answer): number {
  return Math.min(headerOf(answer, 'interval-milliseconds') || TEN_SECONDS_MS, MAX_PAUSE_MS)
}

function headerOf(answer: Answer, name: string): number | null {
  const text = answer.headers[`x-hubspot-ratelimit-${name}`]
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isInteger(value) && value >= 0 ? value : null
}
