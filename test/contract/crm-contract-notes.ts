import { describe, expect, it } from '@jest/globals'
import type { CrmDealNote } from '../../src/core/ports/crm-notes.ts'
import { type CrmSubject, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

function seedDeal({ seed, people }: CrmSubject): string {
  const companyId = seed('company', { domain: 'acme.example' })
  const contactId = seed('contact', { email: 'anna@acme.example' })
  return people.openDeal(
    { contactIds: [contactId], companyIds: [companyId] },
    { name: 'Team plan', amount: 1_200 },
  )
}

const newNote = (subject: CrmSubject, dealId: string, marker = 'rp-1'): CrmDealNote => ({
  ...{ marker, dealId },
  subject: 'Acme became qualified',
  body: 'Anna exported 12 reports\nand invited two colleagues',
  at: '2026-11-23T09:00:00.000Z',
  ownerId: subject.ownerId(),
})

/** What is told on a deal, once and in one place. */
export function describeNotes(holder: SubjectHolder): void {
  describe('notes on deals', () => {
    it('are there with their texts, are no open task, and are found by their marker', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const dealId = seedDeal(subject)
      const [outcome] = await crm.createNotes([newNote(subject, dealId)], noSignal())
      if (outcome?.kind !== 'created') throw new Error('expected a note')
      const [text = '', ...others] = subject.notesOn(dealId)
      expect(others).toEqual([])
      expect(text).toContain('Acme became qualified')
      expect(text).toContain('and invited two colleagues')
      const state = (await crm.readTasks([outcome.taskId], noSignal())).get(outcome.taskId)
      expect(state?.status ?? 'done').toBe('done')
      const wanted = ['rp-1', 'rp-10', 'rp'].map((marker) => ({ marker, dealId }))
      expect([...(await crm.findNotes(wanted, noSignal()))]).toEqual([['rp-1', outcome.taskId]])
    })

    it('take a line more once, and keep what a person wrote', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const dealId = seedDeal(subject)
      const [outcome] = await crm.createNotes([newNote(subject, dealId)], noSignal())
      const noteId = outcome?.kind === 'created' ? outcome.taskId : ''
      const amendment = { noteId, note: 'Updated by Ripen: the score went from 60 to 75.' }
      const second = { noteId, note: 'Added by Ripen: Bo signed up too.' }
      const all = [amendment, amendment, second]
      expect(await crm.amendNotes(all, noSignal())).toEqual(all.map(() => ({ kind: 'amended' })))
      const [text = ''] = subject.notesOn(dealId)
      expect(text.split(amendment.note)).toHaveLength(2)
      expect(text.split(second.note)).toHaveLength(2)
      expect(text).toContain('and invited two colleagues')
    })

    it('that somebody has deleted are missing, and come not again', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const dealId = seedDeal(subject)
      const [outcome] = await crm.createNotes([newNote(subject, dealId)], noSignal())
      const noteId = outcome?.kind === 'created' ? outcome.taskId : ''
      subject.deleteNotes(dealId)
      const outcomes = await crm.amendNotes([{ noteId, note: 'More.' }], noSignal())
      expect(outcomes).toEqual([{ kind: 'missing' }])
      expect(subject.notesOn(dealId)).toEqual([])
    })

    it.each(['reset-after', 'server-error', 'too-late', 'empty-success'] as const)(
      'a call that ends in %s is unknown and not repeated',
      async (fault) => {
        const { subject } = holder
        const crm = subject.connect({ timeoutMs: subject.shortTimeoutMs })
        const dealId = seedDeal(subject)
        subject.playFault(fault, 'create-note')
        expect(await crm.createNotes([newNote(subject, dealId)], noSignal())).toEqual([
          { kind: 'unknown' },
        ])
        const isThere = fault === 'reset-after'
        expect(subject.notesOn(dealId)).toHaveLength(isThere ? 1 : 0)
        const found = await subject.connect().findNotes([{ marker: 'rp-1', dealId }], noSignal())
        expect(found.has('rp-1')).toBe(isThere)
      },
    )

    it('on a deal that is gone are refused, and the others are there', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const dealId = seedDeal(subject)
      const lost = { ...newNote(subject, '99999999', 'rp-2') }
      const outcomes = await crm.createNotes([lost, newNote(subject, dealId)], noSignal())
      expect(outcomes.map(({ kind }) => kind)).toEqual(['rejected', 'created'])
    })
  })
}
