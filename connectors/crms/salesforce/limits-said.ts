import type { LimitsSaid } from '../../../src/core/ports/crm.ts'
import { rowErrorKind } from './error-codes.ts'
import type { Answer } from './http-exchange.ts'
import { errorsOf, type WireError } from './wire-errors.ts'

/**
 * The quota is for the last 24 hours and comes back bit by bit. Salesforce tells no time to wait: look
 * again every quarter of an hour.
 */
export const QUOTA_PAUSE_MS = 15 * 60_000
/** Too many long calls at once, or an org that is being moved. */
export const BUSY_PAUSE_MS = 10_000

const QUOTA_CODES = new Set(['REQUEST_LIMIT_EXCEEDED', 'STORAGE_LIMIT_EXCEEDED'])

/** A refusal that asks for a pause. */
export interface AskedPause {
  readonly why: string
  readonly pauseMs: number
}

/** The pause that an answer asks for, in its body or by its status; null when it asks for none. */
export function askedPause(answer: Answer): AskedPause | null {
  const quota = errorsOf(answer).find(({ code }) => QUOTA_CODES.has(code))
  if (quota) {
    const { why, pauseMs } = pauseOf(quota)
    return { why, pauseMs: Math.max(pauseMs, retryAfterMs(answer)) }
  }
  if (answer.status === 429 || answer.status === 420) {
    return { why: `HTTP ${answer.status}`, pauseMs: Math.max(BUSY_PAUSE_MS, retryAfterMs(answer)) }
  }
  return null
}

function pauseOf({ code, message }: WireError): AskedPause {
  return { why: code, pauseMs: /concurrent/i.test(message) ? BUSY_PAUSE_MS : QUOTA_PAUSE_MS }
}

/** The pause that rows of a call ask for, which say that the org takes no more; null when none does. */
export function pauseInRows(errors: readonly WireError[]): AskedPause | null {
  const error = errors.find((one) => rowErrorKind(one) === 'limit')
  return error ? pauseOf(error) : null
}

/** `api-usage=18/5000`, by itself or among others such as `per-app-api-usage`. */
export function usageIn(headers: Answer['headers']): { used: number; limit: number } | null {
  const match = /(?:^|[;,\s])api-usage=(\d+)\/(\d+)/.exec(headers['sforce-limit-info'] ?? '')
  return match ? { used: Number(match[1]), limit: Number(match[2]) } : null
}

/** What an answer tells about the org's calls, and what it says in `within`, beside rows that succeeded. */
export function limitsSaid(answer: Answer, within: AskedPause | null = null): LimitsSaid {
  const usage = usageIn(answer.headers)
  const pause = askedPause(answer) ?? within
  return {
    ...(usage ? { day: { calls: usage.limit, left: Math.max(0, usage.limit - usage.used) } } : {}),
    ...(pause ? { refused: { of: 'account' as const, pauseMs: pause.pauseMs } } : {}),
  }
}

function retryAfterMs({ headers }: Answer): number {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, 86_400_000) : 0
}
