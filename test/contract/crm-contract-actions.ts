import { describe, expect, it } from '@jest/globals'
import type { CrmMembership } from '../../src/core/ports/crm-actions.ts'
import { type CrmSubject, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

const DONE = { kind: 'done' } as const

function seedGroup(subject: CrmSubject) {
  const groupId = subject.makeGroup('Nurture')
  const crmId = subject.seed('contact', { email: 'anna@acme.example' })
  const add: CrmMembership = { groupId, object: 'contact', crmId, act: 'add', status: null }
  return { groupId, crmId, add, remove: { ...add, act: 'remove' } as const }
}

/** Static lists and campaigns: who is to be in is in, once. */
export function describeActions(holder: SubjectHolder): void {
  describe('groups', () => {
    it('take members in and let them go, and asking twice changes nothing', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const { groupId, crmId, add, remove } = seedGroup(subject)
      expect(await crm.setMemberships([add], noSignal())).toEqual([DONE])
      expect(await crm.setMemberships([add], noSignal())).toEqual([DONE])
      expect(subject.membersOf(groupId)).toEqual([crmId])
      expect(await crm.setMemberships([remove], noSignal())).toEqual([DONE])
      expect(await crm.setMemberships([remove], noSignal())).toEqual([DONE])
      expect(subject.membersOf(groupId)).toEqual([])
    })

    it('keep the order of what is asked for', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const { groupId, crmId, add, remove } = seedGroup(subject)
      expect(await crm.setMemberships([add, remove, add], noSignal())).toEqual([DONE, DONE, DONE])
      expect(subject.membersOf(groupId)).toEqual([crmId])
      await crm.setMemberships([add, remove], noSignal())
      expect(subject.membersOf(groupId)).toEqual([])
    })

    it('hold many at a time, each with an answer of its own', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const { groupId, add } = seedGroup(subject)
      const people = Array.from({ length: 230 }, (_, i) => ({ email: `p${i}@acme.example` }))
      const ids = subject.seedMany('contact', people)
      const asked = ids.map((crmId) => ({ ...add, crmId }))
      const outcomes = await crm.setMemberships(asked, noSignal())
      expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['done']))
      expect([...subject.membersOf(groupId)].sort()).toEqual([...ids].sort())
    })

    it('that are not there are refused with their name, and the others are done', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const { groupId, crmId, add } = seedGroup(subject)
      const lost = { ...add, groupId: subject.lostGroupId() }
      const [first, second] = await crm.setMemberships([lost, add], noSignal())
      expect(first).toMatchObject({ kind: 'rejected' })
      expect(first?.kind === 'rejected' ? first.reason : '').toContain(lost.groupId)
      expect(second).toEqual(DONE)
      expect(subject.membersOf(groupId)).toEqual([crmId])
    })

    it('do not take in a record that is gone', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const { groupId, crmId, add } = seedGroup(subject)
      subject.remove('contact', crmId)
      const [outcome] = await crm.setMemberships([add], noSignal())
      expect(['missing', 'rejected']).toContain(outcome?.kind)
      expect(subject.membersOf(groupId)).toEqual([])
    })

    it.each(['reset-after', 'server-error', 'too-late'] as const)(
      'a call that ends in %s is in doubt, and asking again makes it one member',
      async (fault) => {
        const { subject } = holder
        const { groupId, crmId, add } = seedGroup(subject)
        const hasty = subject.connect({ timeoutMs: subject.shortTimeoutMs })
        subject.playFault(fault, 'add-member')
        expect(await hasty.setMemberships([add], noSignal())).toEqual([{ kind: 'unknown' }])
        expect(await subject.connect().setMemberships([add], noSignal())).toEqual([DONE])
        expect(subject.membersOf(groupId)).toEqual([crmId])
      },
    )
  })
}
