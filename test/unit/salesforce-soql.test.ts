import { describe, expect, it } from '@jest/globals'
import { parseQuery } from '@jetstreamapp/soql-parser-js'
import fc from 'fast-check'
import {
  literalBytes,
  MOST_QUERY_BYTES,
  queriesFor,
} from '../../connectors/crms/salesforce/query.ts'
import { anyOf, containing, name, names, soql } from '../../connectors/crms/salesforce/soql.ts'

describe('a query that is built', () => {
  it.each([
    { value: "O'Brien", want: "'O\\'Brien'" },
    { value: "\\' OR Name != '", want: "'\\\\\\' OR Name != \\''" },
    { value: 'ends with \\', want: "'ends with \\\\'" },
    { value: 'two\nlines', want: "'two\\nlines'" },
    { value: 'a "quote"', want: '\'a \\"quote\\"\'' },
    { value: 12.5, want: '12.5' },
    { value: true, want: 'true' },
    { value: null, want: 'null' },
    { value: new Date('2026-01-02T03:04:05.678Z'), want: '2026-01-02T03:04:05Z' },
  ])('writes $value as a literal', ({ value, want }) => {
    expect(soql`${value}`.text).toBe(want)
  })

  it('keeps whatever is filled in inside of its quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { text } = soql`SELECT Id FROM Contact WHERE LastName = ${value}`
        const inside = text.slice(text.indexOf("'") + 1, -1)
        // Neither a bare quote nor a backslash that takes the closing one.
        expect(inside.replace(/\\./gs, '')).not.toMatch(/['\\]/)
      }),
    )
  })

  it('is read by a parser as one condition, whatever the value', () => {
    for (const value of ["x' OR Id != null", "\\' OR Id != null", 'a) OR (Id != null']) {
      const query = parseQuery(soql`SELECT Id FROM Lead WHERE Email = ${value}`.text)
      expect(query.where).toMatchObject({ left: { field: 'Email', operator: '=' } })
      expect(query.where).not.toHaveProperty('operator')
    }
  })

  it('has no place for an empty list, which would select everything', () => {
    expect(() => soql`SELECT Id FROM Lead WHERE Id IN ${[]}`).toThrow(RangeError)
    expect(() => anyOf([])).toThrow(RangeError)
    expect(queriesFor([], literalBytes, () => soql`never`)).toEqual([])
  })

  it('takes only names for names', () => {
    expect(names(['Id', 'Account.Website', 'PQL_Score__c', 'Id']).text).toBe(
      'Id, Account.Website, PQL_Score__c',
    )
    for (const wrong of ['Id FROM User --', 'a b', "x'", '', 'Id,Name', '1a']) {
      expect(() => name(wrong)).toThrow(RangeError)
    }
  })

  it('looks for wildcards as for any other character', () => {
    expect(containing('50%_off').text).toBe("'%50\\%\\_off%'")
  })

  it('is cut into pieces that fit into an address, with every value in one of them', () => {
    const values = Array.from({ length: 2_000 }, (_, i) => `person-${i}@acme.example`)
    const queries = queriesFor(values, literalBytes, (some) => {
      return soql`SELECT Id FROM Contact WHERE Email IN ${some}`
    })
    expect(queries.length).toBeGreaterThan(3)
    const sizes = queries.map(({ text }) => encodeURIComponent(text).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST_QUERY_BYTES)
    const found = queries.flatMap(({ text }) => [...text.matchAll(/'([^']+)'/g)].map((m) => m[1]))
    expect(found).toEqual(values)
  })
})
