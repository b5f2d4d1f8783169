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
const list = (value: unknown) =>
  (Array.isArray(value) ? value : []) as Record<string, Record<string, unknown>>[]

describe('properties', () => {
  it('are created once', async () => {
    const again = await hubspot.call('POST', PROPERTIES, property('pql_note'))
    const unknown = await hubspot.call('GET', `${PROPERTIES}/pql_none`)
    const known = await hubspot.call('GET', `${PROPERTIES}/pql_note`)
    expect([again.status, again.json?.['category']]).toEqual([409, 'OBJECT_ALREADY_EXISTS'])
    expect([unknown.status, known.status]).toEqual([404, 200])
  })

  it.each([
    { name: 'no group', input: { groupName: undefined } },
    { name: 'an unknown group', input: { groupName: 'nowhere' } },
    { name: 'a name in capitals', input: { name: 'PQL' } },
    { name: 'an unknown type', input: { type: 'json' } },
    { name: 'a field type that does not go with the type', input: { fieldType: 'number' } },
    {
      name: 'an option without a label',
      input: { type: 'enumeration', fieldType: 'select', options: [{ value: 'a' }] },
    },
  ])('are refused with $name', async ({ input }) => {
    const { status } = await hubspot.call('POST', PROPERTIES, { ...property('pql_new'), ...input })
    expect(status).toBe(400)
  })

  it('can be unique ten times per object', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 10; i++) {
      const made = await hubspot.call(
        'POST',
        PROPERTIES,
        property(`pql_u${i}`, { hasUniqueValue: true }),
      )
      statuses.push(made.status)
    }
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 201), 400])
  })

  it('keep unique values unique', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ pql_key: 'k1' }] }).contacts
    const { status, json } = await hubspot.call('POST', CONTACTS, { properties: { pql_key: 'k1' } })
    expect(status).toBe(400)
    expect(json?.['errors']).toEqual([
      expect.objectContaining({ code: 'CONFLICTING_UNIQUE_VALUE' }),
    ])
    expect(String(json?.['message'])).toContain(`${id} already has that value`)
  })

  it('replace their options as a whole and stay unique or not', async () => {
    const options = [{ label: 'A', value: 'a' }]
    await hubspot.call(
      'POST',
      PROPERTIES,
      property('pql_pick', { type: 'enumeration', fieldType: 'select', options }),
    )
    const { json } = await hubspot.call('PATCH', `${PROPERTIES}/pql_pick`, {
      options: [{ label: 'B', value: 'b' }],
      hasUniqueValue: true,
    })
    expect(json).toMatchObject({ hasUniqueValue: false, options: [{ value: 'b' }] })
    const { status } = await hubspot.call('POST', CONTACTS, { properties: { pql_pick: 'a' } })
    expect(status).toBe(400)
  })

  it('are created in batches, each on its own', async () => {
    const { status, json } = await hubspot.call('POST', `${PROPERTIES}/batch/create`, {
      inputs: [property('pql_note'), property('pql_more')],
    })
    const read = await hubspot.call('POST', `${PROPERTIES}/batch/read`, {
      inputs: [{ name: 'pql_more' }],
    })
    expect([status, json?.['numErrors']]).toEqual([207, 1])
    expect(list(read.json?.['results']).map((result) => result['name'])).toEqual(['pql_more'])
  })

  it('tell which of them are read-only', async () => {
    const { json } = await hubspot.call('GET', `${PROPERTIES}/hs_additional_emails`)
    expect(json).toMatchObject({ hidden: true, modificationMetadata: { readOnlyValue: true } })
  })
})
