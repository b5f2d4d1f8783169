import { describe, expect, it } from '@jest/globals'
import type { CrmAbout } from '../../src/core/ports/crm.ts'
import { type CrmSubject, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

const AT = '2026-11-20T10:00:00.000Z'
const LATER = '2026-11-21T10:00:00.000Z'
const SINCE = new Date('2026-11-20T00:00:00Z')
const KINDS = ['call', 'email', 'meeting'] as const

function seedAcme(subject: CrmSubject) {
  const anna = subject.seed('contact', { email: 'anna@acme.example' })
  const bob = subject.seed('contact', { email: 'bob@acme.example' })
  const acme = subject.seed('company', { domain: 'acme.example' })
  return { anna, bob, acme, all: { contactIds: [anna, bob], companyIds: [acme] } }
}

/** What sales makes of it: deals, and what shows that somebody was spoken to. */
export function describeOutcomes(holder: SubjectHolder): void {
  describe('deals', () => {
    it('are read from their contacts and companies, each once, with both', async () => {
      const { subject } = holder
      const { anna, acme, all } = seedAcme(subject)
      const deal = { name: 'Acme plan', amount: 1200.5 }
      const about: CrmAbout = { contactIds: [anna], companyIds: [acme] }
      const dealId = subject.people.openDeal(about, deal)
      const [found, ...others] = await subject.connect().dealsOf(all, noSignal())
      expect(others).toEqual([])
      expect(found).toMatchObject({ id: dealId, name: 'Acme plan', amount: 1200.5, ...about })
      expect(found?.stages.map(({ state }) => state)).toEqual(['open'])
      expect(found?.stages[0]?.label).toMatch(/\w/)
      expect(Date.parse(found?.createdAt ?? '')).not.toBeNaN()
    })

    it.each(['won', 'lost'] as const)(
      'tell that they were %s, and every stage before',
      async (end) => {
        const { subject } = holder
        const { anna } = seedAcme(subject)
        const about = { contactIds: [anna], companyIds: [] }
        const dealId = subject.people.openDeal(about, { name: 'x', amount: 1 })
        subject.people.advanceDeal(dealId)
        subject.people.closeDeal(dealId, end)
        const [deal] = await subject.connect().dealsOf(about, noSignal())
        const stages = deal?.stages ?? []
        expect(stages.map(({ state }) => state)).toEqual(['open', 'open', end])
        expect(new Set(stages.map(({ stage }) => stage)).size).toBe(3)
        const times = stages.map(({ at }) => Date.parse(at))
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(Date.parse(deal?.closeAt ?? '')).not.toBeNaN()
      },
    )

    it('of records without any are none, and nobody is asked for nobody', async () => {
      const { subject } = holder
      const { all } = seedAcme(subject)
      const calls: unknown[] = []
      const crm = subject.connect({ onCall: (call) => calls.push(call) })
      expect(await crm.dealsOf(all, noSignal())).toEqual([])
      calls.length = 0
      expect(await crm.dealsOf({ contactIds: [], companyIds: [] }, noSignal())).toEqual([])
      expect(calls).toEqual([])
    })
  })

  describe('engagements', () => {
    it.each(KINDS)('of the kind %s are read from both ends, with time and owner', async (kind) => {
      const { subject } = holder
      const { anna, acme, all } = seedAcme(subject)
      const about = { contactIds: [anna], companyIds: [acme] }
      const ownerId = subject.ownerId()
      const id = subject.people.log(kind, about, { at: AT, ownerId })
      const wanted = { kinds: KINDS, since: SINCE }
      expect(await subject.connect().engagementsOf(all, wanted, noSignal())).toEqual([
        { id, kind, at: AT, incoming: false, ownerId, ...about },
      ])
      const others = KINDS.filter((one) => one !== kind)
      const none = { kinds: others, since: SINCE }
      expect(await subject.connect().engagementsOf(all, none, noSignal())).toEqual([])
    })

    it('tell what came from the customer, and leave out what is older', async () => {
      const { subject } = holder
      const { anna, all } = seedAcme(subject)
      const about = { contactIds: [anna], companyIds: [] }
      subject.people.log('email', about, { at: '2026-11-19T23:59:59.000Z' })
      subject.people.log('email', about, { at: LATER, incoming: true })
      subject.people.log('call', about, { at: AT })
      const wanted = { kinds: KINDS, since: SINCE }
      const found = await subject.connect().engagementsOf(all, wanted, noSignal())
      expect(found.map(({ kind, at, incoming }) => [kind, at, incoming])).toEqual([
        ['call', AT, false],
        ['email', LATER, true],
      ])
    })
  })

  describe('owners', () => {
    it('who have left are told apart, by the id that records carry', async () => {
      const { subject } = holder
      const owners = await subject.connect().owners(noSignal())
      const active = owners.find(({ id }) => id === subject.ownerId())
      const former = owners.find(({ id }) => id === subject.formerOwnerId())
      expect([active?.active, former?.active]).toEqual([true, false])
      for (const owner of [active, former]) {
        expect(owner?.userId).toMatch(/\d/)
        if (subject.ownersAreUsers) expect(owner?.userId).toBe(owner?.id)
        else expect(owner?.userId).not.toBe(owner?.id)
      }
    })
  })
}
