import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSalesforceCrm } from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { readFields } from '../../jobs/steps/read-fields.ts'
import { reconcileObject } from '../../jobs/steps/reconcile-object.ts'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import { salesforceMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { storeDesired } from '../../src/infra/postgres/crm-record-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { wanted } from '../support/crm-world.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-09-10T08:00:00Z')
const LONG = 'Acme exports reports. '.repeat(20).trim()

let state: TestState
let database: Database
let org: RunningSalesforce
let crm: Crm
let now: number

beforeEach(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
  org = await startSalesforceSandbox()
  installPackage(org.sandbox)
  org.sandbox.defineField('Lead', { name: 'Flag__c', label: 'Flag', type: 'boolean' })
  org.sandbox.defineField('Contact', { name: 'Flag__c', label: 'Flag', type: 'boolean' })
  org.sandbox.defineField('Lead', { name: 'Day__c', label: 'Day', type: 'date' })
  org.sandbox.defineField('Contact', { name: 'Day__c', label: 'Day', type: 'date' })
  const keyField = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' }
  const { baseUrl, token: accessToken } = org
  crm = createSalesforceCrm({ baseUrl, accessToken, keyField, pace: async () => {} })
  now = NOW
})
afterEach(async () => {
  await org.close()
  await database.close()
  await state.close()
})
afterAll(removeFolders)

const mapping = salesforceMappingSchema.parse({
  version: 1,
  objects: {
    contact: {
      ...{ subject: 'person', model: 'm', create: 'never' },
      key: { property: 'PQL_Person_Id__c', label: 'Id' },
      read: { job_title: 'Title' },
      properties: {
        PQL_Score__c: { from: 'score', type: 'number', label: 'Score', 'min-delta': 1 },
        PQL_Summary__c: {
          ...{ from: 'summary', type: 'string', label: 'Summary' },
          'at-most-every': 'always',
        },
        Flag__c: { from: 'trait.flag', type: 'bool', label: 'Flag' },
        Day__c: { from: 'trait.day', type: 'datetime', label: 'Day' },
      },
    },
  },
})
const rules = mapping.objects.contact
if (!rules) throw new Error('no rules')

const scope = { onProgress: () => {}, clock: () => new Date(now) }
const { signal } = new AbortController()

async function told(
  work: (run: { note(): void; count(name: string, n?: number): void }) => unknown,
) {
  const counts: Record<string, number> = {}
  const count = (name: string, n = 1) => {
    counts[name] = (counts[name] ?? 0) + n
  }
  await work({ note: () => {}, count })
  return counts
}

const want = (properties: Properties) =>
  database.db
    .transaction()
    .execute((tx) =>
      storeDesired(tx, 'salesforce', [wanted('contact', 'per_a', { properties, onCreate: {} })]),
    )
const reconcile = () =>
  told((run) => {
    const own = { context: { ...scope, ...database }, crm, object: 'contact', rules } as const
    return reconcileObject({ ...own, signal, run })
  })
const compare = () =>
  told((run) => readFields({ ...scope, db: database.db }, crm, mapping, signal, run))
const writes = () => org.sandbox.calls().filter(({ method }) => method === 'PATCH').length
const row = () => database.db.selectFrom('crm_record').selectAll().executeTakeFirstOrThrow()
const edits = () => database.db.selectFrom('crm_edit').selectAll().execute()

/** What somebody reads, an hour later. */
async function lookAgain() {
  now += HOUR_MS
  return { compared: await compare(), reconciled: await reconcile() }
}

describe.each(['Lead', 'Contact'])(
  'what a field of a %s holds less of than it is given',
  (object) => {
    const seed = () => {
      const more = object === 'Lead' ? { Company: 'Acme' } : {}
      const who = { LastName: 'Doe', Email: 'per_a@acme.example' }
      const id = org.sandbox.people.create(object, { ...who, ...more })
      org.sandbox.resetCalls()
      return id
    }
    const values = {
      PQL_Score__c: 70.6,
      PQL_Summary__c: LONG,
      Flag__c: null,
      Day__c: '2026-09-09T22:10:00.000Z',
    }

    it('is written once and read for ours ever after', async () => {
      const id = seed()
      await want(values)
      expect(await reconcile()).toMatchObject({ written: 1 })
      const there = org.sandbox.record(id)?.values
      expect(there).toMatchObject({ PQL_Score__c: 71, Flag__c: false, Day__c: '2026-09-09' })
      expect(there?.['PQL_Summary__c']).toHaveLength(255)
      for (let hour = 0; hour < 5; hour++) {
        const { compared, reconciled } = await lookAgain()
        expect(compared).toMatchObject({ fieldsRead: 1 })
        expect(reconciled).toEqual({})
      }
      expect(writes()).toBe(1)
      expect(await edits()).toEqual([])
      expect(await row()).toMatchObject({ state: 'in-sync', desired: values })
      expect(JSON.stringify((await row()).ledger)).not.toContain('parked')
    })

    it('is no news where it holds the same of a new value, and is written where it does not', async () => {
      const id = seed()
      await want(values)
      await reconcile()
      await want({ ...values, PQL_Summary__c: `${LONG} And more.` })
      await reconcile()
      expect(writes()).toBe(1)
      await want({ ...values, PQL_Summary__c: `New: ${LONG}` })
      await reconcile()
      expect(writes()).toBe(2)
      expect(org.sandbox.record(id)?.values['PQL_Summary__c']).toMatch(/^New: Acme/)
      expect(await lookAgain()).toMatchObject({ reconciled: {} })
      expect(await edits()).toEqual([])
    })

    it('is put back where somebody changes it', async () => {
      const id = seed()
      await want(values)
      await reconcile()
      await lookAgain()
      org.sandbox.people.edit(object, id, { PQL_Summary__c: LONG.slice(0, 255) })
      expect((await lookAgain()).compared).toMatchObject({ edits: 1 })
      expect(org.sandbox.record(id)?.values['PQL_Summary__c']).toMatch(/…$/)
      expect(await edits()).toMatchObject([{ property: 'PQL_Summary__c', outcome: 'restored' }])
    })
  },
)
