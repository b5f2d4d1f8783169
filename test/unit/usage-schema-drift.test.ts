import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findNameChanges, type SeenName } from '../../src/core/usage/schema-drift.ts'

const DAY_MS = 86_400_000
const START = Date.parse('2026-09-01')
const day = (n: number): string => new Date(START + n * DAY_MS).toISOString().slice(0, 10)

/** A name that was seen on these days, counted from the first of the source. */
function seen(name: string, days: readonly number[], type = ''): SeenName {
  const told = days.map(day).sort()
  const kind = type === '' ? 'event' : 'property'
  return { kind, name, type, firstDay: told[0] ?? '', days: told.reverse() }
}
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
/** Something that is there every day up to the 20th. */
const always = seen('Always', range(0, 20))
const told = (...names: SeenName[]) =>
  findNameChanges([always, ...names]).map((c) => `${c.change} ${c.name} ${c.day} ${c.detail ?? ''}`)

describe('what changed in what a source sends', () => {
  it.each([
    { name: 'nothing, with what was there all the time', of: [], want: [] },
    {
      name: 'a name that comes a week after the first',
      of: [seen('Late', [7, 8])],
      want: [`new Late ${day(7)} `],
    },
    { name: 'not one that comes within the first week', of: [seen('Early', [6, 20])], want: [] },
    {
      name: 'a property that is new tells its type',
      of: [seen('event.x', [9], 'number')],
      want: [`new event.x ${day(9)} number`],
    },
    {
      name: 'a property with another type',
      of: [
        seen('event.x', range(0, 20), 'number'),
        seen('event.x', [15], 'text'),
        seen('event.x', [15], 'list'),
      ],
      want: [`retyped event.x ${day(15)} number, now list or text too`],
    },
    {
      name: 'not one that had both from the start',
      of: [seen('event.x', range(0, 20), 'number'), seen('event.x', range(0, 20), 'text')],
      want: [],
    },
    {
      name: 'a daily name that is gone for two whole days',
      of: [seen('Gone', range(0, 17))],
      want: [`vanished Gone ${day(17)} `],
    },
    { name: 'not one that is gone for one', of: [seen('Gone', range(0, 18))], want: [] },
    { name: 'not one that was there for six days', of: [seen('Short', range(0, 5))], want: [] },
    {
      name: 'not one that pauses no longer than it ever did',
      of: [seen('Workdays', [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17])],
      want: [],
    },
    {
      name: 'one that pauses longer than it ever did',
      of: [seen('Workdays', [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16])],
      want: [`vanished Workdays ${day(16)} `],
    },
    {
      name: 'not a type that is gone, while another is there',
      of: [seen('event.x', range(0, 10), 'number'), seen('event.x', range(0, 20), 'text')],
      want: [],
    },
  ])('$name', ({ of, want }) => {
    expect(told(...of)).toEqual(want)
  })

  it('is the same whatever order the names come in', () => {
    const names = [
      always,
      seen('Late', [9]),
      seen('Gone', range(0, 15)),
      seen('event.x', range(0, 20), 'number'),
      seen('event.x', [15], 'text'),
    ]
    const sorted = (list: readonly SeenName[]) =>
      findNameChanges(list)
        .map((change) => JSON.stringify(change))
        .sort()
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (shuffled) => {
        expect(sorted(shuffled)).toEqual(sorted(names))
      }),
    )
  })

  it('is nothing where nothing was seen', () => {
    expect(findNameChanges([])).toEqual([])
  })
})
