import { describe, expect, it } from '@jest/globals'
import type {
  FieldDescription,
  ObjectDescription,
} from '../../connectors/crms/salesforce/describe.ts'
import { cut, requiredFields, toWireFields } from '../../connectors/crms/salesforce/to-wire.ts'
import type { CrmValue } from '../../src/core/ports/crm.ts'

function field(name: string, type: string, more: Partial<FieldDescription> = {}): FieldDescription {
  return {
    ...{ name, label: name, type, length: 0, precision: 0, scale: 0, digits: 0 },
    ...{ nillable: true, createable: true, updateable: true, defaultedOnCreate: false },
    ...{ externalId: false, unique: false, idLookup: false, filterable: true, calculated: false },
    ...{ restrictedPicklist: false, picklistValues: null },
    ...more,
  }
}

const options = ['a', 'b'].map((value) => ({ value, active: true }))
const FIELDS = [
  field('Name__c', 'string', { length: 10 }),
  field('Mail__c', 'email', { length: 10 }),
  field('Key__c', 'string', { length: 4, externalId: true }),
  field('Score__c', 'double', { precision: 3, scale: 0 }),
  field('Flag__c', 'boolean', { nillable: false }),
  field('Day__c', 'date'),
  field('At__c', 'datetime'),
  field('One__c', 'picklist', {
    restrictedPicklist: true,
    picklistValues: [...options, { value: 'old', active: false }],
  }),
  field('Free__c', 'picklist', { picklistValues: options }),
  field('Many__c', 'multipicklist', { restrictedPicklist: true, picklistValues: options }),
  field('Calc__c', 'double', { createable: false, updateable: false, calculated: true }),
  field('Hidden__c', 'string', { updateable: false }),
  field('LastName', 'string', { length: 80, nillable: false }),
  field('OwnerId', 'reference', { nillable: false, defaultedOnCreate: true }),
]

function objectOf(fields: readonly FieldDescription[]): ObjectDescription {
  return {
    ...{ name: 'Lead', createable: true, updateable: true, deletable: true },
    ...{ queryable: true, replicateable: true },
    fields: new Map(fields.map((one) => [one.name, one])),
  }
}

const LEAD = objectOf(FIELDS)
const update = (values: Record<string, CrmValue>) => toWireFields(LEAD, values, 'update')

describe('a value on its way into Salesforce', () => {
  it.each<{ field: string; value: CrmValue; want: unknown }>([
    { field: 'Name__c', value: 'short', want: 'short' },
    { field: 'Name__c', value: 'much too long', want: 'much too …' },
    { field: 'Name__c', value: '', want: null },
    { field: 'Score__c', value: 70, want: 70 },
    { field: 'Score__c', value: -0, want: 0 },
    { field: 'Score__c', value: 70.6, want: 71 },
    { field: 'Score__c', value: -0.4, want: 0 },
    { field: 'Flag__c', value: null, want: false },
    { field: 'Day__c', value: '2026-01-02T23:00:00.000Z', want: '2026-01-02' },
    { field: 'At__c', value: '2026-01-02', want: '2026-01-02T00:00:00.000Z' },
    { field: 'One__c', value: 'a', want: 'a' },
    { field: 'Free__c', value: 'of our own', want: 'of our own' },
    { field: 'Many__c', value: ['b', 'a', 'b'], want: 'b;a' },
    { field: 'Many__c', value: [], want: null },
  ])('$field takes $value', ({ field: name, value, want }) => {
    expect(update({ [name]: value })).toEqual({ ok: true, fields: { [name]: want } })
  })

  it.each<{ field: string; value: CrmValue; code: string }>([
    { field: 'Score__c', value: 'seventy', code: 'INVALID_TYPE_ON_FIELD_IN_RECORD' },
    { field: 'Score__c', value: Number.NaN, code: 'INVALID_TYPE_ON_FIELD_IN_RECORD' },
    { field: 'Score__c', value: 1_000, code: 'NUMBER_OUTSIDE_VALID_RANGE' },
    { field: 'Flag__c', value: 'yes', code: 'INVALID_TYPE_ON_FIELD_IN_RECORD' },
    { field: 'Day__c', value: 'tomorrow', code: 'INVALID_TYPE_ON_FIELD_IN_RECORD' },
    { field: 'One__c', value: 'c', code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' },
    { field: 'One__c', value: 'old', code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' },
    { field: 'Many__c', value: ['a', 'c'], code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' },
    { field: 'Mail__c', value: 'too.long@acme.example', code: 'STRING_TOO_LONG' },
    { field: 'Key__c', value: 'longer', code: 'STRING_TOO_LONG' },
    { field: 'Calc__c', value: 1, code: 'INVALID_FIELD_FOR_INSERT_UPDATE' },
    { field: 'Hidden__c', value: 'x', code: 'INVALID_FIELD_FOR_INSERT_UPDATE' },
    { field: 'Nobody__c', value: 'x', code: 'INVALID_FIELD' },
  ])('$field refuses $value before it is sent', ({ field: name, value, code }) => {
    const wire = update({ [name]: value })
    expect(wire).toMatchObject({ ok: false, field: name, code })
    if (!wire.ok && typeof value === 'string' && value.length > 3) {
      expect(wire.why).not.toContain(value)
    }
  })

  it('is asked for where a new record cannot be without it', () => {
    expect(requiredFields(LEAD)).toEqual(['LastName'])
    const without = toWireFields(LEAD, { Name__c: 'x' }, 'create')
    expect(without).toMatchObject({ ok: false, field: 'LastName', code: 'REQUIRED_FIELD_MISSING' })
    const withName = toWireFields(LEAD, { Name__c: 'x', LastName: 'Lovelace' }, 'create')
    expect(withName.ok).toBe(true)
  })

  it('is never cut in the middle of a character', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…')
    expect(cut('ab😀cd', 5)).toBe('ab😀…')
    expect(cut('abcd', 4)).toBe('abcd')
  })
})
