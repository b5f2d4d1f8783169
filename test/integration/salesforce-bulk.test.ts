import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSalesforceCrm } from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { linkCompanies } from '../../jobs/steps/link-companies.ts'
import { reconcileObject } from '../../jobs/steps/reconcile-object.ts'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import { type ObjectMapping, salesforceMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { createBulkJobs } from '../../src/infra/postgres/bulk-job-store.ts'
import { hasBusy, storeDesired } from '../../src/infra/postgres/crm-record-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const PEOPLE = 900
const BULK_FROM = 300
const KEYS = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const

let state: TestState
let database: Database
let org: RunningSalesforce

beforeEach(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
  org = await startSalesforceSandbox({ bulk: { stepMs: 2 } })
  installPackage(org.sandbox)
})
afterEach(async () => {
  await org.close()
  await database.close()
  await state.close()
})
afterAll(removeFolders)

const refOf = (n: number) => `p${String(n).padStart(4, '0')}`
const emailOf = (n: number) => `${refOf(n)}@acme.example`

function rules(): ObjectMapping {
  const parsed = salesforceMappingSchema.parse({
    version: 1,
    objects: {
      contact: {
        ...{ subject: 'person', model: 'm', create: 'never' },
        key: { property: KEYS.contact, label: 'Id' },
        properties: {
          PQL_Score__c: { from: 'score', type: 'number', label: 'Score' },
          PQL_Grade__c: { from: 'grade', type: 'string', label: 'Grade' },
        },
      },
    },
  })
  const { contact } = parsed.objects
  if (!contact) throw new Error('no rules')
  return contact
}

/** People who are not in the org, and may be created there. */
async function seedNew(count: number): Promise<void> {
  const wanted = Array.from({ length: count }, (_, n) => ({
    ...{ ref: `n${n}`, object: 'contact' as const, emails: [`n${n}@acme.example`], domains: [] },
    properties: { PQL_Score__c: n, PQL_Grade__c: null },
    onCreate: { LastName: 'New', Company: 'Acme', Email: `n${n}@acme.example` },
    ...{ mayCreate: true, thorough: false, onLeave: null, urgent: false, companyRef: null },
  }))
  await database.db.transaction().execute((tx) => storeDesired(tx, 'salesforce', wanted))
}

/** Leads in the org and what each should say; returns their ids in the org. */
async function seed(): Promise<string[]> {
  const { people } = org.sandbox
  const ids = Array.from({ length: PEOPLE }, (_, n) =>
    people.create('Lead', { LastName: 'Doe', Company: 'Acme', Email: emailOf(n) }),
  )
  await database.db.transaction().execute((tx) =>
    storeDesired(
      tx,
      'salesforce',
      ids.map((_, n) => ({
        ...{ ref: refOf(n), object: 'contact' as const, emails: [emailOf(n)], domains: [] },
        properties: { PQL_Score__c: n % 100, PQL_Grade__c: n % 2 === 0 ? 'A' : null },
        ...{
          onCreate: {},
          mayCreate: false,
          thorough: false,
          onLeave: null,
          urgent: false,
          companyRef: null,
        },
      })),
    ),
  )
  org.sandbox.resetCalls()
  return ids
}

function connect() {
  return createSalesforceCrm({
    ...{ baseUrl: org.baseUrl, accessToken: org.token, keyField: KEYS, pace: async () => {} },
    ...{
      rules: { bulkFrom: BULK_FROM },
      bulkJobs: createBulkJobs(database.db, 'salesforce'),
      bulkPollMs: 5,
    },
  })
}

/** A process of its own, as far as Salesforce and the database can tell. */
async function reconcile(signal = new AbortController().signal) {
  const counts: Record<string, number> = {}
  const { db } = database
  const crm = connect()
  await reconcileObject({
    ...{
      context: { db, pool: database.pool, clock: () => new Date(), onProgress: () => {} },
      crm,
      object: 'contact',
      rules: rules(),
      signal,
    },
    run: {
      note: () => {},
      count: (name, n = 1) => {
        counts[name] = (counts[name] ?? 0) + n
      },
    },
  })
  return counts
}

const rows = () =>
  database.db.selectFrom('crm_record').select(['ref', 'state', 'code']).orderBy('ref').execute()
const scores = (ids: readonly string[]) =>
  ids.map((id) => org.sandbox.record(id)?.values['PQL_Score__c'] ?? null)
const openJobs = () => database.db.selectFrom('crm_bulk_job').selectAll().execute()

describe('a first sync of many people', () => {
  it('is one job and a few queries, and the next one writes nothing', async () => {
    const ids = await seed()
    expect(await reconcile()).toMatchObject({ written: PEOPLE })
    expect(scores(ids)).toEqual(ids.map((_, n) => n % 100))
    expect((await rows()).every((row) => row.state === 'in-sync')).toBe(true)
    const calls = org.sandbox.calls().map(({ method, path }) => `${method} ${path}`)
    expect(calls.filter((call) => call.endsWith('/jobs/ingest'))).toHaveLength(1)
    expect(calls.filter((call) => call.startsWith('PUT'))).toHaveLength(1)
    expect(calls.filter((call) => call.includes('/composite/sobjects'))).toEqual([])
    org.sandbox.resetCalls()
    expect(await reconcile()).toEqual({})
    expect(org.sandbox.calls()).toEqual([])
  })

  it('parks what is refused with its code, and sends what is locked again by itself', async () => {
    const ids = await seed()
    org.sandbox.rules.locks.add({ share: 0.05, times: 1 })
    org.sandbox.rules.validations.set({
      ...{ object: 'Lead', name: 'No 77', message: 'not this one', field: 'PQL_Score__c' },
      when: [{ field: 'Email', is: 'equal', value: emailOf(77) }],
    })
    const counts = await reconcile()
    expect(counts).toMatchObject({ written: PEOPLE - 1, parked: 1 })
    const bad = (await rows()).filter((row) => row.state !== 'in-sync')
    expect(bad).toEqual([
      { ref: refOf(77), state: 'parked', code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' },
    ])
    const others = ids.filter((_, n) => n !== 77)
    expect(scores(others)).toEqual(others.map((id) => ids.indexOf(id) % 100))
  })

  it('that ends in the middle of a job is taken up by the next process, which writes nothing twice', async () => {
    const ids = await seed()
    org.sandbox.bulk.hold()
    const controller = new AbortController()
    const first = reconcile(controller.signal).catch(() => null)
    await waitFor(async () => (await openJobs()).length === 1 && isLetGo())
    controller.abort()
    await first
    expect(await openJobs()).toMatchObject([{ crm: 'salesforce', object: 'Lead', records: PEOPLE }])
    expect(scores(ids).every((score) => score === null)).toBe(true)
    org.sandbox.bulk.letGo()
    org.sandbox.resetCalls()
    const counts = await reconcile()
    expect(counts['jobsResumed']).toBe(1)
    expect(await openJobs()).toEqual([])
    expect(scores(ids)).toEqual(ids.map((_, n) => n % 100))
    expect((await rows()).every((row) => row.state === 'in-sync')).toBe(true)
    const versions = ids.map((id) => org.sandbox.record(id)?.history.length)
    expect(new Set(versions)).toEqual(new Set([2]))
    expect(org.sandbox.calls().filter(({ method }) => method === 'PUT')).toEqual([])
  })

  it('that ends before its job was let go leaves nothing to wait for', async () => {
    const ids = await seed()
    org.sandbox.faults.push({ method: 'PUT', delayMs: 3_000, kind: 'reset' })
    const controller = new AbortController()
    const first = reconcile(controller.signal).catch(() => null)
    await waitFor(async () => org.sandbox.faults.pending === 0)
    controller.abort()
    await first
    expect(await openJobs()).toMatchObject([{ object: 'Lead', records: PEOPLE }])
    expect(org.sandbox.bulk.list().map((job) => job.state)).toEqual(['Open'])
    expect(await reconcile()).toMatchObject({ jobsResumed: 1, written: PEOPLE })
    expect(org.sandbox.bulk.list().map((job) => job.state)).toEqual(['Aborted', 'JobComplete'])
    expect(await openJobs()).toEqual([])
    expect(scores(ids)).toEqual(ids.map((_, n) => n % 100))
  })

  it('whose job fails in the middle is brought to its end all the same', async () => {
    const ids = await seed()
    org.sandbox.bulk.failNext(200, 'InternalServerError : it was too much')
    await reconcile()
    expect(scores(ids)).toEqual(ids.map((_, n) => n % 100))
    expect((await rows()).every((row) => row.state === 'in-sync')).toBe(true)
  })
})

describe('contacts with an account of ours', () => {
  it('are put under it by the same job, or were there; their companies are known without a question', async () => {
    const { people } = org.sandbox
    const account = people.create('Account', { Name: 'Acme', Website: 'acme.example' })
    const there = (n: number) => (n % 2 === 0 ? { AccountId: account } : {})
    const ids = Array.from({ length: BULK_FROM }, (_, n) =>
      people.create('Contact', { LastName: 'Doe', Email: emailOf(n), ...there(n) }),
    )
    const none = { domains: [], onLeave: null, onCreate: {} }
    const common = { ...none, mayCreate: false, thorough: false, urgent: false }
    const wanted = ids.map((_, n) => ({
      ...{ ref: refOf(n), object: 'contact' as const, emails: [emailOf(n)], companyRef: 'acme' },
      ...{ properties: { PQL_Score__c: n % 100 }, ...common },
    }))
    const company = { ref: 'acme', object: 'company' as const, emails: [], companyRef: null }
    const { db } = database
    await db
      .transaction()
      .execute((tx) =>
        storeDesired(tx, 'salesforce', [...wanted, { ...company, properties: {}, ...common }]),
      )
    const known = { crm_id: account, state: 'in-sync' as const }
    await db.updateTable('crm_record').set(known).where('ref', '=', 'acme').execute()
    org.sandbox.resetCalls()
    expect(await reconcile()).toMatchObject({ written: BULK_FROM, linked: BULK_FROM / 2 })
    const accounts = ids.map((id) => org.sandbox.record(id)?.values['AccountId'])
    expect(new Set(accounts)).toEqual(new Set([account]))
    const seen = await db.selectFrom('crm_contact_company').select('company_id').execute()
    expect(seen.filter(({ company_id }) => company_id === account)).toHaveLength(BULK_FROM / 2)
    expect(seen).toHaveLength(BULK_FROM)
    const queries = org.sandbox.calls().filter(({ kind }) => kind === 'query')
    const composites = org.sandbox.calls().filter(({ path }) => path.endsWith('/composite'))
    expect(queries.length + composites.length).toBeLessThanOrEqual(2)
    const run = { note: () => {}, count: () => {} }
    org.sandbox.resetCalls()
    await linkCompanies(db, connect(), new AbortController().signal, run)
    expect(org.sandbox.calls()).toEqual([])
    const linked = await db.selectFrom('crm_record').select('company_linked').execute()
    expect(linked.filter((row) => row.company_linked === account)).toHaveLength(BULK_FROM)
  })
})

describe('a record that somebody holds', () => {
  it('waits for the next run, with no doubt about it, and keeps nobody else', async () => {
    const ids = await seed()
    const held = ids[5] ?? ''
    org.sandbox.rules.locks.add({ id: held, times: 999 })
    expect(await reconcile()).toMatchObject({ written: PEOPLE - 1, busy: 1 })
    const open = (await rows()).filter((row) => row.state !== 'in-sync')
    expect(open).toEqual([{ ref: refOf(5), state: 'pending', code: 'BUSY' }])
    expect(await hasBusy(database.db, 'salesforce')).toBe(true)
    // One job and four calls for it alone.
    const calls = org.sandbox.calls().filter(({ path }) => path.endsWith('/composite/sobjects'))
    expect(calls).toHaveLength(4)
    org.sandbox.rules.locks.clear()
    expect(await reconcile()).toMatchObject({ written: 1 })
    expect(org.sandbox.record(held)?.values['PQL_Score__c']).toBe(5)
    expect(await hasBusy(database.db, 'salesforce')).toBe(false)
  }, 30_000)
})

describe('an org that is full', () => {
  it('is left alone for a while; what fitted is kept, the rest is written when there is room', async () => {
    await seedNew(3)
    org.sandbox.rules.storage.leave(1)
    await expect(reconcile()).rejects.toMatchObject({ kind: 'rate-limited' })
    expect((await rows()).map(({ state, code }) => `${state} ${code}`)).toEqual([
      'in-sync null',
      'pending BUSY',
      'pending BUSY',
    ])
    org.sandbox.rules.storage.leave(null)
    expect(await reconcile()).toMatchObject({ created: 2 })
    expect(org.sandbox.count('Lead')).toBe(3)
  })
})

const isLetGo = () =>
  org.sandbox.calls().some(({ method, path }) => method === 'PATCH' && path.includes('/jobs/'))

async function waitFor(isThere: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await isThere())) {
    if (performance.now() > deadline) throw new Error('it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
