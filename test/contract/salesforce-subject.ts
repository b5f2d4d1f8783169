import express from 'express'
import fc from 'fast-check'
import {
  createSalesforceCrm,
  type SalesforceCrmOptions,
} from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { listen } from '../../sandbox/listen.ts'
import {
  createSalesforceSandbox,
  type SalesforceSandbox,
  type SalesforceSandboxOptions,
} from '../../sandbox/salesforce/salesforce-sandbox.ts'
import type {
  Crm,
  CrmAbout,
  CrmObject,
  CrmPropertyType,
  ProvisionPlan,
} from '../../src/core/ports/crm.ts'
import { installFields } from '../support/salesforce-org.ts'
import {
  type CrmNature,
  type CrmPeople,
  type CrmSubject,
  connectProvisioned,
  type FaultyCall,
  type SeedRecord,
  type VendorFault,
} from './crm-contract-subject.ts'

export const TOKEN = '00Dcontract!token-of-a-session'
export const KEY_FIELD = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const

const SHORT_TIMEOUT_MS = 150
const CALLS: Readonly<Record<FaultyCall, { method?: string; path: RegExp }>> = {
  'create-record': { method: 'PATCH', path: /\/composite\/sobjects\/\w+\/\w+$/ },
  'update-record': { method: 'PATCH', path: /\/composite\/sobjects$/ },
  'create-task': { method: 'POST', path: /\/composite\/sobjects$/ },
  'close-task': { method: 'PATCH', path: /\/composite\/sobjects$/ },
  'create-note': { method: 'POST', path: /\/composite\/sobjects$/ },
  'add-member': { method: 'POST', path: /\/composite\/sobjects$/ },
  read: { path: /\/(query|queryAll|composite)$/ },
}

/** An org of its own, and more ways to look at it than the port's contract needs. */
export interface SalesforceSubject extends CrmSubject {
  readonly sandbox: SalesforceSandbox
  readonly baseUrl: string
}

export async function startSalesforceSubject(
  options: SalesforceSandboxOptions = {},
  connectOptions: Partial<SalesforceCrmOptions> = {},
): Promise<SalesforceSubject> {
  const sandbox = await createSalesforceSandbox({ token: TOKEN, ...options })
  const server = await listen(express().use(sandbox.router))
  const { baseUrl } = server
  sandbox.defineField('Activity', { name: 'PQL_Key__c', type: 'string', length: 80 })
  // What most orgs have, and the only thing that knows of two people with one address.
  const rule = { name: 'Same address', object: 'Contact', fields: ['Email'] }
  sandbox.rules.duplicates.set({ ...rule, action: 'alert' })
  const queueId = sandbox.people.addQueue('Hot accounts', ['Task'])
  const now = () => new Date(sandbox.clock.now())
  const rules = { createAs: 'contact', ...connectOptions.rules } as const
  return {
    ...{ sandbox, baseUrl, keyProperty: KEY_FIELD, typed: TYPED },
    names: { email: 'Email', score: 'usage_score__c', note: 'usage_note__c' },
    secrets: [TOKEN],
    shortTimeoutMs: SHORT_TIMEOUT_MS,
    plan,
    connect: (connect) => connectSalesforce(baseUrl, { now, ...connectOptions, rules, ...connect }),
    playFault: (fault, call) => playFault(sandbox, fault, call),
    ...natureOf(sandbox),
    ...vendorSide(sandbox),
    queueId: () => queueId,
    close: async () => {
      await server.close()
      await sandbox.close()
    },
  }
}

let orgs: SalesforceSubject[] = []

/** An org with our fields in it, for one test. */
export async function openOrg(
  options: SalesforceSandboxOptions = {},
  connectOptions: Partial<SalesforceCrmOptions> = {},
) {
  const subject = await startSalesforceSubject(options, connectOptions)
  orgs.push(subject)
  const crm = await connectProvisioned(subject)
  const { sandbox } = subject
  sandbox.resetCalls()
  return { subject, sandbox, crm }
}

/** Closes what `openOrg` has opened. */
export async function closeOrgs(): Promise<void> {
  const closing = orgs
  orgs = []
  await Promise.all(closing.map((org) => org.close()))
}

export function connectSalesforce(
  baseUrl: string,
  options: Partial<SalesforceCrmOptions> = {},
): Crm {
  return createSalesforceCrm({
    ...{ baseUrl, accessToken: TOKEN, keyField: KEY_FIELD, pace: async () => {} },
    ...options,
  })
}

const TYPED: Readonly<Record<CrmPropertyType, string>> = {
  string: 'usage_string__c',
  text: 'usage_text__c',
  number: 'usage_number__c',
  bool: 'usage_bool__c',
  date: 'usage_date__c',
  datetime: 'usage_datetime__c',
  enumeration: 'usage_choice__c',
  'multi-enumeration': 'usage_choices__c',
  phone: 'usage_phone__c',
}

function typedProperties(): ProvisionPlan['properties'] {
  const options = ['a', 'b', 'c'].map((value) => ({ value, label: value }))
  return Object.entries(TYPED).map(([name, property]) => {
    const type = name as CrmPropertyType
    const choices = type.endsWith('enumeration') ? { options } : {}
    return { name: property, label: property, type, ...choices }
  })
}

function plan(object: CrmObject): ProvisionPlan {
  return {
    object,
    group: { name: 'ripen', label: 'Ripen' },
    properties: [
      { name: KEY_FIELD[object], label: 'Ripen id', type: 'string', unique: true },
      { name: 'usage_score__c', label: 'Usage score', type: 'number' },
      { name: 'usage_note__c', label: 'Usage note', type: 'text' },
      ...(object === 'contact' ? typedProperties() : []),
    ],
  }
}

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((one) => one.trim())
  .filter((one) => one.length <= 255)
const seconds = fc.integer({ min: 0, max: 4_102_444_800 })

function natureOf(sandbox: SalesforceSandbox): CrmNature {
  return {
    install: (one) => installFields(sandbox, one),
    newRecord: { contact: { LastName: 'Doe' }, company: { Name: 'Acme' } },
    hasNoCorrelation: true,
    defaultOwnerId: sandbox.users.rep,
    ownersAreUsers: true,
    tasksAreDueOnDays: true,
    taskTextIsPlain: true,
    queuesAreOwners: true,
    tasksHaveOneParent: true,
    trimsTexts: true,
    letTimePass: () => sandbox.clock.advance(3 * 60_000),
    values: {
      string: fc.oneof(text, fc.constant(null)),
      text: fc.oneof(
        fc.array(text, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n').trim()),
        fc.constant(null),
      ),
      // Of 18 digits, four after the point.
      number: fc.oneof(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 10_000),
        fc.constantFrom(0, -0, null),
      ),
      // A checkbox is always one or the other.
      bool: fc.constantFrom(true, false),
      // Whole seconds.
      datetime: fc.oneof(
        seconds.map((s) => new Date(s * 1_000).toISOString()),
        fc.constant(null),
      ),
    },
  }
}

function playFault(sandbox: SalesforceSandbox, fault: VendorFault, call: FaultyCall): void {
  sandbox.faults.push({ ...CALLS[call], ...faultRule(fault) })
}

function faultRule(fault: VendorFault) {
  switch (fault) {
    case 'rate-limit': {
      const message = 'TotalRequests Limit exceeded.'
      return { status: 403, body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message }] }
    }
    case 'server-error':
      return { status: 502, body: '<html>Bad gateway</html>' }
    case 'too-late':
      return { delayMs: SHORT_TIMEOUT_MS * 4, kind: 'reset' } as const
    case 'empty-success':
      return { kind: 'empty-2xx' } as const
    case 'reset':
    case 'reset-after':
      return { kind: fault } as const
  }
}

const PLACES = { contact: ['Contact', 'Lead'], company: ['Account'], task: ['Task'] } as const

function vendorSide(sandbox: SalesforceSandbox) {
  const { people, users } = sandbox
  const live = (object: keyof typeof PLACES) =>
    PLACES[object].flatMap((one) => sandbox.records(one)).filter(({ deleted }) => !deleted)
  const nameOf = (id: string) => sandbox.record(id)?.values['attributes'] ?? objectOf(id)
  const notesOn = (dealId: string) =>
    live('task').filter(({ values }) => values['WhatId'] === dealId && values['IsClosed'] === true)
  const seed = (object: CrmObject, record: SeedRecord) => {
    const [place, values] = seedValues(object, record)
    return people.create(place, values)
  }
  return {
    seed,
    seedMany: (object: CrmObject, records: readonly SeedRecord[]) =>
      records.map((record) => seed(object, record)),
    merge: (_object: CrmObject, primaryId: string, mergedId: string) => {
      people.merge(objectOf(primaryId), primaryId, [mergedId])
      return primaryId
    },
    remove: (_object: CrmObject, id: string) => people.delete(String(nameOf(id)), id),
    restore: (_object: CrmObject, id: string) => people.undelete(objectOf(id), id),
    records: (object: CrmObject | 'task') =>
      live(object).map(({ values }) =>
        Object.fromEntries(
          Object.entries(values).flatMap(([name, value]) =>
            value === null ? [] : [[name, String(value)]],
          ),
        ),
      ),
    companyContacts: () =>
      live('contact').flatMap(({ id, values }): [string, string][] =>
        values['AccountId'] ? [[id, String(values['AccountId'])]] : [],
      ),
    taskTargets: (taskId: string) => {
      const task = sandbox.record(taskId)?.values ?? {}
      return [task['WhoId'], task['WhatId']].flatMap((id) => (id ? [String(id)] : []))
    },
    notesOn: (dealId: string) =>
      notesOn(dealId).map(({ values }) => `${values['Subject']}\n${values['Description']}`),
    deleteNotes: (dealId: string) => {
      for (const { id } of notesOn(dealId)) people.delete('Task', id)
    },
    makeGroup: (name: string) => people.create('Campaign', { Name: name, IsActive: true }),
    lostGroupId: () => '701000000000000AAA',
    membersOf: (groupId: string) =>
      sandbox
        .records('CampaignMember')
        .filter(({ deleted, values }) => !deleted && values['CampaignId'] === groupId)
        .map(({ values }) => String(values['ContactId'] ?? values['LeadId'])),
    ownerId: () => users.rep,
    formerOwnerId: () => users.inactive,
    people: peopleOf(sandbox),
  }
}

function seedValues(
  object: CrmObject,
  { email, domain, key, ownerId }: SeedRecord,
): [string, Record<string, string>] {
  const common = {
    ...(key === undefined ? {} : { [KEY_FIELD[object]]: key }),
    ...(ownerId === undefined ? {} : { OwnerId: ownerId }),
  }
  if (object === 'contact') {
    return [
      'Contact',
      { LastName: 'Doe', ...(email === undefined ? {} : { Email: email }), ...common },
    ]
  }
  return [
    'Account',
    { Name: domain ?? 'Acme', ...(domain === undefined ? {} : { Website: domain }), ...common },
  ]
}

const objectOf = (id: string) =>
  ({ '003': 'Contact', '00Q': 'Lead', '001': 'Account' })[id.slice(0, 3)] ?? 'Contact'

function peopleOf(sandbox: SalesforceSandbox): CrmPeople {
  const { people, clock } = sandbox
  return {
    completeTask: (id) => people.completeTask(id),
    beginTask: (id) => people.edit('Task', id, { Status: 'In Progress' }),
    postponeTask: (id) => people.edit('Task', id, { ActivityDate: '2027-01-11' }),
    deleteTask: (id) => people.delete('Task', id),
    openDeal: ({ contactIds, companyIds: [accountId] }, { name, amount }) =>
      people.openOpportunity(
        {
          Name: name,
          Amount: amount,
          ...(accountId === undefined ? {} : { AccountId: accountId }),
        },
        contactIds,
      ),
    advanceDeal: (id) => people.moveOpportunity(id, 'Proposal/Price Quote'),
    closeDeal: (id, outcome) => people.closeOpportunity(id, outcome),
    log: (kind, about, { at, incoming = false, ownerId }) => {
      const backMs = Date.parse(at) - clock.now()
      const ends = endsOf(about)
      const owner = ownerId === undefined ? {} : { OwnerId: ownerId }
      if (kind === 'meeting') return people.log(kind, { ...ends, ...owner, StartDateTime: at })
      // Salesforce notes itself when a task was completed.
      clock.advance(backMs)
      const call = kind === 'call' && incoming ? { CallType: 'Inbound' } : {}
      const id = people.log(kind, { ...ends, ...owner, ...call })
      if (kind === 'email') {
        people.create('EmailMessage', { ActivityId: id, Incoming: incoming, MessageDate: at })
      }
      clock.advance(-backMs)
      return id
    },
  }
}

function endsOf({ contactIds: [who], companyIds: [what] }: CrmAbout): Record<string, string> {
  return {
    ...(who === undefined ? {} : { WhoId: who }),
    ...(what === undefined ? {} : { WhatId: what }),
  }
}
