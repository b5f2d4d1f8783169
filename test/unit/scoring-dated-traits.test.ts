import { describe, expect, it } from '@jest/globals'
import { mergeTellings, type Telling, valueAt } from '../../src/core/scoring/dated-traits.ts'

const day = (n: number) => new Date(Date.UTC(2026, 0, n))
const told = (value: string, first: number, last = first): Telling => [
  value,
  day(first).getTime(),
  day(last).getTime(),
]

describe('the value of a trait at an instant', () => {
  const trial = [told('trial', 1, 10), told('pro', 10, 30)]
  it.each([
    { name: 'is none before the first telling', told: trial, at: 1, want: null },
    { name: 'is the first from then on', told: trial, at: 2, want: 'trial' },
    { name: 'does not know what is told at that very instant', told: trial, at: 10, want: 'trial' },
    { name: 'is the one told last', told: trial, at: 11, want: 'pro' },
    { name: 'stays when nobody tells any more', told: trial, at: 365, want: 'pro' },
    {
      name: 'is the one that came up later while another is told before and after',
      told: [told('free', 1, 30), told('pro', 10, 20)],
      at: 15,
      want: 'pro',
    },
    {
      name: 'goes back to the one that is still told when the other is not',
      told: [told('free', 1, 30), told('pro', 10, 20)],
      at: 25,
      want: 'free',
    },
    {
      name: 'is the first in the alphabet of two that were told together',
      told: [told('pro', 3), told('free', 3)],
      at: 4,
      want: 'free',
    },
  ])('$name', ({ told, at, want }) => {
    expect(valueAt(told, { asOf: day(at) })?.value ?? null).toBe(want)
    expect(valueAt(told.toReversed(), { asOf: day(at) })?.value ?? null).toBe(want)
  })

  it('is what was known then when that is asked', () => {
    expect(valueAt(trial, { asOf: day(20), knownAt: day(9) })).toEqual({
      value: 'trial',
      toldAt: day(9).getTime(),
    })
    expect(valueAt(trial, { asOf: day(20) })).toEqual({ value: 'pro', toldAt: day(20).getTime() })
  })
})

describe('tellings of several identities', () => {
  it('are put together by value, in order of time', () => {
    const all = [told('pro', 4, 5), told('free', 2, 3), told('pro', 1, 2), told('free', 6, 9)]
    expect(mergeTellings(all)).toEqual([told('pro', 1, 5), told('free', 2, 9)])
  })

  it('are at most fifty, those told last, so that a trait of many values stays small', () => {
    const many = Array.from({ length: 80 }, (_, n) => told(`page ${n}`, n + 1))
    expect(mergeTellings(many)).toEqual(many.slice(30))
  })
})
