import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const CONTACTS = '/crm/v3/objects/contacts'
const COMPANIES = '/crm/v3/objects/companies'
const TASKS = '/crm/v3/objects/tasks'
const AT = Date.parse('2026-11-20T10:00:00.000Z')

let clock = AT
let hubspot: RunningHubspotSandbox

beforeEach(async () => {
  clock = AT
  hubspot = await startHubspotSandbox({ now: () => clock })
})

afterEach(async () => {
  await hubspot.close()
})

const inputs = (...items: readonly unknown[]) => ({ inputs: items })
const list = (value: unknown) => (Array.isArray(value) ? value : []) as Record<string, unknown>[]

describe('contacts', () => {
  it('holds an address once, whatever its letter case', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ email: 'ada@acme.io' }] }).contacts
    const { status, json } = await hubspot.call('POST', CONTACTS, {
      properties: { email: 'ADA@acme.io' },
    })
    expect(status).toBe(409)
    expect(json).toMatchObject({
      status: 'error',
      message: `Contact already exists. Existing ID: ${id}`,
      category: 'CONFLICT',
    })
  })

  it('counts additional addresses as taken and finds the contact by them', async () => {
    const ids = hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }, { email: 'b@acme.io' }] })
    const merged = hubspot.sandbox.merge('contacts', ids.contacts[0] ?? '', ids.contacts[1] ?? '')
    const found = await hubspot.call('GET', `${CONTACTS}/b@acme.io?idProperty=email`)
    const taken = await hubspot.call('POST', CONTACTS, { properties: { email: 'b@acme.io' } })
    expect(found.json?.['id']).toBe(merged)
    expect(taken.json?.['message']).toBe(`Contact already exists. Existing ID: ${merged}`)
  })

  it('frees an address when the contact is archived', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ email: 'ada@acme.io' }] }).contacts
    expect((await hubspot.call('DELETE', `${CONTACTS}/${id}`)).status).toBe(204)
    expect((await hubspot.call('GET', `${CONTACTS}/${id}`)).status).toBe(404)
    expect((await hubspot.call('GET', `${CONTACTS}/${id}?archived=true`)).status).toBe(200)
    const { status } = await hubspot.call('POST', CONTACTS, {
      properties: { email: 'ada@acme.io' },
    })
    expect(status).toBe(201)
  })

  it('lists page by page', async () => {
    hubspot.sandbox.seed({
      contacts: Array.from({ length: 5 }, (_, i) => ({ email: `u${i}@acme.io` })),
    })
    const first = await hubspot.call('GET', `${CONTACTS}?limit=3`)
    const last = list(first.json?.['results'])[2]?.['id']
    const second = await hubspot.call('GET', `${CONTACTS}?limit=3&after=${last}`)
    expect(first.json?.['paging']).toMatchObject({ next: { after: last } })
    expect(first.json?.['results']).toHaveLength(3)
    expect(second.json?.['results']).toHaveLength(2)
    expect(second.json?.['paging']).toBeUndefined()
  })
})

describe('companies', () => {
  it('are not told apart by their domain', async () => {
    const body = inputs(
      { properties: { domain: 'acme.io' } },
      { properties: { domain: 'https://www.ACME.io/x' } },
    )
    const { status } = await hubspot.call('POST', `${COMPANIES}/batch/create`, body)
    expect(status).toBe(201)
    expect(
      hubspot.sandbox.records('companies').map(({ properties }) => properties['domain']),
    ).toEqual(['acme.io', 'acme.io'])
  })

  it('cannot be upserted by domain', async () => {
    const body = inputs({ id: 'acme.io', idProperty: 'domain', properties: {} })
    const { status, json } = await hubspot.call('POST', `${COMPANIES}/batch/upsert`, body)
    expect(status).toBe(400)
    expect(json?.['message']).toContain(
      'Unable to perform update/upsert by non-unique 0-2 property domain',
    )
  })

  it.each([
    { email: 'ada@acme.io', companies: ['acme.io'] },
    { email: 'ada@gmail.com', companies: [] },
  ])('appear by themselves for $email: $companies', async ({ email, companies }) => {
    const auto = await startHubspotSandbox({ autoCreateCompanies: true })
    for (const name of ['one.', 'two.']) {
      await auto.call('POST', CONTACTS, { properties: { email: `${name}${email}` } })
    }
    const found = auto.sandbox.records('companies').map(({ properties }) => properties['domain'])
    const links = auto.sandbox.associations().filter(({ typeId }) => typeId === 279)
    await auto.close()
    expect(found).toEqual(companies)
    expect(links).toHaveLength(companies.length * 2)
  })
})

describe('tasks', () => {
  it('need a due date', async () => {
    const { status, json } = await hubspot.call('POST', TASKS, {
      properties: { hs_task_subject: 'Call' },
    })
    expect(status).toBe(400)
    expect(json).toMatchObject({
      message: 'Error creating TASK. Some required properties were not set.',
      context: { properties: ['hs_timestamp'] },
      category: 'VALIDATION_ERROR',
    })
  })

  it('ignore unknown and read-only properties', async () => {
    const properties = { hs_timestamp: String(AT), pql_missing: '1', hs_createdate: '1' }
    const { status } = await hubspot.call('POST', TASKS, { properties })
    const [task] = hubspot.sandbox.records('tasks')
    expect(status).toBe(201)
    expect(task?.properties).not.toHaveProperty('pql_missing')
    expect(task?.properties['hs_createdate']).toBe(new Date(AT).toISOString())
  })

  it('are associated with contacts and companies as they are created', async () => {
    const ids = hubspot.sandbox.seed({
      contacts: [{ email: 'a@acme.io' }],
      companies: [{ name: 'Acme' }],
    })
    const association = (id: string | undefined, associationTypeId: number) => ({
      to: { id },
      types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId }],
    })
    const { json } = await hubspot.call('POST', `${TASKS}/batch/create`, {
      inputs: [
        {
          properties: { hs_timestamp: String(AT), hs_task_subject: 'Call' },
          associations: [association(ids.contacts[0], 204), association(ids.companies[0], 192)],
        },
      ],
    })
    const [task] = list(json?.['results'])
    expect(hubspot.sandbox.associations()).toEqual([
      expect.objectContaining({ from: { type: 'tasks', id: task?.['id'] }, typeId: 204 }),
      expect.objectContaining({ from: { type: 'tasks', id: task?.['id'] }, typeId: 192 }),
    ])
    const seen = await hubspot.call('GET', `${CONTACTS}/${ids.contacts[0]}/associations/tasks`)
    expect(seen.json?.['results']).toEqual([{ id: task?.['id'], type: 'contact_to_task' }])
  })

  it('refuse an association with a record that does not exist', async () => {
    const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }]
    const { status } = await hubspot.call('POST', TASKS, {
      properties: { hs_timestamp: String(AT) },
      associations: [{ to: { id: '77' }, types }],
    })
    expect(status).toBe(400)
    expect(hubspot.sandbox.records('tasks')).toHaveLength(0)
  })
})

describe('the door', () => {
  it.each([
    '/crm/v3/objects/contacts',
    '/crm/v3/owners',
    '/account-info/v3/details',
    '/crm/v3/nowhere',
  ])('asks for the token at %s', async (path) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const response = await fetch(`${hubspot.baseUrl}${path}`, { headers })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({
        status: 'error',
        category: 'INVALID_AUTHENTICATION',
      })
    }
  })

  it('refuses an address of more than 8 KB', async () => {
    const { status, json } = await hubspot.call('GET', `${CONTACTS}?properties=${'x'.repeat(8200)}`)
    expect([status, json]).toEqual([414, undefined])
  })

  it.each(['contacts', 'contact', 'CONTACT', '0-1'])('knows contacts as %s', async (name) => {
    expect((await hubspot.call('GET', `/crm/v3/objects/${name}`)).status).toBe(200)
  })

  it.each([
    '/crm/objects/2026-03/contacts',
    '/crm/properties/2026-03/contacts',
    '/crm/owners/2026-03',
    '/account-info/2026-03/details',
  ])('knows the dated path %s', async (path) => {
    expect((await hubspot.call('GET', path)).status).toBe(200)
  })

  it('tells who the owners are', async () => {
    const active = await hubspot.call('GET', '/crm/v3/owners?limit=2')
    const archived = await hubspot.call('GET', '/crm/v3/owners?archived=true')
    const one = await hubspot.call('GET', '/crm/v3/owners?email=BEN.okafor@sales.example')
    expect(active.json?.['results']).toHaveLength(2)
    expect(active.json?.['paging']).toEqual({ next: { after: '41000002' } })
    expect(archived.json?.['results']).toEqual([
      expect.objectContaining({ archived: true, userId: null, userIdIncludingInactive: 9500006 }),
    ])
    expect(one.json?.['results']).toEqual([expect.objectContaining({ id: '41000002' })])
  })

  it('notes every call', async () => {
    await hubspot.call(
      'POST',
      `${CONTACTS}/batch/create`,
      inputs({ properties: {} }, { properties: {} }),
    )
    await hubspot.call('GET', `${CONTACTS}/1`)
    const route = '/crm/v3/objects/:objectType'
    expect(hubspot.sandbox.calls()).toEqual([
      expect.objectContaining({
        route: `${route}/batch/create`,
        status: 201,
        kind: 'write',
        inputs: 2,
        at: AT,
      }),
      expect.objectContaining({
        route: `${route}/:objectId`,
        status: 404,
        kind: 'read',
        inputs: 1,
      }),
    ])
  })
})
