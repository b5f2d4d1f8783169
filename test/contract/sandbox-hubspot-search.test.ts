import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const AT = Date.parse('2026-11-20T10:00:00.000Z')

let clock = AT
let hubspot: RunningHubspotSandbox
const options = { now: () => clock, limits: { searchPerSecond: 1000 } }

beforeEach(async () => {
  clock = AT
  hubspot = await startHubspotSandbox(options)
})

afterEach(async () => {
  await hubspot.close()
})

const search = (body: unknown) => hubspot.call('POST', '/crm/v3/objects/contacts/search', body)
const where = (...filters: readonly unknown[]) => ({ filterGroups: [{ filters }] })
const list = (value: unknown) =>
  (Array.isArray(value) ? value : []) as { id: string; properties: Record<string, string> }[]

describe('search', () => {
  const lead = { hs_lead_status: 'OPEN' }
  const people = [
    { email: 'ada@acme.io', firstname: 'Ada', closedate: '2026-01-01T00:00:00Z', ...lead },
    { email: 'ben@acme.io', firstname: 'Ben', closedate: '2026-02-01T00:00:00Z' },
    { email: 'cat@other.io', firstname: 'Cat', lastname: 'van Acme' },
  ]
  const february = String(Date.parse('2026-02-01T00:00:00Z'))

  it.each([
    { filter: { propertyName: 'email', operator: 'EQ', value: 'ADA@acme.io' }, want: ['Ada'] },
    {
      filter: { propertyName: 'email', operator: 'NEQ', value: 'ada@acme.io' },
      want: ['Ben', 'Cat'],
    },
    {
      filter: { propertyName: 'firstname', operator: 'IN', values: ['ada', 'ben'] },
      want: ['Ada', 'Ben'],
    },
    { filter: { propertyName: 'firstname', operator: 'IN', values: ['Ada'] }, want: [] },
    {
      filter: { propertyName: 'firstname', operator: 'NOT_IN', values: ['ada'] },
      want: ['Ben', 'Cat'],
    },
    { filter: { propertyName: 'hs_lead_status', operator: 'EQ', value: 'OPEN' }, want: ['Ada'] },
    { filter: { propertyName: 'hs_lead_status', operator: 'EQ', value: 'open' }, want: [] },
    { filter: { propertyName: 'hs_lead_status', operator: 'IN', values: ['OPEN'] }, want: ['Ada'] },
    { filter: { propertyName: 'closedate', operator: 'GTE', value: february }, want: ['Ben'] },
    { filter: { propertyName: 'closedate', operator: 'GT', value: february }, want: [] },
    { filter: { propertyName: 'closedate', operator: 'LT', value: february }, want: ['Ada'] },
    {
      filter: { propertyName: 'closedate', operator: 'LTE', value: february },
      want: ['Ada', 'Ben'],
    },
    {
      filter: { propertyName: 'closedate', operator: 'BETWEEN', value: '0', highValue: february },
      want: ['Ada', 'Ben'],
    },
    { filter: { propertyName: 'closedate', operator: 'HAS_PROPERTY' }, want: ['Ada', 'Ben'] },
    { filter: { propertyName: 'closedate', operator: 'NOT_HAS_PROPERTY' }, want: ['Cat'] },
    {
      filter: { propertyName: 'lastname', operator: 'CONTAINS_TOKEN', value: 'acme' },
      want: ['Cat'],
    },
    {
      filter: { propertyName: 'email', operator: 'CONTAINS_TOKEN', value: '*@acme.io' },
      want: ['Ada', 'Ben'],
    },
    { filter: { propertyName: 'hs_object_id', operator: 'EQ', value: '1000002' }, want: ['Ben'] },
  ])('finds $want by $filter.propertyName $filter.operator', async ({ filter, want }) => {
    hubspot.sandbox.seed({ contacts: people })
    const { status, json } = await search({ ...where(filter), properties: ['firstname'] })
    expect(status).toBe(200)
    expect(list(json?.['results']).map(({ properties }) => properties['firstname'])).toEqual(want)
    expect(json?.['total']).toBe(want.length)
  })

  it('joins groups by or, filters by and', async () => {
    hubspot.sandbox.seed({ contacts: people })
    const eq = (propertyName: string, value: string) => ({ propertyName, operator: 'EQ', value })
    const { json } = await search({
      filterGroups: [
        { filters: [eq('firstname', 'Ada'), eq('email', 'ben@acme.io')] },
        { filters: [eq('firstname', 'Cat')] },
      ],
    })
    expect(list(json?.['results']).map(({ properties }) => properties['email'])).toEqual([
      'cat@other.io',
    ])
  })

  it.each([
    { sorts: ['-firstname'], want: ['Cat', 'Ben', 'Ada'] },
    { sorts: ['firstname'], want: ['Ada', 'Ben', 'Cat'] },
    {
      sorts: [{ propertyName: 'closedate', direction: 'DESCENDING' }],
      want: ['Ben', 'Ada', 'Cat'],
    },
    {
      sorts: [JSON.stringify({ propertyName: 'firstname', direction: 'ASCENDING' })],
      want: ['Ada', 'Ben', 'Cat'],
    },
  ])('sorts by $sorts', async ({ sorts, want }) => {
    hubspot.sandbox.seed({ contacts: people })
    const { json } = await search({ sorts, properties: ['firstname'] })
    expect(list(json?.['results']).map(({ properties }) => properties['firstname'])).toEqual(want)
  })

  it('pages through', async () => {
    hubspot.sandbox.seed({ contacts: people })
    const first = await search({ limit: 2 })
    const second = await search({ limit: 2, after: '2' })
    expect(first.json).toMatchObject({ total: 3, paging: { next: { after: '2' } } })
    expect(list(second.json?.['results'])).toHaveLength(1)
    expect(second.json).not.toHaveProperty('paging')
  })

  it('leaves archived records out', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: people }).contacts
    hubspot.sandbox.archive('contacts', id ?? '')
    expect((await search({})).json?.['total']).toBe(2)
  })

  const filter = { propertyName: 'email', operator: 'EQ', value: 'a' }
  it.each([
    { name: 'a page of more than 200', body: { limit: 201 } },
    { name: 'more than 10,000 results', body: { limit: 200, after: '9900' } },
    { name: 'an after that is no integer', body: { after: 'next' } },
    { name: 'six groups', body: { filterGroups: Array(6).fill({ filters: [filter] }) } },
    { name: 'seven filters in a group', body: where(...Array(7).fill(filter)) },
    {
      name: 'nineteen filters',
      body: { filterGroups: Array(4).fill({ filters: Array(5).fill(filter) }) },
    },
    { name: 'two sorts', body: { sorts: ['email', 'firstname'] } },
    { name: 'an unknown property', body: where({ ...filter, propertyName: 'nope' }) },
    { name: 'an unknown operator', body: where({ ...filter, operator: 'LIKE' }) },
    { name: 'IN without values', body: where({ ...filter, operator: 'IN' }) },
    {
      name: 'a body of more than 3,000 characters',
      body: where({ ...filter, value: 'x'.repeat(3000) }),
    },
  ])('refuses $name', async ({ body }) => {
    const { status, json } = await search(body)
    expect([status, json?.['category']]).toEqual([400, 'VALIDATION_ERROR'])
  })

  it('counts records that share one timestamp beyond 10,000 and gives no more than those', async () => {
    hubspot.sandbox.seed({
      contacts: Array.from({ length: 10_050 }, () => ({ firstname: 'Bulk' })),
    })
    const same = where({ propertyName: 'lastmodifieddate', operator: 'GTE', value: String(AT) })
    const last = await search({ ...same, limit: 200, after: '9800' })
    const beyond = await search({ ...same, limit: 200, after: '10000' })
    expect(last.json).toMatchObject({ total: 10_050, paging: { next: { after: '10000' } } })
    expect(beyond.status).toBe(400)
  })

  it('sees new and changed records only after the lag, other reads at once', async () => {
    const lagging = await startHubspotSandbox({ ...options, searchLagMs: 5000 })
    const find = async (value: string) => {
      const body = where({ propertyName: 'email', operator: 'EQ', value })
      return (await lagging.call('POST', '/crm/v3/objects/contacts/search', body)).json?.['total']
    }
    const [id] = lagging.sandbox.seed({ contacts: [{ email: 'old@acme.io' }] }).contacts
    const fresh = await find('old@acme.io')
    clock += 5000
    const visible = await find('old@acme.io')
    await lagging.call('PATCH', `/crm/v3/objects/contacts/${id}`, {
      properties: { email: 'new@acme.io' },
    })
    const changed = [await find('old@acme.io'), await find('new@acme.io')]
    const read = await lagging.call('GET', '/crm/v3/objects/contacts/new@acme.io?idProperty=email')
    clock += 5000
    const settled = [await find('old@acme.io'), await find('new@acme.io')]
    await lagging.close()
    expect([fresh, visible, changed, settled]).toEqual([0, 1, [1, 0], [0, 1]])
    expect(read.status).toBe(200)
  })
})

describe('associations', () => {
  const path = '/crm/v4/associations/contacts/companies/batch'

  it('make the first company of a contact its primary one, seen from both sides', async () => {
    const ids = hubspot.sandbox.seed({ contacts: [{}], companies: [{ name: 'A' }, { name: 'B' }] })
    const [contact] = ids.contacts
    const inputs = ids.companies.map((id) => ({ from: { id: contact }, to: { id } }))
    await hubspot.call('POST', `${path}/associate/default`, { inputs })
    const { status, json } = await hubspot.call('POST', `${path}/read`, {
      inputs: [{ id: contact }],
    })
    const back = await hubspot.call(
      'GET',
      `/crm/v4/objects/company/${ids.companies[0]}/associations/contact`,
    )
    const typeIds = (to: { associationTypes: { typeId: number }[] }) =>
      to.associationTypes.map(({ typeId }) => typeId)
    const [result] = list(json?.['results']) as unknown as { to: Parameters<typeof typeIds>[0][] }[]
    expect(status).toBe(200)
    expect(result?.to.map(typeIds)).toEqual([[279, 1], [279]])
    expect(
      (list(back.json?.['results']) as unknown as Parameters<typeof typeIds>[0][]).map(typeIds),
    ).toEqual([[280, 2]])
  })

  it('move the primary company when another one is made primary', async () => {
    const ids = hubspot.sandbox.seed({
      contacts: [{}],
      companies: [{ name: 'A' }, { name: 'B' }],
      employments: [{ contact: 0, company: 0 }],
    })
    await hubspot.call('POST', `${path}/create`, {
      inputs: [
        {
          from: { id: ids.contacts[0] },
          to: { id: ids.companies[1] },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
        },
      ],
    })
    const primary = hubspot.sandbox.associations().filter(({ typeId }) => typeId === 1)
    expect(primary.map(({ to }) => to.id)).toEqual([ids.companies[1]])
  })

  it('are errors of a 207 where there are none', async () => {
    const { contacts } = hubspot.sandbox.seed({ contacts: [{}] })
    const { status, json } = await hubspot.call('POST', `${path}/read`, {
      inputs: [{ id: contacts[0] }],
    })
    expect(status).toBe(207)
    expect(json?.['errors']).toEqual([
      expect.objectContaining({ subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND' }),
    ])
  })

  it('go away when they are archived', async () => {
    const ids = hubspot.sandbox.seed({
      contacts: [{}],
      companies: [{ name: 'A' }],
      employments: [{ contact: 0, company: 0 }],
    })
    const inputs = [{ from: { id: ids.contacts[0] }, to: [{ id: ids.companies[0] }] }]
    const { status } = await hubspot.call('POST', `${path}/archive`, { inputs })
    expect(status).toBe(204)
    expect(hubspot.sandbox.associations()).toEqual([])
  })

  it('refuse a type id of other objects', async () => {
    const ids = hubspot.sandbox.seed({ contacts: [{}], companies: [{ name: 'A' }] })
    const spec = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }]
    const one = `/crm/v4/objects/contacts/${ids.contacts[0]}/associations/companies/${ids.companies[0]}`
    expect((await hubspot.call('PUT', one, spec)).status).toBe(400)
    expect((await hubspot.call('PUT', one, [{ ...spec[0], associationTypeId: 279 }])).status).toBe(
      201,
    )
    expect((await hubspot.call('DELETE', one)).status).toBe(204)
  })

  it('follow a merge', async () => {
    const ids = hubspot.sandbox.seed({
      contacts: [{}],
      companies: [{ domain: 'a.io' }, { domain: 'b.io' }],
      employments: [{ contact: 0, company: 1 }],
    })
    const id = hubspot.sandbox.merge('companies', ids.companies[0] ?? '', ids.companies[1] ?? '')
    const [record] = hubspot.sandbox.records('companies')
    expect(hubspot.sandbox.associations().map(({ from, to }) => `${from.id} ${to.id}`)).toContain(
      `${ids.contacts[0]} ${id}`,
    )
    expect(record?.properties).toMatchObject({ domain: 'a.io', hs_additional_domains: 'b.io' })
  })
})
