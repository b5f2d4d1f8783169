import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { cut, toWire, toWireProperties } from '../../connectors/crms/hubspot/to-wire.ts'

describe('a value on the wire', () => {
  it.each([
    { name: 'null clears', value: null, want: '' },
    { name: 'true is a word', value: true, want: 'true' },
    { name: 'false is a word', value: false, want: 'false' },
    { name: 'a fraction keeps its point', value: 12.5, want: '12.5' },
    { name: 'minus zero is zero', value: -0, want: '0' },
    { name: 'a small number loses its exponent', value: 1.25e-7, want: '0.000000125' },
    { name: 'a large number loses its exponent', value: -1.5e21, want: '-1500000000000000000000' },
    { name: 'a number of any size is digits', value: 1e300, want: `1${'0'.repeat(300)}` },
    { name: 'chosen options are a list', value: ['b', 'a', 'b'], want: 'b;a' },
    { name: 'no chosen option clears', value: [], want: '' },
    { name: 'an option that would be two has no meaning', value: ['a;b'], want: undefined },
    { name: 'an empty option would add to the list', value: ['', 'a'], want: undefined },
    {
      name: 'an instant stays as it is',
      value: '2026-11-21T08:00:00.000Z',
      want: '2026-11-21T08:00:00.000Z',
    },
    { name: 'a day stays as it is', value: '2026-11-21', want: '2026-11-21' },
    { name: 'NaN has no meaning', value: Number.NaN, want: undefined },
    { name: 'infinity has no meaning', value: Number.NEGATIVE_INFINITY, want: undefined },
  ])('$name', ({ value, want }) => {
    expect(toWire(value)).toBe(want)
  })

  it('means the same number when it is read again', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const wire = toWire(value) ?? ''
        expect(Number(wire)).toBe(value === 0 ? 0 : value)
        expect(wire).toMatch(/^-?\d+(\.\d+)?$/)
      }),
    )
  })

  it('is text of at most 65,536 characters', () => {
    expect(toWire('x'.repeat(70_000))).toHaveLength(65_536)
  })

  it('is a string for every value that there is', () => {
    const value = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null))
    fc.assert(fc.property(value, (any) => expect(typeof toWire(any)).toBe('string')))
  })
})

describe('a text that is cut', () => {
  it('begins as it did and never ends in half a character', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (whole, max) => {
        const piece = cut(whole, max)
        expect(whole.startsWith(piece)).toBe(true)
        expect(piece.length).toBeLessThanOrEqual(max)
        expect(piece.length).toBeGreaterThanOrEqual(Math.min(whole.length, max - 1))
        expect(/[\ud800-\udbff]$/.test(piece)).toBe(false)
      }),
    )
  })
})

describe('the properties of a record', () => {
  it('are the same on the wire in any order', () => {
    const ab = toWireProperties({ a: 1, b: null })
    expect(JSON.stringify(ab)).toBe(JSON.stringify(toWireProperties({ b: null, a: 1 })))
    expect(ab).toEqual({ ok: true, properties: { a: '1', b: '' } })
  })

  it('name the one that has no meaning', () => {
    expect(toWireProperties({ a: 1, b: Number.NaN })).toEqual({ ok: false, property: 'b' })
  })
})
