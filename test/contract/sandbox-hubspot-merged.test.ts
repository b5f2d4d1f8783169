import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const CONTACTS = '/crm/v3/objects/contacts'
const COMPANIES = '/crm/v3/objects/companies'

let hubspot: RunningHubspotSandbox

beforeEach(async () => {
  hubspot = await startHubspotSandbox({ autoCreateCompanies: true })
})
afterEach(async () => {
  await hubspot.close()
})

const companies = () => hubspot.sandbox.records('companies').filter(({ archived }) => !archived)
const search = async (operator: string, more: object) => {
  const filters = [{ propertyName: 'hs_additional_domains', operator, ...more }]
  const { json } = await hubspot.call('POST', `${COMPANIES}/search`, {
    filterGroups: [{ filters }],
  })
  return json?.['total']
}

describe('a company that was merged', () => {
  const merge = () => {
    const seeded = hubspot.sandbox.seed({
      companies: [{ domain: 'acme.io' }, { domain: 'acme.dev' }, { domain: 'other.io' }],
    })
    const [a = '', b = ''] = seeded.companies
    return { merged: hubspot.sandbox.merge('companies', a, b), a, b }
  }

  it('is found by its additional domain, by option and by word', async () => {
    const { merged } = merge()
    expect(await search('IN', { values: ['acme.dev', 'nobody.io'] })).toBe(1)
    expect(await search('CONTAINS_TOKEN', { value: 'acme.dev' })).toBe(1)
    expect(await search('IN', { values: ['acme.io'] })).toBe(0)
    const read = await hubspot.call(
      'GET',
      `${COMPANIES}/${merged}?properties=hs_additional_domains`,
    )
    expect(read.json).toMatchObject({ properties: { hs_additional_domains: 'acme.dev' } })
  })

  it('is the company of a new contact with an address there', async () => {
    const { merged } = merge()
    const body = { properties: { email: 'ann@acme.dev' } }
    const { json } = await hubspot.call('POST', CONTACTS, body)
    expect(companies()).toHaveLength(2)
    const to = hubspot.sandbox.associations().filter(({ from }) => from.id === json?.['id'])
    expect(new Set(to.map(({ to: end }) => end.id))).toEqual(new Set([merged]))
  })

  it('keeps its old ids on the single endpoints alone', async () => {
    const { merged, a, b } = merge()
    for (const id of [a, b]) {
      expect((await hubspot.call('GET', `${COMPANIES}/${id}`)).json?.['id']).toBe(merged)
    }
    const inputs = [a, b].map((id) => ({ id, properties: { name: 'x' } }))
    const batch = await hubspot.call('POST', `${COMPANIES}/batch/update`, { inputs })
    expect([batch.status, batch.json?.['results']]).toEqual([207, []])
    const gone = await hubspot.call('POST', `${COMPANIES}/batch/archive`, { inputs: [{ id: a }] })
    expect([gone.status, companies().length]).toEqual([204, 2])
  })
})

describe('a record that is restored', () => {
  it('is there again under its id, with its values and its address', async () => {
    const [id = ''] = hubspot.sandbox.seed({ contacts: [{ email: 'ann@acme.io' }] }).contacts
    const byEmail = () => hubspot.call('GET', `${CONTACTS}/ann@acme.io?idProperty=email`)
    hubspot.sandbox.archive('contacts', id)
    expect((await byEmail()).status).toBe(404)
    hubspot.sandbox.restore('contacts', id)
    expect((await byEmail()).json).toMatchObject({ id, archived: false })
    const again = await hubspot.call('POST', CONTACTS, { properties: { email: 'ann@acme.io' } })
    expect(again.status).toBe(409)
  })
})

describe('a fault that a body brings about', () => {
  it('meets only calls that mention it, each time, and nothing happens', async () => {
    hubspot.sandbox.faults.push({ mentions: 'bob@acme.io', times: 2, status: 500, body: {} })
    const create = (...emails: readonly string[]) =>
      hubspot.call('POST', `${CONTACTS}/batch/create`, {
        inputs: emails.map((email) => ({ properties: { email } })),
      })
    const statuses = [
      (await create('ann@acme.io', 'bob@acme.io')).status,
      (await create('ann@acme.io')).status,
      (await create('bob@acme.io')).status,
      (await create('bob@acme.io')).status,
    ]
    expect(statuses).toEqual([500, 201, 500, 201])
    expect(hubspot.sandbox.records('contacts')).toHaveLength(2)
  })
})

describe('an account in which the winner of a merge keeps its id', () => {
  it('has it under that id, with what the other one had, and tells so', async () => {
    await hubspot.close()
    hubspot = await startHubspotSandbox({ mergeKeepsId: true })
    const [a = '', b = ''] = hubspot.sandbox.seed({
      companies: [{ domain: 'acme.io' }, { domain: 'acme.dev', name: 'Acme' }],
    }).companies
    hubspot.sandbox.webhooks.configure({ targetUrl: 'http://127.0.0.1:9/', clientSecret: 'x' })
    const told = hubspot.sandbox.webhooks.pending
    expect(hubspot.sandbox.merge('companies', a, b)).toBe(a)
    expect(hubspot.sandbox.webhooks.pending).toBe(told + 1)
    const left = companies()
    expect(left.map(({ id }) => id)).toEqual([a])
    expect(left[0]?.properties).toMatchObject({
      domain: 'acme.io',
      name: 'Acme',
      hs_additional_domains: 'acme.dev',
      hs_merged_object_ids: b,
    })
    const read = await hubspot.call('GET', `${COMPANIES}/${b}`)
    expect(read.json).toMatchObject({ id: a })
    const batch = await hubspot.call('POST', `${COMPANIES}/batch/read`, {
      inputs: [{ id: a }, { id: b }],
    })
    expect(batch.status).toBe(207)
  })
})
