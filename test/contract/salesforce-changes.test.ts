import { afterEach, describe, expect, it } from '@jest/globals'
import type { ChangedObject, Crm, CrmChange } from '../../src/core/ports/crm.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeOrgs, KEY_FIELD, openOrg } from './salesforce-subject.ts'

afterEach(closeOrgs)

const KEY = KEY_FIELD.contact
const MINUTE_MS = 60_000

async function open() {
  const org = await openOrg()
  const { crm, sandbox } = org
  let cursor: string | null = null
  let isLost = false
  /** All that is told since the last time, some minutes later. */
  const changes = async (object: ChangedObject = 'contact', minutes = 3, having?: string) => {
    sandbox.clock.advance(minutes * MINUTE_MS)
    const { told, cursor: next, lost } = await follow(crm, object, cursor, having)
    cursor = next
    isLost = lost
    return told
  }
  return { ...org, changes, isLost: () => isLost }
}

async function follow(crm: Crm, object: ChangedObject, from: string | null, having?: string) {
  const told: CrmChange[] = []
  let cursor = from
  let lost = false
  for (;;) {
    const query = { cursor, properties: [KEY], overlapMs: 120_000, ...(having ? { having } : {}) }
    const page = await crm.changedSince(object, query, noSignal())
    told.push(...page.changes)
    cursor = page.cursor
    lost ||= page.lost === true
    if (!page.more) return { told, cursor, lost }
  }
}

const lead = (email: string) => ({ LastName: 'Doe', Company: 'Acme', Email: email })
const idsOf = (told: readonly CrmChange[]) => told.map(({ crmId }) => crmId)

describe('what changed in Salesforce', () => {
  it('is told of leads and contacts, each once, and costs two calls when there is nothing', async () => {
    const { changes, sandbox, subject } = await open()
    await changes()
    const a = sandbox.people.create('Lead', lead('a@acme.example'))
    const b = subject.seed('contact', { email: 'b@acme.example' })
    expect(idsOf(await changes()).sort()).toEqual([a, b].sort())
    sandbox.resetCalls()
    expect(await changes()).toEqual([])
    expect(sandbox.calls().map(({ path }) => path.split('/').at(-1))).toEqual([
      'updated',
      'updated',
    ])
  })

  it('is not asked for before its minute is over, and lost neither', async () => {
    const { changes, sandbox } = await open()
    await changes()
    await changes()
    sandbox.resetCalls()
    const a = sandbox.people.create('Lead', lead('a@acme.example'))
    expect(await changes('contact', 0)).toEqual([])
    expect(sandbox.calls()).toEqual([])
    expect(idsOf(await changes())).toEqual([a])
  })

  it('tells of a converted lead that it is gone, and of its contact that it is there', async () => {
    const { changes, sandbox } = await open()
    const id = sandbox.people.create('Lead', lead('a@acme.example'))
    await changes()
    await changes()
    const { contactId } = sandbox.people.convertLead(id)
    const told = await changes()
    expect(told.find(({ crmId }) => crmId === id)).toMatchObject({ archived: true })
    expect(told.find(({ crmId }) => crmId === contactId)?.archived ?? false).toBe(false)
  })

  it('tells of deleted and merged records, and of restored ones', async () => {
    const { changes, sandbox, subject } = await open()
    const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((name) =>
      subject.seed('contact', { email: `${name}@acme.example` }),
    )
    await changes()
    await changes()
    sandbox.people.delete('Contact', a)
    sandbox.people.merge('Contact', b, [c])
    const told = await changes('contact', 15)
    const gone = told.filter(({ archived }) => archived === true)
    expect(idsOf(gone).sort()).toEqual([a, c].sort())
    sandbox.people.undelete('Contact', a)
    expect(idsOf(await changes())).toContain(a)
  })

  it('says so when Salesforce has forgotten what was deleted', async () => {
    const { changes, sandbox, subject, isLost } = await open()
    const a = subject.seed('contact', { email: 'a@acme.example' })
    await changes()
    await changes('contact', 15)
    expect(isLost()).toBe(false)
    sandbox.people.delete('Contact', a)
    sandbox.clock.advance(MINUTE_MS)
    sandbox.purgeDeleteLog()
    expect(await changes('contact', 15)).toEqual([])
    expect(isLost()).toBe(true)
    await changes('contact', 15)
    expect(isLost()).toBe(false)
  })

  it('is read in pages where there is more than fits, each record once', async () => {
    const { changes, sandbox } = await open()
    await changes()
    const ids = Array.from({ length: 4_300 }, (_, i) =>
      sandbox.people.create('Lead', lead(`u${i}@acme.example`)),
    )
    sandbox.resetCalls()
    const told = await changes()
    expect(told).toHaveLength(ids.length)
    expect(new Set(idsOf(told)).size).toBe(ids.length)
    expect(sandbox.calls().length).toBeLessThanOrEqual(8)
  })

  it('is read in pages where Salesforce does not name so many, and the window moves on', async () => {
    const { changes, sandbox } = await open()
    await changes()
    await changes()
    const tooMany = [{ errorCode: 'EXCEEDED_ID_LIMIT', message: 'too many records changed' }]
    sandbox.faults.push({ path: /Contact\/updated$/, status: 400, body: tooMany, chance: 1 })
    const a = sandbox.people.create('Contact', { LastName: 'Doe' })
    expect(idsOf(await changes())).toEqual([a])
    expect(await changes('contact', 10)).toEqual([])
    const b = sandbox.people.create('Contact', { LastName: 'Roe' })
    expect(idsOf(await changes())).toEqual([b])
  })

  it.each(['deal', 'task', 'company'] as const)('is told of a %s too', async (object) => {
    const { changes, sandbox } = await open()
    await changes(object)
    const { people } = sandbox
    const id = {
      deal: () => people.openOpportunity({ Name: 'x' }),
      task: () => people.create('Task', { Subject: 'x' }),
      company: () => people.create('Account', { Name: 'x' }),
    }[object]()
    expect(idsOf(await changes(object))).toEqual([id])
  })
})
