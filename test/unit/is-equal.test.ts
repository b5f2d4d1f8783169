import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { isEqual } from '../../src/core/is-equal.ts'

it.each([
  { a: { x: 1, y: [1, { z: null }] }, b: { y: [1, { z: null }], x: 1 }, want: true },
  { a: { x: 1 }, b: { x: 1, y: null }, want: false },
  { a: { x: 1, y: null }, b: { x: 1 }, want: false },
  { a: { x: 1 }, b: { y: 1 }, want: false },
  { a: [], b: {}, want: false },
  { a: {}, b: [], want: false },
  { a: null, b: {}, want: false },
  { a: [1, 2], b: [2, 1], want: false },
  { a: '1', b: 1, want: false },
])('$a and $b: $want', ({ a, b, want }) => {
  expect(isEqual(a, b)).toBe(want)
})

it('says what their canonical texts say', () => {
  const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: true } as never).map((v) => v)
  fc.assert(
    fc.property(value, value, (a, b) => {
      const plain = (v: unknown) => JSON.parse(JSON.stringify(v))
      expect(isEqual(plain(a), plain(a))).toBe(true)
      expect(isEqual(plain(a), plain(b))).toBe(canonicalJson(plain(a)) === canonicalJson(plain(b)))
    }),
  )
})
