import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { listen } from '../../jobs/steps/listen.ts'
import { reconcile } from '../../jobs/steps/reconcile.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import {
  closeThreads,
  NOW,
  openThread,
  pulledState,
  type Thread,
  type ThreadOptions,
} from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

async function openScored(options: Omit<ThreadOptions, 'origin'> = {}): Promise<Thread> {
  const thread = await openThread({ origin, ...options })
  await thread.score()
  return thread
}

const ACTIVE_OWNER = '41000002'
const INACTIVE_OWNER = '41000006'
const FALLBACK = { id: '41000003', email: 'chloe.lindqvist@sales.example' }
const create = (policy: string) => ({
  file: 'hubspot.yaml',
  from: /create: qualified/g,
  to: `create: ${policy}`,
})
const portalOf = ({ vendors }: Thread) => viewPortal(vendors.hubspot)

describe('a first sync', () => {
  it('creates who is qualified, joins them, and makes one task from fresh evidence', async () => {
    const thread = await openScored()
    expect(await thread.sync()).toMatchObject({ created: 5, associations: 2, tasks: 1, parked: 0 })
    const portal = portalOf(thread)
    expect(portal.contacts).toEqual([WHO.champion, WHO.loner, WHO.veteran])
    expect(portal.companies).toEqual([DOMAINS.fresh, DOMAINS.old])
    expect(portal.employments).toEqual([
      `${WHO.champion} > ${DOMAINS.fresh}`,
      `${WHO.veteran} > ${DOMAINS.old}`,
    ])
    expect(portal.tasks).toEqual([
      {
        subject: `${DOMAINS.fresh} is ready for a conversation (score 60)`,
        body: expect.stringContaining(WHO.champion),
        ownerId: null,
        on: [WHO.champion, DOMAINS.fresh],
      },
    ])
    expect(portal.contact(WHO.champion)?.properties).toMatchObject({
      pql_score: '70',
      pql_grade: 'B',
      pql_reason_1: expect.stringMatching(/^\+40 Invited colleagues \(2 times/),
      pql_reason_2: expect.stringMatching(/^\+30 Reached activation/),
      pql_model: 'people v1',
    })
    // Old evidence sets fields and makes no task.
    expect(portal.company(DOMAINS.old)?.properties).toMatchObject({
      pqa_score: '60',
      pqa_usage_status: 'qualified',
      pqa_champion: WHO.veteran,
    })
  })

  it('is followed by a pass that makes no call that writes', async () => {
    const thread = await openScored()
    await thread.sync()
    thread.vendors.hubspot.resetCalls()
    expect(await thread.run()).toMatchObject({ recordsWritten: 0, writeCalls: 0, tasks: 0 })
    const calls = thread.vendors.hubspot.calls().filter(({ kind }) => kind === 'write')
    expect(calls).toEqual([])
  })
})

describe('a sync', () => {
  it.each([
    { step: 'reconcile', handler: reconcile },
    { step: 'listen', handler: listen },
  ])('refuses a token of another account than the records lie in: $step', async ({ handler }) => {
    const thread = await openScored()
    await thread.sync()
    const { db } = thread.app.context
    expect(await db.selectFrom('crm_account').select('account').execute()).toEqual([
      { account: '4242424' },
    ])
    await db.updateTable('crm_account').set({ account: '1' }).execute()
    const { context } = await thread.colleague()
    thread.vendors.hubspot.resetCalls()
    const run = { note: () => {}, count: () => {} }
    await expect(
      handler(context, 'hubspot', null, new AbortController().signal, run),
    ).rejects.toThrow('take a new database')
    expect(thread.vendors.hubspot.calls()).toHaveLength(1)
  })

  it('tells rules of the account that refuse what it writes', async () => {
    const thread = await openScored()
    expect(await thread.sync()).toMatchObject({ findings: [] })
    const rule = { ruleType: 'MAX_NUMBER', ruleArguments: ['50'] }
    thread.vendors.hubspot.setRules('contacts', 'pql_score', [rule])
    const more = { file: 'hubspot.yaml', from: 'label: PQL score', to: 'label: PQL points' }
    await thread.publish(await mappingFiles(more))
    const { findings } = await thread.sync()
    expect(findings).toEqual([expect.stringContaining('pql_score has the rule MAX_NUMBER 50')])
  })
})

describe('records that the CRM has already', () => {
  it('are matched by address and domain, not duplicated', async () => {
    const thread = await openScored()
    thread.vendors.hubspot.seed({
      contacts: [{ email: WHO.champion, firstname: 'Ana' }, { email: WHO.colleague }],
      companies: [{ domain: DOMAINS.fresh, name: 'Northfield Tools' }],
      employments: [{ contact: 0, company: 0 }],
    })
    await thread.sync()
    const portal = portalOf(thread)
    expect(portal.contacts).toEqual([WHO.champion, WHO.colleague, WHO.loner, WHO.veteran])
    expect(portal.companies).toEqual([DOMAINS.fresh, DOMAINS.old])
    expect(portal.contact(WHO.champion)?.properties).toMatchObject({
      firstname: 'Ana',
      pql_score: '70',
    })
    expect(portal.contact(WHO.colleague)?.properties).toMatchObject({ pql_usage_status: 'new' })
    expect(portal.company(DOMAINS.fresh)?.properties).toMatchObject({
      name: 'Northfield Tools',
      pqa_score: '60',
    })
    expect(portal.employments).toEqual([
      `${WHO.champion} > ${DOMAINS.fresh}`,
      `${WHO.colleague} > ${DOMAINS.fresh}`,
      `${WHO.veteran} > ${DOMAINS.old}`,
    ])
  })

  it('are matched by any address of the person and any domain of the company', async () => {
    const thread = await openThread({ origin, working: false })
    thread.app.engine.start(['identity', 'score', 'desire'], [])
    const aliases = `version: 1\ndomain-aliases: { northfield-labs.com: ${DOMAINS.fresh} }\n`
    await thread.publish({ ...(await mappingFiles()), 'identity.yaml': aliases })
    await thread.app.engine.wake(['identity'])
    await thread.app.engine.idle(['identity'])
    await thread.score()
    const { db } = thread.app.context
    const person = await db
      .selectFrom('person')
      .select('id')
      .where('email', '=', WHO.champion)
      .executeTakeFirstOrThrow()
    const [node, person_id] = ['email/ana@private-mail.org', person.id]
    await db.insertInto('identity_node').values({ node, person_id }).execute()
    thread.vendors.hubspot.seed({
      contacts: [{ email: 'ana@private-mail.org' }],
      companies: [{ domain: 'northfield-labs.com' }],
    })
    thread.app.engine.start(['reconcile'], ['hubspot'])
    await thread.sync()
    const portal = portalOf(thread)
    expect(portal.contacts).toEqual(['ana@private-mail.org', WHO.loner, WHO.veteran].sort())
    expect(portal.companies).toEqual(['northfield-labs.com', DOMAINS.old])
    expect(portal.contact('ana@private-mail.org')?.properties).toMatchObject({ pql_score: '70' })
  })

  it.each([
    { policy: 'never', contacts: [WHO.quiet], companies: [DOMAINS.solo] },
    {
      policy: 'qualified',
      contacts: [WHO.champion, WHO.loner, WHO.veteran, WHO.quiet],
      companies: [DOMAINS.fresh, DOMAINS.old, DOMAINS.solo],
    },
    {
      policy: 'always',
      contacts: [
        ...[WHO.champion, WHO.colleague, WHO.newcomer, WHO.loner, WHO.student, WHO.latecomer],
        ...['gus@eu.oldfield-works.com', 'hal@oldfield-works.com', WHO.veteran, WHO.quiet],
      ],
      companies: [
        ...[DOMAINS.fresh, DOMAINS.old, DOMAINS.solo],
        ...['latecomer.dev', 'quiet-mills.com'],
      ],
    },
  ])('create: $policy adds what it says and updates the rest', async (wanted) => {
    const edits = wanted.policy === 'qualified' ? [] : [create(wanted.policy)]
    const thread = await openScored({ mappings: await mappingFiles(...edits) })
    thread.vendors.hubspot.seed({
      contacts: [{ email: WHO.quiet }],
      companies: [{ domain: DOMAINS.solo }],
    })
    await thread.sync()
    const portal = portalOf(thread)
    expect(portal.contacts).toEqual([...wanted.contacts].sort())
    expect(portal.companies).toEqual([...wanted.companies].sort())
    expect(portal.contact(WHO.quiet)?.properties['pql_score']).toBe('0')
    expect(portal.company(DOMAINS.solo)?.properties['pqa_score']).toBe('40')
    expect(await thread.run()).toMatchObject({ writeCalls: 0 })
  })
})

describe('a task whose company is not in the CRM just now', () => {
  const REFUSED = { method: 'POST', path: /companies\/batch\/upsert$/, times: 50, status: 400 }
  const HOUR_MS = 3_600_000

  async function openWithoutCompanies(): Promise<Thread> {
    const thread = await openScored()
    const body = { status: 'error', category: 'VALIDATION_ERROR', message: 'not today' }
    thread.vendors.hubspot.faults.push({ ...REFUSED, body })
    expect(await thread.sync()).toMatchObject({ tasks: 0, parked: 2 })
    expect((await thread.status()).crms['hubspot']?.tasks).toEqual({ planned: 1 })
    thread.vendors.hubspot.faults.clear()
    return thread
  }

  it('waits, and is made for the account of now', async () => {
    const thread = await openWithoutCompanies()
    const { db } = thread.app.context
    // Planned for an account that has become another one since.
    await sql`update task_intent set task = jsonb_set(task, '{accountRef}', '"acc_former"')`.execute(
      db,
    )
    await db.updateTable('crm_record').set({ state: 'pending' }).execute()
    expect(await thread.sync()).toMatchObject({ tasks: 1 })
    expect(portalOf(thread).tasks.map(({ on }) => on)).toEqual([[WHO.champion, DOMAINS.fresh]])
  })

  it('is given up when what it is about is not fresh any more', async () => {
    const thread = await openWithoutCompanies()
    thread.setNow(new Date(NOW.getTime() + 25 * HOUR_MS))
    expect(await thread.sync()).toMatchObject({ tasks: 0 })
    expect((await thread.status()).crms['hubspot']?.tasks).toEqual({ parked: 1 })
  })
})

describe('a task goes to', () => {
  it.each([
    { whom: 'the owner of the company', owner: ACTIVE_OWNER, wanted: ACTIVE_OWNER },
    { whom: 'the fall-back when that owner has left', owner: INACTIVE_OWNER, wanted: FALLBACK.id },
    { whom: 'the fall-back when nobody owns it', owner: '', wanted: FALLBACK.id },
  ])('$whom', async ({ owner, wanted }) => {
    const to = `priority: high\n  fallback-owner: ${FALLBACK.email}`
    const mappings = await mappingFiles({ file: 'hubspot.yaml', from: 'priority: high', to })
    const thread = await openScored({ mappings })
    thread.vendors.hubspot.seed({
      companies: [{ domain: DOMAINS.fresh, ...(owner ? { hubspot_owner_id: owner } : {}) }],
    })
    await thread.sync()
    expect(portalOf(thread).tasks.map((task) => task.ownerId)).toEqual([wanted])
  })
})
