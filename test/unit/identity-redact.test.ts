import { describe, expect, it } from '@jest/globals'
import { redactAddresses } from '../../src/core/identity/redact.ts'

describe('a text', () => {
  it.each([
    { name: 'alone', text: 'ann@acme.com', want: 'forgotten' },
    { name: 'in JSON', text: '{"to":"Ann@ACME.com","n":1}', want: '{"to":"forgotten","n":1}' },
    { name: 'in a list', text: 'bo@x.io, <ann@acme.com>;', want: 'bo@x.io, <forgotten>;' },
    { name: 'at the end of a sentence', text: 'ask ann@acme.com.', want: 'ask forgotten.' },
    { name: 'within a longer name', text: 'joann@acme.com', want: 'joann@acme.com' },
    { name: 'within a longer domain', text: 'ann@acme.com.au', want: 'ann@acme.com.au' },
    { name: 'not at all', text: 'ann at acme.com', want: 'ann at acme.com' },
  ])('that holds an address $name loses no other', ({ text, want }) => {
    expect(redactAddresses(text, ['ann@acme.com'])).toBe(want)
  })
})
