import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const AT = Date.parse('2026-11-20T10:00:00.000Z')
const HOUR_MS = 3_600_000
let clock = AT
let hubspot: RunningHubspotSandbox
let contact = ''
let company = ''

beforeEach(async () => {
  clock = AT
  hubspot = await startHubspotSandbox({ now: () => clock })
  const ids = hubspot.sandbox.seed({
    contacts: [{ email: 'a@acme.io' }],
    companies: [{ domain: 'acme.io' }],
  })
  contact = ids.contacts[0] ?? ''
  company = ids.companies[0] ?? ''
})
afterEach(async () => {
  await hubspot.close()
})

/** The parts of answers that are looked at. */
interface Body {
  readonly id: string
  readonly stages: readonly object[]
  readonly results: readonly {
    readonly id: string
    readonly to: readonly object[]
    readonly stages: readonly { readonly metadata: object }[]
    readonly propertiesWithHistory: { readonly dealstage: readonly object[] }
  }[]
}

async function call(method: string, path: string, sent?: unknown) {
  const { status, json } = await hubspot.call(method, path, sent)
  return { status, body: json as unknown as Body }
}

const only = (object: string) => hubspot.sandbox.records(object)[0]
const iso = (ms: number) => new Date(ms).toISOString()

describe('deals', () => {
  it('have pipelines whose stages say which of them is won', async () => {
    const { status, body } = await call('GET', '/crm/v3/pipelines/deals')
    const [sales] = body.results
    expect(status).toBe(200)
    expect(sales?.id).toBe('default')
    const closed = sales?.stages.filter((one) =>
      JSON.stringify(one.metadata).includes('"isClosed":"true"'),
    )
    expect(closed).toMatchObject([
      { id: 'closedwon', metadata: { isClosed: 'true', probability: '1.0' } },
      { id: 'closedlost', metadata: { isClosed: 'true', probability: '0.0' } },
    ])
    const dated = await call('GET', '/crm/pipelines/2026-03/deals/default')
    expect(dated.body.stages).toHaveLength(7)
    expect((await call('GET', '/crm/v3/pipelines/deals/none')).status).toBe(404)
  })

  it('close when they reach such a stage, with the day and the history of stages', async () => {
    const { people } = hubspot.sandbox
    const about = { contacts: [contact], companies: [company] }
    const id = people.openDeal(about, { dealname: 'Acme', amount: '1200' })
    expect(only('deals')?.properties).toMatchObject({ hs_is_closed: 'false', pipeline: 'default' })
    clock += HOUR_MS
    people.moveDeal(id, 'contractsent')
    clock += HOUR_MS
    people.closeDeal(id, 'won')
    expect(only('deals')?.properties).toMatchObject({
      dealstage: 'closedwon',
      hs_is_closed: 'true',
      hs_is_closed_won: 'true',
      closedate: iso(AT + 2 * HOUR_MS),
    })
    const read = await call('POST', '/crm/v3/objects/deals/batch/read', {
      inputs: [{ id }],
      properties: ['dealname'],
      propertiesWithHistory: ['dealstage'],
    })
    expect(read.body.results[0]?.propertiesWithHistory.dealstage).toMatchObject([
      { value: 'closedwon', timestamp: iso(AT + 2 * HOUR_MS) },
      { value: 'contractsent', timestamp: iso(AT + HOUR_MS) },
      { value: 'appointmentscheduled', timestamp: iso(AT) },
    ])
    const links = await call('POST', '/crm/v4/associations/contacts/deals/batch/read', {
      inputs: [{ id: contact }],
    })
    expect(links.body.results[0]?.to).toMatchObject([{ toObjectId: Number(id) }])
  })

  it('are refused in a stage that their pipeline does not have', async () => {
    const create = (properties: object) => call('POST', '/crm/v3/objects/deals', { properties })
    expect((await create({ dealstage: '73210102' })).status).toBe(400)
    const renewal = await create({ dealstage: '73210102', pipeline: '73210001' })
    expect(renewal.status).toBe(201)
    expect(only('deals')?.properties['hs_is_closed_won']).toBe('true')
    const path = `/crm/v3/objects/deals/${renewal.body.id}`
    const properties = { dealstage: 'closedwon' }
    expect((await call('PATCH', path, { properties })).status).toBe(400)
  })
})

describe('what people log', () => {
  it.each([
    ['calls', 'contacts', 'companies'],
    ['emails', 'contacts', 'companies'],
    ['meetings', 'contacts', 'companies'],
    ['notes', 'contacts', 'companies'],
  ] as const)('%s are found by association, from both ends', async (kind, ...ends) => {
    const about = { contacts: [contact], companies: [company] }
    const id = hubspot.sandbox.people.log(kind, about, { hs_timestamp: iso(AT) })
    for (const end of ends) {
      const path = `/crm/v4/associations/${end}/${kind}/batch/read`
      const inputs = [{ id: end === 'contacts' ? contact : company }]
      const { body } = await call('POST', path, { inputs })
      expect(body.results[0]?.to).toMatchObject([{ toObjectId: Number(id) }])
    }
  })

  it('needs a time, and what it does not know is ignored', async () => {
    const create = (properties: object) => call('POST', '/crm/v3/objects/calls', { properties })
    expect((await create({ hs_call_title: 'x' })).status).toBe(400)
    const properties = { hs_timestamp: iso(AT), nobody_knows: 'x', hs_createdate: iso(0) }
    expect((await create(properties)).status).toBe(201)
    expect(only('calls')?.properties['nobody_knows']).toBeUndefined()
    expect(only('calls')?.properties['hs_createdate']).toBe(iso(AT))
  })
})

describe('tasks', () => {
  const create = (properties: object) =>
    call('POST', '/crm/v3/objects/tasks', {
      properties: { hs_timestamp: iso(AT), ...properties },
    })

  it('note when they are completed, and lose it when they are opened again', async () => {
    const { body } = await create({ hs_task_status: 'NOT_STARTED' })
    clock += HOUR_MS
    hubspot.sandbox.people.completeTask(body.id)
    expect(only('tasks')?.properties['hs_task_completion_date']).toBe(iso(AT + HOUR_MS))
    clock += HOUR_MS
    hubspot.sandbox.people.edit('tasks', body.id, { hs_task_status: 'COMPLETED' })
    expect(only('tasks')?.properties['hs_task_completion_date']).toBe(iso(AT + HOUR_MS))
    hubspot.sandbox.people.edit('tasks', body.id, { hs_task_status: 'IN_PROGRESS' })
    expect(only('tasks')?.properties['hs_task_completion_date']).toBeUndefined()
  })

  it('take a reminder in milliseconds only, a queue, and an update of what they do not know', async () => {
    expect((await create({ hs_task_reminders: iso(AT) })).status).toBe(400)
    const { body } = await create({ hs_task_reminders: String(AT), hs_queue_membership_ids: '77' })
    const path = `/crm/v3/objects/tasks/${body.id}`
    const properties = { nobody_knows: 'x', hs_task_completion_date: iso(0) }
    expect((await call('PATCH', path, { properties })).status).toBe(200)
    expect(only('tasks')?.properties).toMatchObject({
      hs_task_reminders: String(AT),
      hs_queue_membership_ids: '77',
    })
    expect(only('tasks')?.properties['hs_task_completion_date']).toBeUndefined()
  })

  it('and deals stand on the inspection pages', async () => {
    const { people } = hubspot.sandbox
    const about = { contacts: [contact], companies: [company] }
    const deal = people.openDeal(about, { dealname: 'Acme plan' })
    people.closeDeal(deal, 'won')
    const { body } = await create({ hs_task_subject: 'Call', hs_task_status: 'NOT_STARTED' })
    people.completeTask(body.id)
    const page = async (path: string) => (await fetch(`${hubspot.baseUrl}${path}`)).text()
    expect(await page('/?object=deals')).toMatch(/Acme plan.*closedwon.*Yes/s)
    expect(await page('/?object=tasks')).toMatch(/Call.*Completed.*2026-11-20 10:00:00/s)
    expect(await page(`/records/deals/${deal}`)).toMatch(/appointmentscheduled/)
  })
})
