import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { CrmValue } from '../../src/core/ports/crm.ts'
import { sameValue } from '../../src/core/sync/from-crm.ts'

const instant = '2026-11-21T10:00:00.000Z'
const ms = `${Date.parse(instant)}`

describe('what a CRM says means our value', () => {
  it.each<{ value: CrmValue; text: string | null; same: boolean }>([
    { value: null, text: null, same: true },
    { value: null, text: '', same: true },
    { value: '', text: null, same: true },
    { value: null, text: '0', same: false },
    { value: 0, text: null, same: false },
    { value: 0, text: '', same: false },
    { value: 0, text: '0', same: true },
    { value: 70, text: '70', same: true },
    { value: 70, text: '70.0', same: true },
    { value: 70, text: '71', same: false },
    { value: 70, text: 'seventy', same: false },
    { value: 1.5, text: '1.50', same: true },
    { value: -3, text: '-3', same: true },
    { value: true, text: 'true', same: true },
    { value: true, text: 'false', same: false },
    { value: false, text: 'false', same: true },
    { value: false, text: null, same: false },
    { value: 'rising', text: 'rising', same: true },
    { value: 'rising', text: 'Rising', same: false },
    // A CRM that ends lines otherwise, and cuts off spaces.
    { value: 'one\ntwo ', text: 'one\r\ntwo', same: true },
    { value: 'one\ntwo', text: 'one two', same: false },
    { value: 'rising', text: null, same: false },
    { value: '70', text: '70.0', same: false },
    { value: instant, text: instant, same: true },
    { value: instant, text: '2026-11-21T10:00:00Z', same: true },
    { value: instant, text: '2026-11-21T11:00:00+01:00', same: true },
    { value: instant, text: ms, same: true },
    { value: instant, text: '2026-11-21T10:00:00.001Z', same: false },
    { value: instant, text: `${Number(ms) + 1}`, same: false },
    { value: instant, text: 'soon', same: false },
    // A CRM that keeps whole seconds.
    { value: '2026-11-21T10:00:00.789Z', text: instant, same: true },
    { value: '2026-11-21T10:00:01.789Z', text: instant, same: false },
    { value: '2026-11-21T10:00:00.789Z', text: '2026-11-21T10:00:00.123Z', same: false },
    { value: instant, text: null, same: false },
    { value: '2026-11-21', text: '2026-11-21', same: true },
    { value: '2026-11-21', text: '2026-11-22', same: false },
    { value: '2026-11-21', text: `${Date.parse('2026-11-21T00:00:00Z')}`, same: true },
    { value: '2026-11-21', text: ms, same: false },
    { value: ['a', 'b'], text: 'b;a', same: true },
    { value: ['a', 'b'], text: ';a;b', same: true },
    { value: ['a', 'b'], text: 'a', same: false },
    { value: ['a'], text: 'a;b', same: false },
    { value: ['a'], text: null, same: false },
    { value: [], text: '', same: true },
  ])('$value and $text: $same', ({ value, text, same }) => {
    expect(sameValue(value, text)).toBe(same)
  })

  it('for every whole number as text', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        expect(sameValue(a, String(b))).toBe(a === b)
      }),
    )
  })
})
