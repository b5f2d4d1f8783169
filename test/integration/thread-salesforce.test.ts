import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { mappingFiles } from '../support/mapping-files.ts'
import { type BothThread, closeSalesforce, openBoth } from '../support/salesforce-thread.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeThreads()
  await closeSalesforce()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const MINUTE_MS = 60_000

/** Hears what changed in the org. */
async function listen({ app: { engine } }: BothThread): Promise<void> {
  await engine.request('listen', 'salesforce')
  await engine.idle(['listen'], ['salesforce'])
}

const creating = (policy: string) =>
  mappingFiles({ file: 'salesforce.yaml', from: /create: never/g, to: `create: ${policy}` })

/** Who is in the org, by address or website, and what Ripen says of each. */
function org({ salesforce: { sandbox } }: BothThread) {
  const live = (object: string) => sandbox.records(object).filter(({ deleted }) => !deleted)
  const by = (object: string, field: string) =>
    new Map(live(object).map(({ values }) => [String(values[field]), values]))
  return {
    contacts: by('Contact', 'Email'),
    leads: by('Lead', 'Email'),
    accounts: by('Account', 'Website'),
    tasks: live('Task').map(({ values }) => values),
  }
}

function seed({ salesforce: { sandbox } }: BothThread) {
  const { people } = sandbox
  const accountId = people.create('Account', { Name: 'Northfield', Website: DOMAINS.fresh })
  return {
    accountId,
    champion: people.create('Contact', { LastName: 'Ana', Email: WHO.champion }),
    colleague: people.create('Lead', { LastName: 'Bo', Company: 'N', Email: WHO.colleague }),
    loner: people.create('Lead', { LastName: 'Dana', Company: 'S', Email: WHO.loner }),
  }
}

describe('a first sync to Salesforce', () => {
  it('writes contacts, leads and accounts that are there, and creates nobody by default', async () => {
    const thread = await openBoth({ origin })
    const ids = seed(thread)
    await thread.score()
    expect(await thread.syncTo('salesforce')).toMatchObject({ created: 0, parked: 0, tasks: 1 })
    const { contacts, leads, accounts, tasks } = org(thread)
    expect([contacts.size, leads.size, accounts.size]).toEqual([1, 2, 1])
    expect(contacts.get(WHO.champion)).toMatchObject({
      ...{ PQL_Score__c: 70, PQL_Grade__c: 'B', PQL_Usage_Status__c: 'qualified' },
      ...{ PQL_Reason_1__c: expect.stringMatching(/^\+40/), AccountId: ids.accountId },
    })
    expect(leads.get(WHO.colleague)).toMatchObject({ PQL_Usage_Status__c: 'new' })
    expect(accounts.get(DOMAINS.fresh)).toMatchObject({
      ...{ PQA_Score__c: 60, PQA_Champion__c: WHO.champion, PQA_Domain__c: DOMAINS.fresh },
    })
    expect(tasks).toMatchObject([
      {
        ...{ WhatId: ids.accountId, WhoId: ids.champion, Status: 'Not Started', Priority: 'High' },
        ...{ Subject: expect.stringContaining('is ready for a conversation') },
        PQL_Key__c: expect.stringMatching(/\S/),
      },
    ])
  })

  it('is followed by one that writes nothing', async () => {
    const thread = await openBoth({ origin })
    seed(thread)
    await thread.score()
    await thread.syncTo('salesforce')
    thread.salesforce.sandbox.resetCalls()
    expect(await thread.syncTo('salesforce')).toMatchObject({ writeCalls: 0, recordsWritten: 0 })
    const calls = thread.salesforce.sandbox.calls()
    expect(calls.filter(({ kind }) => kind === 'write')).toEqual([])
  })

  it('creates who is qualified where the mapping says so, as leads with an account of their own', async () => {
    const thread = await openBoth({ origin, mappings: await creating('qualified') })
    await thread.score()
    const result = await thread.syncTo('salesforce')
    expect(result).toMatchObject({ created: 5, parked: 0 })
    const { leads, accounts } = org(thread)
    expect([...leads.keys()].sort()).toEqual([WHO.champion, WHO.loner, WHO.veteran].sort())
    expect(leads.get(WHO.champion)).toMatchObject({
      ...{ LastName: 'Ana', Company: DOMAINS.fresh, PQL_Score__c: 70 },
    })
    expect([...accounts.keys()].sort()).toEqual([DOMAINS.fresh, DOMAINS.old].sort())
  })
})

describe('a lead that sales converts', () => {
  it('is followed to its contact once it was heard of, and nobody is created', async () => {
    const thread = await openBoth({ origin })
    const ids = seed(thread)
    await thread.score()
    await thread.syncTo('salesforce')
    await listen(thread)
    const { sandbox } = thread.salesforce
    // A minute ago: the one that is not over is not asked about.
    sandbox.clock.advance(-MINUTE_MS)
    const { contactId } = sandbox.people.convertLead(ids.loner, { accountId: ids.accountId })
    sandbox.clock.advance(MINUTE_MS)
    expect(sandbox.record(contactId)?.values['PQL_Usage_Status__c'] ?? null).toBeNull()
    thread.setNow(new Date(NOW.getTime() + 10 * MINUTE_MS))
    await listen(thread)
    const { db } = thread.app.context
    expect(await thread.syncTo('salesforce')).toMatchObject({ created: 0, parked: 0 })
    expect(sandbox.record(contactId)?.values).toMatchObject({
      PQL_Usage_Status__c: 'qualified',
    })
    const rows = await db
      .selectFrom('crm_record')
      .select('crm_id')
      .where('crm', '=', 'salesforce')
      .where('crm_id', 'in', [contactId, ids.loner])
      .execute()
    expect(rows).toEqual([{ crm_id: contactId }])
  })
})

it('a task is due by the time zone of its owner as Salesforce has it', async () => {
  const { 'salesforce.yaml': file = '', ...others } = await mappingFiles()
  const thread = await openBoth({ origin })
  const { sandbox } = thread.salesforce
  const { people } = sandbox
  const owner = people.addUser({
    ...{ Username: 'lin@sales.example', LastName: 'Lin', Email: 'lin@sales.example' },
    TimeZoneSidKey: 'America/Los_Angeles',
  })
  people.create('Account', { Name: 'Northfield', Website: DOMAINS.fresh, OwnerId: owner })
  await thread.publish({
    ...others,
    'salesforce.yaml': file.replace(/^tasks:[\s\S]*$/m, ''),
    'playbooks/tried.yaml': `id: tried
label: Tried
crm: salesforce
subject: account
trigger: { status-entered: qualified }
segments:
  - name: everybody
    motion: sales
    actions:
      - task:
          subject: Tried
          body: "{{ happened }}"
          due-in: 9h
          working-hours: { from: "09:00", to: "17:00", zone: UTC }
`,
  })
  await thread.score()
  await thread.syncTo('salesforce')
  // Thursday, 01:00 in Los Angeles: nine hours of work end on Friday at 10:00 there, in UTC they would on Friday too.
  const [task] = org(thread).tasks
  expect(task).toMatchObject({ OwnerId: owner, ActivityDate: '2026-09-11' })
  const stored = await thread.app.context.db
    .selectFrom('task_intent')
    .select('task')
    .where('crm', '=', 'salesforce')
    .executeTakeFirst()
  expect(stored?.task).toMatchObject({ dueAt: '2026-09-11T17:00:00.000Z' })
})

describe('an account with an open opportunity', () => {
  const withDeals = () =>
    mappingFiles({ file: 'salesforce.yaml', from: '# deals: {', to: 'deals: {' })
  const about = ({ salesforce: { sandbox } }: BothThread, opportunity: string) =>
    sandbox
      .records('Task')
      .flatMap(({ values }) => (values['WhatId'] === opportunity ? [values] : []))

  it('has its story as a task that is done on the opportunity, once, and no open task', async () => {
    const thread = await openBoth({ origin, mappings: await withDeals() })
    const { accountId } = seed(thread)
    const { sandbox } = thread.salesforce
    const deal = sandbox.people.openOpportunity({ Name: 'Team plan', AccountId: accountId }, [])
    await thread.score()
    expect(await thread.syncTo('salesforce')).toMatchObject({ parked: 0, tasks: 0 })
    const notes = about(thread, deal)
    expect(notes).toMatchObject([
      { Subject: expect.stringContaining('is ready'), Status: 'Completed', TaskSubtype: 'Task' },
    ])
    expect(org(thread).tasks).toHaveLength(1)
    const told = { score: 20, grade: 'D', trend: 'steady', activeUsers: 3, championId: null }
    await thread.app.context.db
      .updateTable('task_intent')
      .set({ told: JSON.stringify(told) })
      .where('crm', '=', 'salesforce')
      .execute()
    await thread.syncTo('salesforce')
    await thread.syncTo('salesforce')
    const [note, ...others] = about(thread, deal)
    expect(others).toEqual([])
    expect(String(note?.['Description']).split('Updated by Ripen on')).toHaveLength(2)
    expect(String(note?.['Description'])).toContain('Whom to call first')
  })
})

it('a playbook puts people into a campaign, leads and contacts, once', async () => {
  const mappings = await mappingFiles()
  const thread = await openBoth({ origin })
  const ids = seed(thread)
  const { sandbox } = thread.salesforce
  const campaign = sandbox.people.create('Campaign', { Name: 'Nurture', IsActive: true })
  await thread.publish({
    ...mappings,
    'playbooks/tried.yaml': `id: tried
label: Tried
crm: salesforce
subject: account
trigger: { status-entered: qualified }
segments:
  - name: everybody
    motion: nurture
    actions: [{ campaign: ${campaign}, status: Responded }]
`,
  })
  await thread.score()
  await thread.syncTo('salesforce')
  await thread.syncTo('salesforce')
  const members = sandbox.records('CampaignMember').map(({ values }) => values)
  const who = members.map(({ ContactId, LeadId }) => ContactId ?? LeadId)
  expect(who).toContain(ids.champion)
  expect(who).toContain(ids.colleague)
  expect(new Set(who).size).toBe(who.length)
  expect(new Set(members.map(({ Status }) => Status))).toEqual(new Set(['Responded']))
  const { db } = thread.app.context
  const states = await db.selectFrom('crm_action').select('state').distinct().execute()
  expect(states.map(({ state }) => state)).toContain('done')
})

describe('both CRMs from one score', () => {
  it('say the same of one person, each in its own words', async () => {
    const thread = await openBoth({ origin })
    seed(thread)
    await thread.score()
    await Promise.all([thread.syncTo('hubspot'), thread.syncTo('salesforce')])
    const contact = thread.vendors.hubspot
      .records('contacts')
      .find(({ properties }) => properties['email'] === WHO.loner)
    const lead = org(thread).leads.get(WHO.loner)
    expect(contact?.properties['pql_score']).toBe(String(lead?.['PQL_Score__c']))
    expect(contact?.properties['pql_reason_1']).toBe(lead?.['PQL_Reason_1__c'])
    expect(contact?.properties['pql_person_id']).toBe(lead?.['PQL_Person_Id__c'])
  })

  it('wait for nobody: one that is down delays itself alone', async () => {
    const thread = await openBoth({ origin, environment: { RIPEN_CRM_TIMEOUT_MS: '500' } })
    seed(thread)
    thread.salesforce.sandbox.faults.push({ path: /^\/services\/data/, chance: 1, status: 503 })
    await thread.score()
    expect(await thread.syncTo('hubspot')).toMatchObject({ created: 5, parked: 0 })
    expect(org(thread).contacts.get(WHO.champion)?.['PQL_Score__c'] ?? null).toBeNull()
    thread.salesforce.sandbox.faults.clear()
    await thread.app.engine.request('reconcile', 'salesforce')
    await thread.app.engine.idle(['reconcile'], ['salesforce'])
    expect(org(thread).contacts.get(WHO.champion)?.['PQL_Score__c']).toBe(70)
  })
})
