import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const CONTACTS = '/crm/v3/objects/contacts'
const PROPERTIES = '/crm/v3/properties/contacts'

let hubspot: RunningHubspotSandbox

beforeEach(async () => {
  hubspot = await startHubspotSandbox()
  await hubspot.call('POST', PROPERTIES, property('pql_key', { hasUniqueValue: true }))
  await hubspot.call('POST', PROPERTIES, property('pql_note'))
})

afterEach(async () => {
  await hubspot.close()
})

const property = (name: string, extra = {}) => ({
  name,
  label: name,
  groupName: 'contactinformation',
  type: 'string',
  fieldType: 'text',
  ...extra,
})
const batch = (verb: string, ...inputs: readonly unknown[]) =>
  hubspot.call('POST', `${CONTACTS}/batch/${verb}`, { inputs })
const list = (value: unknown) =>
  (Array.isArray(value) ? value : []) as Record<string, Record<string, unknown>>[]
const notes = () =>
  hubspot.sandbox.records('contacts').map(({ properties }) => properties['pql_note'])
const upsert = (id: string, pql_note: string, idProperty = 'email') => ({
  id,
  idProperty,
  properties: { pql_note },
})
const traced = (objectWriteTraceId: string, properties: Record<string, string>) => ({
  objectWriteTraceId,
  properties,
})

describe('every batch', () => {
  it.each(['read', 'create', 'update', 'upsert'])(
    'that lost its wrapper is answered as complete and empty: %s',
    async (verb) => {
      const { status, json } = await hubspot.call('POST', `${CONTACTS}/batch/${verb}`, [
        { properties: { email: 'a@acme.io' } },
      ])
      expect(status).toBe(200)
      expect(json).toMatchObject({ status: 'COMPLETE', results: [] })
      expect(hubspot.sandbox.records('contacts')).toHaveLength(0)
    },
  )

  it.each(['read', 'create', 'update', 'upsert', 'archive'])(
    'takes 100 inputs at most: %s',
    async (verb) => {
      const inputs = Array.from({ length: 101 }, (_, i) => upsert(`u${i}@acme.io`, 'x'))
      const { status, json } = await batch(verb, ...inputs)
      expect(status).toBe(400)
      expect(json?.['category']).toBe('VALIDATION_ERROR')
      expect(hubspot.sandbox.records('contacts')).toHaveLength(0)
    },
  )

  it('does not answer in the order of the inputs', async () => {
    const { json } = await batch(
      'create',
      { properties: { email: 'a@acme.io' } },
      { properties: { email: 'b@acme.io' } },
    )
    const emails = list(json?.['results']).map((result) => result['properties']?.['email'])
    expect(emails).toEqual(['b@acme.io', 'a@acme.io'])
  })
})

describe('batch create', () => {
  it('fails as a whole when one contact exists, and names only the first', async () => {
    const [id] = hubspot.sandbox.seed({
      contacts: [{ email: 'b@acme.io' }, { email: 'c@acme.io' }],
    }).contacts
    const { status, json } = await batch(
      'create',
      ...['a', 'b', 'c'].map((name) => ({ properties: { email: `${name}@acme.io` } })),
    )
    expect(status).toBe(409)
    expect(json?.['message']).toBe(`Contact already exists. Existing ID: ${id}`)
    expect(hubspot.sandbox.records('contacts')).toHaveLength(2)
  })

  it('answers 207 with one error each when every input has a trace id of its own', async () => {
    hubspot.sandbox.seed({ contacts: [{ email: 'b@acme.io' }] })
    const { status, json } = await batch(
      'create',
      traced('t1', { email: 'a@acme.io' }),
      traced('t2', { email: 'b@acme.io' }),
      traced('t3', { missing: '1' }),
    )
    expect(status).toBe(207)
    expect(json).toMatchObject({ status: 'COMPLETE', numErrors: 2 })
    expect(json?.['errors']).toEqual([
      expect.objectContaining({ category: 'CONFLICT', context: { objectWriteTraceId: ['t2'] } }),
      expect.objectContaining({
        category: 'VALIDATION_ERROR',
        context: { objectWriteTraceId: ['t3'] },
      }),
    ])
    expect(list(json?.['results'])).toHaveLength(1)
    expect(list(json?.['results'])[0]).not.toHaveProperty('objectWriteTraceId')
  })

  it.each([
    { name: 'one input has none', ids: ['t1', ''] },
    { name: 'two are the same', ids: ['t1', 't1'] },
  ])('takes trace ids for nothing when $name', async ({ ids }) => {
    const { status } = await batch(
      'create',
      traced(ids[0] ?? '', { email: 'a@acme.io' }),
      traced(ids[1] ?? '', { missing: '1' }),
    )
    expect(status).toBe(400)
    expect(hubspot.sandbox.records('contacts')).toHaveLength(0)
  })

  it('refuses the same address twice', async () => {
    const { status, json } = await batch(
      'create',
      { properties: { email: 'a@acme.io' } },
      { properties: { email: 'A@acme.io' } },
    )
    expect(status).toBe(400)
    expect(json?.['message']).toContain('Duplicate IDs found in batch input: [a@acme.io]')
  })
})

describe('batch update', () => {
  it('reports unknown ids in a 207 and updates the others', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }] }).contacts
    const properties = { pql_note: 'new' }
    const { status, json } = await batch('update', { id, properties }, { id: '77', properties })
    expect(status).toBe(207)
    expect(list(json?.['results']).map((result) => result['id'])).toEqual([id])
    expect(json?.['errors']).toEqual([
      expect.objectContaining({ category: 'OBJECT_NOT_FOUND', context: { ids: ['77'] } }),
    ])
    expect(notes()).toEqual(['new'])
  })

  it('silently does nothing for an e-mail given as an id', async () => {
    hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io', pql_note: 'old' }] })
    const { status, json } = await batch('update', {
      id: 'a@acme.io',
      properties: { pql_note: 'new' },
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({ status: 'COMPLETE', results: [] })
    expect(json).not.toHaveProperty('errors')
    expect(notes()).toEqual(['old'])
  })

  it.each(['email', 'firstname', 'hs_object_id'])(
    'refuses %s as idProperty',
    async (idProperty) => {
      const { status, json } = await batch('update', { id: 'x', idProperty, properties: {} })
      expect(status).toBe(400)
      expect(json?.['message']).toBe(
        `Unable to perform update/upsert by non-unique 0-1 property ${idProperty} in portal ID 4242424`,
      )
    },
  )

  it('finds records by a unique property', async () => {
    hubspot.sandbox.seed({ contacts: [{ pql_key: 'k1' }] })
    expect((await batch('update', upsert('k1', 'new', 'pql_key'))).status).toBe(200)
    expect(notes()).toEqual(['new'])
  })

  it('fails as a whole on one wrong value', async () => {
    const { contacts } = hubspot.sandbox.seed({
      contacts: [{ pql_note: 'old' }, { pql_note: 'old' }],
    })
    const { status } = await batch(
      'update',
      { id: contacts[0], properties: { pql_note: 'new' } },
      { id: contacts[1], properties: { email: 'wrong' } },
    )
    expect(status).toBe(400)
    expect(notes()).toEqual(['old', 'old'])
  })

  it('does not know the ids of merged records, which single calls still do', async () => {
    const { contacts } = hubspot.sandbox.seed({
      contacts: [{ email: 'a@acme.io' }, { email: 'b@acme.io' }],
    })
    const [primary = '', other = ''] = contacts
    const merged = hubspot.sandbox.merge('contacts', primary, other)
    const properties = { pql_note: 'new' }
    const batched = await batch('update', { id: primary, properties })
    const single = await hubspot.call('PATCH', `${CONTACTS}/${other}`, { properties })
    const read = await hubspot.call(
      'GET',
      `${CONTACTS}/${primary}?properties=hs_merged_object_ids,hs_additional_emails`,
    )
    expect([batched.status, batched.json?.['numErrors']]).toEqual([207, 1])
    expect([single.status, single.json?.['id']]).toEqual([200, merged])
    expect(read.json).toMatchObject({
      id: merged,
      properties: {
        hs_merged_object_ids: `${primary};${other}`,
        hs_additional_emails: 'b@acme.io',
      },
    })
  })
})

describe('batch upsert', () => {
  it('updates by e-mail in any letter case and creates the rest', async () => {
    hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }] })
    const { status, json } = await batch(
      'upsert',
      upsert('A@acme.io', 'one'),
      upsert('b@acme.io', 'two'),
    )
    expect(status).toBe(200)
    expect(list(json?.['results']).map((result) => result['new'])).toEqual([true, false])
    expect(notes()).toEqual(['one', 'two'])
  })

  it('updates by a unique property and stores it on what it creates', async () => {
    await batch('upsert', upsert('k1', 'one', 'pql_key'))
    await batch('upsert', upsert('k1', 'two', 'pql_key'))
    const [record, ...others] = hubspot.sandbox.records('contacts')
    expect(others).toHaveLength(0)
    expect(record?.properties).toMatchObject({ pql_key: 'k1', pql_note: 'two' })
  })

  it('answers 409 for the whole batch on one conflict, trace ids or not', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }] }).contacts
    const { status, json } = await batch(
      'upsert',
      { ...upsert('k1', 'one', 'pql_key'), objectWriteTraceId: 't1' },
      {
        id: 'k2',
        idProperty: 'pql_key',
        objectWriteTraceId: 't2',
        properties: { email: 'a@acme.io' },
      },
    )
    expect(status).toBe(409)
    expect(json?.['message']).toBe(`Contact already exists. Existing ID: ${id}`)
    expect(hubspot.sandbox.records('contacts')).toHaveLength(1)
  })

  it.each([
    { name: 'the same new address', ids: ['x@acme.io', 'X@acme.io'] },
    { name: 'two addresses of one contact', ids: ['a@acme.io', 'b@acme.io'] },
  ])('refuses two inputs that come down to one record: $name', async ({ ids }) => {
    const { contacts } = hubspot.sandbox.seed({
      contacts: [{ email: 'a@acme.io' }, { email: 'b@acme.io' }],
    })
    hubspot.sandbox.merge('contacts', contacts[0] ?? '', contacts[1] ?? '')
    const { status, json } = await batch('upsert', ...ids.map((id) => upsert(id, 'x')))
    expect(status).toBe(400)
    expect(json?.['message']).toContain('Duplicate IDs found in batch input')
  })
})

describe('batch read', () => {
  it('reports missing ids in a 207, and by property too', async () => {
    const [id] = hubspot.sandbox.seed({
      contacts: [{ email: 'a@acme.io', pql_key: 'k1' }],
    }).contacts
    const byId = await batch('read', { id }, { id: '77' })
    const byKey = await hubspot.call('POST', `${CONTACTS}/batch/read`, {
      idProperty: 'pql_key',
      properties: ['pql_note', 'pql_key'],
      inputs: [{ id: 'k1' }],
    })
    expect([byId.status, byId.json?.['numErrors']]).toEqual([207, 1])
    expect(byId.json?.['errors']).toEqual([expect.objectContaining({ context: { ids: ['77'] } })])
    expect(list(byKey.json?.['results'])[0]?.['properties']).toMatchObject({
      pql_key: 'k1',
      pql_note: null,
    })
  })
})

describe('a record that stands twice in a batch', () => {
  it.each(['update', 'upsert'] as const)(
    'is refused when it comes again, and what came before is carried out: %s',
    async (verb) => {
      const [a = '', b = ''] = hubspot.sandbox.seed({
        contacts: [{ email: 'a@acme.io' }, { email: 'b@acme.io' }],
      }).contacts
      const input = (id: string, email: string, pql_note: string) =>
        verb === 'update' ? { id, properties: { pql_note } } : upsert(email, pql_note)
      const { status, json } = await batch(
        verb,
        input(a, 'a@acme.io', 'first'),
        input(a, 'A@acme.io', 'second'),
        input(b, 'b@acme.io', 'never'),
      )
      expect(status).toBe(400)
      expect(json?.['message']).toContain('Duplicate IDs found in batch input')
      expect(notes()).toEqual(['first', undefined])
    },
  )
})

describe('an account that takes updates and upserts one by one', () => {
  it.each(['update', 'upsert'] as const)(
    'answers 207 with the trace ids that failed: %s',
    async (verb) => {
      await hubspot.close()
      hubspot = await startHubspotSandbox({ partialBatches: true })
      await hubspot.call('POST', PROPERTIES, property('pql_note'))
      const ids = hubspot.sandbox.seed({
        contacts: [{ email: 'a@acme.io' }, { email: 'b@acme.io' }],
      }).contacts
      const inputs = ids.map((id, n) => ({
        ...(verb === 'update' ? { id } : { id: `${'ab'[n]}@acme.io`, idProperty: 'email' }),
        objectWriteTraceId: `t${n}`,
        properties: n === 0 ? { missing: '1' } : { pql_note: 'new' },
      }))
      const { status, json } = await batch(verb, ...inputs)
      expect(status).toBe(207)
      expect(list(json?.['errors']).map(({ context }) => context)).toEqual([
        { objectWriteTraceId: ['t0'] },
      ])
      expect(notes()).toEqual([undefined, 'new'])
      // Without them it is all or nothing, as ever.
      const bare = inputs.map(({ objectWriteTraceId: _, ...input }) => input)
      expect((await batch(verb, ...bare)).status).toBe(400)
    },
  )
})
