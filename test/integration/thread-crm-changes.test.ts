import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Edit, mappingFiles } from '../support/mapping-files.ts'
import { timesWritten, viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const portalOf = ({ vendors }: Thread) => viewPortal(vendors.hubspot)
const always = { file: 'hubspot.yaml', from: /create: qualified/g, to: 'create: always' }

/** The champion looks at prices an hour later: ten points more. */
async function championLooksAtPrices(thread: Thread): Promise<void> {
  const at = new Date(NOW.getTime() + HOUR_MS)
  const props = { path: '/pricing' }
  thread.usage.mixpanel({ event: 'page_viewed', user: 'm-ana', email: WHO.champion, at, props })
  thread.setNow(new Date(NOW.getTime() + 2 * HOUR_MS))
  await thread.pull()
  await thread.score()
}

async function openSynced(...edits: readonly Edit[]): Promise<Thread> {
  const thread = await openThread({ origin, mappings: await mappingFiles(...edits) })
  await thread.score()
  await thread.sync()
  return thread
}

describe('a record that somebody changed in the CRM', () => {
  it('is followed into the one that it was merged into', async () => {
    const thread = await openSynced()
    const { hubspot } = thread.vendors
    const own = portalOf(thread).contact(WHO.champion)?.id ?? ''
    const [other = ''] = hubspot.seed({ contacts: [{ email: 'ana.other@mail.example' }] }).contacts
    const merged = hubspot.merge('contacts', own, other)
    await championLooksAtPrices(thread)
    expect(await thread.sync()).toMatchObject({ created: 0, parked: 0 })
    const portal = portalOf(thread)
    expect(portal.contact(WHO.champion)).toMatchObject({
      id: merged,
      properties: expect.objectContaining({ pql_score: '80' }),
    })
    expect(portal.contacts.filter((email) => email === WHO.champion)).toHaveLength(1)
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })

  it('that somebody deleted is left away, and told of; what has its domain is taken', async () => {
    const thread = await openSynced()
    const { hubspot } = thread.vendors
    const deleted = portalOf(thread).contact(WHO.champion)?.id ?? ''
    hubspot.archive('contacts', deleted)
    hubspot.archive('companies', portalOf(thread).company(DOMAINS.fresh)?.id ?? '')
    const [adopted] = hubspot.seed({ companies: [{ domain: DOMAINS.fresh }] }).companies
    await championLooksAtPrices(thread)
    expect(await thread.sync()).toMatchObject({ created: 0, unlinked: 1 })
    expect(portalOf(thread).contacts).toEqual([WHO.loner, WHO.veteran])
    expect(portalOf(thread).company(DOMAINS.fresh)?.id).toBe(adopted)
    const { db } = thread.app.context
    const told = await db.selectFrom('run_record').select(['outcome', 'reason']).execute()
    expect(told).toEqual([
      { outcome: 'unlinked', reason: expect.stringContaining('on-delete: keep-away') },
    ])
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
    // Who takes it out of the recycle bin has it back.
    hubspot.restore('contacts', deleted)
    await db.updateTable('crm_record').set({ state: 'pending' }).execute()
    await thread.sync()
    expect(portalOf(thread).contact(WHO.champion)).toMatchObject({
      id: deleted,
      properties: expect.objectContaining({ pql_score: '80' }),
    })
  })

  it('is looked up again, and made again where the mapping says so, when it was deleted', async () => {
    const again = {
      file: 'hubspot.yaml',
      from: /create: qualified/g,
      to: 'create: qualified\n    on-delete: recreate',
    }
    const thread = await openSynced(again)
    const { hubspot } = thread.vendors
    hubspot.archive('contacts', portalOf(thread).contact(WHO.champion)?.id ?? '')
    hubspot.archive('companies', portalOf(thread).company(DOMAINS.fresh)?.id ?? '')
    const [adopted] = hubspot.seed({
      companies: [{ domain: DOMAINS.fresh, name: 'By hand' }],
    }).companies
    await championLooksAtPrices(thread)
    await thread.sync()
    const portal = portalOf(thread)
    expect(portal.contacts).toEqual([WHO.champion, WHO.loner, WHO.veteran])
    expect(portal.contact(WHO.champion)?.properties['pql_score']).toBe('80')
    expect(portal.companies).toEqual([DOMAINS.fresh, DOMAINS.old])
    expect(portal.company(DOMAINS.fresh)).toMatchObject({
      id: adopted,
      properties: expect.objectContaining({ name: 'By hand', pqa_score: '60' }),
    })
    expect(portal.employments).toEqual([
      `${WHO.champion} > ${DOMAINS.fresh}`,
      `${WHO.veteran} > ${DOMAINS.old}`,
    ])
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })
})

describe('only what changed is written', () => {
  it('one more event changes one contact, and not its company, of which only the last use is another', async () => {
    const thread = await openSynced()
    thread.vendors.hubspot.resetCalls()
    await championLooksAtPrices(thread)
    expect(await thread.sync()).toMatchObject({ recordsWritten: 1, created: 0, tasks: 0 })
    const portal = portalOf(thread)
    expect(timesWritten(portal.contact(WHO.champion), 'pql_score')).toBe(2)
    expect(timesWritten(portal.contact(WHO.champion), 'pql_grade')).toBe(2)
    expect(timesWritten(portal.contact(WHO.champion), 'pql_status_since')).toBe(1)
    expect(timesWritten(portal.contact(WHO.veteran), 'pql_score')).toBe(1)
    expect(portal.tasks).toHaveLength(1)
  })

  it('other points in a model are written where they change something, and start no task', async () => {
    const thread = await openSynced()
    const from = 'action: activated, points: 30'
    const to = 'action: activated, points: 60'
    await thread.publish(await mappingFiles({ file: 'models/people.yaml', from, to }))
    await thread.score()
    // Three were qualified before; the student and the latecomer are now. Nobody looks into their accounts' tasks.
    const result = await thread.sync()
    const portal = portalOf(thread)
    expect(result).toMatchObject({ tasks: 0, parked: 0 })
    expect(portal.contact(WHO.champion)?.properties['pql_score']).toBe('100')
    expect(portal.contact(WHO.loner)?.properties['pql_score']).toBe('85')
    expect(portal.contacts).toContain(WHO.student)
    expect(timesWritten(portal.contact(WHO.loner), 'pql_last_active')).toBe(1)
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })
})

describe('a record that HubSpot refuses', () => {
  it('is parked with its reason, noted in the run, and holds up nobody', async () => {
    const thread = await openThread({ origin, mappings: await mappingFiles(always) })
    const poison = 'zed@buildbox'
    const at = new Date(NOW.getTime() - HOUR_MS)
    thread.usage.mixpanel({ event: 'page_viewed', user: 'm-zed', email: poison, at })
    // The open day is pulled again after a quarter of an hour.
    thread.setNow(new Date(NOW.getTime() + HOUR_MS))
    await thread.pull()
    await thread.score()
    expect(await thread.sync()).toMatchObject({ created: 15, parked: 1 })
    expect(portalOf(thread).contacts).toHaveLength(10)
    const { db } = thread.app.context
    const parked = await db
      .selectFrom('crm_record')
      .innerJoin('person', 'person.id', 'crm_record.ref')
      .select(['crm_record.ref', 'email', 'reason', 'code', 'correlation_id'])
      .where('state', '=', 'parked')
      .execute()
    expect(parked).toEqual([
      {
        ref: expect.any(String),
        email: poison,
        reason: expect.stringMatching(/email/i),
        code: expect.any(String),
        correlation_id: expect.any(String),
      },
    ])
    expect(parked[0]?.reason).not.toContain('zed')
    const noted = await db
      .selectFrom('run_record')
      .innerJoin('run', 'run.id', 'run_record.run_id')
      .select(['step', 'ref', 'run_record.outcome', 'reason', 'correlation_id'])
      .execute()
    const [{ ref, reason, correlation_id } = { ref: '', reason: '', correlation_id: '' }] = parked
    expect(noted).toEqual([{ step: 'reconcile', ref, outcome: 'parked', reason, correlation_id }])
    // It waits for a change, and is not sent again without one.
    expect(await thread.sync()).toMatchObject({ writeCalls: 0, parked: 0 })
  })
})
