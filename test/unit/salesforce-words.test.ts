import { describe, expect, it } from '@jest/globals'
import { readCsv, toCsv } from '../../connectors/crms/salesforce/bulk-csv.ts'
import { toLongId } from '../../connectors/crms/salesforce/long-id.ts'
import { isId, objectOf } from '../../connectors/crms/salesforce/objects.ts'
import { domainOf, isOfDomain } from '../../connectors/crms/salesforce/website.ts'
import { readInstant, readValue } from '../../connectors/crms/salesforce/wire-instant.ts'
import type { WriteInput } from '../../connectors/crms/salesforce/write-inputs.ts'

describe('a website as people type it', () => {
  it.each([
    ['https://www.acme.com/', 'acme.com'],
    ['ACME.com', 'acme.com'],
    ['http://shop.acme.com/de?x=1', 'shop.acme.com'],
    ['www2.acme.com.', 'acme.com'],
    ['  acme.com  ', 'acme.com'],
    ['n/a', null],
    ['acme', null],
    ['', null],
    [null, null],
  ])('%s is %s', (website, want) => {
    expect(domainOf(website)).toBe(want)
  })

  it('is of a domain, and of no other that ends alike', () => {
    expect(isOfDomain('shop.acme.com', 'acme.com')).toBe(true)
    expect(isOfDomain('notacme.com', 'acme.com')).toBe(false)
  })
})

describe('ids', () => {
  it.each([
    ['003000000000001', 'Contact'],
    ['00Q000000000001AAA', 'Lead'],
    ['001000000000001AAA', 'Account'],
    ['00T000000000001AAA', null],
    ['4711', null],
    ["003'00000000001", null],
  ])('%s is of %s', (id, want) => {
    expect(objectOf(id)).toBe(want)
  })

  it('of 15 characters become those of 18', () => {
    expect(toLongId('00Dx0000000BV7z')).toBe('00Dx0000000BV7zEAG')
    expect(toLongId('00Dx0000000BV7zEAG')).toBe('00Dx0000000BV7zEAG')
    expect(isId('00Dx0000000BV7zEAG')).toBe(true)
  })
})

describe('what Salesforce tells', () => {
  it.each([
    ['2026-01-02T03:04:05.000+0000', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.000+0200', '2026-01-02T01:04:05.000Z'],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['', null],
    ['soon', null],
  ])('the time %s is %s', (text, want) => {
    expect(readInstant(text)).toBe(want)
  })

  it('values are text, and a text that looks like a day stays one', () => {
    const values = [12.5, false, '2026-01-02', '2026-01-02T03:04:05.000+0000', '', null]
    expect(values.map(readValue)).toEqual([
      '12.5',
      'false',
      '2026-01-02',
      '2026-01-02T03:04:05.000Z',
      null,
      null,
    ])
  })
})

describe('the file of a job', () => {
  const input = (key: string, fields: WriteInput['fields'], crmId: string | null): WriteInput => ({
    ...{ positions: [0], key, object: 'Lead', crmId, isUnder: false, accountId: '' },
    fields: { PQL_Person_Id__c: key, ...fields },
  })

  it('has the fields of all rows, whatever the first one has', () => {
    const rows = [input('p-1', { A__c: 1 }, '00Q1'), input('p-2', { B__c: null }, '00Q2')]
    expect(toCsv(rows, true)).toBe('Id,A__c,B__c,PQL_Person_Id__c\n00Q1,1,,p-1\n00Q2,,#N/A,p-2\n')
  })

  it('is read as it was written, with every sort of separator in a value', () => {
    const text = 'a,"b";c\td|e^f`g\nh'
    const [row] = readCsv(toCsv([input('p-1', { A__c: text }, null)], false))
    expect(row).toEqual({ A__c: text, PQL_Person_Id__c: 'p-1' })
  })

  it('is read by commas only: an unquoted semicolon parts nothing', () => {
    expect(readCsv('"sf__Id","sf__Error",Name\n"","X:y:--",x;y\n')).toEqual([
      { sf__Id: '', sf__Error: 'X:y:--', Name: 'x;y' },
    ])
    expect(readCsv('')).toEqual([])
  })
})
