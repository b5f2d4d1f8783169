import { describe, expect, it } from '@jest/globals'
import type { StatusRules } from '../../src/core/mapping/model.ts'
import { DAY_MS } from '../../src/core/scoring/day.ts'
import type { SalesState } from '../../src/core/scoring/features.ts'
import {
  dealsSay,
  lastWord,
  nextWord,
  type SalesWord,
  standingWord,
  statusMeant,
} from '../../src/core/scoring/sales.ts'
import { nextStatus, type StatusInput } from '../../src/core/scoring/status.ts'

const word = (status: SalesWord['status'], since: number, reason: string | null = null) => ({
  status,
  since,
  reason,
})

describe('a value of the CRM', () => {
  const values = { accepted: ['CONNECTED'], rejected: ['UNQUALIFIED', 'BAD_TIMING'] }
  it.each([
    { value: 'CONNECTED', want: 'accepted' },
    { value: 'BAD_TIMING', want: 'rejected' },
    { value: 'connected', want: 'none' },
    { value: 'NEW', want: 'none' },
    { value: '', want: 'none' },
    { value: null, want: 'none' },
  ])('$value means $want', ({ value, want }) => {
    expect(statusMeant(values, value)).toBe(want)
  })
})

describe('an answer of the CRM', () => {
  it.each([
    {
      name: 'that says nothing of somebody unknown changes nothing',
      before: null,
      answer: word('none', 1),
      want: null,
    },
    {
      name: 'is the first word',
      before: null,
      answer: word('accepted', 1),
      want: word('accepted', 1),
    },
    {
      name: 'that is newer stands, whatever it says',
      before: word('won', 1),
      answer: word('none', 2),
      want: word('none', 2),
    },
    {
      name: 'that is older changes nothing',
      before: word('accepted', 2),
      answer: word('won', 1),
      want: null,
    },
    {
      name: 'that says the same changes nothing',
      before: word('rejected', 1),
      answer: word('rejected', 2),
      want: null,
    },
    {
      name: 'with another reason keeps the date',
      before: word('rejected', 1),
      answer: word('rejected', 2, 'price'),
      want: word('rejected', 1, 'price'),
    },
    {
      name: 'of the same instant stands when it is the stronger one',
      before: word('accepted', 1),
      answer: word('won', 1),
      want: word('won', 1),
    },
    {
      name: 'of the same instant yields when it is the weaker one',
      before: word('opportunity', 1),
      answer: word('rejected', 1),
      want: null,
    },
  ])('$name', ({ before, answer, want }) => {
    expect(nextWord(before, answer)).toEqual(want)
  })

  it('leads to the same whatever order answers come in', () => {
    const answers = [word('accepted', 1), word('rejected', 3), word('won', 3), word('none', 2)]
    const orders = [
      answers,
      answers.toReversed(),
      [2, 0, 3, 1].map((n) => answers[n] ?? word('none', 0)),
    ]
    for (const order of orders) {
      const end = order.reduce<SalesWord | null>((now, next) => nextWord(now, next) ?? now, null)
      expect(end).toEqual(word('won', 3))
    }
  })
})

describe('of several records of one person', () => {
  it.each([
    {
      name: 'the one that spoke last counts',
      words: [word('won', 1), word('rejected', 2)],
      want: 'rejected',
    },
    {
      name: 'the stronger word counts when they spoke together',
      words: [word('accepted', 1), word('lost', 1)],
      want: 'lost',
    },
  ])('$name', ({ words, want }) => {
    expect(lastWord(words)?.status).toBe(want)
    expect(lastWord(words.toReversed())?.status).toBe(want)
  })

  it('nobody counts where nobody spoke', () => {
    expect(lastWord([])).toBeNull()
  })
})

describe('who qualified again after a rejection', () => {
  it('stays so while her score moves by less than the gap between exit and enter', () => {
    const rules: StatusRules = {
      ...{ enter: 60, exit: 45, assist: 30, 'new-for': 7, 'stale-after': 45 },
      ...{ 'min-dwell': DAY_MS, 'after-rejection': { 'cool-down': 90, gain: 10 } },
    }
    const sales: SalesState = { status: 'rejected', since: 100 * DAY_MS, scoreThen: 70 }
    const scores = [80, 79, 80, 66, 80, 79, 64]
    let previous: StatusInput['previous'] = { status: 'assist', heldUntil: null, roseLast: true }
    const statuses = scores.map((score, i) => {
      const asOf = (200 + 2 * i) * DAY_MS
      const who = { firstAt: 0, lastAt: asOf - 1, mayQualify: true, isExcluded: false }
      const answer = nextStatus(rules, { ...who, score, previous, sales, raisedAt: null, asOf })
      previous = answer
      return answer.status
    })
    expect(statuses).toEqual([...Array.from({ length: 6 }, () => 'qualified'), 'cooling'])
  })
})

describe('of several sources', () => {
  const from = (source: string, status: SalesWord['status'], since: number, weight = 0) => {
    return { ...word(status, since), source, weight }
  }
  it.each([
    {
      name: 'what was said last stands',
      words: [from('crm', 'accepted', 1), from('crm deals', 'opportunity', 2)],
      want: 'opportunity',
    },
    {
      name: 'the heavier one stands, however old',
      words: [from('crm', 'rejected', 9), from('crm deals', 'won', 2, 1)],
      want: 'won',
    },
    {
      name: 'the lighter one stands where the other says nothing',
      words: [from('crm', 'none', 9), from('crm deals', 'lost', 2, -1)],
      want: 'lost',
    },
    {
      name: 'one that says nothing takes nothing back',
      words: [from('crm', 'accepted', 1), from('crm deals', 'none', 5, 1)],
      want: 'accepted',
    },
    {
      name: 'all of them saying nothing is nothing',
      words: [from('crm', 'none', 1), from('crm deals', 'none', 5, 1)],
      want: 'none',
    },
    {
      name: 'a source takes its own word back',
      words: [from('crm', 'accepted', 1), from('crm', 'none', 2)],
      want: 'none',
    },
  ])('$name', ({ words, want }) => {
    expect(standingWord(words)?.status).toBe(want)
    expect(standingWord(words.toReversed())?.status).toBe(want)
  })
})

describe('deals', () => {
  const deal = (state: 'open' | 'won' | 'lost', since: number) => ({ state, since, label: state })
  it.each([
    { name: 'that are open are an opportunity', deals: [deal('open', 1)], want: 'opportunity' },
    {
      name: 'that were won after another was opened are won',
      deals: [deal('open', 1), deal('won', 2)],
      want: 'won',
    },
    {
      name: 'that were opened after one was won are an opportunity again',
      deals: [deal('won', 1), deal('open', 2)],
      want: 'opportunity',
    },
    {
      name: 'that are open count more than one that was lost since',
      deals: [deal('open', 1), deal('lost', 2)],
      want: 'opportunity',
    },
    {
      name: 'that were all lost are lost',
      deals: [deal('lost', 1), deal('lost', 2)],
      want: 'lost',
    },
  ])('$name', ({ deals, want }) => {
    expect(dealsSay(deals)?.status).toBe(want)
    expect(dealsSay(deals.toReversed())?.status).toBe(want)
  })

  it('say since when, and the stage in the words of the CRM; none say nothing', () => {
    expect(dealsSay([deal('won', 3)])).toEqual({ status: 'won', since: 3, reason: 'won' })
    expect(dealsSay([])).toBeNull()
  })
})
