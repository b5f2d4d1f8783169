import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import { readWork } from '../../src/infra/postgres/work.ts'
import { removeFolders } from '../support/state.ts'
import {
  closeTraitsWorlds,
  hubspotMapping,
  openTraitsWorld,
  type TraitsWorld,
} from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const HOUR_MS = 3_600_000
let world: TraitsWorld
beforeEach(async () => {
  world = await openTraitsWorld(NOW)
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)
const traitsAt = async (id: string, asOf: Date, knownAt?: Date) =>
  (await readTraits(world.database.db, [id], { asOf, ...(knownAt ? { knownAt } : {}) })).get(id)
const kinds = () => world.sandbox.calls().map(({ kind, path }) => `${kind} ${path}`)

/** Ann of Acme, both linked. */
async function openAcme(contact: Record<string, string> = {}, company = {}): Promise<string[]> {
  await world.account('acc_a', 'acme.com')
  await world.person('per_ann', { account: 'acc_a', nodes: ['email/ann@acme.com'] })
  await world.person('per_bo', { account: 'acc_a' })
  await world.person('per_cy')
  const ids = world.sandbox.seed({
    contacts: [{ email: 'ann@acme.com', pql_person_id: 'per_ann', ...contact }],
    companies: [{ domain: 'acme.com', pqa_account_id: 'acc_a', ...company }],
  })
  const [contactId = '', companyId = ''] = [ids.contacts[0], ids.companies[0]]
  await world.link('per_ann', 'contact', contactId)
  await world.link('acc_a', 'company', companyId)
  world.sandbox.resetCalls()
  return [contactId, companyId]
}

async function edit(object: 'contact' | 'company', id: string, properties: object): Promise<void> {
  const path = object === 'contact' ? 'contacts' : 'companies'
  const outcome = await world.crm.write(
    object,
    [
      {
        ref: id,
        key: object === 'contact' ? 'per_ann' : 'acc_a',
        crmId: id,
        properties: { ...properties },
      },
    ],
    new AbortController().signal,
  )
  if (outcome[0]?.kind !== 'written') throw new Error(`${path} ${outcome[0]?.kind}`)
  world.sandbox.resetCalls()
}

describe('fields that are pulled out of HubSpot', () => {
  it('are traits of the contact, of the company, and through it of its people', async () => {
    await openAcme({ jobtitle: ' Head of Data ' }, { numberofemployees: '120', industry: 'RETAIL' })
    expect(await world.read()).toEqual({ fieldsRead: 2, fieldsChanged: 2 })
    const asOf = later(1)
    const company = { head_count: ['120'], industry: ['RETAIL'] }
    const email_kind = ['business']
    expect(await traitsAt('acc_a', asOf)).toEqual(company)
    expect(await traitsAt('per_ann', asOf)).toEqual({
      ...company,
      job_title: ['Head of Data'],
      email_kind,
    })
    expect(await traitsAt('per_bo', asOf)).toEqual({ ...company, email_kind })
    expect(await traitsAt('per_cy', asOf)).toEqual({ email_kind })
    // Nobody knew it before it was read.
    expect(await traitsAt('per_ann', new Date(NOW.getTime() - 1))).toEqual({ email_kind })
  })

  it('mark exactly those whom a change is about, and ask for their scores', async () => {
    const [contactId = ''] = await openAcme({ jobtitle: 'Analyst' })
    await world.read()
    expect(await world.touched()).toEqual(['score acc_a', 'score per_ann'])
    world.now = later(2)
    await edit('contact', contactId, { jobtitle: 'Founder' })
    expect(await world.read()).toEqual({ fieldsRead: 2, fieldsChanged: 1 })
    expect(await world.touched()).toEqual(['score acc_a', 'score per_ann'])
    const [work] = await readWork(world.database.db, 'score', 'all')
    expect(work).toMatchObject({ requested: 2, whole: 0 })
  })

  it('mark all people of a company that changed', async () => {
    const [, companyId = ''] = await openAcme()
    await world.read()
    await world.touched()
    world.now = later(2)
    await edit('company', companyId, { industry: 'LOGISTICS' })
    await world.read()
    expect(await world.touched()).toEqual(['score acc_a', 'score per_ann', 'score per_bo'])
  })

  it('cost only the reads when nothing changed, and nothing before the hour is over', async () => {
    await openAcme({ jobtitle: 'Analyst' })
    await world.read()
    world.sandbox.resetCalls()
    world.now = later(0.5)
    expect(await world.read()).toEqual({})
    expect(kinds()).toEqual([])
    world.now = later(1)
    await world.touched()
    expect(await world.read()).toEqual({ fieldsRead: 2, fieldsChanged: 0 })
    expect(kinds()).toEqual([
      'read /crm/v3/properties/companies',
      'read /crm/v3/objects/companies/batch/read',
      'read /crm/v3/properties/contacts',
      'read /crm/v3/objects/contacts/batch/read',
    ])
    expect(await world.touched()).toEqual([])
    const rows = await world.database.db.selectFrom('trait').selectAll().execute()
    expect(rows).toHaveLength(1)
  })

  it('end when they are emptied, and are what they were at every moment of the past', async () => {
    const [contactId = ''] = await openAcme({ jobtitle: 'Analyst' })
    await world.read()
    world.now = later(24)
    await edit('contact', contactId, { jobtitle: 'Founder' })
    await world.read()
    world.now = later(48)
    await edit('contact', contactId, { jobtitle: '' })
    expect(await world.read()).toMatchObject({ fieldsChanged: 1 })
    const titleAt = async (hours: number, knownAt?: Date) =>
      (await traitsAt('per_ann', later(hours), knownAt))?.['job_title']
    expect(await titleAt(1)).toEqual(['Analyst'])
    expect(await titleAt(23.9)).toEqual(['Analyst'])
    expect(await titleAt(24)).toEqual(['Founder'])
    expect(await titleAt(25)).toEqual(['Founder'])
    expect(await titleAt(47.9)).toEqual(['Founder'])
    expect(await titleAt(48)).toBeUndefined()
    // Who asks what was known on the first day must not hear of the second.
    expect(await titleAt(49, later(1))).toEqual(['Analyst'])
  })

  it('are read at once under another id when the record was merged, and the record is put right', async () => {
    const [contactId = ''] = await openAcme({ jobtitle: 'Analyst' })
    await world.read()
    const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@old.example' }] }).contacts
    const merged = world.sandbox.merge('contacts', contactId, other)
    world.now = later(1)
    world.sandbox.resetCalls()
    expect(await world.read()).toMatchObject({ fieldsChanged: 0 })
    const row = await world.database.db
      .selectFrom('crm_record')
      .select(['crm_id', 'state', 'written'])
      .where('ref', '=', 'per_ann')
      .executeTakeFirst()
    expect(row).toEqual({ crm_id: merged, state: 'pending', written: null })
    expect((await traitsAt('per_ann', later(2)))?.['job_title']).toEqual(['Analyst'])
    world.now = later(1.5)
    expect(await world.read()).toEqual({})
  })

  it('end with the record, and it is not made again', async () => {
    const [contactId = ''] = await openAcme({ jobtitle: 'Analyst', hs_lead_status: 'UNQUALIFIED' })
    await world.read()
    world.sandbox.archive('contacts', contactId)
    world.now = later(1)
    expect(await world.read()).toMatchObject({ fieldsChanged: 1 })
    expect(await traitsAt('per_ann', later(2))).toEqual({ email_kind: ['business'] })
    const kept = await world.database.db.selectFrom('sales_state').select('status').execute()
    expect(kept).toEqual([{ status: 'rejected' }])
  })

  it('are all asked for at once when the mapping asks for more, and end when it asks no more', async () => {
    await openAcme({ jobtitle: 'Analyst', city: 'Utrecht' })
    await world.read()
    const more = hubspotMapping(['job_title: jobtitle', 'town: city'])
    expect(await world.read(more)).toEqual({ fieldsRead: 1, fieldsChanged: 1 })
    expect(await traitsAt('per_ann', later(1))).toEqual({
      town: ['Utrecht'],
      email_kind: ['business'],
    })
  })

  it('that the portal lacks are named, nothing is emptied, and other objects are read', async () => {
    const [contactId = ''] = await openAcme({ jobtitle: 'Analyst' }, { industry: 'RETAIL' })
    await world.read()
    await edit('contact', contactId, { jobtitle: 'Founder' })
    world.now = later(2)
    const wrong = hubspotMapping(['industry: industry', 'industry: branch'])
    const failure = await world.read(wrong).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as Error).message).toBe(
      'hubspot has no property branch on its company records; correct objects.company.read.industry in hubspot.yaml, or create the property there',
    )
    expect(await traitsAt('per_ann', later(3))).toMatchObject({
      industry: ['RETAIL'],
      job_title: ['Founder'],
    })
  })

  it('of a large portal are read a hundred records a call, and the times of what is new fifty', async () => {
    const people = Array.from({ length: 1_050 }, (_, n) => `per_${String(n).padStart(4, '0')}`)
    const ids = world.sandbox.seed({
      contacts: people.map((id) => ({ email: `${id}@acme.com`, jobtitle: id })),
    })
    await world.linkNewcomers(people, ids.contacts)
    world.sandbox.resetCalls()
    expect(await world.read()).toEqual({ fieldsRead: 1_050, fieldsChanged: 1_050 })
    expect(kinds().filter((call) => call.includes('batch/read'))).toHaveLength(11 + 21)
    expect((await traitsAt('per_1049', later(1)))?.['job_title']).toEqual(['per_1049'])
  })
})
