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
  const text = (name: string, extra = {}) => ({
    name,
    label: name,
    groupName: 'pql',
    type: 'string',
    fieldType: 'text',
    ...extra,
  })
  for (const object of ['contacts', 'companies']) {
    await hubspot.call('POST', `/crm/v3/properties/${object}/groups`, { name: 'pql', label: 'PQL' })
    await hubspot.call('POST', `/crm/v3/properties/${object}/batch/create`, {
      inputs: [
        text('pql_key', { hasUniqueValue: true }),
        text('pql_note'),
        text('pql_score', { type: 'number', fieldType: 'number' }),
        text('pql_active', { type: 'bool', fieldType: 'booleancheckbox' }),
        text('pql_day', { type: 'date', fieldType: 'date' }),
        text('pql_at', { type: 'datetime', fieldType: 'date' }),
        text('pql_stage', {
          type: 'enumeration',
          fieldType: 'select',
          options: [
            { label: 'Hot', value: 'hot' },
            { label: 'Cold', value: 'cold' },
          ],
        }),
        text('pql_tags', {
          type: 'enumeration',
          fieldType: 'checkbox',
          options: [
            { label: 'A', value: 'a' },
            { label: 'B', value: 'b' },
          ],
        }),
      ],
    })
  }
  hubspot.sandbox.resetCalls()
})

afterEach(async () => {
  await hubspot.close()
})

const inputs = (...items: readonly unknown[]) => ({ inputs: items })
const list = (value: unknown) => (Array.isArray(value) ? value : []) as Record<string, unknown>[]
const contact = (id: string) =>
  hubspot.sandbox.records('contacts').find((record) => record.id === id)

describe('values', () => {
  it.each([
    { name: 'a number stays as written', set: { pql_score: '67340.0' }, want: '67340.0' },
    { name: 'a JSON number is taken as text', set: { pql_score: 12.5 }, want: '12.5' },
    { name: 'a truth value', set: { pql_active: 'true' }, want: 'true' },
    { name: 'a JSON truth value', set: { pql_active: true }, want: 'true' },
    { name: 'a date', set: { pql_day: '2026-02-28' }, want: '2026-02-28' },
    { name: 'a date as midnight', set: { pql_day: '1772236800000' }, want: '2026-02-28' },
    { name: 'a moment', set: { pql_at: '2026-02-28T09:30:00Z' }, want: '2026-02-28T09:30:00.000Z' },
    { name: 'a moment in ms', set: { pql_at: '1772271000000' }, want: '2026-02-28T09:30:00.000Z' },
    { name: 'an option', set: { pql_stage: 'hot' }, want: 'hot' },
    { name: 'several check boxes', set: { pql_tags: 'a;b' }, want: 'a;b' },
    { name: 'the longest text', set: { pql_note: 'x'.repeat(65_536) }, want: 'x'.repeat(65_536) },
    { name: 'an e-mail in lower case', set: { email: ' Ada@Acme.io ' }, want: 'ada@acme.io' },
    { name: 'an owner', set: { hubspot_owner_id: '41000001' }, want: '41000001' },
  ])('takes $name', async ({ set, want }) => {
    const { status, json } = await hubspot.call('POST', CONTACTS, { properties: set })
    expect(status).toBe(201)
    expect(contact(String(json?.['id']))?.properties[Object.keys(set)[0] ?? '']).toBe(want)
  })

  it.each([
    { what: 'a number with a comma', set: { pql_score: '1,000' }, code: 'INVALID_INTEGER' },
    { what: 'no number', set: { pql_score: 'NaN' }, code: 'INVALID_INTEGER' },
    { what: 'another word for true', set: { pql_active: 'yes' }, code: 'INVALID_OPTION' },
    { what: 'a day that never was', set: { pql_day: '2026-02-30' }, code: 'INVALID_DATE' },
    {
      what: 'a date that is not midnight',
      set: { pql_day: '1772271000000' },
      code: 'INVALID_DATE',
    },
    { what: 'a moment as a date', set: { pql_day: '2026-02-28T00:00:00Z' }, code: 'INVALID_DATE' },
    { what: 'no moment', set: { pql_at: 'yesterday' }, code: 'INVALID_LONG' },
    { what: "an option's label", set: { pql_stage: 'Hot' }, code: 'INVALID_OPTION' },
    { what: 'an unknown check box', set: { pql_tags: 'a;c' }, code: 'INVALID_OPTION' },
    { what: 'a longer text', set: { pql_note: 'x'.repeat(65_537) }, code: 'VALUE_TOO_LONG' },
    { what: 'half an e-mail', set: { email: 'ada@acme' }, code: 'INVALID_EMAIL' },
    { what: "an owner's user id", set: { hubspot_owner_id: '9500001' }, code: 'INVALID_OWNER_ID' },
    { what: 'an unknown property', set: { pql_missing: '1' }, code: 'PROPERTY_DOESNT_EXIST' },
    { what: 'a read-only property', set: { hubspotscore: '1' }, code: 'READ_ONLY_VALUE' },
  ])('refuses $what with $code, in errors and inside the message', async ({ set, code }) => {
    const { status, json } = await hubspot.call('POST', CONTACTS, { properties: set })
    expect(status).toBe(400)
    expect(json).toMatchObject({ status: 'error', category: 'VALIDATION_ERROR' })
    const name = Object.keys(set)[0]
    expect(json?.['errors']).toEqual([
      expect.objectContaining({ code, context: { propertyName: [name] } }),
    ])
    const message = String(json?.['message'])
    expect(JSON.parse(message.slice(message.indexOf('[')))).toEqual([
      expect.objectContaining({ isValid: false, error: code, name }),
    ])
    expect(hubspot.sandbox.records('contacts')).toHaveLength(0)
  })

  it('clears with an empty text and shows unset properties as null', async () => {
    const [id] = hubspot.sandbox.seed({
      contacts: [{ email: 'a@acme.io', pql_score: '5' }],
    }).contacts
    await hubspot.call('PATCH', `${CONTACTS}/${id}`, { properties: { pql_score: '' } })
    const { json } = await hubspot.call('GET', `${CONTACTS}/${id}?properties=pql_score,email`)
    expect(json?.['properties']).toMatchObject({ pql_score: null, email: 'a@acme.io' })
  })

  it('adds check boxes after a leading semicolon', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ pql_tags: 'a' }] }).contacts
    await hubspot.call('PATCH', `${CONTACTS}/${id}`, { properties: { pql_tags: ';b' } })
    expect(contact(String(id))?.properties['pql_tags']).toBe('a;b')
  })

  it('moves a lifecycle stage forward only, unless it is cleared first', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ lifecyclestage: 'customer' }] }).contacts
    const set = (lifecyclestage: string) =>
      hubspot.call('PATCH', `${CONTACTS}/${id}`, { properties: { lifecyclestage } })
    expect((await set('lead')).status).toBe(200)
    expect(contact(String(id))?.properties['lifecyclestage']).toBe('customer')
    await set('')
    await set('lead')
    expect(contact(String(id))?.properties['lifecyclestage']).toBe('lead')
  })

  it('keeps the history of every property', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ pql_score: '5' }] }).contacts
    clock += 1000
    for (const score of ['7', '7', '9']) {
      await hubspot.call('PATCH', `${CONTACTS}/${id}`, { properties: { pql_score: score } })
    }
    const { json } = await hubspot.call('GET', `${CONTACTS}/${id}?propertiesWithHistory=pql_score`)
    const history = (json?.['propertiesWithHistory'] ?? {}) as Record<string, { value: string }[]>
    expect(history['pql_score']?.map(({ value }) => value)).toEqual(['9', '7', '5'])
    expect(json?.['updatedAt']).toBe(new Date(clock).toISOString())
  })
})

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
