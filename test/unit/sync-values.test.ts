import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crmMappingSchema, SEVERAL } from '../../src/core/mapping/crm-mapping.ts'
import type { CrmFound, CrmValue } from '../../src/core/ports/crm.ts'
import { valueProblem } from '../../src/core/sync/check-values.ts'
import { chooseCandidate } from '../../src/core/sync/choose-candidate.ts'
import { leftRecord } from '../../src/core/sync/desired-record.ts'

const options = ['a', 'b'].map((value) => ({ value, label: value }))
const TYPES = ['string', 'text', 'phone', 'number', 'bool', 'date', 'datetime'] as const
const { contact } = crmMappingSchema.parse({
  version: 1,
  objects: {
    contact: {
      ...{ subject: 'person', model: 'm', create: 'never' },
      key: { property: 'k', label: 'K' },
      group: { name: 'g', label: 'G' },
      properties: {
        ...Object.fromEntries(TYPES.map((type) => [type, { from: 'score', type, label: type }])),
        one: { from: 'grade', type: 'enumeration', label: 'One', options },
        many: { from: 'signals', type: 'multi-enumeration', label: 'Many', options },
        kept: { from: 'grade', type: 'string', label: 'Kept', 'when-empty': 'keep' },
      },
    },
  },
}).objects
if (!contact) throw new Error('no contact')

describe('a value and the type that its property has', () => {
  it.each<{ property: string; fits: CrmValue[]; not: CrmValue[] }>([
    { property: 'string', fits: ['', 'x', 0, false], not: [['x']] },
    { property: 'phone', fits: ['+49 30 1234'], not: [['1']] },
    { property: 'number', fits: [0, -1.5, 1e300], not: ['1', Number.NaN, Infinity, true] },
    { property: 'bool', fits: [true, false], not: ['true', 1] },
    {
      property: 'date',
      fits: ['2026-02-28', '2024-02-29'],
      not: ['2026-02-30', '2026-2-1', '2026-02-28T00:00:00.000Z', 0],
    },
    {
      property: 'datetime',
      fits: ['2026-02-28T00:00:00.000Z'],
      not: ['2026-02-28', '2026-02-28T25:00:00Z', 1],
    },
    { property: 'one', fits: ['a', 'b'], not: ['A', 'c', 'a;b', ['a', 'b']] },
    { property: 'many', fits: [['a'], ['b', 'a'], 'a'], not: [['c'], ['a', 'c'], 'a;b'] },
  ])('$property', ({ property, fits, not }) => {
    for (const value of [...fits, null]) {
      expect(valueProblem(contact, { [property]: value })).toBeNull()
    }
    for (const value of not) {
      const problem = valueProblem(contact, { string: 'x', [property]: value })
      expect(problem).toMatch(new RegExp(`^property ${property} .*nothing was sent$`))
    }
  })

  it('is not asked for a property that the mapping does not declare', () => {
    expect(valueProblem(contact, { email: 'x', gone: Number.NaN })).toBeNull()
  })
})

function found(crmId: string, createdAt: string, more: Partial<CrmFound> = {}): CrmFound {
  return { crmId, by: 'domain', key: null, ownerId: null, createdAt, ...more }
}

describe('one of several records', () => {
  const all = [found('2', '2026-02-01'), found('1', '2026-01-01'), found('3', '2026-03-01')]

  it('is the one with an owner, the oldest of several, and the oldest when nobody has one', () => {
    const owned = [...all, found('5', '2026-05-01', { ownerId: 'o' })]
    const more = [...owned, found('4', '2026-04-01', { ownerId: 'o' })]
    const chosen = [all, owned, more].map((c) => chooseCandidate(c, 'with-owner'))
    expect(chosen).toMatchObject([
      { found: { crmId: '1' }, others: ['2', '3'] },
      { found: { crmId: '5' } },
      { found: { crmId: '4' } },
    ])
  })

  it.each(SEVERAL)('is the only one whatever the policy says: %s', (several) => {
    const [only] = all
    expect(chooseCandidate([], several)).toEqual({ kind: 'none' })
    if (only) expect(chooseCandidate([only], several)).toMatchObject({ found: only, others: [] })
  })

  it.each(SEVERAL)('is the one that has our key: %s', (several) => {
    const keyed = found('9', '2026-02-02', { by: 'key', key: 'k' })
    expect(chooseCandidate([keyed, ...all], several)).toMatchObject({ found: keyed, others: [] })
  })

  it('is the same in whatever order they come', () => {
    const order = fc.shuffledSubarray(all, { minLength: 3 })
    fc.assert(
      fc.property(order, fc.constantFrom('oldest', 'newest', 'with-owner'), (some, several) => {
        const one = chooseCandidate(some, several)
        expect(one).toMatchObject({ found: { crmId: several === 'newest' ? '3' : '1' } })
      }),
    )
  })
})

describe('who left the model', () => {
  const row = { ref: 'p', desired: { a: 1 }, written: { a: 1, kept: 'x' } }

  it('is cleared of all that was ever written, or kept as it is, and never looked for', () => {
    const none = { onCreate: {}, emails: [], domains: [], mayCreate: false, thorough: false }
    const cleared = { a: null, kept: null }
    expect(leftRecord({ 'on-leave': 'clear', properties: {} }, row)).toEqual({
      ...{ ref: 'p', ...none, properties: cleared, onLeave: null, urgent: false },
    })
    expect(leftRecord({ 'on-leave': 'archive', properties: {} }, row)).toMatchObject({
      properties: cleared,
      onLeave: 'archive',
    })
    expect(leftRecord({ 'on-leave': 'keep', properties: {} }, row)).toMatchObject({
      properties: { a: 1 },
      onLeave: null,
    })
  })
})
