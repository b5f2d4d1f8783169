const SCORE_FIELDS = [
  'score',
  'grade',
  'usage_status',
  'sales_status',
  'status_since',
  'qualified_at',
  'change',
  'trend',
  'reason_1',
  'reason_2',
  'reason_3',
  'summary',
  'explanation',
  'what_changed',
  'to_qualify',
  'last_active',
  'active_days_30',
  'signals',
  'model',
] as const

/** What a property of a person can be filled with. */
export const PERSON_FIELDS = [...SCORE_FIELDS, 'email', 'last_name', 'company_name'] as const

/** What a property of an account can be filled with. */
export const ACCOUNT_FIELDS = [
  ...SCORE_FIELDS,
  'active_users',
  'qualified_users',
  'champion',
  'others',
  'domain',
  'name',
] as const

/** Everything that a property can be filled with, besides traits. */
export type CrmField = (typeof PERSON_FIELDS)[number] | (typeof ACCOUNT_FIELDS)[number]

/** How a change of a field counts: when it is written, and what goes with it. */
export type FieldKind =
  /** A change by little is no news. */
  | 'score'
  /** It is true of one score alone, and is written with that. */
  | 'explains-score'
  /** News whatever the score, and has the score written. */
  | 'news'
  /** It changes from day to day by itself, and is written once a day. */
  | 'daily'
  /** It is written when it changes. */
  | 'plain'

const KINDS: Readonly<Record<CrmField, FieldKind>> = {
  score: 'score',
  grade: 'explains-score',
  usage_status: 'news',
  sales_status: 'news',
  status_since: 'news',
  qualified_at: 'news',
  change: 'explains-score',
  trend: 'explains-score',
  reason_1: 'explains-score',
  reason_2: 'explains-score',
  reason_3: 'explains-score',
  summary: 'explains-score',
  explanation: 'explains-score',
  what_changed: 'explains-score',
  to_qualify: 'explains-score',
  last_active: 'daily',
  active_days_30: 'daily',
  signals: 'explains-score',
  model: 'news',
  email: 'plain',
  last_name: 'plain',
  company_name: 'plain',
  active_users: 'daily',
  qualified_users: 'plain',
  champion: 'plain',
  others: 'daily',
  domain: 'plain',
  name: 'plain',
}

/** How a change of what fills a property counts; a trait is plain. */
export function kindOfField(from: string): FieldKind {
  return Object.hasOwn(KINDS, from) ? KINDS[from as CrmField] : 'plain'
}
