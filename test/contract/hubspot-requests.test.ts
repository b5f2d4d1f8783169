import { afterEach, describe, expect, it } from '@jest/globals'
import { readAccountZone } from '../../connectors/crms/hubspot/account-zone.ts'
import { createHubspotOAuth } from '../../connectors/crms/hubspot/hubspot-oauth.ts'
import type { Crm, CrmTask, ProvisionPlan } from '../../src/core/ports/crm.ts'
import { HUBSPOT_ENDPOINTS } from '../support/hubspot-endpoints.ts'
import { lookup, newContact } from './crm-contract-examples.ts'
import { noSignal } from './crm-contract-subject.ts'
import {
  closeAccounts,
  connectHubspot,
  type HubspotSubject,
  openAccount,
  TOKEN,
} from './hubspot-subject.ts'

afterEach(closeAccounts)

/** Calls everything that the connector can call. */
async function callEverything(subject: HubspotSubject, apiVersion?: string): Promise<void> {
  const version = apiVersion === undefined ? {} : { apiVersion }
  const crm = connectHubspot(subject.baseUrl, version)
  await crm.check(noSignal())
  const plan = subject.plan('contact')
  const property = { name: 'usage_grade', label: 'Usage grade', type: 'enumeration' } as const
  const options = [{ value: 'a', label: 'A' }]
  const group = { name: 'usage_more', label: 'More' }
  await crm.provision({ ...plan, group, properties: [{ ...property, options }] }, noSignal())
  const more = [...options, { value: 'b', label: 'B' }]
  await crm.provision({ ...plan, group, properties: [{ ...property, options: more }] }, noSignal())
  await inspect(crm, plan)
  await crm.propertyNames('contact', noSignal())
  const companyId = subject.seed('company', { domain: 'acme.example' })
  const goneId = subject.seed('contact', { email: 'gone@acme.example' })
  const [written] = await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
  const contactId = written?.kind === 'written' ? written.crmId : ''
  await crm.find('contact', [lookup('p-2', ['b@acme.example'])], noSignal())
  const company = { ref: 'a', key: 'a', emails: [], domains: ['acme.example'] }
  await crm.find('company', [company], noSignal())
  await crm.read('contact', [contactId], ['email'], noSignal())
  subject.remove('contact', goneId)
  const writes = [
    { ref: 'p-1', key: 'p-1', crmId: contactId, properties: { usage_score: 12.5 } },
    { ref: 'p-3', key: 'p-3', crmId: goneId, properties: { usage_score: null } },
  ]
  await crm.write('contact', writes, noSignal())
  await crm.associate([{ contactId, companyId }], noSignal())
  await crm.companiesOf([contactId], noSignal())
  await crm.owners(noSignal())
  const about = { companyId, contactIds: [contactId] }
  const [task] = await crm.createTasks([{ ...TASK, ...about }], noSignal())
  const many = [1, 2, 3, 4, 5].map((n) => ({ ...TASK, ...about, marker: `${TASK.marker}-${n}` }))
  await crm.createTasks(many, noSignal())
  await crm.findTasks([{ marker: TASK.marker, ...about }], noSignal())
  await closeTask(crm, task?.kind === 'created' ? task.taskId : '')
  const ofContact = { contactIds: [contactId], companyIds: [] }
  const dealId = subject.people.openDeal(ofContact, { name: 'A', amount: 1 })
  await noteOnDeal(crm, dealId)
  await act(subject, crm, contactId)
  const ends = { contactIds: [contactId], companyIds: [companyId] }
  await crm.dealsOf(ends, noSignal())
  await crm.changedSince(
    'contact',
    { cursor: null, properties: ['email'], overlapMs: 0 },
    noSignal(),
  )
  await crm.archive('contact', [contactId], noSignal())
  await askForTokens(subject.baseUrl)
  await readAccountZone({
    ...version,
    baseUrl: subject.baseUrl,
    accessToken: TOKEN,
    timeoutMs: 5_000,
  })
}

async function inspect(crm: Crm, plan: ProvisionPlan): Promise<void> {
  const objects = [{ object: 'contact', plan, alsoWritten: [], read: [] } as const]
  await crm.inspect(
    { objects, tasks: true, deals: true, engagements: ['call', 'email', 'meeting'] },
    noSignal(),
  )
}

async function closeTask(crm: Crm, taskId: string): Promise<void> {
  const state = (await crm.readTasks([taskId], noSignal())).get(taskId)
  if (!state) throw new Error('expected a task')
  const { fingerprint } = state
  await crm.closeTasks([{ taskId, note: 'It is over.', fingerprint }], noSignal())
}

async function act({ sandbox }: HubspotSubject, crm: Crm, crmId: string): Promise<void> {
  const groupId = sandbox.lists.add({ name: 'Nurture', object: 'contacts' })
  const add = { groupId, crmId, object: 'contact', act: 'add', status: null } as const
  await crm.setMemberships([add, { ...add, act: 'remove' }], noSignal())
  const needs = { objects: [], tasks: false, groups: [{ id: groupId, object: 'contact' as const }] }
  await crm.inspect(needs, noSignal())
  const name = 'pe4242424_ready'
  sandbox.events.define(name)
  const id = '0b1c2d3e-4f50-8a6b-9c7d-8e9f00112233'
  const at = '2026-11-21T09:00:00.000Z'
  const event = {
    ...{ id, name, crmId, at },
    object: 'contact',
    properties: { story: 'x' },
  } as const
  await crm.sendEvents?.([event], noSignal())
}

async function noteOnDeal(crm: Crm, dealId: string): Promise<void> {
  const { marker, subject, body, ownerId } = TASK
  const at = '2026-11-21T09:00:00.000Z'
  const [note] = await crm.createNotes([{ marker, subject, body, ownerId, dealId, at }], noSignal())
  await crm.findNotes([{ marker, dealId }], noSignal())
  const noteId = note?.kind === 'created' ? note.taskId : ''
  expect(await crm.amendNotes([{ noteId, note: 'There is more.' }], noSignal())).toEqual([
    { kind: 'amended' },
  ])
}

/** HubSpot refuses both; what counts is how they are asked for. */
async function askForTokens(baseUrl: string): Promise<void> {
  const secrets = { clientId: 'app-1', clientSecret: 'secret-1' }
  const client = createHubspotOAuth({
    ...{ baseUrl, appUrl: baseUrl, ...secrets },
    ...{ pkce: true, timeoutMs: 5_000 },
  })
  const grant = { code: 'c', redirectUri: 'http://localhost:4020/x', verifier: 'v'.repeat(43) }
  await expect(client.exchange(grant, noSignal())).rejects.toThrow()
  await expect(client.refresh('refresh-1', noSignal())).rejects.toThrow()
}

const TASK: CrmTask = {
  marker: 'rpn-0a1b2c3d',
  subject: 'Call Acme',
  body: 'They like it.',
  dueAt: '2026-11-21T09:00:00.000Z',
  priority: 'high',
  ownerId: '41000001',
  companyId: null,
  contactIds: [],
}

describe('the requests of the HubSpot connector', () => {
  it.each([
    { form: 'numbered', apiVersion: undefined },
    { form: 'dated', apiVersion: '2026-03' },
  ])('call every described endpoint, $form, as it is described', async ({ form, apiVersion }) => {
    const { subject } = await openAccount()
    await callEverything(subject, apiVersion)
    const seen = [...subject.requests.seen()].filter((name) => name.startsWith(form))
    // What has one path only is seen by that.
    const wanted = HUBSPOT_ENDPOINTS.filter(
      ({ numbered, dated }) => form === 'numbered' || numbered !== dated,
    )
    expect(seen.sort()).toEqual(wanted.map(({ name }) => `${form} ${name}`).sort())
    subject.requests.assertClean()
  })

  const post = (path: string, body: unknown) => ({ method: 'POST', path, body })
  const row = { id: 'p-1', idProperty: 'pql_person_id', properties: { usage_score: '1' } }
  const upsert = '/crm/v3/objects/contacts/batch/upsert'
  const find = { filterGroups: [], properties: [], limit: 10 }
  it.each([
    { wrong: 'a path', ...post('/crm/v3/objects/contacts/batch/upserts', { inputs: [row] }) },
    { wrong: 'an object', ...post('/crm/v3/objects/contact/batch/upsert', { inputs: [row] }) },
    { wrong: 'a method', method: 'PUT', path: upsert, body: { inputs: [row] } },
    { wrong: 'a field', ...post(upsert, { inputs: [{ ...row, uniqueProperty: 'x' }] }) },
    { wrong: 'a number', ...post(upsert, { inputs: [{ ...row, properties: { a: 1 } }] }) },
    { wrong: 'a null', ...post(upsert, { inputs: [{ ...row, properties: { a: null } }] }) },
    { wrong: 'a size', ...post(upsert, { inputs: rows(101) }) },
    { wrong: 'nothing to do', ...post(upsert, { inputs: [] }) },
    { wrong: 'a record twice', ...post(upsert, { inputs: [row, row] }) },
    {
      wrong: 'an address for an id',
      ...post('/crm/v3/objects/contacts/batch/update', {
        inputs: [{ id: 'a@b.example', properties: {} }],
      }),
    },
    { wrong: 'a page', ...post('/crm/v3/objects/contacts/search', { ...find, limit: 201 }) },
    { wrong: 'a query', method: 'GET', path: '/crm/v3/owners/?limit=101', body: undefined },
    { wrong: 'a version', method: 'GET', path: '/crm/owners/2026-04', body: undefined },
    {
      wrong: 'a member by address',
      method: 'PUT',
      path: '/crm/v3/lists/31/memberships/add',
      body: ['a@b.example'],
    },
    { wrong: 'an event of nobody', ...post('/events/v3/send', { eventName: 'pe1_a' }) },
    {
      wrong: 'a note of no time',
      ...post('/crm/v3/objects/notes', { properties: {}, associations: [] }),
    },
    {
      wrong: 'a task that is never due',
      ...post('/crm/v3/objects/tasks', { properties: {}, associations: [] }),
    },
  ])('fail the test when there is $wrong in one', async ({ method, path, body }) => {
    const { subject } = await openAccount()
    const headers = { 'content-type': 'application/json' }
    const payload = body === undefined ? {} : { body: JSON.stringify(body) }
    await fetch(`${subject.baseUrl}${path}`, { method, headers, ...payload })
    expect(() => subject.requests.assertClean()).toThrow()
  })
})

function rows(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    id: `p-${i}`,
    idProperty: 'pql_person_id',
    properties: { usage_score: '1' },
  }))
}
