import { cutText } from '../cut-text.ts'
import type { CrmField } from '../mapping/crm-fields.ts'
import type { CrmValue } from '../ports/crm.ts'
import type { Explainer } from '../scoring/explain.ts'
import { isBookkeeping } from '../scoring/points.ts'
import type { Score } from '../scoring/score.ts'

/** A person or account, as far as a CRM record tells about it. */
export interface SubjectFacts {
  readonly id: string
  readonly email: string | null
  readonly domain: string | null
  /** Everything by which the CRM may know her or it besides: all her addresses, or all domains of the account. */
  readonly alsoKnownBy: readonly string[]
  readonly name: string | null
  /** E-mail address of the champion of an account, or her id when she has none. */
  readonly champion: string | null
  /** The others who are active, in the same way, best first. */
  readonly others: readonly string[]
}

/** The model that speaks: how CRM users read its name, and its words. */
export interface Speaker {
  readonly name: string
  readonly explainer: Explainer
}

/** Longest text in one property: HubSpot cuts at 65,536, a list view long before. */
export const MOST_TEXT = 1000

/** The value of every field that a mapping may name. */
export function fieldsOf(
  facts: SubjectFacts,
  score: Score,
  { name, explainer }: Speaker,
): Record<CrmField, CrmValue> {
  const reasons = explainer.reasons(score)
  const reason = (index: number) => cut(reasons[index] ?? null)
  return {
    score: score.score,
    grade: score.grade,
    usage_status: score.usageStatus,
    sales_status: score.salesStatus,
    status_since: score.statusSince,
    qualified_at: score.qualifiedAt,
    change: score.change,
    trend: score.trend,
    reason_1: reason(0),
    reason_2: reason(1),
    reason_3: reason(2),
    summary: cut(explainer.summary(score)),
    explanation: cut(explainer.table(score) || null),
    what_changed: cut(explainer.changed(score) || null),
    to_qualify: cut(explainer.toQualify(score) || null),
    last_active: score.facts.lastActive,
    active_days_30: score.facts.activeDays30,
    signals: signalsOf(score),
    model: name,
    email: facts.email,
    last_name: lastName(facts.email),
    company_name: facts.email?.split('@')[1] ?? null,
    active_users: score.facts.activeUsers,
    qualified_users: score.facts.qualifiedUsers,
    champion: facts.champion,
    others: cut(facts.others.join(', ') || null),
    domain: facts.domain,
    name: facts.name,
  }
}

/** What an address says of a name, for a CRM that takes nobody without one: `ada.lovelace@…` is Lovelace. */
function lastName(email: string | null): string | null {
  const [local = ''] = email?.split('@') ?? []
  const words = (local.split('+')[0] ?? '').split(/[._-]+/).filter(Boolean)
  const last = words.at(-1) ?? ''
  return last === '' ? null : last.charAt(0).toUpperCase() + last.slice(1)
}

/** Ids of the signals that gave points. */
function signalsOf({ contributions }: Score): string[] {
  const gave = contributions.filter((part) => part.points > 0 && !isBookkeeping(part))
  return gave.map(({ id }) => id).sort()
}

function cut(text: string | null): string | null {
  return text === null || text.length <= MOST_TEXT ? text : `${cutText(text, MOST_TEXT - 1)}…`
}
