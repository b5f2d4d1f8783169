import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const AT = Date.parse('2026-11-20T10:00:00.000Z')
const CLIENT_SECRET = 'client-secret-of-the-app'

interface Received {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

let clock = AT
let hubspot: RunningHubspotSandbox
let received: Received[] = []
let status = 200
let targetUrl = ''
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
    response.writeHead(status).end()
  })
})

beforeEach(async () => {
  clock = AT
  status = 200
  received = []
  hubspot = await startHubspotSandbox({ now: () => clock })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  targetUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/hubspot`
  hubspot.sandbox.webhooks.configure({ targetUrl, clientSecret: CLIENT_SECRET })
})
afterEach(async () => {
  await hubspot.close()
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
})

type Event = Readonly<Record<string, unknown>>
const events = (): Event[] => received.flatMap(({ body }) => JSON.parse(body) as Event[])
const told = () => events().map((event) => event['subscriptionType'])
const seedAnn = () => {
  const [id = ''] = hubspot.sandbox.seed({ contacts: [{ email: 'ann@acme.io' }] }).contacts
  return id
}
const control = async (method: string, path: string, body?: unknown, headers = {}) => {
  const payload = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(`${hubspot.baseUrl}/sandbox${path}`, { method, headers, ...payload })
  const text = await response.text()
  return { status: response.status, json: text === '' ? null : JSON.parse(text) }
}

describe('webhooks', () => {
  it('are signed over method, address, body and time', async () => {
    const publicUrl = 'https://ripen.acme.io/webhooks/hubspot'
    hubspot.sandbox.webhooks.configure({ targetUrl, clientSecret: CLIENT_SECRET, publicUrl })
    seedAnn()
    await hubspot.sandbox.webhooks.flush()
    const [{ headers, body } = { headers: {}, body: '' }] = received
    const text = `POST${publicUrl}${body}${AT}`
    const signature = createHmac('sha256', CLIENT_SECRET).update(text).digest('base64')
    expect(headers).toMatchObject({
      'x-hubspot-signature-v3': signature,
      'x-hubspot-request-timestamp': String(AT),
    })
  })

  it('tell who was created, and every value that was set', async () => {
    const id = Number(seedAnn())
    await hubspot.sandbox.webhooks.flush()
    expect(events()).toMatchObject([
      { subscriptionType: 'contact.creation', objectId: id, attemptNumber: 0, portalId: 4242424 },
      {
        subscriptionType: 'contact.propertyChange',
        propertyName: 'email',
        propertyValue: 'ann@acme.io',
        changeSource: 'CRM_UI',
      },
    ])
  })

  it('tell our own writes as those of the app', async () => {
    const id = seedAnn()
    await hubspot.sandbox.webhooks.flush()
    received = []
    await hubspot.call('PATCH', `/crm/v3/objects/contacts/${id}`, {
      properties: { jobtitle: 'CTO', email: 'ann@acme.io' },
    })
    await hubspot.sandbox.webhooks.flush()
    const [event = {}, ...others] = events()
    expect(event).toMatchObject({ propertyName: 'jobtitle', changeSource: 'INTEGRATION' })
    expect(event['sourceId']).toBe(String(event['appId']))
    expect(others).toEqual([])
  })

  it('tell deletion, restore, merge and privacy deletion', async () => {
    const { sandbox } = hubspot
    const id = seedAnn()
    const [other = ''] = sandbox.seed({ contacts: [{ email: 'bo@acme.io' }] }).contacts
    await sandbox.webhooks.flush()
    received = []
    sandbox.archive('contacts', id)
    sandbox.restore('contacts', id)
    const merged = sandbox.merge('contacts', id, other)
    sandbox.erase(merged)
    await sandbox.webhooks.flush()
    expect(told()).toEqual([
      'contact.deletion',
      'contact.restore',
      'contact.merge',
      'contact.deletion',
      'contact.privacyDeletion',
    ])
    expect(events()[2]).toMatchObject({
      primaryObjectId: Number(id),
      mergedObjectIds: [Number(other)],
      newObjectId: Number(merged),
    })
  })

  it('tell an association to both of its ends', async () => {
    const ids = hubspot.sandbox.seed({
      contacts: [{ email: 'ann@acme.io' }],
      companies: [{ domain: 'acme.io' }],
      employments: [{ contact: 0, company: 0 }],
    })
    await hubspot.sandbox.webhooks.flush()
    const changes = events().filter(({ associationType }) => associationType !== undefined)
    const [contactId, companyId] = [Number(ids.contacts[0]), Number(ids.companies[0])]
    expect(changes).toContainEqual(
      expect.objectContaining({
        subscriptionType: 'contact.associationChange',
        ...{ associationType: 'CONTACT_TO_COMPANY', fromObjectId: contactId },
      }),
    )
    expect(changes).toContainEqual(
      expect.objectContaining({
        subscriptionType: 'company.associationChange',
        ...{ associationType: 'COMPANY_TO_CONTACT', fromObjectId: companyId },
      }),
    )
  })

  it('come a hundred at most in one delivery', async () => {
    const contacts = Array.from({ length: 120 }, (_, i) => ({ email: `u${i}@acme.io` }))
    hubspot.sandbox.seed({ contacts })
    const sent = await hubspot.sandbox.webhooks.flush()
    expect(sent.map((one) => one.events)).toEqual([100, 100, 40])
  })

  it('are delivered again when they were not taken, and tell so', async () => {
    seedAnn()
    status = 503
    expect(await hubspot.sandbox.webhooks.flush()).toEqual([{ events: 2, status: 503 }])
    status = 200
    await hubspot.sandbox.webhooks.flush()
    expect(events().map((event) => event['attemptNumber'])).toEqual([0, 0, 1, 1])
    expect(hubspot.sandbox.webhooks.pending).toBe(0)
  })

  it('come shuffled, repeated and not at all when asked for', async () => {
    const contacts = Array.from({ length: 30 }, (_, i) => ({ email: `u${i}@acme.io` }))
    hubspot.sandbox.seed({ contacts })
    await hubspot.sandbox.webhooks.flush({ shuffle: 3, repeat: 1, lose: (at) => at % 2 === 1 })
    const ids = events().map((event) => Number(event['eventId']))
    expect(ids).toHaveLength(60)
    expect(new Set(ids).size).toBe(30)
    expect(ids).not.toEqual([...ids].sort((a, b) => a - b))
  })

  it('keep to what is subscribed, in either form', async () => {
    const subscriptions = ['contact.propertyChange:jobtitle', 'contact.deletion']
    const settings = { targetUrl, clientSecret: CLIENT_SECRET, subscriptions }
    hubspot.sandbox.webhooks.configure({ ...settings, typeField: 'eventType' })
    const id = seedAnn()
    hubspot.sandbox.edit('contacts', id, { jobtitle: 'CTO', firstname: 'Ann' })
    hubspot.sandbox.archive('contacts', id)
    await hubspot.sandbox.webhooks.flush()
    expect(events().map((event) => event['eventType'])).toEqual([
      'contact.propertyChange',
      'contact.deletion',
    ])
  })
})

describe('the controls', () => {
  it('tell what a record looked like over time', async () => {
    const id = seedAnn()
    clock += 1_000
    hubspot.sandbox.edit('contacts', id, { jobtitle: 'CTO' })
    clock += 1_000
    await hubspot.call('PATCH', `/crm/v3/objects/contacts/${id}`, { properties: { jobtitle: '' } })
    const { json } = await control('GET', `/records/contacts/${id}/history`)
    expect(json).toMatchObject({ type: 'contacts', id, archivedAt: null, mergedIds: [] })
    expect(json.versions).toMatchObject([
      { at: '2026-11-20T10:00:00.000Z', properties: { email: 'ann@acme.io' } },
      {
        sources: ['CRM_UI'],
        changes: { jobtitle: { from: '', to: 'CTO' } },
        properties: { email: 'ann@acme.io', jobtitle: 'CTO' },
      },
      { at: '2026-11-20T10:00:02.000Z', properties: { email: 'ann@acme.io' } },
    ])
    expect(json.versions[2].properties).toEqual({ email: 'ann@acme.io' })
    expect((await control('GET', '/records/contacts/9/history')).status).toBe(404)
  })

  it('tell how many calls of which kind were made', async () => {
    await hubspot.call('GET', '/crm/v3/owners')
    await hubspot.call('POST', '/crm/v3/objects/contacts/search', {})
    await hubspot.call('POST', '/crm/v3/objects/contacts', { properties: { email: 'nobody' } })
    const { json } = await control('GET', '/calls?limit=1')
    expect(json).toMatchObject({ total: 3, kinds: { read: 1, search: 1, write: 1 }, refused: 1 })
    expect(json.calls).toHaveLength(1)
    await control('DELETE', '/calls')
    expect((await control('GET', '/calls')).json.total).toBe(0)
  })

  it('script faults', async () => {
    const fault = { path: 'owners$', status: 423, headers: { 'retry-after': '2' }, times: 2 }
    expect((await control('POST', '/faults', fault)).json).toEqual({ pending: 2 })
    const answer = await hubspot.call('GET', '/crm/v3/owners')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([423, '2'])
    await control('DELETE', '/faults')
    expect((await hubspot.call('GET', '/crm/v3/owners')).status).toBe(200)
    expect((await control('POST', '/faults', { kind: 'flood' })).status).toBe(400)
  })

  it('change records as people do, and deliver what that means', async () => {
    await control('PUT', '/webhooks', { targetUrl, clientSecret: CLIENT_SECRET, automatic: false })
    const [id, other] = [seedAnn(), hubspot.sandbox.seed({ contacts: [{}] }).contacts[0]]
    await control('POST', `/records/contacts/${id}/edit`, { jobtitle: 'CTO' })
    await control('POST', `/records/contacts/${id}/archive`)
    await control('POST', `/records/contacts/${id}/restore`)
    const merged = await control('POST', `/records/contacts/${other}/merge`, { into: id })
    await control('POST', `/records/contacts/${merged.json.id}/erase`)
    expect((await control('POST', '/webhooks/flush', { repeat: 1 })).json.pending).toBe(0)
    const kinds = new Set(told())
    for (const kind of ['propertyChange', 'deletion', 'restore', 'merge', 'privacyDeletion']) {
      expect(kinds).toContain(`contact.${kind}`)
    }
    expect(hubspot.sandbox.records('contacts')).toEqual([])
  })

  it('are for this machine alone', async () => {
    expect(
      (await control('GET', '/calls', undefined, { origin: 'https://a.example' })).status,
    ).toBe(403)
  })
})

describe('a contact that is deleted for good', () => {
  it('is gone by id and by address', async () => {
    seedAnn()
    const path = '/crm/v3/objects/contacts/gdpr-delete'
    const body = { objectId: 'ann@acme.io', idProperty: 'email' }
    expect((await hubspot.call('POST', path, body)).status).toBe(204)
    expect(hubspot.sandbox.records('contacts')).toEqual([])
  })
})
