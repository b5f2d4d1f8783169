import type { SalesState } from './features.ts'

type SalesStatus = SalesState['status']

/** From the weakest word to the strongest: of two answers of one instant the stronger one stands. */
const RANK: readonly SalesStatus[] = ['none', 'accepted', 'rejected', 'opportunity', 'lost', 'won']

/** Which values of a CRM's property mean which status; all others mean `none`. */
export type SalesValues = Readonly<
  Partial<Record<Exclude<SalesStatus, 'none'>, readonly string[] | undefined>>
>

/** What one record of a CRM says about a subject. */
export interface SalesWord {
  readonly status: SalesStatus
  /** When it was said, in milliseconds since 1970 UTC. */
  readonly since: number
  /** The CRM's own words. */
  readonly reason: string | null
}

/** What a value of a CRM's property means; capitals count. */
export function statusMeant(values: SalesValues, value: string | null): SalesStatus {
  if (value === null || value === '') return 'none'
  for (const status of RANK) {
    if (status !== 'none' && values[status]?.includes(value)) return status
  }
  return 'none'
}

/**
 * What a record says after an answer; null when the answer changes nothing. An answer that is older
 * than what is known changes nothing, and one that says the same keeps its date.
 */
export function nextWord(before: SalesWord | null, answer: SalesWord): SalesWord | null {
  if (!before) return answer.status === 'none' ? null : answer
  if (answer.since < before.since) return null
  if (answer.status === before.status) {
    if (answer.reason === before.reason) return null
    return { ...before, reason: answer.reason }
  }
  return isStronger(answer, before) ? answer : null
}

/** Of what several records say about one subject, what was said last. */
export function lastWord<W extends SalesWord>(words: readonly W[]): W | null {
  return words.reduce<W | null>(
    (best, word) => (best && !isStronger(word, best) ? best : word),
    null,
  )
}

function isStronger(a: SalesWord, b: SalesWord): boolean {
  return a.since - b.since > 0 || (a.since === b.since && rank(a) > rank(b))
}

const rank = ({ status }: SalesWord): number => RANK.indexOf(status)
