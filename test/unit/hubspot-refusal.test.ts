import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { describeRefusal, withoutValues } from '../../connectors/crms/hubspot/refusal.ts'

describe("HubSpot's words without values", () => {
  it.each([
    {
      name: 'keep the sentence and the name of the property',
      text: 'discount was not a valid number',
      values: ['12,5'],
      want: 'discount was not a valid number',
    },
    {
      name: 'lose the value that is quoted',
      text: 'asd000 was not a valid long.',
      values: ['asd000'],
      want: '… was not a valid long.',
    },
    {
      name: 'lose addresses that were not sent, too',
      text: 'A contact with email lee@xyz.example already exists.',
      values: [],
      want: 'A contact with email … already exists.',
    },
    {
      name: 'lose numbers that look like a telephone',
      text: 'Value +49 (30) 901820-11 is too short',
      values: [],
      want: 'Value … is too short',
    },
    {
      name: 'lose words too long to be words',
      text: `Token ${'x'.repeat(60)} refused`,
      values: [],
      want: 'Token … refused',
    },
    {
      name: 'end where data begins',
      text: 'Property values were not valid: [{"message":"x"}]',
      values: [],
      want: 'Property values were not valid:',
    },
    {
      name: 'lose a value in another case, and only as a whole word',
      text: 'ACME is not an option of acmestatus',
      values: ['acme'],
      want: '… is not an option of acmestatus',
    },
    {
      name: 'lose characters of patterns',
      text: 'a+b (c) refused',
      values: ['a+b (c)'],
      want: '… refused',
    },
  ])('$name', ({ text, values, want }) => {
    expect(withoutValues(text, values)).toBe(want)
  })

  it('never repeat a value that was sent between blanks', () => {
    const value = fc.string({
      minLength: 4,
      maxLength: 30,
      unit: fc.constantFrom(...'abcdefgh0123'),
    })
    fc.assert(
      fc.property(value, (sent) => {
        expect(withoutValues(`Value ${sent} is wrong`, [sent])).not.toContain(` ${sent} `)
      }),
    )
  })
})

it('a described refusal names property, code, category and status', () => {
  const reason = describeRefusal(
    {
      status: 400,
      category: 'VALIDATION_ERROR',
      code: 'INVALID_INTEGER',
      property: 'score',
      correlationId: 'c-1',
      existingId: null,
      vendorText: 'score was not a valid number',
    },
    ['seventy'],
  )
  expect(reason).toBe(
    'HubSpot refused it: score was not a valid number (property score, INVALID_INTEGER, VALIDATION_ERROR, HTTP 400)',
  )
})
