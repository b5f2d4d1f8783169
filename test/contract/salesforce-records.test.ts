import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmWrite, LimitsSaid } from '../../src/core/ports/crm.ts'
import { lookup } from './crm-contract-examples.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeOrgs, connectSalesforce, KEY_FIELD, openOrg } from './salesforce-subject.ts'

afterEach(closeOrgs)

const KEY = KEY_FIELD.contact
const SCORE = 'usage_score__c'
const NOTE = 'usage_note__c'
const LIMIT = [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }]

async function openLeads(rules: Parameters<typeof connectSalesforce>[1] = {}) {
  const org = await openOrg()
  const { subject, sandbox } = org
  const options = { ...rules, rules: { createAs: 'lead', ...rules?.rules } as const }
  const crm = connectSalesforce(subject.baseUrl, options)
  const lead = (email: string, more: Record<string, string> = {}) =>
    sandbox.people.create('Lead', { LastName: 'Doe', Company: 'Acme', Email: email, ...more })
  await crm.propertyNames('contact', noSignal())
  sandbox.resetCalls()
  return { ...org, crm, lead }
}

const score = (crmId: string | null, key = 'p-1', value = 70): CrmWrite => ({
  ...{ ref: key, key, crmId },
  properties: { [SCORE]: value },
})
const created = (key: string, more: CrmWrite['properties'] = {}): CrmWrite => ({
  ...score(null, key),
  properties: {
    ...{ Email: `${key}@acme.example`, LastName: 'Doe', Company: 'Acme', [SCORE]: 70 },
    ...more,
  },
})

describe('a person', () => {
  it('is a contact where there is one, and a lead where there is none', async () => {
    const { crm, subject, lead } = await openLeads()
    lead('anna@acme.example')
    const anna = subject.seed('contact', { email: 'anna@acme.example' })
    const bob = lead('bob@acme.example')
    const found = await crm.find(
      'contact',
      [lookup('p-1', ['ANNA@acme.example']), lookup('p-2', ['bob@acme.example'])],
      noSignal(),
    )
    expect(found.map((all) => all.map(({ crmId, by }) => [crmId, by]))).toEqual([
      [[anna, 'email']],
      [[bob, 'email']],
    ])
  })

  it('is read and written in one go, whichever she is', async () => {
    const { crm, subject, sandbox, lead } = await openLeads()
    const anna = subject.seed('contact', { email: 'anna@acme.example' })
    const bob = lead('bob@acme.example')
    const outcomes = await crm.write('contact', [score(anna), score(bob, 'p-2', 20)], noSignal())
    expect(outcomes).toEqual([
      { kind: 'written', crmId: anna, created: false },
      { kind: 'written', crmId: bob, created: false },
    ])
    const read = await crm.read('contact', [anna, bob], [SCORE, KEY, 'Company'], noSignal())
    expect(read.get(anna)).toEqual({ [SCORE]: '70', [KEY]: 'p-1', Company: null })
    expect(read.get(bob)).toEqual({ [SCORE]: '20', [KEY]: 'p-2', Company: 'Acme' })
    expect(sandbox.record(bob)?.values['IsConverted']).toBe(false)
  })

  it('becomes a lead with what a lead cannot be without', async () => {
    const { crm, sandbox } = await openLeads()
    const [outcome] = await crm.write('contact', [created('p-1')], noSignal())
    expect(outcome).toMatchObject({ kind: 'written', created: true })
    const [lead] = sandbox.records('Lead')
    expect(lead?.values).toMatchObject({ Company: 'Acme', LastName: 'Doe', [KEY]: 'p-1' })
  })

  it('is not sent without it', async () => {
    const { crm, sandbox } = await openLeads()
    const { Company: _, ...properties } = created('p-1').properties
    const writes = [{ ...created('p-1'), properties }, created('p-2')]
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'REQUIRED_FIELD_MISSING' },
      { kind: 'written' },
    ])
    expect(outcomes[0]).toMatchObject({ reason: expect.stringContaining('Company') })
    expect(sandbox.records('Lead')).toHaveLength(1)
  })

  it('becomes a contact under her account where the mapping says so', async () => {
    const { crm, subject, sandbox } = await openOrg()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const { Company: _, ...properties } = created('p-1').properties
    await crm.write('contact', [{ ...created('p-1'), properties, companyId }], noSignal())
    expect(sandbox.records('Contact')[0]?.values['AccountId']).toBe(companyId)
  })
})

describe('a lead that was converted', () => {
  it('is written as its contact from then on', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const id = lead('anna@acme.example')
    await crm.write('contact', [score(id)], noSignal())
    const { contactId } = sandbox.people.convertLead(id)
    const other = lead('bob@acme.example')
    const outcomes = await crm.write('contact', [score(id), score(other, 'p-2')], noSignal())
    expect(outcomes).toEqual([
      { kind: 'moved', crmId: contactId },
      { kind: 'written', crmId: other, created: false },
    ])
    expect(await crm.write('contact', [score(contactId)], noSignal())).toMatchObject([
      { kind: 'written', crmId: contactId },
    ])
  })

  it('is found by our key, which the contact may not have', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const id = lead('anna@acme.example', { [KEY]: 'p-1' })
    const { contactId } = sandbox.people.convertLead(id)
    const [found] = await crm.find('contact', [lookup('p-1')], noSignal())
    expect(found).toMatchObject([{ crmId: contactId, by: 'key' }])
    expect((await crm.read('contact', [id], [SCORE], noSignal())).size).toBe(0)
  })

  it('is found no more when its contact was deleted, and where that was merged into', async () => {
    const { crm, subject, sandbox, lead } = await openLeads()
    const [one, two] = ['p-1', 'p-2'].map((key) => {
      const id = lead(`${key}@acme.example`, { [KEY]: key })
      return sandbox.people.convertLead(id).contactId
    })
    const other = subject.seed('contact', { email: 'other@acme.example' })
    sandbox.people.merge('Contact', other, [two ?? ''])
    sandbox.people.delete('Contact', one ?? '')
    sandbox.resetCalls()
    const found = await crm.find('contact', [lookup('p-1'), lookup('p-2')], noSignal())
    expect(found.map((all) => all.map(({ crmId }) => crmId))).toEqual([[], [other]])
    expect(sandbox.calls().length).toBeLessThanOrEqual(3)
  })
})

describe('a merged record', () => {
  it('is followed as often as it was merged', async () => {
    const { crm, subject, sandbox } = await openOrg()
    const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((name) =>
      subject.seed('contact', { email: `${name}@acme.example` }),
    )
    sandbox.people.merge('Contact', b, [a])
    sandbox.people.merge('Contact', c, [b])
    expect(await crm.write('contact', [score(a)], noSignal())).toEqual([
      { kind: 'moved', crmId: c },
    ])
    sandbox.people.delete('Contact', c)
    expect(await crm.write('contact', [score(a)], noSignal())).toEqual([{ kind: 'missing' }])
  })
})

describe('a duplicate rule', () => {
  const rule = { name: 'Leads', object: 'Lead', against: ['Contact', 'Lead'], fields: ['Email'] }

  it('that stops a new record gives the one that is there', async () => {
    const { crm, subject, sandbox } = await openLeads()
    sandbox.rules.duplicates.set({ ...rule, action: 'block' })
    const anna = subject.seed('contact', { email: 'p-1@acme.example' })
    const outcomes = await crm.write('contact', [created('p-1'), created('p-2')], noSignal())
    expect(outcomes).toMatchObject([{ kind: 'exists', crmId: anna }, { kind: 'written' }])
  })

  it.each([
    { duplicates: 'save', action: 'alert', want: { kind: 'written', created: true } },
    { duplicates: 'save', action: 'block', want: { kind: 'exists' } },
    {
      duplicates: 'park',
      action: 'alert',
      want: { kind: 'rejected', code: 'DUPLICATES_DETECTED' },
    },
  ] as const)('by the policy $duplicates, where it would $action', async (one) => {
    const { crm, subject, sandbox } = await openLeads({ rules: { duplicates: one.duplicates } })
    sandbox.rules.duplicates.set({ ...rule, action: one.action })
    subject.seed('contact', { email: 'p-1@acme.example' })
    const outcomes = await crm.write('contact', [created('p-1')], noSignal())
    expect(outcomes).toMatchObject([one.want])
  })

  it('that only warns stops no update; one that blocks parks it', async () => {
    const { crm, subject, sandbox, lead } = await openLeads()
    subject.seed('contact', { email: 'p-1@acme.example' })
    const id = lead('p-1@acme.example')
    sandbox.rules.duplicates.set({ ...rule, action: 'alert', on: 'create-and-update' })
    expect(await crm.write('contact', [score(id)], noSignal())).toMatchObject([{ kind: 'written' }])
    sandbox.rules.duplicates.set({ ...rule, action: 'block', on: 'create-and-update' })
    expect(await crm.write('contact', [score(id, 'p-1', 71)], noSignal())).toMatchObject([
      { kind: 'rejected', code: 'DUPLICATES_DETECTED' },
    ])
  })
})

describe('rows that somebody else holds', () => {
  it('are sent again, they alone, and all are written', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const ids = Array.from({ length: 40 }, (_, i) => lead(`u${i}@acme.example`))
    sandbox.rules.locks.add({ share: 0.2, times: 2 })
    sandbox.resetCalls()
    const writes = ids.map((id, i) => score(id, `p-${i}`))
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes.every(({ kind }) => kind === 'written')).toBe(true)
    const calls = sandbox.calls().filter(({ path }) => path.endsWith('/composite/sobjects'))
    expect(calls).toHaveLength(3)
    const written = ids.map((id) => sandbox.record(id)?.history.length ?? 0)
    expect(new Set(written)).toEqual(new Set([2]))
  })

  it('are left for later when they stay locked, and nobody else is', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const [a, b] = [lead('a@acme.example'), lead('b@acme.example')]
    sandbox.rules.locks.add({ id: a, times: 99 })
    expect(await crm.write('contact', [score(a), score(b, 'p-2')], noSignal())).toMatchObject([
      { kind: 'busy' },
      { kind: 'written' },
    ])
  }, 20_000)
})

describe('an org without room', () => {
  it('is paused by the row that says so, which is sent later; what fitted is written', async () => {
    const said: LimitsSaid[] = []
    const pace = async () => ({ over: (one: LimitsSaid) => void said.push(one) })
    const { crm, sandbox } = await openLeads({ pace })
    sandbox.rules.storage.leave(1)
    const outcomes = await crm.write('contact', [created('p-1'), created('p-2')], noSignal())
    const pause = expect.objectContaining({ kind: 'rate-limited', retryAfterMs: 900_000 })
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: 'written', created: true }),
      { kind: 'busy', pause },
    ])
    const refused = said.flatMap((one) => one.refused ?? [])
    expect(refused).toEqual([{ of: 'account', pauseMs: 900_000 }])
    sandbox.rules.storage.leave(null)
    expect(await crm.write('contact', [created('p-2')], noSignal())).toMatchObject([
      { kind: 'written', created: true },
    ])
  })
})

describe('a look-up that cannot be made after a write', () => {
  const down = { chance: 1, status: 503 }

  it('leaves the records in doubt that are somewhere else, and refuses none', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const [a, b, c] = ['a', 'b', 'c'].map((name) => lead(`${name}@acme.example`))
    const { contactId } = sandbox.people.convertLead(a ?? '')
    sandbox.people.delete('Lead', b ?? '')
    sandbox.faults.push({ ...down, path: /\/(queryAll|composite)$/ })
    const writes = [a, b, c].map((id, i) => score(id ?? null, `p-${i}`))
    expect(await crm.write('contact', writes, noSignal())).toMatchObject([
      { kind: 'unknown' },
      { kind: 'unknown' },
      { kind: 'written' },
    ])
    sandbox.faults.clear()
    expect(await crm.write('contact', writes, noSignal())).toMatchObject([
      { kind: 'moved', crmId: contactId },
      { kind: 'missing' },
      { kind: 'written' },
    ])
  })

  it.each([
    { name: 'that was not sent', fault: { status: 403, body: LIMIT, times: 1 } },
    { name: 'without an answer', fault: { kind: 'reset-after', times: 2 } },
  ] as const)('$name leaves the duplicates in doubt', async ({ fault }) => {
    const { crm, subject, sandbox } = await openLeads()
    const rule = { name: 'Leads', object: 'Lead', against: ['Contact'], fields: ['Email'] }
    sandbox.rules.duplicates.set({ ...rule, action: 'block' })
    for (const name of ['p-1', 'p-2']) subject.seed('contact', { email: `${name}@acme.example` })
    sandbox.faults.push({ ...fault, method: 'POST', path: /\/sobjects\/Lead$/ })
    const writes = [created('p-1'), created('p-2')]
    expect(await crm.write('contact', writes, noSignal())).toEqual([
      { kind: 'unknown' },
      { kind: 'unknown' },
    ])
  })
})

describe('what an admin has set up', () => {
  it('refuses one row by a validation rule, with its reason and without its value', async () => {
    const { crm, sandbox, lead } = await openLeads()
    sandbox.rules.validations.set({
      ...{ name: 'No secrets', object: 'Lead', field: NOTE },
      message: 'Notes hold no secrets',
      when: [{ field: NOTE, is: 'equal', value: 'anna.secret@acme.example' }],
    })
    const [a, b] = [lead('a@acme.example'), lead('b@acme.example')]
    const bad = { ...score(a), properties: { [NOTE]: 'anna.secret@acme.example' } }
    const outcomes = await crm.write('contact', [bad, score(b, 'p-2')], noSignal())
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' },
      { kind: 'written' },
    ])
    expect(JSON.stringify(outcomes)).toContain('Notes hold no secrets')
    expect(JSON.stringify(outcomes)).not.toContain('anna.secret')
  })

  it('gives no lead to another owner when a score is written', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const id = lead('a@acme.example')
    sandbox.rules.assignment.set('Lead', sandbox.users.admin)
    await crm.write('contact', [score(id), created('p-2')], noSignal())
    const owners = sandbox.records('Lead').map(({ values }) => values['OwnerId'])
    expect(owners).not.toContain(sandbox.users.admin)
  })

  it('refuses a value that is none of a restricted list before it is sent', async () => {
    const { crm, sandbox, lead } = await openLeads()
    const id = lead('a@acme.example')
    sandbox.resetCalls()
    const properties = { usage_choice__c: 'nobody declared this' }
    const outcomes = await crm.write('contact', [{ ...score(id), properties }], noSignal())
    expect(outcomes).toMatchObject([
      { kind: 'rejected', code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' },
    ])
    expect(sandbox.calls().filter(({ method }) => method === 'PATCH')).toEqual([])
  })

  it('hides a field: the plan names it, and what to do', async () => {
    const { crm, subject, sandbox } = await openOrg()
    sandbox.defineField('Lead', { name: SCORE, visible: false })
    sandbox.defineField('Contact', { name: NOTE, editable: false })
    const { drift } = await crm.provision(subject.plan('contact'), noSignal())
    expect(drift).toMatchObject([
      { property: `Lead.${SCORE}`, expected: 'a field', mend: expect.stringContaining('deploy') },
      { property: NOTE, found: expect.stringContaining('only read') },
    ])
  })

  it.each([
    { change: { externalId: false }, expected: 'an external id' },
    { change: { unique: false }, expected: 'unique values' },
  ])('makes the key $expected no more: the plan says so', async ({ change, expected }) => {
    const { crm, subject, sandbox } = await openOrg()
    sandbox.defineField('Account', { name: KEY_FIELD.company, ...change })
    const { drift } = await crm.provision(subject.plan('company'), noSignal())
    expect(drift).toMatchObject([{ property: KEY_FIELD.company, expected }])
  })
})

describe('an account', () => {
  it.each(['https://www.acme.example/about', 'WWW.ACME.EXAMPLE', 'http://shop.acme.example'])(
    'is found by a website written as %s',
    async (Website) => {
      const { crm, sandbox } = await openOrg()
      const id = sandbox.people.create('Account', { Name: 'Acme', Website })
      sandbox.people.create('Account', { Name: 'Other', Website: 'notacme.example' })
      const wanted = { ref: 'a', key: 'a', emails: [], domains: ['acme.example'] }
      const [found] = await crm.find('company', [wanted], noSignal())
      expect(found?.map(({ crmId, by }) => [crmId, by])).toEqual([[id, 'domain']])
    },
  )

  it('is found by a field of its own for domains, and by our key before', async () => {
    const { subject, sandbox } = await openOrg()
    sandbox.defineField('Account', { name: 'PQA_Domain__c', type: 'string' })
    const held = sandbox.people.create('Account', { Name: 'Held', PQA_Domain__c: 'Acme.Example' })
    const keyed = subject.seed('company', { key: 'a-2', domain: 'other.example' })
    const crm = connectSalesforce(subject.baseUrl)
    const find = (key: string) =>
      crm.find('company', [{ ref: key, key, emails: [], domains: ['acme.example'] }], noSignal())
    expect((await find('a-1'))[0]?.map(({ crmId }) => crmId)).toEqual([held])
    expect((await find('a-2'))[0]).toMatchObject([{ crmId: keyed, by: 'key' }])
  })

  it('keeps the contacts that it has, and takes none of another', async () => {
    const { crm, subject, lead } = await openLeads()
    const [one, other] = ['one', 'other'].map((name) =>
      subject.seed('company', { domain: `${name}.example` }),
    )
    const anna = subject.seed('contact', { email: 'anna@acme.example' })
    const bob = lead('bob@acme.example')
    const pairs = (companyId = '') => [anna, bob].map((contactId) => ({ contactId, companyId }))
    expect(await crm.associate(pairs(one), noSignal())).toEqual([null, null])
    expect(await crm.associate(pairs(other), noSignal())).toEqual([
      expect.stringContaining('is left there'),
      null,
    ])
    expect(subject.companyContacts()).toEqual([[anna, one]])
    const companies = await crm.companiesOf([anna, bob], noSignal())
    expect([...companies]).toEqual([[anna, { companyId: one, domain: 'one.example' }]])
  })
})

describe('a person account', () => {
  it('is no company, whatever its website and its key say', async () => {
    const { crm, sandbox, subject } = await openOrg({ personAccounts: true })
    const Website = 'www.acme.example'
    sandbox.people.create('Account', { LastName: 'Solo', Website, [KEY_FIELD.company]: 'a-1' })
    const company = subject.seed('company', { domain: 'acme.example' })
    const wanted = { ref: 'a', key: 'a-1', emails: [], domains: ['acme.example'] }
    const [found] = await crm.find('company', [wanted], noSignal())
    expect(found?.map(({ crmId }) => crmId)).toEqual([company])
  })

  it('is its contact, and stays under itself', async () => {
    const { subject, sandbox } = await openOrg({ personAccounts: true })
    const crm = connectSalesforce(subject.baseUrl, { rules: { createAs: 'contact' } })
    const accountId = sandbox.people.create('Account', {
      ...{ LastName: 'Solo', PersonEmail: 'solo@acme.example' },
    })
    const contactId = String(sandbox.record(accountId)?.values['PersonContactId'])
    const [found] = await crm.find('contact', [lookup('p-1', ['solo@acme.example'])], noSignal())
    expect(found?.map(({ crmId }) => crmId)).toEqual([contactId])
    expect(await crm.write('contact', [score(contactId)], noSignal())).toMatchObject([
      { kind: 'written', crmId: contactId },
    ])
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const [reason] = await crm.associate([{ contactId, companyId }], noSignal())
    expect(reason).toContain('is left there')
  })
})
