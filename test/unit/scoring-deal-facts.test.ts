import { describe, expect, it } from '@jest/globals'
import { dealFacts, type FactDeal } from '../../src/core/scoring/deal-facts.ts'

const day = (n: number) => Date.UTC(2026, 8, n)
const iso = (n: number) => new Date(day(n)).toISOString()
const deal = (given: Partial<FactDeal>): FactDeal => ({
  ...{ state: 'open', since: day(1), stageSince: day(1), createdAt: day(1) },
  ...{ label: 'Proposal', amount: null, currency: 'EUR' },
  ...given,
})

describe('what deals say as traits', () => {
  it('is nothing without a deal', () => {
    expect(dealFacts([])).toEqual({ values: {}, since: {} })
  })

  it('is how many there are in each state, the newest stage, and when the last ones ended', () => {
    const deals = [
      deal({ createdAt: day(2), label: 'Demo', stageSince: day(6) }),
      deal({ createdAt: day(4), label: 'Contract', stageSince: day(5) }),
      deal({ state: 'won', since: day(3) }),
      deal({ state: 'lost', since: day(2) }),
    ]
    expect(dealFacts(deals).values).toEqual({
      ...{ deals_open: '2', deals_won: '1', deals_lost: '1' },
      ...{ deals_open_amount: null, deals_won_amount: null, deal_stage: 'Contract' },
      ...{ deal_created_at: iso(4), deal_won_at: iso(3), deal_lost_at: iso(2) },
    })
  })

  it('is as old as the last step of a deal, but for amounts, of which nobody tells', () => {
    const { since } = dealFacts([deal({ stageSince: day(6) }), deal({ stageSince: day(5) })])
    expect(since['deals_open']).toBe(day(6))
    expect(since['deals_open_amount']).toBeUndefined()
  })

  it.each([
    { name: 'adds amounts up to the hundredth', of: [0.1, 0.2, null], want: '0.3' },
    { name: 'has no amount where no deal has one', of: [null], want: null },
    { name: 'keeps a deal for nothing', of: [0], want: '0' },
  ])('$name', ({ of, want }) => {
    const deals = of.map((amount) => deal({ amount }))
    expect(dealFacts(deals).values['deals_open_amount']).toBe(want)
  })

  it('adds nothing up over two currencies', () => {
    const deals = [deal({ amount: 5 }), deal({ amount: 5, currency: 'USD' })]
    expect(dealFacts(deals).values['deals_open_amount']).toBeNull()
  })
})
