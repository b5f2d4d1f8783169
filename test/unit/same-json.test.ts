import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { sameJson } from '../../src/core/same-json.ts'

describe('two values', () => {
  it.each([
    {
      name: 'with keys in another order are the same',
      a: { x: 1, y: [2] },
      b: { y: [2], x: 1 },
      want: true,
    },
    {
      name: 'are the same without what JSON leaves out',
      a: { x: 1, y: undefined },
      b: { x: 1 },
      want: true,
    },
    { name: 'with null and nothing differ', a: { x: null }, b: {}, want: false },
    { name: 'with a list in another order differ', a: [1, 2], b: [2, 1], want: false },
    { name: 'with a longer list differ', a: [1], b: [1, 2], want: false },
    { name: 'of which one is a list differ', a: [], b: {}, want: false },
  ])('$name', ({ a, b, want }) => {
    expect(sameJson(a, b)).toBe(want)
  })

  it('are the same where their texts are', () => {
    const small = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)))
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(sameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b))
        expect(sameJson(a, JSON.parse(canonicalJson(a)))).toBe(true)
      }),
      { seed: Number(process.env['RIPEN_TEST_SEED'] ?? 3) },
    )
  })
})
