import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmTask } from '../../src/core/ports/crm.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeOrgs, openOrg } from './salesforce-subject.ts'

afterEach(closeOrgs)

async function open() {
  const org = await openOrg()
  const { subject, sandbox } = org
  const lead = () => sandbox.people.create('Lead', { LastName: 'Doe', Company: 'Acme' })
  const task = (more: Partial<CrmTask> = {}): CrmTask => ({
    ...{ marker: 'rp-1', subject: 'Call Acme', body: 'Anna exported 12 reports' },
    ...{ dueAt: '2026-11-23T09:00:00.000Z', priority: 'medium', ownerId: subject.ownerId() },
    ...{ companyId: null, contactIds: [] },
    ...more,
  })
  const stored = () => sandbox.records('Task').map(({ values }) => values)
  return { ...org, lead, task, stored }
}

describe('a task in Salesforce', () => {
  it('that is there already by its marker is not created again', async () => {
    const { crm, task, stored } = await open()
    const [first] = await crm.createTasks([task()], noSignal())
    const again = await crm.createTasks([task(), task({ marker: 'rp-2' })], noSignal())
    expect(again[0]).toEqual(first)
    expect(again[1]?.kind).toBe('created')
    expect(stored()).toHaveLength(2)
  })

  it('is about a contact and an account, or about a lead alone', async () => {
    const { crm, subject, lead, task, stored } = await open()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const contactId = subject.seed('contact', { email: 'anna@acme.example' })
    const leadId = lead()
    const tasks = [
      task({ marker: 'rp-1', companyId, contactIds: [leadId, contactId] }),
      task({ marker: 'rp-2', companyId, contactIds: [leadId] }),
      task({ marker: 'rp-3', contactIds: [leadId] }),
    ]
    const outcomes = await crm.createTasks(tasks, noSignal())
    expect(outcomes.map(({ kind }) => kind)).toEqual(['created', 'created', 'created'])
    expect(stored().map(({ WhoId, WhatId }) => [WhoId ?? null, WhatId ?? null])).toEqual([
      [contactId, companyId],
      [null, companyId],
      [leadId, null],
    ])
  })

  it('is no one’s fault when its owner has left: the reason says what to do', async () => {
    const { crm, subject, task } = await open()
    const ownerId = subject.formerOwnerId()
    const tasks = [task({ ownerId }), task({ marker: 'rp-2' })]
    expect(await crm.createTasks(tasks, noSignal())).toMatchObject([
      {
        kind: 'rejected',
        code: 'INACTIVE_OWNER_OR_USER',
        reason: expect.stringContaining('queue'),
      },
      { kind: 'created' },
    ])
  })

  it('goes into a queue that is there for tasks, and into no other', async () => {
    const { crm, subject, sandbox, task, stored } = await open()
    const leads = sandbox.people.addQueue('Leads only', ['Lead'])
    const outcomes = await crm.createTasks(
      [
        task({ ownerId: null, queueId: leads }),
        task({ marker: 'rp-2', ownerId: null, queueId: subject.queueId() }),
      ],
      noSignal(),
    )
    expect(outcomes).toMatchObject([
      { kind: 'rejected', reason: expect.stringContaining('supported objects') },
      { kind: 'created' },
    ])
    expect(stored().map(({ OwnerId }) => OwnerId)).toEqual([subject.queueId()])
    const owners = await crm.owners(noSignal())
    const queues = owners.filter(({ id }) => id.startsWith('00G'))
    expect(queues.map(({ id, active }) => [id, active])).toEqual(
      expect.arrayContaining([
        [leads, false],
        [subject.queueId(), true],
      ]),
    )
  })

  it('has a subject that fits, its kind, its priority and a reminder', async () => {
    const { crm, task } = await open()
    const subject = 'A'.repeat(400)
    const reminderAt = '2026-11-23T08:30:00.000Z'
    const [outcome] = await crm.createTasks(
      [task({ subject, type: 'email', priority: 'low', reminderAt })],
      noSignal(),
    )
    const id = outcome?.kind === 'created' ? outcome.taskId : ''
    const state = (await crm.readTasks([id], noSignal())).get(id)
    expect(state).toMatchObject({
      type: 'email',
      priority: 'low',
      reminderAt,
      status: 'not-started',
    })
    expect(state?.subject).toHaveLength(255)
    expect(state?.subject.endsWith('…')).toBe(true)
  })

  it.each([
    { zone: 'America/Los_Angeles', dueAt: '2026-11-24T01:00:00.000Z', day: '2026-11-23' },
    { zone: 'Asia/Tokyo', dueAt: '2026-11-23T16:00:00.000Z', day: '2026-11-24' },
    { zone: null, dueAt: '2026-11-23T16:00:00.000Z', day: '2026-11-23' },
  ])('is due on the day where its owner is ($zone)', async ({ zone, dueAt, day }) => {
    const { crm, task, stored } = await open()
    await crm.createTasks([task({ dueAt, timeZone: zone })], noSignal())
    expect(stored()).toMatchObject([{ ActivityDate: day }])
  })

  it('says that it goes out, all waiting done, and again when it is sent once more', async () => {
    const { subject, sandbox, lead, task, stored } = await open()
    const leadId = lead()
    const order: string[] = []
    const crm = subject.connect({ pace: async () => void order.push('paced') })
    const sending = async (marker: string) => void order.push(`${marker} of ${stored().length}`)
    await crm.createTasks([task(), task({ marker: 'rp-2' })], noSignal(), { sending })
    expect(order.slice(-3)).toEqual(['paced', 'rp-1 of 0', 'rp-2 of 0'])
    sandbox.rules.locks.add({ id: leadId, times: 1 })
    const held = task({ marker: 'rp-3', contactIds: [leadId] })
    await crm.createTasks([held], noSignal(), { sending })
    expect(order.filter((one) => one === 'rp-3 of 2')).toHaveLength(2)
    expect(stored()).toHaveLength(3)
  })

  it('is read when Salesforce has put it into its archive', async () => {
    const { crm, sandbox, task } = await open()
    const [outcome] = await crm.createTasks([task()], noSignal())
    const id = outcome?.kind === 'created' ? outcome.taskId : ''
    sandbox.people.completeTask(id)
    sandbox.people.archiveTask(id)
    const state = (await crm.readTasks([id], noSignal())).get(id)
    expect(state).toMatchObject({ status: 'done', archived: false })
  })

  it('that somebody holds up is created a little later, once', async () => {
    const { crm, sandbox, lead, task, stored } = await open()
    const leadId = lead()
    sandbox.rules.locks.add({ id: leadId, times: 2 })
    const tasks = [task({ contactIds: [leadId] }), task({ marker: 'rp-2' })]
    const outcomes = await crm.createTasks(tasks, noSignal())
    expect(outcomes.map(({ kind }) => kind)).toEqual(['created', 'created'])
    expect(stored()).toHaveLength(2)
  })

  it('that is held up for long is in doubt, and so is one for which there is no room', async () => {
    const { crm, sandbox, lead, task, stored } = await open()
    const leadId = lead()
    sandbox.rules.locks.add({ id: leadId, times: 99 })
    const held = task({ contactIds: [leadId] })
    expect(await crm.createTasks([held], noSignal())).toEqual([{ kind: 'unknown' }])
    sandbox.rules.locks.clear()
    sandbox.rules.storage.leave(0)
    sandbox.resetCalls()
    expect(await crm.createTasks([held], noSignal())).toEqual([{ kind: 'unknown' }])
    expect(sandbox.calls().filter(({ method }) => method === 'POST')).toHaveLength(1)
    sandbox.rules.storage.leave(null)
    expect(await crm.createTasks([held], noSignal())).toMatchObject([{ kind: 'created' }])
    expect(stored()).toHaveLength(1)
  }, 20_000)

  it('about a lead that was just converted is about its contact', async () => {
    const { crm, sandbox, lead, task, stored } = await open()
    const [converted, gone] = [lead(), lead()]
    const { contactId } = sandbox.people.convertLead(converted)
    sandbox.people.delete('Lead', gone)
    const tasks = [
      task({ contactIds: [converted] }),
      task({ marker: 'rp-2', contactIds: [gone] }),
      task({ marker: 'rp-3' }),
    ]
    const outcomes = await crm.createTasks(tasks, noSignal())
    expect(outcomes.map(({ kind }) => kind)).toEqual(['created', 'rejected', 'created'])
    const about = stored().map(({ PQL_Key__c, WhoId }) => [PQL_Key__c, WhoId ?? null])
    expect(new Map(about as [string, string | null][])).toEqual(
      new Map([
        ['rp-1', contactId],
        ['rp-3', null],
      ]),
    )
  })

  it('of ours that is closed is no contact with sales; a call that was logged is one', async () => {
    const { crm, subject, sandbox, task } = await open()
    const contactId = subject.seed('contact', { email: 'anna@acme.example' })
    const [outcome] = await crm.createTasks(
      [task({ type: 'call', contactIds: [contactId] })],
      noSignal(),
    )
    const taskId = outcome?.kind === 'created' ? outcome.taskId : ''
    const state = (await crm.readTasks([taskId], noSignal())).get(taskId)
    const closing = { taskId, note: 'Closed by Ripen', fingerprint: state?.fingerprint ?? '' }
    expect(await crm.closeTasks([closing], noSignal())).toEqual([{ kind: 'closed' }])
    const logged = sandbox.people.log('call', { WhoId: contactId })
    const engagements = await crm.engagementsOf(
      { contactIds: [contactId], companyIds: [] },
      { kinds: ['call', 'email'], since: new Date(0) },
      noSignal(),
    )
    expect(engagements.map(({ id }) => id)).toEqual([logged])
  })

  it('follows its lead to the contact and is untouched all the same', async () => {
    const { crm, sandbox, lead, task, stored } = await open()
    const leadId = lead()
    const [outcome] = await crm.createTasks([task({ contactIds: [leadId] })], noSignal())
    const taskId = outcome?.kind === 'created' ? outcome.taskId : ''
    const before = (await crm.readTasks([taskId], noSignal())).get(taskId)
    const { contactId } = sandbox.people.convertLead(leadId)
    expect(stored()[0]?.['WhoId']).toBe(contactId)
    const closing = { taskId, note: 'Closed by Ripen', fingerprint: before?.fingerprint ?? '' }
    expect(await crm.closeTasks([closing], noSignal())).toEqual([{ kind: 'closed' }])
  })
})
