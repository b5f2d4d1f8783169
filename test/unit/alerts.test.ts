import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type AlertState, type Finding, nextAlert, QUIET } from '../../src/core/alerts/alert.ts'
import { levelAbove, levelBelow, parkedLevel } from '../../src/core/alerts/levels.ts'

type Level = Finding['level']

const MINUTE = 60_000
const patience = { fireAfterMs: 2 * MINUTE, resolveAfterMs: 3 * MINUTE }

/** What is told of looks, one a minute. */
function toldOf(levels: readonly Level[], { fireAfterMs, resolveAfterMs } = patience) {
  let state: AlertState = QUIET
  return levels.map((level, minute) => {
    const step = nextAlert(state, level, new Date(minute * MINUTE), { fireAfterMs, resolveAfterMs })
    state = step.state
    return step.tell ?? '-'
  })
}

const G: Level = 'good'
const B: Level = 'bad'
const M: Level = 'between'

describe('an alert', () => {
  it.each([
    { name: 'nothing is wrong', levels: [G, G, M], want: '- - -' },
    { name: 'it lasts', levels: [B, B, B, B], want: '- - firing -' },
    { name: 'it comes and goes', levels: [B, B, G, B, B], want: '- - - - -' },
    { name: 'it is neither for a moment', levels: [B, B, M, B, B], want: '- - - - -' },
    { name: 'it is over', levels: [B, B, B, G, G, G, G, G], want: '- - firing - - - resolved -' },
    {
      name: 'it seems to be over',
      levels: [B, B, B, G, G, B, G, G, G],
      want: '- - firing - - - - - -',
    },
    { name: 'it is hardly better', levels: [B, B, B, M, M, M, M, M], want: '- - firing - - - - -' },
    {
      name: 'it begins once more',
      levels: [B, B, B, G, G, G, G, B, B, B],
      want: '- - firing - - - resolved - - firing',
    },
  ])('is told once for each change: $name', ({ levels, want }) => {
    expect(toldOf(levels).join(' ')).toBe(want)
  })

  it('without patience is told at once', () => {
    const none = { fireAfterMs: 0, resolveAfterMs: 0 }
    expect(toldOf([G, B, B, G], none)).toEqual(['-', 'firing', '-', 'resolved'])
  })

  it('begins and ends in turns, whatever is found, and never without so long a reason', () => {
    const level = fc.constantFrom(G, B, M)
    fc.assert(
      fc.property(fc.array(level, { maxLength: 60 }), (levels) => {
        const told = toldOf(levels)
        const changes = told.filter((one) => one !== '-')
        expect(changes).toEqual(changes.map((_, i) => (i % 2 === 0 ? 'firing' : 'resolved')))
        for (const [i, one] of told.entries()) {
          if (one === 'firing') expect(levels.slice(i - 2, i + 1)).toEqual([B, B, B])
          if (one === 'resolved') expect(levels.slice(i - 3, i + 1)).toEqual([G, G, G, G])
        }
      }),
    )
  })
})

describe('the level of a figure', () => {
  it.each([
    { value: 0.1, limit: 0.1, want: B },
    { value: 0.09, limit: 0.1, want: M },
    { value: 0.079, limit: 0.1, want: G },
  ])('$value is $want where $limit is too much', ({ value, limit, want }) => {
    expect(levelAbove(value, limit)).toBe(want)
  })

  it.each([
    { value: 0.09, limit: 0.1, want: B },
    { value: 0.1, limit: 0.1, want: M },
    { value: 0.125, limit: 0.1, want: G },
  ])('$value is $want where $limit is too little', ({ value, limit, want }) => {
    expect(levelBelow(value, limit)).toBe(want)
  })

  it('is good with few parked records, whatever their share', () => {
    expect(parkedLevel(4, 4, 0.02)).toBe(G)
    expect(parkedLevel(5, 100, 0.02)).toBe(B)
    expect(parkedLevel(5, 1000, 0.02)).toBe(G)
    expect(parkedLevel(0, 0, 0.02)).toBe(G)
  })
})
