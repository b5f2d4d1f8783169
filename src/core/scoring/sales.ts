import type { SalesState } from './features.ts'

type SalesStatus = SalesState['status']

/** From the weakest word to the strongest: of two answers of one instant the stronger one stands. */
const RANK: readonly SalesStatus[] = ['none', 'accepted', 'rejected', 'opportunity', 'lost', 'won']

/** Which values of a CRM's property mean which status; all others mean `none`. */
export type SalesValues = Readonly<
  Partial<Record<Exclude<SalesStatus, 'none'>, readonly string[] | undefined>>
>

/** What a rep may answer in a disposition property. */
export const ANSWERS = ['accepted', 'rejected'] as const

/** What the values of a disposition property mean. */
export const ANSWER_VALUES: SalesValues = { accepted: ['accepted'], rejected: ['rejected'] }

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

/** What one source says, such as a property of a CRM or its deals. */
export interface SourcedWord extends SalesWord {
  readonly source: string
  /** Of several sources that say something, the heaviest stands; of equal ones what was said last. */
  readonly weight: number
}

/**
 * What stands of all that several sources say of one subject. A source that says nothing takes nothing
 * back that another one says.
 */
export function standingWord<W extends SourcedWord>(words: readonly W[]): W | null {
  const sources = new Set(words.map(({ source }) => source))
  const last = [...sources].flatMap(
    (source) => lastWord(words.filter((word) => word.source === source)) ?? [],
  )
  const said = last.filter(({ status }) => status !== 'none')
  const heaviest = Math.max(...said.map(({ weight }) => weight))
  return lastWord(said.filter(({ weight }) => weight === heaviest)) ?? lastWord(last)
}

/** A deal as far as it says how it stands with sales. */
export interface DealWord {
  readonly state: 'open' | 'won' | 'lost'
  /** Since when it is open, won or lost, in milliseconds since 1970 UTC. */
  readonly since: number
  /** The CRM's own name of the stage. */
  readonly label: string
}

/**
 * What the deals of one subject say together: the last one that was opened or won counts; a lost one only
 * where none is open.
 */
export function dealsSay(deals: readonly DealWord[]): SalesWord | null {
  const isOpen = deals.some(({ state }) => state === 'open')
  const counting = deals.filter(({ state }) => state !== 'lost' || !isOpen)
  return lastWord(
    counting.map(({ state, since, label }): SalesWord => {
      return { status: state === 'open' ? 'opportunity' : state, since, reason: label }
    }),
  )
}

function isStronger(a: SalesWord, b: SalesWord): boolean {
  return a.since - b.since > 0 || (a.since === b.since && rank(a) > rank(b))
}

const rank = ({ status }: SalesWord): number => RANK.indexOf(status)
