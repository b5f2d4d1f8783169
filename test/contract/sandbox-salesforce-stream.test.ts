import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type ClientDuplexStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { ORG_ID } from '../../sandbox/salesforce/org-state.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
interface Consumed {
  readonly event: { readonly id: string; readonly schemaId: string; readonly payload: Buffer }
  readonly replayId: Buffer
}
interface Response {
  readonly events: readonly Consumed[]
  readonly latestReplayId: Buffer
  readonly pendingNumRequested: number
}
interface Schema {
  readonly type: { fromBuffer(bytes: Buffer): Row }
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}
const avro = createRequire(import.meta.url)('avro-js/lib/schemas.js') as {
  createType(schema: unknown): Schema['type']
}

const AT = Date.parse('2026-11-20T10:00:00.000Z')
let clock = AT
let org: RunningSalesforce
let client: InstanceType<ServiceClientConstructor>

async function start(options: Parameters<typeof startSalesforceSandbox>[0] = {}) {
  clock = AT
  org = await startSalesforceSandbox({ now: () => clock, ...options })
  org.sandbox.defineField('Lead', { name: 'Score__c', type: 'double', precision: 3 })
  // The client reads the public package of Salesforce: the proto file of another author.
  const file = join(
    import.meta.dirname,
    '../../node_modules/salesforce-pubsub-api-client/pubsub_api.proto',
  )
  const grpc = loadPackageDefinition(
    loadSync(file, { enums: String, defaults: true }),
  ) as GrpcObject
  const { PubSub } = (grpc['eventbus'] as GrpcObject)['v1'] as { PubSub: ServiceClientConstructor }
  const isTls = options.pubsub?.tls ?? false
  const channel = isTls
    ? credentials.createSsl(null, null, null, { rejectUnauthorized: false })
    : credentials.createInsecure()
  client = new PubSub(org.pubsubUrl, channel, { 'grpc.ssl_target_name_override': 'localhost' })
}

// What keeps other tests off the network also keeps HTTP/2 off loopback.
beforeAll(() => nock.restore())
beforeEach(() => start())
afterEach(async () => {
  client.close()
  await org.close()
})

function signedIn(more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata()
  const all = { accesstoken: org.token, instanceurl: org.baseUrl, tenantid: ORG_ID, ...more }
  for (const [name, value] of Object.entries(all)) metadata.set(name, value)
  return metadata
}

const people = () => org.sandbox.people
const lead = (values: Row = {}) =>
  people().create('Lead', { LastName: 'Lovelace', Company: 'X', ...values } as never)

/** A subscriber that keeps what it was sent. */
class Subscriber {
  readonly responses: Response[] = []
  readonly stream: ClientDuplexStream<Row, Response>
  failure: { code?: number; details?: string; metadata?: Metadata } | null = null

  constructor(metadata = signedIn()) {
    const subscribe = client['Subscribe'] as (
      metadata: Metadata,
    ) => ClientDuplexStream<Row, Response>
    this.stream = subscribe.call(client, metadata)
    this.stream.on('data', (response: Response) => this.responses.push(response))
    this.stream.on('error', (error) => {
      this.failure = error as Subscriber['failure']
    })
  }

  ask(request: Row): this {
    this.stream.write({ topicName: '/data/LeadChangeEvent', numRequested: 100, ...request })
    return this
  }

  get events(): readonly Consumed[] {
    return this.responses.flatMap(({ events }) => events)
  }

  /** Waits until so many events came. */
  async got(count: number): Promise<readonly Consumed[]> {
    const deadline = AbortSignal.timeout(3000)
    while (this.events.length < count) await once(this.stream, 'data', { signal: deadline })
    return this.events
  }

  async failed() {
    if (this.failure === null) await once(this.stream, 'error').catch((error) => error)
    return this.failure
  }

  close(): void {
    this.stream.cancel()
  }
}

async function call(method: string, request: Row, metadata = signedIn()): Promise<Row> {
  return new Promise((resolve, reject) => {
    const rpc = client[method] as (
      request: Row,
      metadata: Metadata,
      done: (error: Error | null, answer: Row) => void,
    ) => void
    rpc.call(client, request, metadata, (error, answer) =>
      error ? reject(error) : resolve(answer),
    )
  })
}

async function schemaOf(consumed: Consumed): Promise<Schema> {
  const { schemaJson } = await call('GetSchema', { schemaId: consumed.event.schemaId })
  const schema = JSON.parse(String(schemaJson)) as { fields: Schema['fields'] }
  return { type: avro.createType(schema), fields: schema.fields }
}

/** Reads an event as Salesforce's documentation describes it, bitmaps included. */
async function read(consumed: Consumed | undefined) {
  if (consumed === undefined) throw new Error('there is no event')
  const { type, fields } = await schemaOf(consumed)
  const payload = type.fromBuffer(consumed.event.payload)
  const header = payload['ChangeEventHeader'] as Record<string, unknown>
  const names = (bitmaps: unknown) =>
    (bitmaps as string[]).flatMap((bitmap) => {
      const [place, nested] = bitmap.split('-')
      if (nested === undefined) return named(fields, bitmap)
      const { name: whole = '', type } = fields[Number(place)] ?? {}
      const [, record] = type as [string, { fields: { name: string }[] }]
      return named(record.fields, nested).map((name) => `${whole}.${name}`)
    })
  return {
    payload,
    header,
    changed: names(header['changedFields']),
    nulled: names(header['nulledFields']),
    diffs: names(header['diffFields']),
  }
}

function named(fields: readonly { name: string }[], bitmap: string): string[] {
  const bits = BigInt(bitmap)
  return fields.flatMap(({ name }, place) => ((bits >> BigInt(place)) & 1n ? [name] : []))
}

describe('a subscription', () => {
  it('from the tip hears of a new record, with all that it says', async () => {
    lead({ LastName: 'Before' })
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    const id = lead({ FirstName: 'Ada', City: 'London', Score__c: 80 })
    const [event] = await subscriber.got(1)
    const { header, payload, changed } = await read(event)
    expect(header).toMatchObject({
      entityName: 'Lead',
      recordIds: [id],
      changeType: 'CREATE',
      changeOrigin: 'com/salesforce/api/soap/67.0;client=SfdcInternalAPI/',
      sequenceNumber: 1,
      commitTimestamp: AT,
      commitUser: org.sandbox.users.rep,
      nulledFields: [],
    })
    expect(changed).toEqual([])
    expect(payload).toMatchObject({
      Name: { 'com.sforce.eventbus.Lead_PersonName': { LastName: { string: 'Lovelace' } } },
      Address: { 'com.sforce.eventbus.Lead_Address': { City: { string: 'London' } } },
      Score__c: { double: 80 },
      IsConverted: { boolean: false },
      CreatedDate: { long: AT },
      Phone: null,
    })
    subscriber.close()
  })

  it('names what changed and what was emptied, parts of names and addresses too', async () => {
    const id = lead({ FirstName: 'Ada', Phone: '1', City: 'London' })
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    people().edit('Lead', id, { FirstName: 'A.', Phone: null, City: 'Paris', Score__c: 5 })
    const { header, payload, changed, nulled } = await read((await subscriber.got(1))[0])
    expect(header['changeType']).toBe('UPDATE')
    expect(changed.sort()).toEqual([
      'Address.City',
      'LastModifiedDate',
      'Name.FirstName',
      'Phone',
      'Score__c',
    ])
    expect(nulled).toEqual(['Phone'])
    expect(payload['LastModifiedDate']).toEqual({ long: AT })
    expect(payload['Company']).toBeNull()
    subscriber.close()
  })

  it('tells who wrote through the API, and by which client', async () => {
    const id = lead()
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    const headers = { 'Sforce-Call-Options': 'client=ripen' }
    await org.call('PATCH', `/sobjects/Lead/${id}`, { Score__c: 1 }, headers)
    await org.call('PATCH', `/sobjects/Lead/${id}`, { Score__c: 2 })
    const events = await subscriber.got(2)
    const origins = await Promise.all(
      events.map(async (event) => (await read(event)).header['changeOrigin']),
    )
    expect(origins).toEqual([
      'com/salesforce/api/rest/67.0;client=ripen',
      'com/salesforce/api/rest/67.0',
    ])
    subscriber.close()
  })

  it('tells in one event what happened alike to several records', async () => {
    const ids = [lead(), lead(), lead()]
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    await org.call('PATCH', '/composite/sobjects', {
      records: ids.map((id, place) => ({
        attributes: { type: 'Lead' },
        id,
        Score__c: place < 2 ? 7 : 8,
      })),
    })
    const events = await Promise.all((await subscriber.got(2)).map(read))
    expect(events.map(({ header }) => header['recordIds'])).toEqual([ids.slice(0, 2), [ids[2]]])
    expect(events.map(({ header }) => header['sequenceNumber'])).toEqual([1, 2])
    const keys = events.map(({ header }) => header['transactionKey'])
    expect(keys[0]).toBe(keys[1])
    subscriber.close()
  })

  it('sends no more than was asked for', async () => {
    for (let place = 0; place < 5; place++) lead()
    const subscriber = new Subscriber().ask({ replayPreset: 'EARLIEST', numRequested: 2 })
    await subscriber.got(2)
    org.sandbox.pubsub.keepAlive()
    await once(subscriber.stream, 'data')
    expect(subscriber.events).toHaveLength(2)
    // With three more waiting, the newest place that is told is that of the last event.
    const last = subscriber.events.at(-1)?.replayId
    expect(subscriber.responses.at(-1)).toMatchObject({
      events: [],
      latestReplayId: last,
      pendingNumRequested: 0,
    })
    subscriber.ask({ numRequested: 100 })
    await subscriber.got(5)
    expect(subscriber.responses.at(-1)?.pendingNumRequested).toBe(97)
    subscriber.close()
  })

  it('goes on behind the place that it names', async () => {
    lead({ LastName: 'A' })
    lead({ LastName: 'B' })
    const first = new Subscriber().ask({ replayPreset: 'EARLIEST' })
    const [a] = await first.got(2)
    first.close()
    const second = new Subscriber().ask({ replayPreset: 'CUSTOM', replayId: a?.replayId })
    const [b] = await second.got(1)
    expect((await read(b)).payload['Name']).toMatchObject({
      'com.sforce.eventbus.Lead_PersonName': { LastName: { string: 'B' } },
    })
    second.close()
  })

  it('hears of what it missed meanwhile by the place of a keep-alive', async () => {
    const first = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    people().create('Account', { Name: 'not a lead' })
    org.sandbox.pubsub.keepAlive()
    await once(first.stream, 'data')
    const [keepAlive] = first.responses
    expect(keepAlive).toMatchObject({ events: [], pendingNumRequested: 100 })
    first.close()
    lead()
    const second = new Subscriber().ask({
      replayPreset: 'CUSTOM',
      replayId: keepAlive?.latestReplayId,
    })
    expect(await second.got(1)).toHaveLength(1)
    second.close()
  })

  it('is kept alive by itself', async () => {
    client.close()
    await org.close()
    await start({ pubsub: { keepAliveMs: 20 } })
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await once(subscriber.stream, 'data')
    expect(subscriber.responses[0]?.events).toEqual([])
    subscriber.close()
  })

  it('cannot go on behind a place that is forgotten after three days', async () => {
    lead()
    const first = new Subscriber().ask({ replayPreset: 'EARLIEST' })
    const [old] = await first.got(1)
    first.close()
    org.sandbox.clock.advance(73 * 3_600_000)
    lead()
    const late = new Subscriber().ask({ replayPreset: 'CUSTOM', replayId: old?.replayId })
    const failure = await late.failed()
    expect(failure?.code).toBe(status.INVALID_ARGUMENT)
    expect(failure?.metadata?.get('error-code')).toEqual([
      'sfdc.platform.eventbus.grpc.subscription.fetch.replayid.validation.failed',
    ])
    const fresh = new Subscriber().ask({ replayPreset: 'EARLIEST' })
    expect(await fresh.got(1)).toHaveLength(1)
    fresh.close()
  })

  it.each([
    {
      name: 'a place that never was',
      ask: { replayPreset: 'CUSTOM', replayId: Buffer.from('zz') },
      metadata: {},
      code: status.INVALID_ARGUMENT,
    },
    {
      name: 'an unknown topic',
      ask: { topicName: '/data/NopeChangeEvent' },
      metadata: {},
      code: status.NOT_FOUND,
    },
    { name: 'no events', ask: { numRequested: 0 }, metadata: {}, code: status.INVALID_ARGUMENT },
    {
      name: 'a token that ended',
      ask: {},
      metadata: { accesstoken: '00D!x' },
      code: status.UNAUTHENTICATED,
    },
    {
      name: 'another org',
      ask: {},
      metadata: { tenantid: '00D000000000000' },
      code: status.UNAUTHENTICATED,
    },
  ])('is refused for $name', async ({ ask, metadata, code }) => {
    const subscriber = new Subscriber(signedIn(metadata as Record<string, string>)).ask(ask)
    expect((await subscriber.failed())?.code).toBe(code)
  })

  it('is refused, and ended, without the permission', async () => {
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    org.sandbox.pubsub.permit(false)
    expect((await subscriber.failed())?.code).toBe(status.PERMISSION_DENIED)
    const late = new Subscriber().ask({})
    expect((await late.failed())?.code).toBe(status.PERMISSION_DENIED)
    await expect(call('GetTopic', { topicName: '/data/LeadChangeEvent' })).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    })
  })

  it('can be had over TLS, for clients that know nothing else', async () => {
    client.close()
    await org.close()
    await start({ pubsub: { tls: true } })
    const answer = await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    expect(answer).toMatchObject({ canSubscribe: true, canPublish: false, tenantGuid: ORG_ID })
  })

  it('breaks when the server goes away', async () => {
    const subscriber = new Subscriber().ask({ replayPreset: 'LATEST' })
    await call('GetTopic', { topicName: '/data/LeadChangeEvent' })
    org.sandbox.pubsub.disconnect()
    expect((await subscriber.failed())?.code).toBe(status.UNAVAILABLE)
  })
})

describe('events', () => {
  const events = async () => org.sandbox.pubsub.log()
  const headers = async () =>
    (await events()).map(({ payload }) => (payload as { ChangeEventHeader: Row }).ChangeEventHeader)

  it('of a converted lead stand in one transaction, and the lead’s has no date of change', async () => {
    const id = lead()
    people().convertLead(id, { opportunityName: 'Deal' })
    const [, ...conversion] = await headers()
    expect(conversion.map(({ entityName, changeType }) => [entityName, changeType])).toEqual([
      ['Account', 'CREATE'],
      ['Contact', 'CREATE'],
      ['Opportunity', 'CREATE'],
      ['Lead', 'UPDATE'],
    ])
    expect(new Set(conversion.map(({ transactionKey }) => transactionKey)).size).toBe(1)
    const payload = (await events()).at(-1)?.payload as Row
    expect(payload).toMatchObject({
      IsConverted: { boolean: true },
      Status: { string: 'Closed - Converted' },
      LastModifiedDate: null,
    })
  })

  it('tell deletes, merges and undeletes', async () => {
    const [a, b] = [lead(), lead()]
    people().delete('Lead', a)
    people().undelete('Lead', a)
    people().merge('Lead', a, [b])
    const told = (await headers())
      .slice(2)
      .map(({ changeType, recordIds }) => [changeType, recordIds])
    expect(told).toEqual([
      ['DELETE', [a]],
      ['UNDELETE', [a]],
      ['DELETE', [b]],
      ['UPDATE', [a]],
    ])
  })

  it('of long texts tell the difference', async () => {
    const id = lead({ Description: `${'a'.repeat(1200)}\nend` })
    people().edit('Lead', id, { Description: `${'b'.repeat(1200)}\nend` })
    const payload = (await events()).at(-1)?.payload as Row & { ChangeEventHeader: Row }
    expect(payload['Description']).toEqual({
      string: expect.stringMatching(/^--- \n\+\+\+ \n@@ -1,2 \+1,2 @@\n-a+\n-end\n\+b+\n\+end$/),
    })
    expect(payload.ChangeEventHeader['diffFields']).toHaveLength(1)
  })

  it('that are not told are gaps, and too many are an overflow', async () => {
    const id = lead()
    org.sandbox.pubsub.gap('Lead', [id])
    org.sandbox.pubsub.gap('Lead', [], 'GAP_OVERFLOW')
    expect((await headers()).slice(1)).toMatchObject([
      { changeType: 'GAP_UPDATE', recordIds: [id], changedFields: [] },
      { changeType: 'GAP_OVERFLOW', recordIds: [] },
    ])
  })

  it('are only made for objects that are watched', async () => {
    org.sandbox.pubsub.watch(['Contact'])
    lead()
    people().create('Contact', { LastName: 'x' })
    expect((await headers()).map(({ entityName }) => entityName)).toEqual(['Contact'])
  })

  it('change their schema with the object', async () => {
    lead()
    org.sandbox.defineField('Lead', { name: 'New__c' })
    lead({ New__c: 'x' })
    const [first, second] = await events()
    expect(first?.schemaId).not.toBe(second?.schemaId)
    expect(second?.payload).toMatchObject({ New__c: { string: 'x' } })
  })

  it('of all objects come on one channel', async () => {
    const subscriber = new Subscriber().ask({
      topicName: '/data/ChangeEvents',
      replayPreset: 'EARLIEST',
    })
    people().create('Account', { Name: 'x' })
    lead()
    await subscriber.got(2)
    subscriber.close()
  })
})
