import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const CONTACTS = '/crm/v3/objects/contacts'
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
