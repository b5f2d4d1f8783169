import { describe, expect, it } from '@jest/globals'
import { streamAddress } from '../../connectors/crms/salesforce/stream/stream-address.ts'
import { parseTold } from '../../connectors/crms/salesforce/stream/told-changes.ts'

const ORG = 'https://acme.my.salesforce.com'

describe('the address of the stream', () => {
  it.each([
    {
      name: "is Salesforce's own for an org",
      given: undefined,
      base: ORG,
      want: { host: 'api.pubsub.salesforce.com', port: 7443, tls: true },
    },
    {
      name: 'is none for an org that is played',
      given: undefined,
      base: 'http://127.0.0.1:4010',
      want: null,
    },
    { name: 'is none when it is off', given: 'off', base: ORG, want: null },
    {
      name: 'is the one that is given',
      given: 'https://api.deu.pubsub.salesforce.com:7443',
      base: ORG,
      want: { host: 'api.deu.pubsub.salesforce.com', port: 7443, tls: true },
    },
    {
      name: 'may be without TLS on loopback',
      given: 'http://127.0.0.1:4999',
      base: 'http://127.0.0.1:4010',
      want: { host: '127.0.0.1', port: 4999, tls: false },
    },
  ])('$name', ({ given, base, want }) => {
    expect(streamAddress(given, base)).toEqual(want)
  })

  it.each(['http://pubsub.example:7443', 'http://127.0.0.1.example:1', 'ftp://x', 'no address'])(
    'is not %s',
    (given) => {
      expect(() => streamAddress(given, ORG)).toThrow('SALESFORCE_PUBSUB_URL')
    },
  )
})

describe('a stored body of the stream', () => {
  it.each(['', 'null', '[]', '{"changes":[]}', '{"org":"00D","changes":[{"entity":"Lead"}]}'])(
    'that is none is ignored: %s',
    (body) => {
      expect(parseTold(body)).toEqual({ signals: [], ignored: 1 })
    },
  )

  it('takes nothing from the others for what it does not understand', () => {
    const change = {
      entity: 'Lead',
      type: 'UPDATE',
      ids: ['00Q000000000001AAA'],
      fields: ['Title'],
    }
    const changes = [{ ...change, entity: 'Case' }, { ...change, type: 'SNAPSHOT' }, change]
    const { signals, ignored, missed } = parseTold(JSON.stringify({ org: '00D', changes }))
    expect(signals.map(({ property }) => property)).toEqual(['Title'])
    expect({ ignored, missed }).toEqual({ ignored: 2, missed: [] })
  })
})
