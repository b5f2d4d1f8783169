import type { Model } from '../mapping/model.ts'

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

export interface StatusInput {
  readonly score: number
  readonly previous: UsageStatus | null
  readonly firstSeenAt: Date | null
  readonly lastActiveAt: Date | null
  readonly asOf: Date
}

const DAY_MS = 86_400_000

/**
 * The next usage status, with hysteresis of the same width, `enter` less `exit`, at both thresholds:
 * `qualified` is entered at `enter` and left below `exit`, into `cooling`; `assist` is entered at
 * `assist`, and like `cooling` left only that far below it. Asked again with its own answer, it
 * answers the same.
 */
export function nextStatus(rules: Model['status'], input: StatusInput): UsageStatus {
  const { score, previous, firstSeenAt, lastActiveAt, asOf } = input
  const idleMs = lastActiveAt ? asOf.getTime() - lastActiveAt.getTime() : Number.POSITIVE_INFINITY
  if (idleMs > rules['stale-after'] * DAY_MS) return 'stale'
  if (score >= rules.enter) return 'qualified'
  if (previous === 'qualified' && score >= rules.exit) return 'qualified'
  const leave = rules.assist - (rules.enter - rules.exit)
  if (score >= leave && (previous === 'qualified' || previous === 'cooling')) return 'cooling'
  if (score >= (previous === 'assist' ? leave : rules.assist)) return 'assist'
  const ageMs = firstSeenAt ? asOf.getTime() - firstSeenAt.getTime() : 0
  return ageMs < rules['new-for'] * DAY_MS ? 'new' : 'nurture'
}

/** The grade of a score: the last band that it reaches. */
export function gradeOf(bands: Model['bands'], score: number): string {
  let grade = ''
  for (const band of bands) if (score >= band.from) grade = band.grade
  return grade
}
