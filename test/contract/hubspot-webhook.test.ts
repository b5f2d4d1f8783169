import { describe, expect, it } from '@jest/globals'
import { createHubspotWebhook } from '../../connectors/crms/hubspot/hubspot-webhook.ts'
import { signatureV3 } from '../../connectors/crms/hubspot/webhook-signature.ts'

/** Published by HubSpot in the tests of its clients for Python and Ruby. */
const VECTORS = [
  { timestamp: '1693657560000', signature: 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=' },
  { timestamp: '1700000300000', signature: 'RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=' },
]
const SECRET = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy'
const URL_ = 'https://www.example.com/webhook_uri'
const BODY = "{'example_field':'example_value'}"
const [VECTOR] = VECTORS

const webhook = createHubspotWebhook(SECRET)

interface Given {
  readonly method?: string
  readonly url?: string
  readonly body?: string
  readonly timestamp?: string
  readonly signature?: string
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Milliseconds after the signing. */
  readonly after?: number
}

/** What becomes of the vector with something changed. */
function verify(given: Given = {}) {
  const { timestamp = VECTOR?.timestamp ?? '', signature = VECTOR?.signature ?? '' } = given
  const headers = {
    'x-hubspot-request-timestamp': timestamp,
    'x-hubspot-signature-v3': signature,
    ...given.headers,
  }
  const body = Buffer.from(given.body ?? BODY)
  const request = { method: given.method ?? 'POST', url: given.url ?? URL_, headers, body }
  return webhook.verify(request, new Date(Number(VECTOR?.timestamp) + (given.after ?? 1_000)))
}

/** Of a request that was signed as it is. */
function signed(parts: { method?: string; url: string; body?: string }, asUrl = parts.url) {
  const timestamp = VECTOR?.timestamp ?? ''
  const body = Buffer.from(parts.body ?? BODY)
  const method = parts.method ?? 'POST'
  return {
    ...parts,
    url: asUrl,
    signature: signatureV3(SECRET, { method, url: parts.url, body, timestamp }),
  }
}

describe('the signature of a webhook', () => {
  it.each(VECTORS)('is HubSpot’s own at $timestamp', ({ timestamp, signature }) => {
    const parts = { method: 'POST', url: URL_, body: Buffer.from(BODY), timestamp }
    expect(signatureV3(SECRET, parts)).toBe(signature)
  })

  it('lets a request in that is as it was signed', () => {
    expect(verify()).toBeNull()
  })

  it.each<Given & { readonly name: string }>([
    { name: 'method', method: 'PUT' },
    { name: 'host', url: 'https://www.example.org/webhook_uri' },
    { name: 'scheme', url: 'http://www.example.com/webhook_uri' },
    { name: 'path', url: 'https://www.example.com/webhook_uri/' },
    { name: 'query', url: 'https://www.example.com/webhook_uri?x=1' },
    { name: 'body', body: BODY.replace('value', 'valuf') },
    { name: 'body by a blank', body: `${BODY} ` },
    { name: 'time', timestamp: '1693657560001' },
    { name: 'signature', signature: 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Z=' },
    { name: 'signature by its length', signature: 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y' },
  ])('keeps out another $name', (given) => {
    expect(verify(given)).toBe('forged')
  })

  it.each<Given & { readonly name: string }>([
    { name: 'no signature', headers: { 'x-hubspot-signature-v3': undefined } },
    { name: 'an older kind of signature only', headers: { 'x-hubspot-signature-v3': '' } },
    { name: 'two signatures', headers: { 'x-hubspot-signature-v3': ['a', 'b'] } },
    { name: 'no time', headers: { 'x-hubspot-request-timestamp': undefined } },
    { name: 'a time that is none', timestamp: 'yesterday' },
    { name: 'a time with a sign', timestamp: '-1693657560000' },
  ])('keeps out a request with $name', (given) => {
    expect(verify(given)).toBe('unsigned')
  })

  it.each([
    { name: 'five minutes old', after: 300_000, want: null },
    { name: 'older than five minutes', after: 300_001, want: 'stale' },
    { name: 'from the next minute', after: -60_000, want: null },
    { name: 'from later than the next minute', after: -60_001, want: 'future' },
  ])('a request $name is $want', ({ after, want }) => {
    expect(verify({ after })).toBe(want)
  })

  it.each(['%3A', '%2F', '%3F', '%40', '%21', '%24', '%27', '%28', '%29', '%2A', '%2C', '%3b'])(
    'is of an address in which %s is decoded',
    (code) => {
      const url = `${URL_}?next=a${code}b`
      const plain = `${URL_}?next=a${decodeURIComponent(code)}b`
      expect(verify(signed({ url: plain }, url))).toBeNull()
    },
  )

  it.each(['%20', '%26', '%3D', '%25', '%2B', '%C3%A9', '%23'])(
    'is of an address in which %s stays',
    (code) => {
      const url = `${URL_}?next=a${code}b`
      expect(verify(signed({ url }))).toBeNull()
      expect(verify(signed({ url: `${URL_}?next=a${decodeURIComponent(code)}b` }, url))).toBe(
        'forged',
      )
    },
  )

  it('is of the bytes of the body, whatever they mean', () => {
    const body = '[{"name":"Zoë Ωmega 東京"}]'
    expect(verify({ ...signed({ url: URL_, body }) })).toBeNull()
  })
})

const frame = { portalId: 33, appId: 1160452, eventId: 7, occurredAt: 1, attemptNumber: 0 }
const parse = (...events: readonly object[]) =>
  webhook.parse(JSON.stringify(events.map((event) => ({ ...frame, ...event }))))
const bare = (event: object) =>
  parse(event).signals.map(({ object, crmId, kind, property, mergedInto }) =>
    [object, crmId, kind, property ?? mergedInto].filter((part) => part !== null).join(' '),
  )

describe('the events of a webhook', () => {
  it.each([
    {
      name: 'a live delivery',
      event: { subscriptionType: 'contact.propertyChange', objectId: 5, propertyName: 'jobtitle' },
      want: ['contact 5 changed jobtitle'],
    },
    {
      name: 'the documented form',
      event: { eventType: 'company.propertyChange', objectId: 5, propertyName: 'industry' },
      want: ['company 5 changed industry'],
    },
    {
      name: 'a creation',
      event: { subscriptionType: 'contact.creation', objectId: 112558566461, changeFlag: 'NEW' },
      want: ['contact 112558566461 created'],
    },
    {
      name: 'a deletion',
      event: { subscriptionType: 'deal.deletion', objectId: '8' },
      want: ['deal 8 deleted'],
    },
    {
      name: 'a restore',
      event: { subscriptionType: 'company.restore', objectId: 8 },
      want: ['company 8 restored'],
    },
    {
      name: 'a privacy deletion',
      event: { subscriptionType: 'contact.privacyDeletion', objectId: 8 },
      want: ['contact 8 erased'],
    },
    {
      name: 'a merge into a new record',
      event: {
        subscriptionType: 'contact.merge',
        objectId: 1,
        primaryObjectId: 1,
        mergedObjectIds: [2, 3],
        newObjectId: 9,
      },
      want: [
        'contact 1 merged 9',
        'contact 2 merged 9',
        'contact 3 merged 9',
        'contact 9 merged 9',
      ],
    },
    {
      name: 'a merge that keeps the primary record',
      event: { subscriptionType: 'company.merge', primaryObjectId: 1, mergedObjectIds: [2] },
      want: ['company 1 merged 1', 'company 2 merged 1'],
    },
    {
      name: 'an association, with both of its ends',
      event: {
        subscriptionType: 'contact.associationChange',
        associationType: 'CONTACT_TO_COMPANY',
        fromObjectId: 4,
        toObjectId: 6,
      },
      want: ['contact 4 associated', 'company 6 associated'],
    },
    {
      name: 'the form for objects of any type',
      event: { subscriptionType: 'object.propertyChange', objectTypeId: '0-27', objectId: 3 },
      want: ['task 3 changed'],
    },
    {
      name: 'a known object in that form',
      event: { subscriptionType: 'object.deletion', objectTypeId: '0-1', objectId: 3 },
      want: ['contact 3 deleted'],
    },
  ])('of $name are read', ({ event, want }) => {
    expect(bare(event)).toEqual(want)
  })

  it('say whose account they are about', () => {
    const event = { subscriptionType: 'contact.creation', objectId: 1 }
    expect(parse(event).signals).toMatchObject([{ account: '33' }])
    expect(parse({ ...event, portalId: undefined }).signals).toMatchObject([{ account: null }])
  })

  it('that nobody understands are counted and take nothing from the others', () => {
    const good = { subscriptionType: 'contact.creation', objectId: 1 }
    const { signals, ignored } = parse(
      { subscriptionType: 'conversation.newMessage', objectId: 1 },
      { subscriptionType: 'contact.creation' },
      { subscriptionType: 'ticket.deletion', objectId: 2 },
      good,
      { objectId: 9 },
      { subscriptionType: 'contact.merge', mergedObjectIds: 'x' },
    )
    expect([signals.length, ignored]).toEqual([1, 5])
  })

  it.each(['', 'null', '7', '"text"', '[1,null,"x"]', '{"objectId":1', '[]'])(
    'are none in the body %s',
    (body) => {
      expect(webhook.parse(body).signals).toEqual([])
    },
  )

  it('may be one that is no list, and are a hundred at most', () => {
    const event = { ...frame, subscriptionType: 'contact.creation', objectId: 1 }
    expect(webhook.parse(JSON.stringify(event)).signals).toHaveLength(1)
    const many = (count: number) => webhook.parse(JSON.stringify(Array(count).fill(event)))
    expect(many(100).signals).toHaveLength(100)
    expect(many(101)).toEqual({ signals: [], ignored: 1 })
  })
})
