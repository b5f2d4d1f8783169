import { describe, expect, it } from '@jest/globals'
import {
  driftOf,
  parseDefinition,
  toPropertyCreate,
} from '../../connectors/crms/hubspot/property-plan.ts'
import type { CrmProperty } from '../../src/core/ports/crm.ts'

const group = { name: 'usage', label: 'Usage' }

function property(type: CrmProperty['type'], more: Partial<CrmProperty> = {}): CrmProperty {
  return { name: 'p', label: 'P', type, ...more }
}

function found(definition: Record<string, unknown>) {
  const parsed = parseDefinition({ name: 'p', ...definition })
  if (!parsed) throw new Error('unreadable definition')
  return parsed
}

describe('a property to create', () => {
  it.each([
    ['string', 'string', 'text'],
    ['text', 'string', 'textarea'],
    ['number', 'number', 'number'],
    ['bool', 'bool', 'booleancheckbox'],
    ['date', 'date', 'date'],
    ['datetime', 'datetime', 'date'],
    ['enumeration', 'enumeration', 'select'],
    ['multi-enumeration', 'enumeration', 'checkbox'],
    ['phone', 'string', 'phonenumber'],
  ] as const)('%s is declared as %s with a %s field', (ours, type, fieldType) => {
    expect(toPropertyCreate(property(ours), group)).toMatchObject({
      name: 'p',
      label: 'P',
      groupName: 'usage',
      type,
      fieldType,
    })
  })

  it('numbers its options, and says that it is unique only when it is', () => {
    const options = [
      { value: 'hot', label: 'Hot' },
      { value: 'cold', label: 'Cold' },
    ]
    expect(toPropertyCreate(property('enumeration', { options }), group).options).toEqual([
      { value: 'hot', label: 'Hot', displayOrder: 0, hidden: false },
      { value: 'cold', label: 'Cold', displayOrder: 1, hidden: false },
    ])
    expect(toPropertyCreate(property('string', { unique: true }), group).hasUniqueValue).toBe(true)
    expect(toPropertyCreate(property('string'), group)).not.toHaveProperty('hasUniqueValue')
  })
})

describe('a property that exists', () => {
  const options = [{ value: 'hot', label: 'Hot' }]
  it.each([
    {
      name: 'may look otherwise',
      wanted: property('text'),
      there: { type: 'string', fieldType: 'html' },
      want: [],
    },
    {
      name: 'may have more options',
      wanted: property('enumeration', { options }),
      there: { type: 'enumeration', options: [{ value: 'hot' }, { value: 'old' }] },
      want: [],
    },
    {
      name: 'may keep its options elsewhere',
      wanted: property('enumeration', { options }),
      there: { type: 'enumeration', options: [], externalOptions: true },
      want: [],
    },
    {
      name: 'must have our type',
      wanted: property('number'),
      there: { type: 'string' },
      want: [{ property: 'p', expected: 'type number', found: 'type string' }],
    },
    {
      name: 'must have our options',
      wanted: property('enumeration', { options }),
      there: { type: 'enumeration', options: [] },
      want: [{ property: 'p', expected: 'options hot', found: 'a list without them' }],
    },
    {
      name: 'must take as many options as ours',
      wanted: property('multi-enumeration', { options }),
      there: { type: 'enumeration', fieldType: 'select', options: [{ value: 'hot' }] },
      want: [{ property: 'p', expected: 'any number of options', found: 'one option' }],
    },
    {
      name: 'must take no more options than ours',
      wanted: property('enumeration', { options }),
      there: { type: 'enumeration', fieldType: 'checkbox', options: [{ value: 'hot' }] },
      want: [{ property: 'p', expected: 'one option', found: 'any number of options' }],
    },
    {
      name: 'must be unique and writable where we say so',
      wanted: property('string', { unique: true }),
      there: { type: 'string', modificationMetadata: { readOnlyValue: true } },
      want: [
        { property: 'p', expected: 'unique values', found: 'values that may repeat' },
        { property: 'p', expected: 'a value that can be written', found: 'a read-only value' },
      ],
    },
  ])('$name', ({ wanted, there, want }) => {
    expect(driftOf(wanted, found(there))).toEqual(want)
  })
})
