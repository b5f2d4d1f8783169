import { afterEach, describe, expect, it } from '@jest/globals'
import { scopesFor } from '../../connectors/crms/hubspot/scopes.ts'
import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import type { Finding } from '../../src/core/ports/crm-check.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import {
  closeAccounts,
  connectHubspot,
  type HubspotSubject,
  openAccount,
} from './hubspot-subject.ts'

afterEach(closeAccounts)

const CONTACT_SCOPES = [
  'crm.objects.contacts.read',
  'crm.objects.contacts.write',
  'crm.objects.owners.read',
]

interface Asked {
  readonly objects?: readonly CrmObject[]
  readonly read?: readonly string[]
  readonly alsoWritten?: readonly string[]
  readonly tasks?: boolean
  readonly deals?: boolean
}

function inspect(subject: HubspotSubject, asked: Asked = {}) {
  const { objects = ['contact'], read = [], alsoWritten = [] } = asked
  const { tasks = false, deals = false } = asked
  const needs = objects.map((object) => ({ object, plan: subject.plan(object), read, alsoWritten }))
  return connectHubspot(subject.baseUrl).inspect({ objects: needs, tasks, deals }, noSignal())
}

const ill = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level !== 'ok').map(({ level, what }) => `${level}: ${what}`)
const about = (findings: readonly Finding[], name: string) =>
  findings.filter((one) => one.about === name).map(({ what }) => what)

async function open(options: HubspotSandboxOptions = {}) {
  const account = await openAccount(options)
  return { ...account, access: account.sandbox.access }
}

describe('the scopes of a token', () => {
  it.each([
    { how: 'as HubSpot lists them', listed: true },
    { how: 'by trying each, where HubSpot lists none', listed: false },
  ])('that are missing are all named, $how', async ({ listed }) => {
    const { subject, sandbox, access } = await open()
    access.limitStaticToken(['crm.objects.contacts.read', 'crm.objects.owners.read'], listed)
    sandbox.resetCalls()
    const { findings, credential } = await inspect(subject, { objects: ['contact', 'company'] })
    const missing = findings.filter(({ about: name }) => name === 'scopes')
    expect(missing.map(({ what }) => what.split(' ')[0])).toEqual([
      'crm.objects.contacts.write',
      'crm.objects.companies.read',
      'crm.objects.companies.write',
    ])
    expect(credential.scopes === null).toBe(!listed)
    expect(credential.kind).toContain('static token')
    expect(subject.records('contact')).toEqual([])
  })

  it('are asked for only as far as the mapping needs them', async () => {
    const { subject, access } = await open()
    access.limitStaticToken(CONTACT_SCOPES)
    expect(ill((await inspect(subject)).findings)).toEqual([])
    access.limitStaticToken(['crm.objects.owners.read'])
    const none = await inspect(subject, { objects: [] })
    expect(about(none.findings, 'scopes')).toEqual(['all that are needed are there'])
    const tasks = await inspect(subject, { objects: [], tasks: true })
    expect(about(tasks.findings, 'scopes')).toHaveLength(2)
  })

  it('of logged activities are tried whatever is listed, and those of e-mails asked for', async () => {
    const { subject, access } = await open()
    access.limitStaticToken(CONTACT_SCOPES)
    const needs = { objects: [], tasks: false, engagements: ['call', 'email', 'meeting'] as const }
    const crm = connectHubspot(subject.baseUrl)
    const { findings } = await crm.inspect(needs, noSignal())
    expect(ill(findings)).toEqual([
      expect.stringMatching(/^error: emails, which first-contact.*one of sales-email-read/),
    ])
    expect(scopesFor(needs, false)).toContain('sales-email-read')
    access.limitStaticToken([...CONTACT_SCOPES, 'sales-email-read'])
    expect(ill((await crm.inspect(needs, noSignal())).findings)).toEqual([])
    const calls = { ...needs, engagements: ['call'] as const }
    expect(scopesFor(calls, false)).not.toContain('sales-email-read')
  })

  it('of lists and events are asked for where playbooks use them, and tried where none are listed', async () => {
    const { subject, sandbox, access } = await open()
    const id = sandbox.lists.add({ name: 'Nurture', object: 'contacts' })
    const groups = [{ id, object: 'contact' as const }]
    const needs = { objects: [], tasks: false, groups, events: ['pe4242424_ready'] }
    const wanted = ['crm.lists.read', 'crm.lists.write', 'analytics.behavioral_events.send']
    expect(scopesFor(needs, false)).toEqual([...wanted, 'crm.objects.owners.read'])
    expect(scopesFor({ objects: [], tasks: false }, false)).toEqual(['crm.objects.owners.read'])
    const crm = connectHubspot(subject.baseUrl)
    for (const listed of [true, false]) {
      access.limitStaticToken(['crm.objects.owners.read'], listed)
      const { findings } = await crm.inspect(needs, noSignal())
      expect(about(findings, 'scopes').map((what) => what.split(' ')[0])).toEqual(wanted)
      access.limitStaticToken([...wanted, 'crm.objects.owners.read'], listed)
      expect(ill((await crm.inspect(needs, noSignal())).findings)).toEqual([])
    }
    expect(sandbox.lists.get(id)?.members.size).toBe(0)
    expect(sandbox.events.list()).toEqual([])
  })

  it('for creating properties are needed only while some are missing', async () => {
    const { subject, access } = await open()
    access.limitStaticToken(CONTACT_SCOPES)
    const plan = subject.plan('contact')
    const extra = { name: 'usage_extra', label: 'Extra', type: 'date' } as const
    const needs = { object: 'contact', read: [], alsoWritten: [] } as const
    const objects = [{ ...needs, plan: { ...plan, properties: [...plan.properties, extra] } }]
    const crm = connectHubspot(subject.baseUrl)
    const { findings } = await crm.inspect({ objects, tasks: false }, noSignal())
    expect(about(findings, 'scopes')).toEqual([
      expect.stringContaining('crm.schemas.contacts.write is missing'),
    ])
  })
})

describe('lists that playbooks name', () => {
  it('are there, static, and of the records that are put into them', async () => {
    const { subject, sandbox } = await open()
    const lists = {
      right: sandbox.lists.add({ name: 'Nurture', object: 'contacts' }),
      active: sandbox.lists.add({ name: 'Hot', object: 'contacts', processingType: 'DYNAMIC' }),
      others: sandbox.lists.add({ name: 'Firms', object: 'companies' }),
      none: '9999',
    }
    const groups = Object.values(lists).map((id) => ({ id, object: 'contact' as const }))
    const crm = connectHubspot(subject.baseUrl)
    const { findings } = await crm.inspect({ objects: [], tasks: false, groups }, noSignal())
    const told = findings.filter((one) => one.about === 'lists')
    expect(told.map(({ level, of }) => [level, of])).toEqual([
      ['ok', { target: lists.right }],
      ['error', { target: lists.active }],
      ['error', { target: lists.others }],
      ['error', { target: lists.none }],
    ])
    expect(told.map(({ mend }) => mend).slice(1)).toEqual([
      expect.stringContaining('static list'),
      expect.stringContaining('list of contact records'),
      expect.stringContaining('address of the list'),
    ])
  })
})

describe('what an account tells of itself', () => {
  it('is its id and type, and how much of its allowances is left', async () => {
    const { subject } = await open({ limits: { burst: 190, daily: 650_000 } })
    const { account, allowances, findings } = await inspect(subject)
    expect(account).toEqual({ id: '4242424', type: 'DEVELOPER_TEST', timeZone: 'Etc/UTC' })
    const byName = new Map(allowances.map((one) => [one.name, one]))
    expect(byName.get('calls in ten seconds')).toMatchObject({ limit: 190 })
    const day = byName.get('calls in a day')
    expect(day?.limit).toBe(650_000)
    expect(day?.used).toBeGreaterThan(0)
    expect(byName.get('custom properties of contact')).toMatchObject({
      limit: 1000,
      used: subject.plan('contact').properties.length,
    })
    expect(about(findings, 'tier')).toEqual([expect.stringContaining('those of Professional')])
  })

  it('may be kept from us, and the rest is still told', async () => {
    const { subject, sandbox } = await open()
    const body = { status: 'error', category: 'MISSING_SCOPES', message: 'no' }
    const hidden = /account-info|limits|property-validations/
    sandbox.faults.push({ path: hidden, status: 403, times: 9, body })
    const { account, findings } = await inspect(subject)
    expect(account).toBeNull()
    expect(ill(findings)).toEqual([expect.stringContaining('warning: the validation rules')])
  })

  it('warns when the calls of the day are nearly used up', async () => {
    const { subject, sandbox } = await open()
    expect(about((await inspect(subject)).findings, 'limits')).toEqual([])
    const usage = { usageLimit: 100, currentUsage: 91, resetsAt: '2026-06-01T05:00:00Z' }
    sandbox.faults.push({ path: /api-usage/, status: 200, body: { results: [usage] } })
    const { findings } = await inspect(subject)
    expect(about(findings, 'limits')).toEqual([
      '9 of 100 calls are left today; they come back at 2026-06-01T05:00:00Z',
    ])
  })

  it('fails as all calls do when the token is wrong or nobody answers', async () => {
    const { subject, sandbox } = await open()
    const stranger = connectHubspot(subject.baseUrl, { accessToken: 'pat-wrong' })
    const needs = { objects: [], tasks: false }
    expect((await failureOf(stranger.inspect(needs, noSignal()))).kind).toBe('config')
    sandbox.faults.push({ path: /account-info/, kind: 'reset' })
    expect((await failureOf(inspect(subject))).kind).toBe('retryable')
  })
})

describe('properties that a mapping names', () => {
  it('and that do not exist, or cannot be written, are told', async () => {
    const { subject } = await open()
    const { findings } = await inspect(subject, {
      read: ['jobtitle', 'no_such_property'],
      alsoWritten: ['email', 'hubspotscore', 'nor_this'],
    })
    expect(ill(findings)).toEqual([
      expect.stringMatching(/^error: contact property no_such_property/),
      expect.stringMatching(/^error: contact property hubspotscore.*HubSpot calculates/),
      expect.stringMatching(/^error: contact property nor_this.*no such property/),
    ])
  })

  it('and that a rule may refuse are told', async () => {
    const { subject, sandbox } = await open()
    sandbox.setRules('contacts', 'email', [{ ruleType: 'REGEX', ruleArguments: ['.*@acme'] }])
    const { findings } = await inspect(subject, { alsoWritten: ['email'] })
    expect(ill(findings)).toEqual([
      expect.stringMatching(/^warning: contact property email.*REGEX/),
    ])
  })
})
