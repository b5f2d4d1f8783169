import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Crm, CrmPropertyType, CrmValue } from '../../src/core/ports/crm.ts'
import { sameValue } from '../../src/core/sync/from-crm.ts'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

const DAY_MS = 86_400_000
/** 1970 to 2100. */
const instantMs = fc.integer({ min: 0, max: 4_102_444_800_000 })
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
const empty = fc.constantFrom<CrmValue>(null, '')
const choice = fc.constantFrom('a', 'b', 'c')

/** Every value that a property of the type may be given, empty ones among them. */
const VALUES: Readonly<Record<CrmPropertyType, fc.Arbitrary<CrmValue>>> = {
  string: fc.oneof(text, empty),
  text: fc.oneof(
    fc.array(text, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
    empty,
  ),
  phone: fc.oneof(
    fc.stringMatching(/^\+[1-9]\d{0,2} \d{2,4} \d{3,8}$/),
    fc.stringMatching(/^0\d{2,4}\/\d{3,8}$/),
    empty,
  ),
  number: fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1e21, 1e-9, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER),
    fc.constant(null),
  ),
  bool: fc.constantFrom(true, false, null),
  date: fc.oneof(
    instantMs.map((ms) => new Date(ms - (ms % DAY_MS)).toISOString().slice(0, 10)),
    fc.constant(null),
  ),
  datetime: fc.oneof(
    instantMs.map((ms) => new Date(ms).toISOString()),
    fc.constant(null),
  ),
  enumeration: fc.oneof(choice, fc.constant(null)),
  'multi-enumeration': fc.oneof(fc.uniqueArray(choice), fc.constant(null)),
}

/** A value on its way into the CRM and back. */
export function describeValues(holder: SubjectHolder): void {
  describe('a value that is written and read', () => {
    it.each(Object.keys(VALUES) as CrmPropertyType[])(
      'means the same, and writing it again changes nothing: %s',
      async (type) => {
        const { subject } = holder
        const crm = await connectProvisioned(subject)
        const name = subject.typed[type]
        const ids = Array.from({ length: 20 }, (_, i) =>
          subject.seed('contact', { email: `v${i}@acme.example` }),
        )
        const value = subject.values?.[type] ?? VALUES[type]
        const values = fc.array(value, { minLength: ids.length, maxLength: ids.length })
        await fc.assert(
          fc.asyncProperty(values, async (all) => {
            await write(crm, ids, name, all)
            const first = await read(crm, ids, name)
            expect(all.map((value, i) => [value, first[i], same(value, first[i])])).toEqual(
              all.map((value, i) => [value, first[i], true]),
            )
            await write(crm, ids, name, all)
            expect(await read(crm, ids, name)).toEqual(first)
          }),
          { numRuns: 12 },
        )
      },
      60_000,
    )

    it('is none of the empty ones when it is 0, false or a blank', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const id = subject.seed('contact', { email: 'v@acme.example' })
      const { number, bool, string } = subject.typed
      const properties = { [number]: 0, [bool]: false, [string]: ' ' }
      await crm.write('contact', [{ ref: 'p', key: 'p', crmId: id, properties }], noSignal())
      const values = await crm.read('contact', [id], [number, bool, string], noSignal())
      const blank = subject.trimsTexts ? null : ' '
      expect(Object.values(values.get(id) ?? {})).toEqual(['0', 'false', blank])
    })
  })
}

const same = (value: CrmValue, told: string | null | undefined) => sameValue(value, told ?? null)

async function write(crm: Crm, ids: readonly string[], name: string, values: readonly CrmValue[]) {
  const writes = ids.map((crmId, i) => ({
    ...{ ref: crmId, key: `p-${i}`, crmId },
    properties: { [name]: values[i] ?? null },
  }))
  const outcomes = await crm.write('contact', writes, noSignal())
  expect(outcomes.filter(({ kind }) => kind !== 'written')).toEqual([])
}

async function read(crm: Crm, ids: readonly string[], name: string) {
  const read = await crm.read('contact', ids, [name], noSignal())
  return ids.map((id) => read.get(id)?.[name] ?? null)
}
