import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmWrite } from '../../src/core/ports/crm.ts'
import { lookup } from './crm-contract-examples.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeOrgs, connectSalesforce, KEY_FIELD, openOrg } from './salesforce-subject.ts'

afterEach(closeOrgs)

const KEY = KEY_FIELD.contact
const SCORE = 'usage_score__c'
const ANNA = 'anna@acme.example'
const BOB = 'bob@acme.example'

/** An org with a contact under an account, one under none, and a lead. */
async function openPeople() {
  const org = await openOrg()
  const { people } = org.sandbox
  const account = people.create('Account', { Name: 'Acme', Website: 'www.acme.example' })
  const named = (Email: string) => ({ LastName: 'Doe', Email })
  const anna = people.create('Contact', { ...named(ANNA), AccountId: account, [SCORE]: 7 })
  const alone = people.create('Contact', named('alone@acme.example'))
  const bob = people.create('Lead', { ...named(BOB), Company: 'Acme' })
  const crm = connectSalesforce(org.subject.baseUrl, {})
  for (const object of ['contact', 'company'] as const) await crm.propertyNames(object, noSignal())
  org.sandbox.resetCalls()
  return { ...org, crm, account, anna, alone, bob }
}

describe('a look-up', () => {
  it('tells what people say and which account they are under, in one call', async () => {
    const { crm, sandbox, account, anna, alone, bob } = await openPeople()
    const lookups = [ANNA, 'alone@acme.example', BOB].map((email, n) => lookup(`p-${n}`, [email]))
    const found = await crm.find('contact', lookups, noSignal(), [KEY, SCORE, 'Company'])
    const nothing = { [KEY]: null, [SCORE]: null, Company: null }
    expect(found.flat()).toMatchObject([
      {
        crmId: anna,
        values: { ...nothing, [SCORE]: '7' },
        company: { companyId: account, domain: 'acme.example' },
      },
      { crmId: alone, values: nothing, company: null },
      { crmId: bob, values: { ...nothing, Company: 'Acme' } },
    ])
    expect(found[2]?.[0]).not.toHaveProperty('company')
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('tells nothing more to who asks for nothing more', async () => {
    const { crm } = await openPeople()
    const [[first] = []] = await crm.find('contact', [lookup('p-1', [ANNA])], noSignal())
    expect(first).not.toHaveProperty('values')
    expect(first).not.toHaveProperty('company')
  })

  it('does not say what a converted lead said for the contact that it became', async () => {
    const { crm, sandbox, bob } = await openPeople()
    await crm.write('contact', [write(bob)], noSignal())
    const { contactId } = sandbox.people.convertLead(bob)
    const [found] = await crm.find('contact', [lookup('p-1')], noSignal(), [KEY, SCORE])
    expect(found).toEqual([expect.objectContaining({ crmId: contactId, by: 'key' })])
    expect(found?.[0]).not.toHaveProperty('values')
  })
})

describe('a query that would not fit into an address with the headers', () => {
  it('goes in a body', async () => {
    const { crm, sandbox, anna } = await openPeople()
    const ids = [
      anna,
      ...Array.from({ length: 640 }, (_, n) => `003${String(n).padStart(12, '0')}AAA`),
    ]
    const read = await crm.read('contact', ids, [SCORE], noSignal())
    expect([...read.keys()]).toEqual([anna])
    expect(sandbox.calls().map(({ path }) => path)).toEqual(['/services/data/v67.0/composite'])
  })
})

const write = (crmId: string, more: Partial<CrmWrite> = {}): CrmWrite => ({
  ...{ ref: 'p-1', key: 'p-1', crmId, properties: { [SCORE]: 70 } },
  ...more,
})

describe('a contact that was found under no account', () => {
  it('is put under it by the write of its score', async () => {
    const { crm, sandbox, account, alone } = await openPeople()
    const writes = [write(alone, { companyId: account, putUnder: true })]
    expect(await crm.write('contact', writes, noSignal())).toEqual([
      { kind: 'written', crmId: alone, created: false, isUnder: true },
    ])
    expect(sandbox.record(alone)?.values).toMatchObject({ AccountId: account, [SCORE]: 70 })
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('stays where it is unless that is asked for, and so does a lead', async () => {
    const { crm, sandbox, account, alone, bob } = await openPeople()
    const writes = [
      write(alone, { companyId: account }),
      write(bob, { ref: 'p-2', key: 'p-2', companyId: account, putUnder: true }),
    ]
    for (const outcome of await crm.write('contact', writes, noSignal())) {
      expect(outcome.kind).toBe('written')
      expect(outcome).not.toHaveProperty('isUnder')
    }
    expect(sandbox.record(alone)?.values['AccountId'] ?? null).toBeNull()
  })

  it('is written all the same when the account is gone', async () => {
    const { crm, sandbox, account, alone } = await openPeople()
    sandbox.people.delete('Account', account)
    const writes = [write(alone, { companyId: account, putUnder: true })]
    expect(await crm.write('contact', writes, noSignal())).toEqual([
      { kind: 'written', crmId: alone, created: false },
    ])
    expect(sandbox.record(alone)?.values).toMatchObject({ [SCORE]: 70 })
  })
})
