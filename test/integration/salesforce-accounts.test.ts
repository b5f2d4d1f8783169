import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSalesforceCrm } from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { reconcileObject } from '../../jobs/steps/reconcile-object.ts'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import { salesforceMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import { storeDesired } from '../../src/infra/postgres/crm-record-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const PEOPLE = 1_300
const KEYS = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const

let state: TestState
let database: Database
let org: RunningSalesforce

beforeEach(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
  org = await startSalesforceSandbox({ latencyMs: 15 })
  installPackage(org.sandbox)
})
afterEach(async () => {
  await org.close()
  await database.close()
  await state.close()
})
afterAll(removeFolders)

/** One account with more people than a slice, small ones, and people without an account. */
function accountOf(n: number): string | null {
  if (n % 10 === 0) return null
  return n < 560 ? 'acc_large' : `acc_s${n % 37}`
}

async function seed(): Promise<void> {
  const { people } = org.sandbox
  const numbers = Array.from({ length: PEOPLE }, (_, n) => n)
  const names = [...new Set(numbers.flatMap((n) => accountOf(n) ?? []))]
  const ids = new Map(names.map((name) => [name, people.create('Account', { Name: name })]))
  const common = { mayCreate: false, thorough: false, onLeave: null, urgent: false, onCreate: {} }
  const companies = names.map((ref) => ({
    ...{ ref, object: 'company' as const, emails: [], domains: [], companyRef: null, ...common },
    properties: { PQA_Score__c: 1 },
  }))
  const contacts = numbers.map((n) => {
    const [email, companyRef] = [`u${n}@acme.example`, accountOf(n)]
    const AccountId = companyRef === null ? null : (ids.get(companyRef) ?? null)
    people.create('Contact', { LastName: 'Doe', Email: email, AccountId })
    // So that neighbours by our own ids are of different accounts.
    const ref = `p${String((n * 397) % 1_301).padStart(4, '0')}`
    return {
      ...{ ref, object: 'contact' as const, emails: [email], domains: [], companyRef, ...common },
      properties: { PQL_Score__c: n % 100 },
    }
  })
  const { db } = database
  await db
    .transaction()
    .execute((tx) => storeDesired(tx, 'salesforce', [...companies, ...contacts]))
  for (const [ref, crm_id] of ids) {
    await db
      .updateTable('crm_record')
      .set({ crm_id, state: 'in-sync' })
      .where('ref', '=', ref)
      .execute()
  }
  org.sandbox.resetCalls()
}

/** Watches the writes that are under way at one time. */
function watched(crm: Crm) {
  const under: ReadonlySet<string>[] = []
  const clashes: string[] = []
  let most = 0
  const write: Crm['write'] = async (object, writes, ...rest) => {
    const companies = new Set(writes.flatMap(({ companyId }) => companyId ?? []))
    clashes.push(...[...companies].filter((one) => under.some((other) => other.has(one))))
    under.push(companies)
    most = Math.max(most, under.length)
    // The first ones wait for each other: on a slow machine one is over before the next begins.
    for (let waits = 0; most === 1 && waits < 500; waits++) await sleep(10)
    return crm.write(object, writes, ...rest).finally(() => {
      under.splice(under.indexOf(companies), 1)
    })
  }
  return { crm: { ...crm, write }, clashes, mostAtOnce: () => most }
}

describe('writes of contacts', () => {
  it('run side by side, but never two of one account', async () => {
    await seed()
    const { contact } = salesforceMappingSchema.parse({
      version: 1,
      objects: {
        contact: {
          ...{ subject: 'person', model: 'm', create: 'never' },
          key: { property: KEYS.contact, label: 'Id' },
          properties: { PQL_Score__c: { from: 'score', type: 'number', label: 'Score' } },
        },
      },
    }).objects
    if (!contact) throw new Error('no rules')
    const { crm, clashes, mostAtOnce } = watched(
      createSalesforceCrm({
        ...{ baseUrl: org.baseUrl, accessToken: org.token, keyField: KEYS },
        ...{ pace: async () => {}, rules: { bulkFrom: null } },
      }),
    )
    await reconcileObject({
      ...{
        context: { ...database, clock: () => new Date(), onProgress: () => {} },
        crm,
        object: 'contact',
      },
      ...{ rules: contact, signal: new AbortController().signal },
      run: { note: () => {}, count: () => {} },
    })
    expect(clashes).toEqual([])
    expect(mostAtOnce()).toBeGreaterThan(1)
    const scores = org.sandbox.records('Contact').map(({ values }) => values['PQL_Score__c'])
    expect(scores.every((score) => typeof score === 'number')).toBe(true)
    const written = org.sandbox.calls().filter(({ path }) => path.endsWith('/composite/sobjects'))
    expect(written.length).toBeLessThanOrEqual(8)
  })
})
