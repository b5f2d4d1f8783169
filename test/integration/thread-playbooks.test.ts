import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { Webhook } from 'standardwebhooks'
import { mappingFiles } from '../support/mapping-files.ts'
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

const HOUR_MS = 3_600_000
const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)
const OWNER = { ada: '41000001', ben: '41000002', cora: '41000003' } as const

interface PlaybookText {
  readonly trigger: string
  readonly subject?: 'account' | 'person'
  readonly more?: string
  readonly task?: string
  readonly body?: string
}

const playbook = ({ trigger, subject = 'person', more = '', task = '', body }: PlaybookText) => `
id: tried
label: Tried
crm: hubspot
subject: ${subject}
trigger: ${trigger}
${more}
segments:
  - name: everybody
    motion: sales
    actions:
      - task:
          subject: "Tried {{ ${subject}.${subject === 'person' ? 'email' : 'domain'} }}"
          body: "${body ?? '{{ happened }}'}"
          due-in: 4h
          ${task}
`

let clock = NOW
function setNow(thread: Thread, at: Date): void {
  clock = at
  thread.setNow(at)
}

/** A portal with one playbook, and with the one that ships when `shipped` is said. */
async function openWith(
  text: string,
  shipped: 'shipped' | 'alone' = 'alone',
  more = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<Thread> {
  clock = NOW
  const { 'hubspot.yaml': hubspot = '', ...others } = await mappingFiles()
  const own =
    shipped === 'shipped' ? `${hubspot}\n${more}` : hubspot.replace(/^tasks:[\s\S]*$/m, more)
  const mappings = { ...others, 'hubspot.yaml': own, 'playbooks/tried.yaml': text }
  const hubspotNow = { now: () => clock.getTime() }
  const thread = await openThread({ origin, mappings, environment, hubspot: hubspotNow })
  await thread.score()
  return thread
}

const TASK = / {6}- task:[\s\S]*$/
const ACCOUNT = playbook({ trigger: '{ status-entered: qualified }', subject: 'account' })

function reject({ vendors: { hubspot } }: Thread): void {
  const company = viewPortal(hubspot).company(DOMAINS.fresh)?.id ?? ''
  hubspot.people.edit('companies', company, { hs_lead_status: 'UNQUALIFIED' })
}

/** The champion opts out, and is read, before anything is started. */
async function optOut(thread: Thread): Promise<void> {
  const { app, vendors, sync, score } = thread
  const { db } = app.context
  const { hubspot } = vendors
  await sync()
  for (const { id } of hubspot.records('tasks')) hubspot.archive('tasks', id)
  const contact = viewPortal(hubspot).contact(WHO.champion)?.id ?? ''
  hubspot.people.edit('contacts', contact, { hs_email_optout: 'true' })
  setNow(thread, later(2))
  await sync()
  await db.deleteFrom('playbook_start').execute()
  await db.deleteFrom('task_intent').execute()
  await score()
}

const tasksOf = (thread: Thread) => viewPortal(thread.vendors.hubspot).tasks
const subjects = (thread: Thread) =>
  tasksOf(thread)
    .map(({ subject }) => subject)
    .sort()
const statesOf = async (thread: Thread) => (await thread.status()).crms['hubspot']?.tasks

describe('a playbook', () => {
  it('starts by fresh behaviour alone: the first day is no flood', async () => {
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }' }))
    await thread.sync()
    // The loner and the veteran were ready days ago.
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
  })

  it('of a level notes for whom it holds at its first look, and starts when it begins to hold', async () => {
    const text = playbook({ trigger: '{ people-active: 3 }', subject: 'account' })
    const thread = await openWith(text)
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    const { db } = thread.app.context
    const standing = await db.selectFrom('playbook_standing').select('playbook').execute()
    expect(standing).toHaveLength(2)
    await db.deleteFrom('playbook_standing').execute()
    await thread.score()
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${DOMAINS.fresh}`])
    expect(tasksOf(thread)[0]?.body).toContain('3 people are active')
  })

  it('of a first action starts for whoever did it within the day', async () => {
    const text = playbook({ trigger: '{ action-first: colleague_invited }' })
    const thread = await openWith(text)
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
    expect(tasksOf(thread)[0]?.body).toContain('Invited colleagues (2 times')
  })

  it('leaves alone whoever opted out, and who is suppressed', async () => {
    const optedOut = 'guards: { opted-out: [{ trait: email_kind, equals: business }] }'
    const first = await openWith(playbook({ trigger: '{ score-crossed: 50 }', more: optedOut }))
    await first.sync()
    expect(tasksOf(first)).toEqual([])
    const suppressed = `guards: { suppress: { domains: [${DOMAINS.fresh}] } }`
    const second = await openWith(playbook({ trigger: '{ score-crossed: 50 }', more: suppressed }))
    await second.sync()
    expect(tasksOf(second)).toEqual([])
  })

  it('leaves alone by itself whoever the CRM says has opted out, unless it says otherwise', async () => {
    const text = playbook({ trigger: '{ score-crossed: 50 }' })
    const thread = await openWith(text)
    await optOut(thread)
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    const all = playbook({ trigger: '{ score-crossed: 50 }', more: 'guards: { opted-out: [] }' })
    const other = await openWith(all)
    await optOut(other)
    await other.sync()
    expect(subjects(other)).toEqual([`Tried ${WHO.champion}`])
  })

  it('names nobody in the task of an account who opted out', async () => {
    const more = `guards: { suppress: { emails: [${WHO.champion}] } }`
    const trigger = '{ status-entered: qualified }'
    const body = '{{ champion.email }}'
    const thread = await openWith(playbook({ trigger, subject: 'account', more, body }))
    await thread.sync()
    const [task] = tasksOf(thread)
    expect(task?.body).not.toContain(WHO.champion)
    expect(task?.on).not.toContain(WHO.champion)
    expect(task?.on).toContain(DOMAINS.fresh)
  })

  it('is not started again during its cool-down', async () => {
    const thread = await openWith(playbook({ trigger: '{ action-first: colleague_invited }' }))
    await thread.sync()
    const { db } = thread.app.context
    // The same deed of another hour would be another episode.
    await db.updateTable('playbook_start').set({ key: 'an earlier one' }).execute()
    await db.deleteFrom('task_intent').execute()
    await thread.score()
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
  })
})

describe('the task of a playbook', () => {
  it('is one for an account and owner: what is new goes into the open one', async () => {
    const text = playbook({ trigger: '{ score-crossed: 50 }', task: 'assign: [account-owner]' })
    const thread = await openWith(text, 'shipped')
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(1)
    expect(tasksOf(thread)[0]?.subject).toContain('is ready for a conversation')
    expect(await statesOf(thread)).toMatchObject({ created: 1, merged: 1 })
    const body = () => tasksOf(thread)[0]?.body ?? ''
    expect(body()).toContain(
      `Added by Ripen on 2026-09-10: Tried (${WHO.champion}): the score reached 70 on 2026-09-10`,
    )
    await thread.sync()
    expect(body().split('Added by Ripen')).toHaveLength(2)
  })

  it('tells when its story changes materially, once, and is closed all the same', async () => {
    const thread = await openWith(ACCOUNT)
    await thread.sync()
    const { db } = thread.app.context
    const told = { score: 20, grade: 'D', trend: 'steady', activeUsers: 3, championId: null }
    await db
      .updateTable('task_intent')
      .set({ told: JSON.stringify(told) })
      .execute()
    await thread.sync()
    const body = () => tasksOf(thread)[0]?.body ?? ''
    expect(body()).toMatch(/Updated by Ripen on 2026-09-10: the score went from 20 \(D\) to 6\d/)
    const once = body()
    await thread.sync()
    expect(body()).toBe(once)
    reject(thread)
    setNow(thread, later(2))
    await thread.sync()
    expect(await statesOf(thread)).toEqual({ closed: 1 })
  })

  it('is escalated when nobody touches it in its time, once, and not while somebody does', async () => {
    const task = 'escalate: { to: ben.okafor@sales.example }'
    const trigger = '{ status-entered: qualified }'
    const thread = await openWith(playbook({ trigger, subject: 'account', task }))
    await thread.sync()
    setNow(thread, later(3.9))
    await thread.sync()
    expect(tasksOf(thread)[0]?.body).not.toContain('Escalated')
    setNow(thread, later(4.1))
    await thread.sync()
    expect(tasksOf(thread)[0]).toMatchObject({ ownerId: OWNER.ben })
    expect(tasksOf(thread)[0]?.body).toContain('Escalated by Ripen on 2026-09-10')
    const [record] = thread.vendors.hubspot.records('tasks')
    expect(record?.properties['hs_task_priority']).toBe('HIGH')
    setNow(thread, later(30))
    await thread.sync()
    expect(tasksOf(thread)[0]?.body.split('Escalated by Ripen')).toHaveLength(2)
  })

  it('that somebody was given since it was read is not escalated: it stays hers', async () => {
    const task = 'escalate: { to: ben.okafor@sales.example, priority: high }'
    const trigger = '{ status-entered: qualified }'
    const thread = await openWith(playbook({ trigger, subject: 'account', task }))
    await thread.sync()
    setNow(thread, later(3.5))
    await thread.sync()
    const id = thread.vendors.hubspot.records('tasks')[0]?.id ?? ''
    thread.vendors.hubspot.people.edit('tasks', id, { hubspot_owner_id: OWNER.cora })
    for (const hours of [4.1, 30]) {
      setNow(thread, later(hours))
      await thread.sync()
      expect(tasksOf(thread)[0]).toMatchObject({ ownerId: OWNER.cora })
      expect(tasksOf(thread)[0]?.body).not.toContain('Escalated')
    }
    expect(await statesOf(thread)).toEqual({ created: 1 })
  })

  it('that somebody has begun is not escalated', async () => {
    const trigger = '{ status-entered: qualified }'
    const task = 'escalate: { priority: high }'
    const thread = await openWith(playbook({ trigger, subject: 'account', task }))
    await thread.sync()
    const id = thread.vendors.hubspot.records('tasks')[0]?.id ?? ''
    thread.vendors.hubspot.people.edit('tasks', id, { hs_task_status: 'IN_PROGRESS' })
    setNow(thread, later(6))
    await thread.sync()
    expect(tasksOf(thread)[0]?.body).not.toContain('Escalated')
  })

  it('is closed when sales is in contact already, with the time of the first contact', async () => {
    const thread = await openWith(ACCOUNT, 'alone', 'first-contact: {}\n')
    await thread.sync()
    const company = viewPortal(thread.vendors.hubspot).company(DOMAINS.fresh)?.id ?? ''
    setNow(thread, later(1))
    thread.vendors.hubspot.people.log(
      'calls',
      { companies: [company] },
      { hs_timestamp: later(1).toISOString() },
    )
    setNow(thread, later(2))
    await thread.sync()
    setNow(thread, later(4))
    await thread.sync()
    expect(tasksOf(thread)[0]?.body).toMatch(/^Closed by Ripen: sales is in contact already\./)
    const row = await thread.app.context.db
      .selectFrom('task_intent')
      .select(['state', 'contact_at', 'contact_by'])
      .executeTakeFirst()
    expect(row).toEqual({ state: 'closed', contact_at: later(1), contact_by: 'call' })
  })

  it('takes its completion for the first contact where nothing is logged', async () => {
    const thread = await openWith(ACCOUNT)
    await thread.sync()
    const id = thread.vendors.hubspot.records('tasks')[0]?.id ?? ''
    setNow(thread, later(1))
    thread.vendors.hubspot.people.completeTask(id)
    setNow(thread, later(2))
    await thread.sync()
    const row = await thread.app.context.db
      .selectFrom('task_intent')
      .select(['state', 'contact_at', 'contact_by'])
      .executeTakeFirst()
    expect(row).toEqual({ state: 'done', contact_at: later(1), contact_by: 'completion' })
  })

  it('goes round the team by weight, and not to who is away', async () => {
    const team = `assign: [{ round-robin: [
            { owner: ada.ferreira@sales.example },
            { owner: ben.okafor@sales.example, absent: [{ from: 2026-09-10, to: 2026-09-12 }] },
            { owner: chloe.lindqvist@sales.example }] }]
          one-open: false`
    const more = 'guards: { evidence-within: 10d }'
    const text = playbook({ trigger: '{ score-crossed: 50 }', task: team, more })
    const thread = await openWith(text)
    await thread.sync()
    const owners = tasksOf(thread).map(({ ownerId }) => ownerId)
    expect(owners.length).toBeGreaterThan(1)
    expect(owners).not.toContain(OWNER.ben)
    const times = (id: string) => owners.filter((one) => one === id).length
    expect(Math.abs(times(OWNER.ada) - times(OWNER.cora))).toBeLessThanOrEqual(1)
  })

  it('goes to whom the territory belongs to, by a field of the company in the CRM', async () => {
    const task = `assign: [{ territory: industry, owners: { RETAIL: ben.okafor@sales.example } }]
          fallback-owner: ada.ferreira@sales.example`
    const trigger = '{ status-entered: qualified }'
    const thread = await openWith(playbook({ trigger, subject: 'account', task }))
    thread.vendors.hubspot.seed({ companies: [{ domain: DOMAINS.fresh, industry: 'RETAIL' }] })
    await thread.sync()
    expect(tasksOf(thread)).toMatchObject([{ ownerId: OWNER.ben }])
  })

  it('goes to nobody of the team who has as many open as she can have', async () => {
    const team = `assign: [{ round-robin: [
            { owner: ada.ferreira@sales.example, weight: 9, capacity: 1 },
            { owner: chloe.lindqvist@sales.example }] }]
          one-open: false`
    const more = 'guards: { evidence-within: 10d }'
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }', task: team, more }))
    await thread.sync()
    const owners = tasksOf(thread).map(({ ownerId }) => ownerId)
    expect(owners.length).toBeGreaterThan(2)
    expect(owners.filter((id) => id === OWNER.ada)).toHaveLength(1)
  })

  it('waits for the next day when its owner has had enough', async () => {
    const cap = `fallback-owner: ben.okafor@sales.example
          daily-cap: 1
          one-open: false`
    const more = 'guards: { evidence-within: 10d }'
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }', task: cap, more }))
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(1)
    expect(await statesOf(thread)).toMatchObject({ created: 1, planned: expect.any(Number) })
    setNow(thread, later(24))
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(2)
  })

  it('is due in the working hours of its owner', async () => {
    const hours = `fallback-owner: ben.okafor@sales.example
          working-hours: { from: "09:00", to: "17:00", zone: UTC, zones: { ben.okafor@sales.example: Asia/Tokyo } }`
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }', task: hours }))
    await thread.sync()
    const [task] = thread.vendors.hubspot.records('tasks')
    // It is 17:00 in Tokyo: four hours are over at 13:00 of the next day.
    expect(task?.properties['hs_timestamp']).toBe('2026-09-11T04:00:00.000Z')
  })
})

describe('while the account has an open deal', () => {
  const DEALS = 'deals: {}\n'

  /** A thread whose account has a deal of Ben's before anything is synced. */
  async function openWithDeal(text: string, shipped: 'shipped' | 'alone' = 'alone') {
    const thread = await openWith(text, shipped, DEALS)
    const { hubspot } = thread.vendors
    const [company = ''] = hubspot.seed({ companies: [{ domain: DOMAINS.fresh }] }).companies
    const deal = { dealname: 'Team plan', hubspot_owner_id: OWNER.ben }
    const id = hubspot.people.openDeal({ companies: [company] }, deal)
    return { thread, deal: id }
  }
  const notesOf = ({ vendors: { hubspot } }: Thread) =>
    hubspot.records('notes').map(({ properties }) => properties)
  const linked = ({ vendors: { hubspot } }: Thread, type: string, deal: string) =>
    hubspot
      .associations()
      .filter(({ from, to }) => from.type === type && to.type === 'deals' && to.id === deal).length

  it('its owner finds a note on the deal in place of a task, once, and it is updated', async () => {
    const { thread, deal } = await openWithDeal(ACCOUNT)
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    expect(notesOf(thread)).toMatchObject([{ hubspot_owner_id: OWNER.ben }])
    expect(notesOf(thread)[0]?.['hs_note_body']).toMatch(/^Tried northfield-tools.com<br>/)
    expect(linked(thread, 'notes', deal)).toBe(1)
    const told = { score: 20, grade: 'D', trend: 'steady', activeUsers: 3, championId: null }
    const { db } = thread.app.context
    await db
      .updateTable('task_intent')
      .set({ told: JSON.stringify(told) })
      .execute()
    await thread.sync()
    await thread.sync()
    const [note, ...others] = notesOf(thread)
    expect(others).toEqual([])
    expect(note?.['hs_note_body']?.split('Updated by Ripen on')).toHaveLength(2)
    expect(await statesOf(thread)).toEqual({ noted: 1 })
  })

  it('what starts besides becomes a line of the note', async () => {
    const { thread } = await openWithDeal(playbook({ trigger: '{ score-crossed: 50 }' }), 'shipped')
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    expect(notesOf(thread)).toHaveLength(1)
    expect(notesOf(thread)[0]?.['hs_note_body']).toContain(
      `Added by Ripen on 2026-09-10: Tried (${WHO.champion})`,
    )
  })

  it('an old note is not told that the story changed', async () => {
    const { thread } = await openWithDeal(ACCOUNT)
    await thread.sync()
    const told = { score: 20, grade: 'D', trend: 'steady', activeUsers: 3, championId: null }
    const { db } = thread.app.context
    await db
      .updateTable('task_intent')
      .set({ told: JSON.stringify(told), created_at: later(-8 * 24) })
      .execute()
    await thread.sync()
    expect(notesOf(thread)[0]?.['hs_note_body']).not.toContain('Updated')
  })

  it.each([
    { rule: 'task', tasks: 1 },
    { rule: 'nothing', tasks: 0 },
  ])('open-deal: $rule makes $tasks tasks and no note', async ({ rule, tasks }) => {
    const trigger = '{ status-entered: qualified }'
    const task = `open-deal: ${rule}`
    const { thread, deal } = await openWithDeal(playbook({ trigger, subject: 'account', task }))
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(tasks)
    expect(linked(thread, 'tasks', deal)).toBe(tasks)
    expect(notesOf(thread)).toEqual([])
  })
})

describe('what a playbook tells others', () => {
  const SECRET = 'a secret that is long enough'
  const body = ACCOUNT.replace(
    TASK,
    `      - { slack: SALES_SLACK_URL, text: "{{ account.domain }} {{ happened }}" }
      - { webhook: SALES_HOOK_URL, secret: SALES_HOOK_SECRET }
`,
  )
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await openReceiver()
  })
  afterEach(() => receiver.close())
  const variables = () => ({
    SALES_SLACK_URL: `${receiver.url}/slack?key=hidden`,
    SALES_HOOK_URL: `${receiver.url}/hook`,
    SALES_HOOK_SECRET: SECRET,
  })
  const send = (thread: Thread) => thread.app.engine.idle(['outbound'])
  const again = async (thread: Thread) => {
    await thread.app.engine.request('outbound', 'all')
    await send(thread)
  }
  const messages = (thread: Thread) =>
    thread.app.context.db
      .selectFrom('playbook_message')
      .select(['state', 'tries', 'reason'])
      .orderBy('key')
      .execute()

  it('arrives in Slack, and signed at an address of its own, once', async () => {
    const thread = await openWith(body, 'alone', '', variables())
    await send(thread)
    await again(thread)
    expect(receiver.heard.map(({ path }) => path).sort()).toEqual(['/hook', '/slack?key=hidden'])
    const slack = receiver.heard.find(({ path }) => path.startsWith('/slack'))
    expect(JSON.parse(slack?.body ?? '')).toEqual({
      text: `${DOMAINS.fresh} became qualified on 2026-09-10`,
    })
    const hook = receiver.heard.find(({ path }) => path === '/hook')
    const key = new Webhook(Buffer.from(SECRET), { format: 'raw' })
    const headers = hook?.headers as Record<string, string>
    // The library holds the timestamp against the clock of the machine, the jobs go by that of the test.
    const at = new Date(Number(headers['webhook-timestamp']) * 1000)
    expect(key.sign(headers['webhook-id'] ?? '', at, hook?.body ?? '')).toBe(
      headers['webhook-signature'],
    )
    expect(JSON.parse(hook?.body ?? '')).toMatchObject({
      type: 'playbook.started',
      data: {
        playbook: 'tried',
        motion: 'sales',
        story: { account: { domain: DOMAINS.fresh }, champion: { email: WHO.champion } },
      },
    })
    expect(await messages(thread)).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }])
    const kept = await thread.app.context.db.selectFrom('playbook_message').select('body').execute()
    expect(kept).toEqual([{ body: '' }, { body: '' }])
  })

  it('is tried again by the same id when it is due, and is dead in the end', async () => {
    receiver.answer(503)
    const thread = await openWith(body, 'alone', '', variables())
    await send(thread)
    expect(receiver.heard).toHaveLength(2)
    await again(thread)
    expect(receiver.heard).toHaveLength(2)
    setNow(thread, later(0.01))
    await again(thread)
    expect(receiver.heard).toHaveLength(4)
    const ids = receiver.heard.map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(2)
    for (let hour = 5; hour <= 30; hour += 5) {
      setNow(thread, later(hour))
      await again(thread)
    }
    expect(await messages(thread)).toEqual([
      { state: 'dead', tries: 8, reason: 'answered 503' },
      { state: 'dead', tries: 8, reason: 'answered 503' },
    ])
    expect((await thread.status()).messages).toEqual([
      { state: 'dead', reason: 'answered 503', n: 2 },
    ])
  })

  it('does not wait for others whose variables nobody has set', async () => {
    const thread = await openWith(body, 'alone', '', variables())
    const { db } = thread.app.context
    await send(thread)
    await sql`insert into playbook_message (key, address_variable, body, next_at, created_at)
      select 'older ' || i, 'NOBODY_SET_THIS', '{}', to_timestamp(i), now()
      from generate_series(1, 250) i`.execute(db)
    await sql`insert into playbook_message (key, address_variable, body, next_at, created_at)
      values ('younger', 'SALES_SLACK_URL', '{}', to_timestamp(1000), now())`.execute(db)
    await expect(again(thread)).rejects.toThrow(/NOBODY_SET_THIS is not set/)
    expect(receiver.heard.map(({ path }) => path).sort()).toEqual([
      '/hook',
      '/slack?key=hidden',
      '/slack?key=hidden',
    ])
  })

  it('waits where nobody has set the variables, and says which', async () => {
    const thread = await openWith(body)
    await expect(send(thread)).rejects.toThrow(/SALES_SLACK_URL is not set/)
    expect(await messages(thread)).toMatchObject([{ state: 'planned' }, { state: 'planned' }])
  })
})

describe('what a playbook does in HubSpot besides', () => {
  const EVENT = 'pe4242424_became_ready'
  const LISTS = `      - { list: "31" }
      - { list: "32", who: people }
      - { list: "33", act: remove }
      - { event: ${EVENT}, properties: { story: "{{ account.domain }}: {{ happened }}" } }
`
  const actionsOf = (thread: Thread) =>
    thread.app.context.db
      .selectFrom('crm_action')
      .select(['kind', 'target', 'state', 'reason'])
      .execute()
  /** Whoever is not in HubSpot is waited for. */
  const unsettled = async (thread: Thread) =>
    (await actionsOf(thread)).filter(({ state, target }) => state !== 'done' && target !== '32')

  async function openWithLists() {
    const thread = await openWith(ACCOUNT.replace(TASK, LISTS))
    const { hubspot } = thread.vendors
    const make = (name: string, object: 'contacts' | 'companies') =>
      hubspot.lists.add({ name, object })
    const ids = { firms: make('Firms', 'companies'), people: make('People', 'contacts') }
    const old = make('Waiting', 'companies')
    hubspot.events.define(EVENT)
    const [company = ''] = hubspot.seed({ companies: [{ domain: DOMAINS.fresh }] }).companies
    hubspot.lists.get(old)?.members.add(company)
    const members = (id: string) => [...(hubspot.lists.get(id)?.members ?? [])]
    return { thread, hubspot, company, ids, old, members }
  }

  it('puts the account and its people into lists, takes it out of one, and tells an event, once', async () => {
    const { thread, hubspot, company, ids, old, members } = await openWithLists()
    await thread.sync()
    const champion = viewPortal(hubspot).contact(WHO.champion)?.id
    expect(members(ids.firms)).toEqual([company])
    expect(members(ids.people)).toContain(champion)
    expect(members(old)).toEqual([])
    expect(hubspot.events.list()).toMatchObject([
      {
        ...{ name: EVENT, objectId: company },
        properties: { story: `${DOMAINS.fresh}: became qualified on 2026-09-10` },
      },
    ])
    expect((await actionsOf(thread)).length).toBeGreaterThanOrEqual(4)
    expect(await unsettled(thread)).toEqual([])
    hubspot.resetCalls()
    await thread.sync()
    const again = hubspot.calls().filter(({ path }) => /lists|events/.test(path))
    expect(again).toEqual([])
  })

  it('asks again when a call breaks off, and the event is there once', async () => {
    const { thread, hubspot, company, ids, members } = await openWithLists()
    hubspot.faults.push({ method: 'POST', path: /^\/events\//, kind: 'reset-after', times: 4 })
    hubspot.faults.push({ method: 'PUT', path: /memberships\/add$/, kind: 'reset', times: 4 })
    await thread.sync()
    expect(members(ids.firms)).toEqual([company])
    expect(hubspot.events.list()).toHaveLength(1)
    expect(await unsettled(thread)).toEqual([])
  })

  it('is told where HubSpot says no, and the rest is done', async () => {
    const thread = await openWith(ACCOUNT.replace(TASK, LISTS))
    thread.vendors.hubspot.events.define(EVENT)
    await thread.sync()
    expect(await actionsOf(thread)).toEqual(
      expect.arrayContaining([
        {
          ...{ kind: 'add', target: '31', state: 'refused' },
          reason: 'list 31: HubSpot has no such list',
        },
        { kind: 'event', target: EVENT, state: 'done', reason: null },
      ]),
    )
  })
})

it('a trait that a playbook sets is written where the mapping asks for it', async () => {
  const text = ACCOUNT.replace(TASK, '      - { set: { sales_motion: account-executive } }\n')
  const { 'hubspot.yaml': hubspot = '', ...others } = await mappingFiles()
  const property = 'pqa_motion: { from: trait.sales_motion, type: string, label: Motion }'
  const own = hubspot
    .replace(/^tasks:[\s\S]*$/m, '')
    .replace('      pqa_score:\n', `      ${property}\n      pqa_score:\n`)
  const mappings = { ...others, 'hubspot.yaml': own, 'playbooks/tried.yaml': text }
  const thread = await openThread({ origin, mappings })
  await thread.score()
  await thread.sync()
  const motion = (domain: string) =>
    viewPortal(thread.vendors.hubspot).company(domain)?.properties['pqa_motion'] ?? null
  expect(motion(DOMAINS.fresh)).toBe('account-executive')
  expect(motion(DOMAINS.old)).toBeNull()
})

interface Receiver {
  readonly url: string
  readonly heard: { path: string; headers: IncomingHttpHeaders; body: string }[]
  answer(status: number): void
  close(): Promise<void>
}

async function openReceiver(): Promise<Receiver> {
  const heard: Receiver['heard'] = []
  let status = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url: path = '', headers } = request
      heard.push({ path, headers, body: Buffer.concat(chunks).toString('utf8') })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    answer(next) {
      status = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
