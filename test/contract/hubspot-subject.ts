import express from 'express'
import {
  createHubspotCrm,
  type HubspotCrmOptions,
} from '../../connectors/crms/hubspot/hubspot-crm.ts'
import {
  createHubspotSandbox,
  type HubspotSandbox,
  type HubspotSandboxOptions,
} from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { listen } from '../../sandbox/listen.ts'
import type {
  Crm,
  CrmAbout,
  CrmEngagementKind,
  CrmObject,
  CrmPropertyType,
  ProvisionPlan,
} from '../../src/core/ports/crm.ts'
import { createRequestCheck, type RequestCheck } from '../support/hubspot-requests.ts'
import {
  type CrmPeople,
  type CrmSubject,
  connectProvisioned,
  type FaultyCall,
  type SeedRecord,
  type VendorFault,
} from './crm-contract-subject.ts'

export const TOKEN = 'pat-eu1-1234-contract-token'
export const KEY_PROPERTY = { contact: 'pql_person_id', company: 'pqa_account_id' } as const

const SHORT_TIMEOUT_MS = 150
const OBJECTS = { contact: 'contacts', company: 'companies', task: 'tasks' } as const
const CALLS: Readonly<Record<FaultyCall, { method: string; path: RegExp }>> = {
  'create-record': { method: 'POST', path: /\/batch\/upsert$/ },
  'update-record': { method: 'POST', path: /\/batch\/update$/ },
  'create-task': { method: 'POST', path: /\/objects\/([\d-]+\/)?tasks$/ },
  'close-task': { method: 'PATCH', path: /\/objects\/([\d-]+\/)?tasks\/\d+$/ },
  'create-note': { method: 'POST', path: /\/objects\/([\d-]+\/)?notes$/ },
  'add-member': { method: 'PUT', path: /\/memberships\/add$/ },
  read: { method: 'POST', path: /\/batch\/read$/ },
}
const ROLLING_LIMIT = {
  status: 'error',
  message: 'You have reached your ten_secondly_rolling limit.',
  errorType: 'RATE_LIMIT',
  correlationId: 'c93e06a4-7d61-4c3e-b63f-edf486fc6e90',
  policyName: 'TEN_SECONDLY_ROLLING',
}

/** A HubSpot account of its own, and more ways to look at it than the port's contract needs. */
export interface HubspotSubject extends CrmSubject {
  readonly sandbox: HubspotSandbox
  readonly baseUrl: string
  readonly requests: RequestCheck
}

export async function startHubspotSubject(
  options: HubspotSandboxOptions = {},
  connectOptions: Partial<HubspotCrmOptions> = {},
): Promise<HubspotSubject> {
  const limits = { burst: 10_000, searchPerSecond: 10_000 }
  const sandbox = await createHubspotSandbox({ token: TOKEN, limits, ...options })
  const requests = createRequestCheck()
  const server = await listen(express().use(...requests.handlers, sandbox.router))
  const { baseUrl } = server
  return {
    sandbox,
    baseUrl,
    requests,
    keyProperty: KEY_PROPERTY,
    names: { email: 'email', score: 'usage_score', note: 'usage_note' },
    typed: TYPED,
    secrets: [TOKEN],
    shortTimeoutMs: SHORT_TIMEOUT_MS,
    plan,
    connect: (connect) => connectHubspot(baseUrl, { ...connectOptions, ...connect }),
    playFault: (fault, call) => playFault(sandbox, fault, call),
    ...vendorSide(sandbox),
    close: async () => {
      await server.close()
      await sandbox.close()
      requests.assertClean()
    },
  }
}

let accounts: HubspotSubject[] = []

/** An account with our properties in it, for one test. */
export async function openAccount(options: HubspotSandboxOptions = {}) {
  const subject = await startHubspotSubject(options)
  accounts.push(subject)
  const crm = await connectProvisioned(subject)
  const { sandbox } = subject
  sandbox.resetCalls()
  return { subject, sandbox, crm }
}

/** Closes what `openAccount` has opened. */
export async function closeAccounts(): Promise<void> {
  const closing = accounts
  accounts = []
  await Promise.all(closing.map((account) => account.close()))
}

export function connectHubspot(baseUrl: string, options: Partial<HubspotCrmOptions> = {}): Crm {
  return createHubspotCrm({
    baseUrl,
    accessToken: TOKEN,
    keyProperty: KEY_PROPERTY,
    pace: async () => {},
    ...options,
  })
}

const TYPED: Readonly<Record<CrmPropertyType, string>> = {
  string: 'usage_string',
  text: 'usage_text',
  number: 'usage_number',
  bool: 'usage_bool',
  date: 'usage_date',
  datetime: 'usage_datetime',
  enumeration: 'usage_choice',
  'multi-enumeration': 'usage_choices',
  phone: 'usage_phone',
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
    group: { name: 'product_usage', label: 'Product usage' },
    properties: [
      { name: KEY_PROPERTY[object], label: 'Ripen id', type: 'string', unique: true },
      { name: 'usage_score', label: 'Usage score', type: 'number' },
      { name: 'usage_note', label: 'Usage note', type: 'text' },
      ...(object === 'contact' ? typedProperties() : []),
    ],
  }
}

function playFault(sandbox: HubspotSandbox, fault: VendorFault, call: FaultyCall): void {
  sandbox.faults.push({ ...CALLS[call], ...faultRule(fault) })
}

function faultRule(fault: VendorFault) {
  switch (fault) {
    case 'rate-limit':
      return { status: 429, body: ROLLING_LIMIT }
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

function vendorSide(sandbox: HubspotSandbox) {
  const live = (object: keyof typeof OBJECTS) =>
    sandbox.records(OBJECTS[object]).filter((record) => !record.archived)
  return {
    seed: (object: CrmObject, record: SeedRecord) => seedOne(sandbox, object, record),
    seedMany: (object: CrmObject, records: readonly SeedRecord[]) =>
      seedMany(sandbox, object, records),
    merge: (object: CrmObject, primaryId: string, mergedId: string) =>
      sandbox.merge(OBJECTS[object], primaryId, mergedId),
    remove: (object: CrmObject, id: string) => sandbox.archive(OBJECTS[object], id),
    restore: (object: CrmObject, id: string) => sandbox.restore(OBJECTS[object], id),
    records: (object: CrmObject | 'task') => live(object).map((record) => record.properties),
    companyContacts: () => companyContacts(sandbox),
    taskTargets: (taskId: string) => taskTargets(sandbox, taskId),
    notesOn: (dealId: string) =>
      notesOn(sandbox, dealId).map((n) => n.properties['hs_note_body'] ?? ''),
    deleteNotes: (dealId: string) => {
      for (const { id } of notesOn(sandbox, dealId)) sandbox.archive('notes', id)
    },
    makeGroup: (name: string) => sandbox.lists.add({ name, object: 'contacts' }),
    lostGroupId: () => '99999',
    membersOf: (groupId: string) => [...(sandbox.lists.get(groupId)?.members ?? [])],
    ownerId: () => '41000001',
    queueId: () => '77',
    formerOwnerId: () => '41000006',
    people: peopleOf(sandbox),
  }
}

function peopleOf({ people, archive }: HubspotSandbox): CrmPeople {
  const ends = ({ contactIds, companyIds }: CrmAbout) => ({
    contacts: contactIds,
    companies: companyIds,
  })
  const status = (id: string, word: string) => people.edit('tasks', id, { hs_task_status: word })
  return {
    completeTask: (id) => people.completeTask(id),
    beginTask: (id) => status(id, 'IN_PROGRESS'),
    postponeTask: (id) => people.edit('tasks', id, { hs_timestamp: '2027-01-11T09:00:00.000Z' }),
    deleteTask: (id) => archive('tasks', id),
    openDeal: (about, { name, amount }) =>
      people.openDeal(ends(about), { dealname: name, amount: String(amount) }),
    advanceDeal: (id) => people.moveDeal(id, 'contractsent'),
    closeDeal: (id, outcome) => people.closeDeal(id, outcome),
    log: (kind, about, { at, incoming = false, ownerId }) =>
      people.log(`${kind}s`, ends(about), {
        hs_timestamp: at,
        ...(ownerId === undefined ? {} : { hubspot_owner_id: ownerId }),
        ...directionOf(kind, incoming),
      }),
  }
}

function directionOf(kind: CrmEngagementKind, incoming: boolean): Record<string, string> {
  if (kind === 'call') return { hs_call_direction: incoming ? 'INBOUND' : 'OUTBOUND' }
  return kind === 'email' ? { hs_email_direction: incoming ? 'INCOMING_EMAIL' : 'EMAIL' } : {}
}

function seedOne(sandbox: HubspotSandbox, object: CrmObject, record: SeedRecord): string {
  const [id] = seedMany(sandbox, object, [record])
  if (id === undefined) throw new Error('nothing was seeded')
  return id
}

function seedMany(
  sandbox: HubspotSandbox,
  object: CrmObject,
  records: readonly SeedRecord[],
): readonly string[] {
  const rows = records.map(({ key, ownerId, ...natural }) => ({
    ...natural,
    ...(key === undefined ? {} : { [KEY_PROPERTY[object]]: key }),
    ...(ownerId === undefined ? {} : { hubspot_owner_id: ownerId }),
  }))
  return sandbox.seed({ [OBJECTS[object]]: rows })[OBJECTS[object]]
}

/** Each pair once, although HubSpot keeps a primary and an unlabelled association of it. */
function companyContacts(sandbox: HubspotSandbox): [string, string][] {
  const pairs = sandbox.associations().flatMap(({ from, to }): [string, string][] => {
    if (from.type === 'contacts' && to.type === 'companies') return [[from.id, to.id]]
    if (from.type === 'companies' && to.type === 'contacts') return [[to.id, from.id]]
    return []
  })
  return [...new Map(pairs.map((pair) => [pair.join(), pair])).values()]
}

function notesOn(sandbox: HubspotSandbox, dealId: string) {
  const ids = sandbox.associations().flatMap(({ from, to }) => {
    if (from.type === 'notes' && to.type === 'deals' && to.id === dealId) return [from.id]
    return []
  })
  return sandbox.records('notes').filter(({ id, archived }) => !archived && ids.includes(id))
}

function taskTargets(sandbox: HubspotSandbox, taskId: string): string[] {
  return sandbox.associations().flatMap(({ from, to }) => {
    if (from.type === 'tasks' && from.id === taskId) return [to.id]
    return to.type === 'tasks' && to.id === taskId ? [from.id] : []
  })
}
