import { midnightAfter } from './account-day.ts'
import { PORTAL_ID } from './hubspot-error.ts'

const SECOND_MS = 1000

export interface LimitOptions {
  /** Calls per interval. Default 190. */
  readonly burst?: number
  /** Default 10,000. */
  readonly intervalMs?: number
  /** Calls per day of the account. Default 650,000. */
  readonly daily?: number
  /** Calls of the day that other apps have made by now, at the start of every day. Default 0. */
  readonly usedByOthers?: number
  /** The zone at whose midnight the day is counted anew. Default UTC. */
  readonly timeZone?: string
  /** False as for apps with OAuth: answers do not tell the daily quota. Default true. */
  readonly dailyHeaders?: boolean
  /** The refusal of a search bears the policy's name, as was reported once. Default false, as recorded. */
  readonly searchPolicyName?: boolean
  /** Default 5. */
  readonly searchPerSecond?: number
  /** Properties of its own that each object may have. Default 1,000. */
  readonly customProperties?: number
}

export type LimitedKind = 'object' | 'search' | 'association'

interface Refusal {
  readonly body: Readonly<Record<string, unknown>>
}

interface Admission {
  readonly headers: Readonly<Record<string, string>>
  readonly refusal?: Refusal
}

/** Calls within the last `windowMs`. */
class Window {
  private readonly times: number[] = []
  private head = 0
  private readonly most: number
  private readonly windowMs: number

  constructor(most: number, windowMs: number) {
    this.most = most
    this.windowMs = windowMs
  }

  remaining(now: number): number {
    let oldest = this.times[this.head]
    while (oldest !== undefined && oldest <= now - this.windowMs) oldest = this.times[++this.head]
    if (this.head > 10_000) this.times.splice(0, this.head)
    if (this.head > 10_000) this.head = 0
    return this.most - (this.times.length - this.head)
  }

  take(now: number): void {
    this.times.push(now)
  }
}

/**
 * The rolling ten-second limit, the daily one, and the ones that searches and associations have
 * instead of the first. A refused call counts for none of them.
 */
export class RateLimits {
  readonly customProperties: number
  private readonly burst: number
  private readonly intervalMs: number
  private readonly dailyLimit: number
  private readonly windows: Readonly<Record<LimitedKind, Window>>
  private readonly options: LimitOptions
  private dayEnds = 0
  private usedToday = 0

  constructor(options: LimitOptions = {}) {
    this.options = options
    this.customProperties = options.customProperties ?? 1000
    this.burst = options.burst ?? 190
    this.intervalMs = options.intervalMs ?? 10_000
    this.dailyLimit = options.daily ?? 650_000
    const associations = Math.max(1, Math.round((this.burst * 150) / 190))
    this.windows = {
      object: new Window(this.burst, this.intervalMs),
      search: new Window(options.searchPerSecond ?? 5, SECOND_MS),
      association: new Window(associations, this.intervalMs),
    }
  }

  get timeZone(): string {
    return this.options.timeZone ?? 'Etc/UTC'
  }

  daily(now: number): { limit: number; used: number; resetsAt: number } {
    this.turnDay(now)
    return { limit: this.dailyLimit, used: this.usedToday, resetsAt: this.dayEnds }
  }

  admit(kind: LimitedKind, now: number): Admission {
    this.turnDay(now)
    if (this.usedToday >= this.dailyLimit) {
      return { headers: this.headers(kind, now, true), refusal: refusal('DAILY', 'daily') }
    }
    if (this.windows[kind].remaining(now) <= 0) {
      const { name } = limitNames[kind]
      const named = kind === 'search' && this.options.searchPolicyName ? 'SECONDLY' : undefined
      const policy = limitNames[kind].policy ?? named
      return { headers: this.headers(kind, now, true), refusal: refusal(policy, name) }
    }
    this.windows[kind].take(now)
    this.usedToday++
    return { headers: this.headers(kind, now, false) }
  }

  private turnDay(now: number): void {
    if (now < this.dayEnds) return
    this.usedToday = this.options.usedByOthers ?? 0
    this.dayEnds = midnightAfter(now, this.timeZone)
  }

  /** Search answers carry none of these, except that a refusal tells the daily ones. */
  private headers(kind: LimitedKind, now: number, refused: boolean): Record<string, string> {
    const left = Math.max(0, this.dailyLimit - this.usedToday)
    const daily: Record<string, string> =
      this.options.dailyHeaders === false
        ? {}
        : {
            'X-HubSpot-RateLimit-Daily': String(this.dailyLimit),
            'X-HubSpot-RateLimit-Daily-Remaining': String(left),
          }
    if (kind === 'search') return refused ? daily : {}
    return {
      ...daily,
      'X-HubSpot-RateLimit-Interval-Milliseconds': String(this.intervalMs),
      'X-HubSpot-RateLimit-Max': String(this.burst),
      'X-HubSpot-RateLimit-Remaining': String(Math.max(0, this.windows[kind].remaining(now))),
    }
  }
}

const limitNames = {
  object: { name: 'ten_secondly_rolling', policy: 'TEN_SECONDLY_ROLLING' },
  association: { name: 'ten_secondly_rolling', policy: 'TEN_SECONDLY_ROLLING' },
  search: { name: 'secondly', policy: undefined },
} as const

/** The search limit was recorded without a policy name, with a category instead. */
function refusal(policyName: string | undefined, name: string): Refusal {
  const message = `You have reached your ${name} limit.`
  if (policyName === undefined) {
    return { body: { status: 'error', message, category: 'RATE_LIMITS' } }
  }
  const more =
    policyName === 'TEN_SECONDLY_ROLLING'
      ? { groupName: `publicapi:private-app-api-calls-ten-secondly:${PORTAL_ID}` }
      : { requestId: '3d3e35b7-0dae-4b9f-a6e3-9c230cbcf8dd' }
  return { body: { status: 'error', message, errorType: 'RATE_LIMIT', policyName, ...more } }
}
