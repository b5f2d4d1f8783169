import type { Model, StatusRules } from '../mapping/model.ts'
import { DAY_MS } from './day.ts'
import type { SalesState } from './features.ts'

/** What usage says; written beside `SalesStatus`, never instead of it. */
export const USAGE_STATUSES = ['new', 'nurture', 'assist', 'qualified', 'cooling', 'stale'] as const
export type UsageStatus = (typeof USAGE_STATUSES)[number]

/** What sales says; read from the CRM. */
export const SALES_STATUSES = [
  'none',
  'accepted',
  'rejected',
  'opportunity',
  'won',
  'lost',
] as const
export type SalesStatus = (typeof SALES_STATUSES)[number]

/** What a status depends on. Instants are milliseconds since 1970 UTC. */
export interface StatusInput {
  readonly score: number
  /** The status before, and what of it counts still; null for a first score. */
  readonly previous: {
    readonly status: UsageStatus
    readonly heldUntil: number | null
    readonly roseLast: boolean
  } | null
  readonly firstAt: number
  readonly lastAt: number
  readonly sales: SalesState
  /** Required signals hold, and an account has enough active people. */
  readonly mayQualify: boolean
  readonly isExcluded: boolean
  /** When the newest hand was raised that is still up; null when none is. */
  readonly raisedAt: number | null
  readonly asOf: number
}

export interface StatusAnswer {
  readonly status: UsageStatus
  readonly heldUntil: number | null
  readonly roseLast: boolean
  /** When the status could change with no new event and no other score; infinite when it cannot. */
  readonly nextAt: number
}

/** From worst to best. */
const ORDER: readonly UsageStatus[] = ['stale', 'nurture', 'new', 'cooling', 'assist', 'qualified']

/**
 * The next usage status: hysteresis of the same width, `enter` less `exit`, at both thresholds, and a
 * dwell that bounds how often it changes. See docs/models.md. Asked again at the same instant with its
 * own answer, it answers the same.
 */
export function nextStatus(rules: StatusRules, input: StatusInput): StatusAnswer {
  const { previous, asOf } = input
  const { status, isSettled } = wanted(rules, input)
  const before = previous?.status ?? status
  const heldUntil = previous?.heldUntil ?? null
  const roseLast = previous?.roseLast ?? true
  if (status === before) {
    const kept = heldUntil !== null && heldUntil > asOf ? heldUntil : null
    return { status, heldUntil: kept, roseLast, nextAt: timed(rules, input, status) }
  }
  const isRise = ORDER.indexOf(status) > ORDER.indexOf(before)
  const isHeld = heldUntil !== null && heldUntil > asOf && !(isRise && roseLast)
  if (isHeld && !isSettled) {
    return {
      status: before,
      heldUntil,
      roseLast,
      nextAt: Math.min(heldUntil, timed(rules, input, before)),
    }
  }
  const dwell = rules['min-dwell']
  const until = dwell === undefined ? null : Math.max(heldUntil ?? 0, asOf) + dwell
  const nextAt = timed(rules, input, status)
  return { status, heldUntil: until, roseLast: isRise, nextAt }
}

/** What the status would be without dwell; settled when it does not wait. */
function wanted(
  rules: StatusRules,
  input: StatusInput,
): { readonly status: UsageStatus; readonly isSettled: boolean } {
  const { score, previous, raisedAt, sales } = input
  if (input.isExcluded) {
    return { status: isIdle(rules, input) ? 'stale' : 'nurture', isSettled: true }
  }
  const rejectedAt = sales.status === 'rejected' ? sales.since : null
  if (raisedAt !== null && raisedAt > (rejectedAt ?? 0)) {
    return { status: 'qualified', isSettled: true }
  }
  if (isIdle(rules, input)) return { status: 'stale', isSettled: false }
  const rests = rejectedAt !== null && isResting(rules, input, rejectedAt)
  // Of a rejection nobody is told late.
  const isSettled = rests && previous?.status === 'qualified'
  const need = previous?.status === 'qualified' ? rules.exit : rules.enter
  if (score >= need && input.mayQualify && !rests) return { status: 'qualified', isSettled }
  const leave = rules.assist - (rules.enter - rules.exit)
  const wasUp = previous?.status === 'qualified' || previous?.status === 'cooling'
  if (wasUp && score >= leave) return { status: 'cooling', isSettled }
  if (score >= (previous?.status === 'assist' ? leave : rules.assist)) {
    return { status: 'assist', isSettled }
  }
  return { status: low(rules, input), isSettled }
}

/** The status of who has no score worth speaking of. */
function low(rules: StatusRules, input: StatusInput): UsageStatus {
  if (isIdle(rules, input)) return 'stale'
  return input.asOf - input.firstAt < rules['new-for'] * DAY_MS ? 'new' : 'nurture'
}

const isIdle = (rules: StatusRules, { asOf, lastAt }: StatusInput): boolean =>
  asOf - lastAt > rules['stale-after'] * DAY_MS

function isResting(rules: StatusRules, input: StatusInput, rejectedAt: number): boolean {
  const rule = rules['after-rejection']
  if (rule === 'never') return true
  if (input.asOf < rejectedAt + rule['cool-down'] * DAY_MS) return true
  // Who qualified again keeps it as anybody does, or noise around the gain would go to and fro.
  const gap = input.previous?.status === 'qualified' ? rules.enter - rules.exit : 0
  return input.score < (input.sales.scoreThen ?? 0) + rule.gain - gap
}

/** When time alone moves a status, whatever it would become. */
function timed(rules: StatusRules, input: StatusInput, status: UsageStatus): number {
  const { asOf, firstAt, lastAt, sales } = input
  const rule = rules['after-rejection']
  const at = [
    status === 'new' ? firstAt + rules['new-for'] * DAY_MS : 0,
    status === 'stale' ? 0 : lastAt + rules['stale-after'] * DAY_MS + 1,
    sales.status === 'rejected' && sales.since !== null && rule !== 'never'
      ? sales.since + rule['cool-down'] * DAY_MS
      : 0,
  ]
  return Math.min(...at.map((ms) => (ms > asOf ? ms : Number.POSITIVE_INFINITY)))
}

/** The grade of a score: the last band that it reaches. */
export function gradeOf(bands: Model['bands'], score: number): string {
  let grade = ''
  for (const band of bands) if (score >= band.from) grade = band.grade
  return grade
}
