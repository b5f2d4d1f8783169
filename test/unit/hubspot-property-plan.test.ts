import { describe, expect, it } from '@jest/globals'
import {
  comparePlan,
  parseDefinition,
  toPropertyCreate,
  withOptions,
} from '../../connectors/crms/hubspot/property-plan.ts'
import type { CrmProperty } from '../../src/core/ports/crm.ts'

const group = { name: 'usage', label: 'Usage' }

function property(type: CrmProperty['type'], more: Partial<CrmProperty> = {}): CrmProperty {
  return { name: 'p', label: 'P', type, ...more }
}

function found(definition: Record<string, unknown>) {
  const parsed = parseDefinition({ name: 'p', groupName: 'usage', ...definition })
  if (!parsed) throw new Error('unreadable definition')
  return parsed
}

/** A plan of one property, held against an account that has it. */
function compare(wanted: CrmProperty, definition: Record<string, unknown>) {
  const plan = { object: 'contact', group, properties: [wanted] } as const
  const live = new Map([['p', found(definition)]])
  return comparePlan(plan, { live, archived: new Set() })
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
      want: [{ expected: 'type number', found: 'type string' }],
    },
    {
      name: 'must have our options when it is not ours to change',
      wanted: property('enumeration', { options }),
      there: { type: 'enumeration', options: [], groupName: 'sales' },
      want: [
        {
          expected: 'options hot',
          found: 'a list without them, of a property that is not ours to change',
        },
      ],
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
        { expected: 'unique values', found: 'values that may repeat' },
        { expected: 'a value that can be written', found: 'a read-only value' },
      ],
    },
    {
      name: 'must not be calculated',
      wanted: property('number'),
      there: { type: 'number', fieldType: 'calculation_equation' },
      want: [{ expected: 'a value that can be written', found: 'a value that HubSpot calculates' }],
    },
  ])('$name', ({ wanted, there, want }) => {
    const { drift, create, addOptions } = compare(wanted, there)
    expect(drift).toEqual(
      want.map((one) => ({ property: 'p', ...one, mend: expect.stringMatching(/\S/) })),
    )
    expect([create, addOptions]).toEqual([[], []])
  })

  it('is given the options that it lacks when it is ours, after those of others', () => {
    const wanted = property('enumeration', {
      options: [...options, { value: 'new', label: 'New' }],
    })
    const others = [
      { value: 'theirs', label: 'Theirs', displayOrder: 4, hidden: true, description: 'x' },
      { value: 'hot', label: 'Renamed', displayOrder: 2, hidden: false },
    ]
    const definition = { type: 'enumeration', options: others }
    expect(compare(wanted, definition).addOptions).toMatchObject([{ values: ['new'] }])
    expect(withOptions(found(definition), wanted)).toEqual([
      ...others,
      { value: 'new', label: 'New', displayOrder: 5, hidden: false },
    ])
  })

  it('is told when it lies elsewhere or belongs to HubSpot, and left alone', () => {
    const moved = compare(property('number'), { type: 'number', groupName: 'sales' })
    expect(moved.drift).toEqual([])
    expect(moved.findings).toMatchObject([{ level: 'warning', what: /group sales/ }].map(matched))
    const theirs = { type: 'number', groupName: 'sales', hubspotDefined: true }
    const { findings } = compare(property('number'), theirs)
    expect(findings).toMatchObject([{ level: 'warning', what: /HubSpot itself/ }].map(matched))
  })

  it('that was deleted is not created again', () => {
    const plan = { object: 'contact', group, properties: [property('number')] } as const
    const account = { live: new Map(), archived: new Set(['p']) }
    const { create, drift } = comparePlan(plan, account)
    expect(create).toEqual([])
    expect(drift).toMatchObject([{ property: 'p', found: 'one that was deleted' }])
  })
})

function matched({ level, what }: { level: string; what: RegExp }) {
  return { level, what: expect.stringMatching(what) }
}
