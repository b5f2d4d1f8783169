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
