import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmTask } from '../../src/core/ports/crm.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeAccounts, openAccount } from './hubspot-subject.ts'

afterEach(closeAccounts)

function newTask(marker: string, companyId: string): CrmTask {
  return {
    marker,
    subject: 'x',
    body: 'y',
    dueAt: '2026-11-23T09:00:00.000Z',
    priority: 'low',
    ownerId: null,
    companyId,
    contactIds: [],
  }
}

describe('owners and tasks in HubSpot', () => {
  it('reads all pages of the owners', async () => {
    const { sandbox, crm } = await openAccount()
    const owners = Array.from({ length: 230 }, (_, i) => ({ email: `owner${i}@sales.example` }))
    sandbox.seed({ owners })
    expect((await crm.owners(noSignal())).length).toBeGreaterThanOrEqual(230)
  })

  it('finds a marker among many tasks and stops reading there', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const about = { companyId, contactIds: [] }
    const tasks = Array.from({ length: 120 }, (_, i) => newTask(`rp-${i}`, companyId))
    await crm.createTasks(tasks, noSignal())
    sandbox.resetCalls()
    expect((await crm.findTasks([{ marker: 'rp-119', ...about }], noSignal())).size).toBe(1)
    expect(sandbox.calls()).toHaveLength(2)
    expect((await crm.findTasks([{ marker: 'rp-0', ...about }], noSignal())).size).toBe(1)
    expect(sandbox.calls()).toHaveLength(5)
  })

  it('follows the pages of associations', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const task = newTask('rp-1', companyId)
    const created = await crm.createTasks([task], noSignal())
    const page = { from: { id: companyId }, to: [], paging: { next: { after: '500' } } }
    sandbox.faults.push({ path: /tasks\/batch\/read/, status: 200, body: { results: [page] } })
    const found = await crm.findTasks([task], noSignal())
    expect(created).toEqual([{ kind: 'created', taskId: found.get('rp-1') }])
  })

  it('counts a task as created that somebody has deleted, where HubSpot still names it', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const [created] = await crm.createTasks([newTask('rp-1', companyId)], noSignal())
    const taskId = created?.kind === 'created' ? created.taskId : ''
    sandbox.archive('tasks', taskId)
    const to = [{ toObjectId: taskId, associationTypes: [] }]
    const body = { results: [{ from: { id: companyId }, to }] }
    sandbox.faults.push({ path: /companies\/tasks/, status: 200, body })
    const wanted = [{ marker: 'rp-1', companyId, contactIds: [] }]
    expect([...(await crm.findTasks(wanted, noSignal()))]).toEqual([['rp-1', taskId]])
  })

  it('keeps what is certain when a pause comes in between, and sends no more', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    sandbox.faults.push({ path: /objects\/tasks$/, nth: 2, status: 429, body: {} })
    const tasks = ['rp-1', 'rp-2', 'rp-3'].map((marker) => newTask(marker, companyId))
    const outcomes = await crm.createTasks(tasks, noSignal())
    expect(outcomes.map(({ kind }) => kind)).toEqual(['created', 'unknown', 'unknown'])
    expect(subject.records('task')).toHaveLength(1)
  })

  it('fills in what HubSpot shows on a task', async () => {
    const { subject, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    await crm.createTasks([{ ...newTask('rp-1', companyId), body: 'a < b\nc' }], noSignal())
    expect(subject.records('task')).toMatchObject([
      {
        hs_timestamp: '2026-11-23T09:00:00.000Z',
        hs_task_subject: 'x',
        hs_task_body: 'a &lt; b<br>c<br><br>Ref: rp-1',
        hs_task_status: 'NOT_STARTED',
        hs_task_priority: 'LOW',
        hs_task_type: 'TODO',
      },
    ])
  })
})

describe('what becomes of tasks in HubSpot', () => {
  async function openTask() {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const [created] = await crm.createTasks([newTask('rp-1', companyId)], noSignal())
    const taskId = created?.kind === 'created' ? created.taskId : ''
    const state = (await crm.readTasks([taskId], noSignal())).get(taskId)
    const closing = { taskId, note: 'Closed: <b> & "done"', fingerprint: state?.fingerprint ?? '' }
    return { subject, sandbox, crm, taskId, closing }
  }

  it('is not taken for closed when HubSpot answers a success and leaves the status out', async () => {
    const { sandbox, crm, taskId, closing } = await openTask()
    const body = { id: taskId, properties: { hs_object_id: taskId } }
    sandbox.faults.push({ method: 'PATCH', path: /tasks/, status: 200, body })
    expect(await crm.closeTasks([closing], noSignal())).toEqual([{ kind: 'unknown' }])
  })

  it('is found closed by its note, whatever the editor made of the text', async () => {
    const { sandbox, crm, taskId, closing } = await openTask()
    expect(await crm.closeTasks([closing], noSignal())).toEqual([{ kind: 'closed' }])
    const text = sandbox.records('tasks')[0]?.properties['hs_task_body'] ?? ''
    expect(text).toContain('Closed: &lt;b&gt; &amp; &quot;done&quot;<br><br>')
    const edited = `<p>${text.replace(/<br>/g, '</p><p>')}</p>`
    sandbox.people.edit('tasks', taskId, { hs_task_body: edited })
    sandbox.resetCalls()
    expect(await crm.closeTasks([closing], noSignal())).toEqual([{ kind: 'closed' }])
    expect(sandbox.calls().map(({ kind }) => kind)).toEqual(['read'])
  })

  it('is told without what the text says when HubSpot refuses it', async () => {
    const { sandbox, crm, closing } = await openTask()
    const message = `invalid: ${closing.note}`
    const body = { category: 'VALIDATION_ERROR', message, correlationId: 'c-1' }
    sandbox.faults.push({ method: 'PATCH', path: /tasks/, status: 400, body })
    const [outcome] = await crm.closeTasks([closing], noSignal())
    expect(outcome).toMatchObject({ kind: 'rejected', correlationId: 'c-1' })
    expect(JSON.stringify(outcome)).not.toContain('done')
  })

  it('has the reminder in milliseconds', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const reminderAt = '2026-11-23T08:00:00.000Z'
    await crm.createTasks([{ ...newTask('rp-1', companyId), reminderAt }], noSignal())
    const [task] = sandbox.records('tasks')
    expect(task?.properties['hs_task_reminders']).toBe(String(Date.parse(reminderAt)))
  })
})

describe('deals and engagements in HubSpot', () => {
  const at = (index: number) => new Date(Date.UTC(2026, 10, 20) + index * 60_000).toISOString()

  it('are read fifty deals a call, and their pipelines once', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const about = { contactIds: [], companyIds: [companyId] }
    for (let i = 0; i < 51; i++) subject.people.openDeal(about, { name: `d${i}`, amount: i })
    sandbox.resetCalls()
    expect(await crm.dealsOf(about, noSignal())).toHaveLength(51)
    const paths = sandbox.calls().map(({ path }) => path.replace('/crm/', ''))
    expect(paths).toEqual([
      'v4/associations/companies/deals/batch/read',
      'v3/objects/deals/batch/read',
      'v3/objects/deals/batch/read',
      'v3/pipelines/deals',
    ])
  })

  it.each([
    { says: { hs_is_closed: 'true', hs_is_closed_won: 'true' }, want: 'won' },
    { says: { hs_is_closed: 'true', hs_is_closed_won: 'false' }, want: 'lost' },
    { says: { hs_is_closed: 'false' }, want: 'open' },
    { says: {}, want: 'open' },
  ])(
    'of a stage that no pipeline has any more are as the deal says: $want',
    async ({ says, want }) => {
      const { subject, sandbox, crm } = await openAccount()
      const companyId = subject.seed('company', { domain: 'acme.example' })
      const about = { contactIds: [], companyIds: [companyId] }
      const id = subject.people.openDeal(about, { name: 'x', amount: 1 })
      const properties = { dealstage: '4711', amount: 'a lot', createdate: at(0), ...says }
      const body = { results: [{ id, properties }] }
      sandbox.faults.push({ path: /deals\/batch\/read$/, nth: 2, status: 200, body })
      const [deal] = await crm.dealsOf(about, noSignal())
      expect(deal).toMatchObject({
        amount: null,
        stages: [{ stage: '4711', state: want, at: at(0) }],
      })
    },
  )

  it('are read newest first, and not further than the time that is asked for', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const contactId = subject.seed('contact', { email: 'a@acme.example' })
    const about = { contactIds: [contactId], companyIds: [] }
    for (let i = 0; i < 350; i++) subject.people.log('email', about, { at: at(i) })
    sandbox.resetCalls()
    const wanted = { kinds: ['email'], since: new Date(at(300)) } as const
    expect(await crm.engagementsOf(about, wanted, noSignal())).toHaveLength(50)
    const reads = sandbox.calls().filter(({ path }) => path.includes('emails/batch/read'))
    expect(reads.filter(({ path }) => path.includes('objects'))).toHaveLength(2)
  })
})
