import type { DealWord } from './sales.ts'

/** A deal as far as models may ask about it. Instants are milliseconds since 1970 UTC. */
export interface FactDeal extends DealWord {
  /** Since when it is in its stage. */
  readonly stageSince: number
  readonly createdAt: number
  readonly amount: number | null
  /** ISO 4217; null where the CRM does not say. */
  readonly currency: string | null
}

/** Traits that deals tell of whoever has some. Instants are ISO 8601 UTC. */
export const DEAL_TRAITS = [
  'deals_open',
  'deals_won',
  'deals_lost',
  'deals_open_amount',
  'deals_won_amount',
  'deal_stage',
  'deal_created_at',
  'deal_won_at',
  'deal_lost_at',
] as const

/** What a subject's deals say by trait, and since when where they tell. */
export interface DealFacts {
  readonly values: Readonly<Record<string, string | null>>
  readonly since: Readonly<Record<string, number>>
}

/**
 * What all deals of one subject say as traits; nothing without a deal. Amounts are added up where all that
 * have one are in one currency. Counts and stages are as old as the last step of a deal; CRMs do not tell
 * when an amount changed.
 */
export function dealFacts(deals: readonly FactDeal[]): DealFacts {
  if (deals.length === 0) return { values: {}, since: {} }
  const of = (state: FactDeal['state']) => deals.filter((deal) => deal.state === state)
  const [open, won, lost] = [of('open'), of('won'), of('lost')]
  const values: Record<(typeof DEAL_TRAITS)[number], string | null> = {
    deals_open: String(open.length),
    deals_won: String(won.length),
    deals_lost: String(lost.length),
    deals_open_amount: amountOf(open),
    deals_won_amount: amountOf(won),
    deal_stage: last(open, (deal) => deal.createdAt)?.label ?? null,
    deal_created_at: instant(last(deals, (deal) => deal.createdAt)?.createdAt),
    deal_won_at: instant(last(won, (deal) => deal.since)?.since),
    deal_lost_at: instant(last(lost, (deal) => deal.since)?.since),
  }
  const step = Math.max(...deals.flatMap(({ stageSince, since }) => [stageSince, since]))
  const dated = Object.keys(values).filter((name) => !name.endsWith('_amount'))
  return { values, since: Object.fromEntries(dated.map((name) => [name, step])) }
}

function amountOf(deals: readonly FactDeal[]): string | null {
  const valued = deals.filter(({ amount }) => amount !== null)
  if (new Set(valued.map(({ currency }) => currency)).size !== 1) return null
  // In hundredths, so that amounts add up as people add them.
  const sum = valued.reduce((cents, { amount }) => cents + Math.round((amount ?? 0) * 100), 0)
  return String(sum / 100)
}

function last(deals: readonly FactDeal[], when: (deal: FactDeal) => number): FactDeal | undefined {
  return deals.toSorted((a, b) => when(b) - when(a))[0]
}

const instant = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString()
