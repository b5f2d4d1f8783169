import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmLookup, CrmWrite } from '../../src/core/ports/crm.ts'
import { lookup, newContact } from './crm-contract-examples.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import {
  closeAccounts,
  connectHubspot,
  type HubspotSubject,
  KEY_PROPERTY,
  openAccount,
} from './hubspot-subject.ts'

afterEach(closeAccounts)

function routes(subject: HubspotSubject): string[] {
  return subject.sandbox.calls().map(({ method, path }) => `${method} ${path}`)
}

function contacts(subject: HubspotSubject, count: number): CrmWrite[] {
  return Array.from({ length: count }, (_, i) => newContact(subject, `p-${i}`))
}

function companyLookup(domains: readonly string[]): CrmLookup {
  return { ref: 'a', key: `key of ${domains[0]}`, emails: [], domains }
}

describe('the company of a contact', () => {
  it('is the primary one of several, with its domain, and none where there is none', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const acme = subject.seed('company', { domain: 'Acme.example' })
    const other = subject.seed('company', { domain: 'other.example' })
    const [ann, bo, cy] = ['ann', 'bo', 'cy'].map((name) =>
      subject.seed('contact', { email: `${name}@x.example` }),
    ) as [string, string, string]
    const pairs = [
      { contactId: ann, companyId: acme },
      { contactId: ann, companyId: other },
      { contactId: bo, companyId: other },
    ]
    for (const pair of pairs) await crm.associate([pair], noSignal())
    sandbox.resetCalls()
    const companies = await crm.companiesOf([ann, bo, cy], noSignal())
    expect([...companies]).toEqual([
      [ann, { companyId: acme, domain: 'acme.example' }],
      [bo, { companyId: other, domain: 'other.example' }],
    ])
    expect(routes(subject)).toEqual([
      'POST /crm/v4/associations/contacts/companies/batch/read',
      'POST /crm/v3/objects/companies/batch/read',
    ])
  })

  it('costs no call for nobody', async () => {
    const { subject, crm } = await openAccount()
    expect((await crm.companiesOf([], noSignal())).size).toBe(0)
    expect(routes(subject)).toEqual([])
  })
})

describe('calls saved', () => {
  it('one refused record among a hundred costs about two calls for each halving', async () => {
    const { subject, crm } = await openAccount()
    const writes = contacts(subject, 100)
    writes[63] = newContact(subject, 'p-63', { usage_score: 'many' })
    await crm.write('contact', writes, noSignal())
    expect(subject.sandbox.calls().length).toBeLessThanOrEqual(16)
  })

  it('a property that does not exist is tried once, whoever carries it', async () => {
    const { subject, crm } = await openAccount()
    const writes = contacts(subject, 100).map((write, i) =>
      i % 2 === 0 ? write : { ...write, properties: { ...write.properties, usage_gone: 1 } },
    )
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes.filter(({ kind }) => kind === 'written')).toHaveLength(50)
    expect(outcomes[1]).toMatchObject({ kind: 'rejected', code: 'PROPERTY_DOESNT_EXIST' })
    expect(subject.sandbox.calls()).toHaveLength(2)
  })

  it('an account without our unique property is a matter of configuration, found in one call', async () => {
    const { subject } = await openAccount()
    const crm = connectHubspot(subject.baseUrl, {
      keyProperty: { ...KEY_PROPERTY, contact: 'usage_note' },
    })
    const error = await failureOf(crm.write('contact', contacts(subject, 8), noSignal()))
    expect(error.kind).toBe('config')
    expect(subject.sandbox.calls()).toHaveLength(1)
  })

  it('contacts found by key or address are not searched for', async () => {
    const { subject, crm } = await openAccount()
    subject.seed('contact', { email: 'a@acme.example', key: 'p-1' })
    subject.seed('contact', { email: 'b@acme.example' })
    const lookups = [lookup('p-1', ['a@acme.example']), lookup('p-2', ['b@acme.example'])]
    await crm.find('contact', lookups, noSignal())
    expect(routes(subject)).toEqual([
      'POST /crm/v3/objects/contacts/batch/read',
      'POST /crm/v3/objects/contacts/batch/read',
    ])
  })

  it('additional addresses are searched for in fives, and not at all when switched off', async () => {
    const { subject, crm } = await openAccount()
    const lookups = Array.from({ length: 12 }, (_, i) => lookup(`p-${i}`, [`p-${i}@acme.example`]))
    await crm.find('contact', lookups, noSignal())
    const searches = () => routes(subject).filter((route) => route.endsWith('/search'))
    expect(searches()).toHaveLength(3)
    const frugal = connectHubspot(subject.baseUrl, { searchAdditionalEmails: false })
    await frugal.find('contact', lookups, noSignal())
    expect(searches()).toHaveLength(3)
  })
})

describe('finding in HubSpot', () => {
  it('recognises a contact by the address it got from a merge', async () => {
    const { subject, crm } = await openAccount()
    const [a = '', b = ''] = ['a', 'b'].map((name) =>
      subject.seed('contact', { email: `${name}@acme.example` }),
    )
    const winner = subject.merge('contact', a, b)
    const lookups = [lookup('p-1', ['b@acme.example'])]
    expect(await crm.find('contact', lookups, noSignal())).toMatchObject([[{ crmId: winner }]])
  })

  it('reads all pages of a domain and keeps to the size of a search', async () => {
    const { sandbox, crm } = await openAccount()
    sandbox.seed({ companies: Array.from({ length: 250 }, () => ({ domain: 'many.example' })) })
    const domains = Array.from({ length: 150 }, (_, i) => `${'long-'.repeat(8)}${i}.example`)
    const [many, none] = await crm.find(
      'company',
      [
        { ref: 'a', key: 'a', emails: [], domains: ['many.example'] },
        { ref: 'b', key: 'b', emails: [], domains },
      ],
      noSignal(),
    )
    expect(many).toHaveLength(250)
    expect(none).toEqual([])
    expect(sandbox.calls().every(({ status }) => status < 300)).toBe(true)
  })

  it('finds by search the address that the direct read does not know', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const [a = '', b = ''] = ['a', 'b'].map((name) =>
      subject.seed('contact', { email: `${name}@acme.example` }),
    )
    const winner = subject.merge('contact', a, b)
    const errors = [{ category: 'OBJECT_NOT_FOUND', context: { ids: ['b@acme.example'] } }]
    const path = /contacts\/batch\/read/
    sandbox.faults.push({ path, nth: 2, status: 207, body: { results: [], errors } })
    const lookups = [lookup('p-1', ['b@acme.example'])]
    expect(await crm.find('contact', lookups, noSignal())).toMatchObject([
      [{ crmId: winner, by: 'email' }],
    ])
  })

  it('searches for fewer domains at once when there are too many companies', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const ids = ['a.test', 'b.test'].map((domain) => subject.seed('company', { domain }))
    sandbox.faults.push({ path: /search/, status: 200, body: { total: 10_001, results: [] } })
    const lookups = ['a.test', 'b.test'].map((domain) => companyLookup([domain]))
    const found = await crm.find('company', lookups, noSignal())
    expect(found.map((candidates) => candidates.map(({ crmId }) => crmId))).toEqual(
      ids.map((id) => [id]),
    )
  })

  it('puts the oldest company first, in whatever order and form HubSpot dates them', async () => {
    const { sandbox, crm } = await openAccount()
    const dates = ['2026-03-01T00:00:00.000Z', '1700000000000', '2026-01-01T00:00:00Z', '']
    const results = dates.map((createdate, i) => ({
      id: String(i),
      properties: { domain: 'Acme.example', createdate },
    }))
    sandbox.faults.push({ path: /search/, status: 200, body: { total: 4, results } })
    const [found] = await crm.find('company', [companyLookup(['acme.example'])], noSignal())
    expect(found?.map(({ crmId }) => crmId)).toEqual(['3', '1', '2', '0'])
    expect(found?.[1]?.createdAt).toBe('2023-11-14T22:13:20.000Z')
  })

  it('asks the search bucket for permission to search', async () => {
    const { subject } = await openAccount()
    const buckets: string[] = []
    const crm = connectHubspot(subject.baseUrl, {
      pace: async (bucket) => void buckets.push(bucket),
    })
    await crm.find('company', [{ ref: 'a', key: 'a', emails: [], domains: ['a.test'] }], noSignal())
    expect(buckets).toEqual(['general', 'search'])
  })

  it('does not take a half failed read for an absence', async () => {
    const { sandbox, crm } = await openAccount()
    const errors = [{ status: 'error', category: 'INTERNAL_ERROR', message: 'a@b.example' }]
    sandbox.faults.push({ path: /batch\/read/, status: 207, body: { results: [], errors } })
    const error = await failureOf(crm.find('contact', [lookup('p-1')], noSignal()))
    expect(error.kind).toBe('retryable')
  })
})

describe('provisioning and associating in HubSpot', () => {
  it('looks again when a batch of properties is refused because others were faster', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const body = { status: 'error', category: 'OBJECT_ALREADY_EXISTS', message: 'exists' }
    sandbox.faults.push({ path: /properties\/contacts\/batch\/create/, status: 409, body })
    const plan = subject.plan('contact')
    const extra = { name: 'usage_extra', label: 'Extra', type: 'date' as const }
    const result = await crm.provision({ ...plan, properties: [extra] }, noSignal())
    expect(result).toMatchObject({ created: ['usage_extra'], existing: [], drift: [] })
  })

  it('names the property that HubSpot does not create', async () => {
    const { subject, crm } = await openAccount()
    const plan = subject.plan('contact')
    const wrong = { name: 'Not A Name', label: 'x', type: 'number' as const }
    const work = crm.provision({ ...plan, properties: [wrong] }, noSignal())
    expect((await failureOf(work)).kind).toBe('config')
    // Such a name never gets past a mapping.
    subject.requests.forgive()
  })

  it('associates a contact that was merged since, and is answered by its new id', async () => {
    const { subject, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const [contactId = '', otherId = ''] = ['a', 'b'].map((name) =>
      subject.seed('contact', { email: `${name}@acme.example` }),
    )
    const newId = subject.merge('contact', contactId, otherId)
    expect(await crm.associate([{ contactId, companyId }], noSignal())).toEqual([null])
    expect(subject.companyContacts()).toEqual([[newId, companyId]])
  })

  it('sends the pairs of a refused batch again in smaller ones', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const pairs = ['a', 'b'].map((name) => ({
      contactId: subject.seed('contact', { email: `${name}@acme.example` }),
      companyId,
    }))
    const body = { status: 'error', category: 'VALIDATION_ERROR' }
    sandbox.faults.push({ path: /associate\/default/, status: 400, body })
    expect(await crm.associate(pairs, noSignal())).toEqual([null, null])
    expect(subject.companyContacts()).toHaveLength(2)
  })

  it('does not take an empty success for an association', async () => {
    const { sandbox, crm } = await openAccount()
    sandbox.faults.push({ path: /associate\/default/, kind: 'empty-2xx' })
    const work = crm.associate([{ contactId: '1', companyId: '2' }], noSignal())
    expect((await failureOf(work)).kind).toBe('retryable')
  })
})

describe('writing to HubSpot', () => {
  it('reads the errors of a 207 by trace id, and asks again where they name nobody', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const named = {
      category: 'VALIDATION_ERROR',
      message: 'p-0@acme.example is on the list',
      context: { objectWriteTraceId: ['w0'] },
    }
    const nameless = { category: 'CONFLICT', message: 'Something is wrong' }
    sandbox.faults.push({
      path: /batch\/upsert/,
      status: 207,
      body: { status: 'COMPLETE', results: [], errors: [named, nameless] },
    })
    const outcomes = await crm.write('contact', contacts(subject, 3), noSignal())
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'VALIDATION_ERROR' },
      { kind: 'written' },
      { kind: 'written' },
    ])
    expect(JSON.stringify(outcomes[0])).not.toContain('acme.example')
  })

  it('a body that breaks off half-way is unknown', async () => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.faults.push({ path: /batch\/upsert/, kind: 'half-body' })
    const outcomes = await crm.write('contact', contacts(subject, 2), noSignal())
    expect(outcomes).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }])
    expect(subject.records('contact')).toHaveLength(2)
  })

  it('names the record that holds our key already', async () => {
    const { subject, crm } = await openAccount()
    const holderId = subject.seed('contact', { email: 'a@acme.example', key: 'p-1' })
    const crmId = subject.seed('contact', { email: 'b@acme.example' })
    const write = { ref: 'p-1', key: 'p-1', crmId, properties: { usage_score: 1 } }
    const outcomes = await crm.write('contact', [write], noSignal())
    expect(outcomes).toEqual([{ kind: 'exists', crmId: holderId }])
  })

  it.each([
    { name: 'is there after all', answer: null, reads: 2 },
    { name: 'cannot be asked for', answer: { status: 400, body: { status: 'error' } }, reads: 2 },
    { name: 'cannot be read now', answer: { status: 503, body: {} }, reads: 1 },
  ])('a record that was not found and $name is unknown', async ({ answer, reads }) => {
    const { subject, sandbox, crm } = await openAccount()
    const ids = ['a', 'b'].map((name) => subject.seed('contact', { email: `${name}@acme.example` }))
    const errors = [{ category: 'OBJECT_NOT_FOUND', context: { ids } }]
    sandbox.faults.push({ path: /batch\/update/, status: 207, body: { results: [], errors } })
    if (answer) sandbox.faults.push({ method: 'GET', times: 2, ...answer })
    const writes = ids.map((crmId, i) => ({ ref: '', key: `p-${i}`, crmId, properties: {} }))
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }])
    expect(sandbox.calls().filter(({ method }) => method === 'GET')).toHaveLength(reads)
  })

  it('the page of a proxy is no reason to call a record missing', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const crmId = subject.seed('contact', { email: 'a@acme.example' })
    sandbox.faults.push({ path: /batch\/update/, status: 404, body: '<html>Not found</html>' })
    const write = { ...newContact(subject, 'p-1'), crmId }
    const error = await failureOf(crm.write('contact', [write], noSignal()))
    expect(error.kind).toBe('config')
    expect(error.message).toContain('HUBSPOT_BASE_URL')
  })

  it.each([
    { name: 'a lock', status: 423, headers: {}, leastMs: 2_000 },
    { name: 'a migration', status: 477, headers: { 'Retry-After': '120' }, leastMs: 120_000 },
  ])('$name asks for a pause', async ({ status, headers, leastMs }) => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.faults.push({ path: /batch\/upsert/, status, headers, body: { status: 'error' } })
    const error = await failureOf(crm.write('contact', contacts(subject, 1), noSignal()))
    expect(error).toMatchObject({ kind: 'rate-limited', retryAfterMs: leastMs })
  })

  it('a missing scope is named', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const context = { requiredGranularScopes: ['crm.objects.contacts.write'] }
    const body = { status: 'error', category: 'MISSING_SCOPES', errors: [{ message: '', context }] }
    sandbox.faults.push({ path: /batch\/upsert/, status: 403, body })
    const error = await failureOf(crm.write('contact', contacts(subject, 1), noSignal()))
    expect(error.kind).toBe('config')
    expect(error.message).toContain('crm.objects.contacts.write')
  })
})
