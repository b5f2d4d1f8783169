import { afterEach, describe, expect, it } from '@jest/globals'
import type { FaultRule } from '../../sandbox/fault-script.ts'
import { closeAccounts, connectHubspot, openAccount } from './hubspot-subject.ts'

afterEach(closeAccounts)

const { signal } = new AbortController()
const FAULTS: readonly { name: string; fault: FaultRule }[] = [
  { name: 'a server error', fault: { status: 502, body: '' } },
  { name: 'a connection that breaks', fault: { kind: 'reset' } },
  { name: 'an answer that is lost', fault: { kind: 'reset-after' } },
]

describe('a write that may be made twice is made again by itself after', () => {
  it.each(FAULTS)('$name: an association', async ({ fault }) => {
    const { sandbox, subject } = await openAccount()
    const crm = connectHubspot(subject.baseUrl, { attempts: 2 })
    const ids = sandbox.seed({
      contacts: [{ email: 'a@acme.com' }],
      companies: [{ domain: 'a.com' }],
    })
    const pair = { contactId: ids.contacts[0] ?? '', companyId: ids.companies[0] ?? '' }
    sandbox.faults.push({ path: /associate\/default$/, ...fault })
    expect(await crm.associate([pair], signal)).toEqual([null])
    expect(sandbox.faults.pending).toBe(0)
  })

  it.each(FAULTS)('$name: an archive', async ({ fault }) => {
    const { sandbox, subject } = await openAccount()
    const crm = connectHubspot(subject.baseUrl, { attempts: 2 })
    const { contacts } = sandbox.seed({ contacts: [{ email: 'a@acme.com' }] })
    sandbox.faults.push({ path: /batch\/archive$/, ...fault })
    expect(await crm.archive('contact', contacts, signal)).toEqual([null])
    expect(sandbox.records('contacts').map(({ archived }) => archived)).toEqual([true])
  })

  it('nothing where it is a task: that is never made again', async () => {
    const { sandbox, subject } = await openAccount()
    const crm = connectHubspot(subject.baseUrl, { attempts: 2 })
    const { companies } = sandbox.seed({ companies: [{ domain: 'a.com' }] })
    sandbox.faults.push({ method: 'POST', path: /objects\/tasks$/, status: 502, body: '' })
    const task = {
      ...{ marker: 'RPN-1', subject: 's', body: 'b', dueAt: '2027-01-01T00:00:00.000Z' },
      ...{
        priority: 'high' as const,
        ownerId: null,
        companyId: companies[0] ?? '',
        contactIds: [],
      },
    }
    expect(await crm.createTasks([task], signal)).toEqual([{ kind: 'unknown' }])
    expect(sandbox.records('tasks')).toEqual([])
  })

  it('all waiting, a task says that it goes out', async () => {
    const { sandbox, subject } = await openAccount()
    const order: string[] = []
    const crm = connectHubspot(subject.baseUrl, { pace: async () => void order.push('paced') })
    const { companies } = sandbox.seed({ companies: [{ domain: 'a.com' }] })
    const task = {
      ...{ marker: 'RPN-1', subject: 's', body: 'b', dueAt: '2027-01-01T00:00:00.000Z' },
      ...{
        priority: 'high' as const,
        ownerId: null,
        companyId: companies[0] ?? '',
        contactIds: [],
      },
    }
    const sending = async (marker: string) =>
      void order.push(`${marker} of ${sandbox.records('tasks').length}`)
    await crm.createTasks([task], signal, { sending })
    expect(order).toEqual(['paced', 'RPN-1 of 0'])
  })
})

describe('an account that behaves otherwise', () => {
  it('and takes updates one by one parks the bad record without halving', async () => {
    const { sandbox, crm } = await openAccount({ partialBatches: true })
    const { contacts } = sandbox.seed({
      contacts: Array.from({ length: 20 }, (_, n) => ({ email: `p${n}@acme.com` })),
    })
    const writes = contacts.map((crmId, n) => ({
      ...{ ref: `p${n}`, key: `p${n}`, crmId },
      properties: n === 7 ? { usage_missing: 1 } : { usage_score: n },
    }))
    const outcomes = await crm.write('contact', writes, signal)
    expect(outcomes.map(({ kind }) => kind).filter((kind) => kind !== 'written')).toEqual([
      'rejected',
    ])
    expect(outcomes[7]).toMatchObject({ code: 'PROPERTY_DOESNT_EXIST', property: 'usage_missing' })
    expect(sandbox.calls().filter(({ kind }) => kind === 'write')).toHaveLength(1)
  })

  it('and leaves the winner of a merge its id is followed', async () => {
    const { sandbox, crm } = await openAccount({ mergeKeepsId: true })
    const [a = '', b = ''] = sandbox.seed({
      contacts: [{ email: 'a@acme.com' }, { email: 'b@acme.com' }],
    }).contacts
    sandbox.merge('contacts', a, b)
    const write = { ref: 'p', key: 'p', properties: { usage_score: 1 } }
    const outcomes = await crm.write('contact', [{ ...write, crmId: b }], signal)
    expect(outcomes).toEqual([{ kind: 'moved', crmId: a }])
    const kept = await crm.write('contact', [{ ...write, crmId: a }], signal)
    expect(kept).toEqual([{ kind: 'written', crmId: a, created: false }])
  })
})
