import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { mappingFiles } from '../support/mapping-files.ts'
import { type BothThread, closeSalesforce, openBoth } from '../support/salesforce-thread.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeThreads()
  await closeSalesforce()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)

const playbook = (task: string) => `
id: tried
label: Tried
crm: salesforce
subject: account
trigger: { status-entered: qualified }
segments:
  - name: everybody
    motion: sales
    actions:
      - task:
          subject: "Tried {{ account.domain }}"
          body: "{{ happened }}"
          due-in: 8h
          ${task}
`

interface OpenThread extends BothThread {
  readonly accountId: string
}

/** An org with one qualified account, whose playbook has made one task. */
async function openWith(task = 'assign: [account-owner]'): Promise<OpenThread> {
  const { 'salesforce.yaml': salesforce = '', ...others } = await mappingFiles()
  const own = salesforce.replace(/^tasks:[\s\S]*$/m, '')
  const mappings = { ...others, 'salesforce.yaml': own, 'playbooks/tried.yaml': playbook(task) }
  const thread = await openBoth({ origin, mappings })
  const { people } = thread.salesforce.sandbox
  const accountId = people.create('Account', { Name: 'Northfield', Website: DOMAINS.fresh })
  people.create('Contact', { LastName: 'Ana', Email: WHO.champion })
  await thread.score()
  expect(await thread.syncTo('salesforce')).toMatchObject({ tasks: 1, parked: 0 })
  return { ...thread, accountId }
}

const taskOf = ({ salesforce: { sandbox } }: BothThread) => {
  const [task, ...others] = sandbox.records('Task')
  if (!task || others.length > 0) throw new Error('expected one task')
  return { id: task.id, ...task.values } as Record<string, unknown> & { id: string }
}
const statesOf = async (thread: BothThread) => (await thread.status()).crms['salesforce']?.tasks
const syncAt = async (thread: BothThread, hours: number) => {
  thread.setNow(later(hours))
  return thread.syncTo('salesforce')
}

describe('a task in Salesforce', () => {
  it.each([
    { name: 'of its account’s owner', task: undefined, due: '2026-09-10' },
    { name: 'of nobody', task: 'assign: [deal-owner]', due: '2026-09-10' },
    {
      name: 'of whose day ends in the next one of UTC',
      task: 'working-hours: { from: "09:00", to: "17:00", zone: America/Los_Angeles }',
      due: '2026-09-10',
    },
  ])('$name is due on its day, and closed with one note when its reason is gone', async (one) => {
    const thread = await openWith(one.task)
    expect(taskOf(thread)).toMatchObject({ ActivityDate: one.due })
    await syncAt(thread, 2)
    const { people } = thread.salesforce.sandbox
    people.edit('Account', thread.accountId, { PQA_Disposition__c: 'rejected' })
    await syncAt(thread, 4)
    expect(taskOf(thread)).toMatchObject({
      Status: 'Completed',
      Description: expect.stringMatching(/^Closed by Ripen: sales said no\./),
    })
    expect(await statesOf(thread)).toEqual({ closed: 1 })
    await syncAt(thread, 6)
    expect(String(taskOf(thread)['Description']).split('Closed by Ripen')).toHaveLength(2)
  })

  it('is escalated when nobody touches it in its time, once', async () => {
    const thread = await openWith('escalate: { to: admin@sandbox.example }')
    const { users } = thread.salesforce.sandbox
    await syncAt(thread, 7.9)
    expect(taskOf(thread)['Description']).not.toContain('Escalated')
    await syncAt(thread, 9.1)
    expect(taskOf(thread)).toMatchObject({
      OwnerId: users.admin,
      Priority: 'High',
      Description: expect.stringContaining('Escalated by Ripen on 2026-09-10'),
    })
    await syncAt(thread, 30)
    expect(String(taskOf(thread)['Description']).split('Escalated by Ripen')).toHaveLength(2)
  })

  it('that somebody has begun is neither escalated nor closed', async () => {
    const thread = await openWith('escalate: { priority: high }')
    await syncAt(thread, 1.5)
    const { people } = thread.salesforce.sandbox
    people.edit('Task', taskOf(thread).id, { Status: 'In Progress' })
    people.edit('Account', thread.accountId, { PQA_Disposition__c: 'rejected' })
    await syncAt(thread, 6)
    expect(taskOf(thread)).toMatchObject({ Status: 'In Progress' })
    expect(taskOf(thread)['Description']).not.toContain('by Ripen')
  })
})
