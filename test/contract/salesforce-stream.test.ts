import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import {
  createSalesforceStream,
  type SalesforceStreamOptions,
} from '../../connectors/crms/salesforce/stream/salesforce-stream.ts'
import { streamAddress } from '../../connectors/crms/salesforce/stream/stream-address.ts'
import { ORG_ID } from '../../sandbox/salesforce/org-state.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import type { AccessTokens } from '../../src/core/ports/access-tokens.ts'
import { type ListenOptions, listenTo, type StreamListener } from '../support/stream-listener.ts'

let org: RunningSalesforce
let listeners: StreamListener[] = []

async function start(options: Parameters<typeof startSalesforceSandbox>[0] = {}) {
  org = await startSalesforceSandbox(options)
  org.sandbox.defineField('Lead', { name: 'Score__c', type: 'double', precision: 3 })
}

// What keeps other tests off the network also keeps HTTP/2 off loopback.
beforeAll(() => nock.restore())
beforeEach(() => start())
afterEach(async () => {
  await Promise.all(listeners.map((one) => one.stop()))
  listeners = []
  await org.close()
})

function streamOf(options: Partial<SalesforceStreamOptions> = {}) {
  const address = streamAddress(`http://${org.pubsubUrl}`, org.baseUrl)
  if (address === null) throw new Error('there is no address')
  const { baseUrl, token } = org
  return createSalesforceStream({
    ...{ address, baseUrl, accessToken: token, timeoutMs: 5_000 },
    ...options,
  })
}

/** Follows, and waits until the org has begun to tell. */
async function listen(
  options: Partial<ListenOptions> = {},
  how: Partial<SalesforceStreamOptions> = {},
): Promise<StreamListener> {
  const listener = listenTo(streamOf(how), { account: ORG_ID, ...options })
  listeners.push(listener)
  await begun(listener)
  return listener
}

async function begun(listener: StreamListener, opened = 1): Promise<void> {
  await listener.until(() => listener.opened >= opened)
  const before = listener.told.length
  const asking = setInterval(() => org.sandbox.pubsub.keepAlive(), 5)
  try {
    await listener.until(() => listener.told.slice(before).some(({ place }) => place !== null))
  } finally {
    clearInterval(asking)
  }
}

const people = () => org.sandbox.people
const lead = (values: object = {}) =>
  people().create('Lead', { LastName: 'Lovelace', Company: 'X', ...values } as never)
const ours = { 'Sforce-Call-Options': 'client=ripen' }
const short = (listener: StreamListener) =>
  listener.signals.map(({ object, crmId, kind, property }) => [object, crmId, kind, property])
const isSame = (a: Uint8Array | null, b: Uint8Array | null) =>
  Buffer.from(a ?? []).equals(Buffer.from(b ?? []))
const about = (listener: StreamListener, id: string) =>
  listener.signals.filter(({ crmId }) => crmId === id)

describe("Salesforce's stream", () => {
  it('names the fields that changed or were emptied, parts of names and addresses by their own names', async () => {
    const id = lead({ FirstName: 'Ada', Phone: '1', City: 'London' })
    const listener = await listen()
    people().edit('Lead', id, { FirstName: 'A.', Phone: null, City: 'Paris', Title: 'CTO' })
    await listener.until(() => about(listener, id).length > 0)
    const changed = about(listener, id)
    expect(changed.map(({ property }) => property)).toEqual(
      expect.arrayContaining(['FirstName', 'Phone', 'City', 'Title']),
    )
    expect(changed.map(({ property }) => property)).not.toContain('Company')
    expect(new Set(changed.map(({ kind, account }) => `${kind} ${account}`))).toEqual(
      new Set([`changed ${ORG_ID}`]),
    )
  })

  it('stores no value of a record', async () => {
    const listener = await listen()
    const id = lead({ LastName: 'Secretname', Email: 'secret@acme.example', Phone: '555-0199' })
    people().edit('Lead', id, { Title: 'Secret title' })
    await listener.until(() => about(listener, id).some(({ property }) => property === 'Title'))
    const bodies = JSON.stringify(listener.told.map(({ body }) => body))
    expect(bodies).toContain(id)
    expect(bodies).not.toMatch(/secret|555-0199/i)
  })

  it('tells of every object, and which deleted, restored or new', async () => {
    const contact = people().create('Contact', { LastName: 'B' })
    const listener = await listen()
    const account = people().create('Account', { Name: 'Acme' })
    people().edit('Contact', contact, { AccountId: account })
    people().delete('Contact', contact)
    people().undelete('Contact', contact)
    const deal = people().openOpportunity({ Name: 'x' })
    const task = people().create('Task', { Subject: 'x' })
    await listener.until(() => about(listener, task).length > 0)
    expect(short(listener)).toEqual([
      ['company', account, 'created', null],
      ['contact', contact, 'changed', 'AccountId'],
      ['contact', contact, 'associated', null],
      ['contact', contact, 'deleted', null],
      ['contact', contact, 'restored', null],
      ['deal', deal, 'created', null],
      ['task', task, 'created', null],
    ])
  })

  it('tells of all records that one event is about', async () => {
    const ids = [lead(), lead(), lead()]
    const listener = await listen()
    const records = ids.map((id) => ({ attributes: { type: 'Lead' }, id, Title: 'CTO' }))
    await org.call('PATCH', '/composite/sobjects', { records })
    await listener.until(() => listener.signals.length > 0)
    expect(org.sandbox.pubsub.log().at(-1)?.payload).toMatchObject({
      ChangeEventHeader: { recordIds: ids },
    })
    expect(short(listener)).toEqual(ids.map((id) => ['contact', id, 'changed', 'Title']))
  })

  it('follows a lead to the contact that it was converted to', async () => {
    const id = lead()
    const listener = await listen()
    const { contactId } = people().convertLead(id)
    await listener.until(() => about(listener, id).length > 0)
    expect(about(listener, id)).toEqual([
      expect.objectContaining({ kind: 'merged', mergedInto: contactId, property: null }),
    ])
    expect(about(listener, contactId)).toEqual([expect.objectContaining({ kind: 'created' })])
  })

  it('has a record read of which it only knows that something happened', async () => {
    const id = lead()
    const listener = await listen()
    org.sandbox.pubsub.gap('Lead', [id], 'GAP_UPDATE')
    org.sandbox.pubsub.gap('Lead', [id], 'GAP_DELETE')
    await listener.until(() => listener.signals.length === 2)
    expect(short(listener)).toEqual([
      ['contact', id, 'changed', null],
      ['contact', id, 'deleted', null],
    ])
  })

  it.each([
    { name: 'an overflow', ids: [], type: 'GAP_OVERFLOW' as const },
    { name: 'ids with a star', ids: ['001*'], type: 'GAP_UPDATE' as const },
  ])('has an object asked for after $name', async ({ ids, type }) => {
    const listener = await listen()
    const before = listener.missed.length
    org.sandbox.pubsub.gap('Account', ids, type)
    await listener.until(() => listener.missed.length > before)
    expect(listener.missed.slice(before)).toEqual(['company'])
    expect(listener.signals).toEqual([])
  })

  it('passes over what we wrote ourselves, and not over what a flow wrote with it', async () => {
    const [a, b] = [lead(), lead()]
    const listener = await listen()
    await org.call('PATCH', `/sobjects/Lead/${a}`, { Score__c: 1 }, ours)
    await org.call('POST', '/sobjects/Lead', { LastName: 'C', Company: 'X' }, ours)
    await org.call('PATCH', `/sobjects/Lead/${b}`, { Score__c: 2, Rating: 'Hot' }, ours)
    await listener.until(() => about(listener, b).length > 0)
    expect(short(listener).sort()).toEqual([
      ['contact', b, 'changed', 'Rating'],
      ['contact', b, 'changed', 'Score__c'],
    ])
    // The places of what nobody looks at are told all the same.
    expect(org.sandbox.pubsub.log()).toHaveLength(5)
    const after = await listen({ from: listener.place })
    expect(after.signals).toEqual([])
  })

  it('hears the same of a client whose name begins with ours', async () => {
    const id = lead()
    const listener = await listen()
    const headers = { 'Sforce-Call-Options': 'client=ripened' }
    await org.call('PATCH', `/sobjects/Lead/${id}`, { Score__c: 1 }, headers)
    await listener.until(() => about(listener, id).length > 0)
    expect(short(listener)).toEqual([['contact', id, 'changed', 'Score__c']])
  })
})

describe('the place on the stream', () => {
  it('is told with what was heard, so that nothing is lost or told twice behind it', async () => {
    const first = await listen()
    const a = lead()
    await first.until(() => about(first, a).length > 0)
    const { place } = first
    await first.stop()
    const b = lead()
    const second = listenTo(streamOf(), { account: ORG_ID, from: place })
    listeners.push(second)
    await second.until(() => about(second, b).length > 0)
    expect(about(second, a)).toEqual([])
    expect(second.missed).toEqual([])
  })

  it('moves on while nothing happens that we listen to', async () => {
    org.sandbox.pubsub.watch(['Lead', 'User'])
    const listener = await listen()
    const { place } = listener
    people().addUser({ LastName: 'U', Username: 'u@acme.example', Email: 'u@acme.example' })
    await listener.until(() => !isSame(listener.place, place))
    const moved = listener.place
    const told = listener.told.length
    org.sandbox.pubsub.keepAlive()
    await listener.until(() => listener.told.length > told)
    expect(listener.told.slice(1).every(({ body }) => body === null)).toBe(true)
    expect(isSame(listener.place, moved)).toBe(true)
  })

  it('is not passed by what could not be stored', async () => {
    let isDown = false
    const place = (await listen()).place
    const failing = listenTo(streamOf(), {
      ...{ account: ORG_ID, from: place },
      onTake: () => {
        if (isDown) throw new Error('the database is away')
      },
    })
    listeners.push(failing)
    await begun(failing)
    isDown = true
    const id = lead()
    expect(await failing.ended).toMatchObject({ message: 'the database is away' })
    const again = listenTo(streamOf(), { account: ORG_ID, from: failing.place })
    listeners.push(again)
    await again.until(() => about(again, id).length > 0)
  })

  it.each([
    { name: 'is too old', spoil: (place: Uint8Array) => place, days: 4 },
    { name: 'never was', spoil: () => Buffer.from('zz'), days: 0 },
  ])('is given up where it $name: all is asked for, and what is new is heard', async (how) => {
    const first = await listen()
    lead()
    await first.until(() => first.signals.length > 0)
    const place = first.place ?? new Uint8Array()
    await first.stop()
    lead()
    org.sandbox.clock.advance(how.days * 86_400_000)
    const second = listenTo(streamOf(), { account: ORG_ID, from: how.spoil(place) })
    listeners.push(second)
    await begun(second, 2)
    expect(second.missed).toEqual(['contact', 'company', 'deal', 'task'])
    expect(second.told[0]?.place).toBeNull()
    const id = lead()
    await second.until(() => about(second, id).length > 0)
    expect(second.signals).toHaveLength(1)
  })

  it('waits while something is stored, and brings everything after it in order', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { place } = await listen()
    const slow = listenTo(streamOf(), {
      ...{ account: ORG_ID, from: place },
      onTake: ({ body }) => (body === null ? undefined : held),
    })
    listeners.push(slow)
    await begun(slow)
    const ids = Array.from({ length: 130 }, () => lead())
    try {
      const quick = await listen({ from: place })
      await quick.until(() => quick.signals.length === ids.length)
      expect(slow.signals).toEqual([])
    } finally {
      release()
    }
    await slow.until(() => slow.signals.length === ids.length)
    expect(slow.signals.map(({ crmId }) => crmId)).toEqual(ids)
  })
})

describe('the line', () => {
  it('goes on with a new token when the session has ended', async () => {
    const issued: string[] = []
    const tokens: AccessTokens = {
      name: 'a test',
      get: async () => 'no-session',
      renew: async () => {
        issued.push(org.sandbox.access.issue())
        return issued.at(-1) ?? null
      },
      scopes: async () => null,
    }
    const listener = await listen({}, { accessToken: tokens })
    const id = lead()
    await listener.until(() => about(listener, id).length > 0)
    expect(issued).toHaveLength(1)
  })

  it('gives up when the new token is refused too', async () => {
    let renewed = 0
    const tokens: AccessTokens = {
      name: 'a test',
      get: async () => 'no-session',
      renew: async () => `no-session-${++renewed}`,
      scopes: async () => null,
    }
    const listener = listenTo(streamOf({ accessToken: tokens }), { account: ORG_ID })
    const failure = await listener.ended
    expect(failure).toMatchObject({ kind: 'config' })
    expect(String((failure as Error).message)).not.toContain('no-session')
    expect(renewed).toBe(1)
  })

  it('says that a person must permit it where it is not permitted', async () => {
    org.sandbox.pubsub.permit(false)
    const listener = listenTo(streamOf(), { account: ORG_ID })
    const failure = await listener.ended
    expect(failure).toMatchObject({ kind: 'config' })
    expect((failure as Error).message).toMatch(/PERMISSION_DENIED.*Change Data Capture/)
    expect((failure as Error).message).not.toContain(org.token)
    expect(listener.told).toEqual([])
  })

  it('ends when it is taken away', async () => {
    const listener = await listen()
    org.sandbox.pubsub.permit(false)
    expect(await listener.ended).toMatchObject({ kind: 'config' })
  })

  it('is worth another try when it breaks', async () => {
    const listener = await listen()
    org.sandbox.pubsub.disconnect()
    expect(await listener.ended).toMatchObject({ kind: 'retryable' })
  })

  it('is worth another try when nobody answers', async () => {
    const { pubsubUrl } = org
    org.sandbox.pubsub.close()
    const address = streamAddress(`http://${pubsubUrl}`, org.baseUrl)
    const stream = streamOf(address ? { address } : {})
    expect(await listenTo(stream, { account: ORG_ID }).ended).toMatchObject({ kind: 'retryable' })
  })

  it('counts as broken when it falls silent', async () => {
    const listener = listenTo(streamOf({ silenceMs: 300 }), { account: ORG_ID })
    const failure = await listener.ended
    expect(failure).toMatchObject({ kind: 'retryable' })
    expect((failure as Error).message).toContain('fell silent')
  })

  it('is let go when somebody stops', async () => {
    const listener = await listen()
    expect(await listener.stop()).toBeNull()
    const told = listener.told.length
    lead()
    org.sandbox.pubsub.keepAlive()
    expect(listener.told).toHaveLength(told)
  })
})

describe('a look at the stream', () => {
  const look = () => streamOf().inspect(ORG_ID, new AbortController().signal)

  it('finds it well', async () => {
    expect(await look()).toMatchObject({ level: 'ok', about: 'stream' })
  })

  it('warns and does not fail where it is not permitted, or not there', async () => {
    org.sandbox.pubsub.permit(false)
    const refused = await look()
    expect(refused).toMatchObject({ level: 'warning', about: 'stream' })
    expect(refused.what).toMatch(/asked for instead.*PERMISSION_DENIED/)
    org.sandbox.pubsub.close()
    expect(await look()).toMatchObject({
      level: 'warning',
      what: expect.stringContaining('UNAVAILABLE'),
    })
  })
})
