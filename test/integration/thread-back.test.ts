import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { type Edit, mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
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

const later = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)
/** What the portal and the jobs take for now. */
let clock = NOW
async function openSynced(...edits: readonly Edit[]): Promise<Thread> {
  clock = NOW
  const mappings = await mappingFiles(...edits)
  const hubspot = { now: () => clock.getTime() }
  const thread = await openThread({ origin, mappings, hubspot })
  await thread.score()
  await thread.sync()
  return thread
}
function at(thread: Thread, hours: number): void {
  clock = later(hours)
  thread.setNow(clock)
}
async function syncAt(thread: Thread, hours: number) {
  at(thread, hours)
  return thread.sync()
}

const people = ({ vendors }: Thread) => vendors.hubspot.people
const portal = ({ vendors }: Thread) => viewPortal(vendors.hubspot)
const companyId = (thread: Thread) => portal(thread).company(DOMAINS.fresh)?.id ?? ''
const contactId = (thread: Thread) => portal(thread).contact(WHO.champion)?.id ?? ''
async function told(thread: Thread, who: string = DOMAINS.fresh) {
  const found = await explain(thread.app.context.db, who)
  if (!found) throw new Error('nobody')
  return found
}
const traitsOf = async (thread: Thread, who?: string) =>
  Object.fromEntries(
    (await told(thread, who)).traits
      .filter(({ endedAt, origin: by }) => endedAt === null && by !== 'usage')
      .map(({ name, value, firstAt }) => [name, [value, firstAt]]),
  )
const reject = (thread: Thread) =>
  people(thread).edit('companies', companyId(thread), {
    pqa_disposition: 'rejected',
    pqa_rejection_reason: 'bad-timing',
  })

describe('the answer of a rep', () => {
  it('is a property of ours that is made, and never written', async () => {
    const thread = await openSynced()
    const { hubspot } = thread.vendors
    expect(hubspot.property('companies', 'pqa_disposition')).toMatchObject({
      ...{ type: 'enumeration', label: 'PQA disposition', groupName: 'ripen_pqa' },
      options: [
        expect.objectContaining({ value: 'accepted', label: 'Accepted' }),
        expect.objectContaining({ value: 'rejected', label: 'Not a fit' }),
      ],
    })
    reject(thread)
    await syncAt(thread, 2)
    const written = hubspot
      .records('companies')
      .flatMap(({ history }) => history['pqa_disposition'] ?? [])
    expect(written.map(({ source }) => source)).toEqual(['CRM_UI'])
  })

  it('counts since the moment at which it was given, with its reason', async () => {
    const thread = await openSynced()
    at(thread, 1)
    reject(thread)
    await syncAt(thread, 5)
    expect((await told(thread)).sales).toEqual({
      status: 'rejected',
      since: later(1).toISOString(),
      source: 'hubspot disposition',
      reason: 'bad-timing',
    })
    expect(portal(thread).company(DOMAINS.fresh)?.properties).toMatchObject({
      pqa_sales_status: 'rejected',
      pqa_usage_status: 'cooling',
    })
  })

  it('stands against the lead status by which was said last', async () => {
    const thread = await openSynced()
    at(thread, 1)
    reject(thread)
    at(thread, 2)
    people(thread).edit('companies', companyId(thread), { hs_lead_status: 'CONNECTED' })
    await syncAt(thread, 5)
    expect((await told(thread)).sales).toMatchObject({
      ...{ status: 'accepted', source: 'hubspot', since: later(2).toISOString() },
    })
    at(thread, 6)
    people(thread).edit('companies', companyId(thread), { hs_lead_status: '' })
    await syncAt(thread, 8)
    expect((await told(thread)).sales).toMatchObject({ status: 'rejected' })
  })

  it('is not seen by a score of an earlier day, nor by what was known before it was read', async () => {
    const thread = await openSynced()
    at(thread, 20)
    reject(thread)
    await syncAt(thread, 30)
    const scoreAsOf = async (asOf: string, knownAt?: Date) => {
      const known = knownAt ? { knownAt: knownAt.toISOString() } : {}
      await thread.app.engine.request('score', 'all', { asOf, ...known })
      await thread.app.engine.idle(['score'])
      const { scores } = await told(thread)
      return scores[0]?.salesStatus
    }
    expect(await scoreAsOf('2026-09-11T00:00:00.000Z')).toBe('none')
    expect(await scoreAsOf('2026-09-12T00:00:00.000Z', later(25))).toBe('none')
    expect(await scoreAsOf('2026-09-12T00:00:00.000Z')).toBe('rejected')
  })
})

describe('what HubSpot tells besides', () => {
  it('are dated traits: owner, opt-out, lifecycle and lead status', async () => {
    const thread = await openSynced()
    at(thread, 1)
    people(thread).edit('contacts', contactId(thread), {
      ...{ hubspot_owner_id: '41000002', hs_email_optout: 'true' },
      ...{ lifecyclestage: 'opportunity', hs_lead_status: 'CONNECTED' },
    })
    await syncAt(thread, 3)
    const since = later(1).toISOString()
    expect(await traitsOf(thread, WHO.champion)).toMatchObject({
      owner: ['41000002', since],
      opted_out: ['true', since],
      lifecycle_stage: ['opportunity', since],
      lead_status: ['CONNECTED', since],
    })
    at(thread, 4)
    people(thread).edit('contacts', contactId(thread), { hubspot_owner_id: '' })
    await syncAt(thread, 6)
    const owners = (await told(thread, WHO.champion)).traits.filter(({ name }) => name === 'owner')
    expect(owners).toMatchObject([{ value: '41000002', endedAt: later(4).toISOString() }])
  })

  it('leaves out whom a model excludes by it', async () => {
    const thread = await openSynced({
      file: 'models/people.yaml',
      from: 'exclude:',
      to: 'exclude:\n  - { label: Opted out, trait: opted_out, equals: true }\n  - { label: Has a deal, trait: deals_open, gte: 1 }',
    })
    people(thread).edit('contacts', contactId(thread), { hs_email_optout: 'true' })
    await syncAt(thread, 2)
    expect(portal(thread).contact(WHO.champion)?.properties).toMatchObject({
      pql_score: '0',
      pql_usage_status: 'nurture',
    })
  })

  it('of deals are counts, amounts, stages and dates, and those of before stay known', async () => {
    const to = 'deals: { wins: latest }'
    const thread = await openSynced({ file: 'hubspot.yaml', from: /^# deals:.*$/m, to })
    at(thread, 1)
    const about = { companies: [companyId(thread)] }
    const deal = people(thread).openDeal(about, { dealname: 'Team plan', amount: '1200.50' })
    await syncAt(thread, 3)
    expect(await traitsOf(thread)).toMatchObject({
      deals_open: ['1', later(1).toISOString()],
      deals_open_amount: ['1200.5', later(3).toISOString()],
      deal_stage: ['Appointment Scheduled', later(1).toISOString()],
      deal_created_at: [later(1).toISOString(), later(1).toISOString()],
    })
    at(thread, 4)
    people(thread).closeDeal(deal, 'won')
    await syncAt(thread, 6)
    expect(await traitsOf(thread)).toMatchObject({
      deals_open: ['0', later(4).toISOString()],
      deals_won: ['1', later(4).toISOString()],
      deals_won_amount: ['1200.5', later(6).toISOString()],
      deal_won_at: [later(4).toISOString(), later(4).toISOString()],
    })
    const { traits } = await told(thread)
    expect(traits).toContainEqual(
      expect.objectContaining({
        ...{ name: 'deals_open', value: '1', origin: 'hubspot deals' },
        ...{ firstAt: later(1).toISOString(), endedAt: later(4).toISOString() },
      }),
    )
  })

  it('of a done task is when and by whom, which is contact and no acceptance', async () => {
    const thread = await openSynced()
    at(thread, 1)
    const [task = { id: '' }] = thread.vendors.hubspot.records('tasks')
    people(thread).edit('tasks', task.id, { hubspot_owner_id: '41000002' })
    people(thread).completeTask(task.id)
    await syncAt(thread, 3)
    const traits = await traitsOf(thread)
    expect(traits).toMatchObject({
      task_done_at: [later(1).toISOString(), later(1).toISOString()],
      task_done_by: ['41000002', later(1).toISOString()],
    })
    expect((await told(thread)).sales).toBeNull()
  })
})
