import { describe, expect, it } from '@jest/globals'
import type { CrmWrite } from '../../src/core/ports/crm.ts'
import { findId, newContact } from './crm-contract-examples.ts'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

/** Writing, with nothing in the way but the records themselves. */
export function describeWrites(holder: SubjectHolder): void {
  describe('writing', () => {
    it('creates and updates, and answers each record at its place', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const { score, note } = subject.names
      const id = subject.seed('contact', { email: 'old@acme.example' })
      const before = { ref: 'p-2', key: 'p-2', crmId: id, properties: { [note]: 'before' } }
      await crm.write('contact', [before], noSignal())
      const update = { ...before, properties: { [score]: 12.5, [note]: null } }
      const outcomes = await crm.write(
        'contact',
        [newContact(subject, 'p-1'), update, newContact(subject, 'p-3')],
        noSignal(),
      )
      expect(outcomes).toMatchObject([
        { kind: 'written', created: true },
        { kind: 'written', crmId: id, created: false },
        { kind: 'written', created: true },
      ])
      const created = outcomes.map((outcome) => (outcome.kind === 'written' ? outcome.crmId : ''))
      const names = [subject.keyProperty.contact, score, note]
      const values = await crm.read('contact', created, names, noSignal())
      expect(created.map((crmId) => Object.values(values.get(crmId) ?? {}))).toEqual([
        ['p-1', '70', null],
        ['p-2', '12.5', null],
        ['p-3', '70', null],
      ])
    })

    it('finds by key what it has created, and creates nothing the second time', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const writes = [newContact(subject, 'p-1'), newContact(subject, 'p-2')]
      const first = await crm.write('contact', writes, noSignal())
      const again = await crm.write('contact', writes, noSignal())
      expect(await findId(crm, 'p-1')).toBe(first[0]?.kind === 'written' ? first[0].crmId : '')
      expect(again).toEqual(first.map((outcome) => ({ ...outcome, created: false })))
      expect(subject.records('contact')).toHaveLength(2)
    })

    it('writes two changes of one record at once', async () => {
      const { subject } = holder
      const { note } = subject.names
      const crm = await connectProvisioned(subject)
      const outcomes = await crm.write(
        'contact',
        [
          newContact(subject, 'p-1', { [note]: 'first' }),
          newContact(subject, 'p-1', { [note]: 'last' }),
        ],
        noSignal(),
      )
      expect(outcomes[0]).toMatchObject({ kind: 'written', created: true })
      expect(outcomes[1]).toEqual(outcomes[0])
      expect(subject.records('contact')).toMatchObject([{ [note]: 'last' }])
    })

    it('accepts more records than fit into one call', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const writes = Array.from({ length: crm.maxBatch + 30 }, (_, i) =>
        newContact(subject, `p-${i}`),
      )
      const outcomes = await crm.write('contact', writes, noSignal())
      expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set(['written']))
      expect(subject.records('contact')).toHaveLength(writes.length)
    })

    it.each(['creating', 'updating'])(
      '%s: one refused record does not keep the others',
      async (way) => {
        const { subject } = holder
        const { score } = subject.names
        const crm = await connectProvisioned(subject)
        const writes = Array.from({ length: 100 }, (_, i): CrmWrite => {
          const { properties, ...write } = newContact(subject, `p-${i}`)
          const crmId =
            way === 'creating' ? null : subject.seed('contact', { email: `p-${i}@acme.example` })
          const refused = i === 37 ? { [score]: 'seventy@secret.example' } : {}
          return { ...write, crmId, properties: { ...properties, ...refused } }
        })
        const outcomes = await crm.write('contact', writes, noSignal())
        expect(outcomes.filter((outcome) => outcome.kind === 'written')).toHaveLength(99)
        const refused = outcomes[37]
        const correlationId = subject.hasNoCorrelation ? null : expect.any(String)
        expect(refused).toMatchObject({ kind: 'rejected', correlationId })
        if (refused?.kind !== 'rejected') throw new Error('expected a rejection')
        expect(refused.reason).toContain(score)
        expect(refused.reason).not.toContain('secret.example')
        const scores = subject.records('contact').map((record) => record[score])
        expect(scores.filter((value) => value === '70')).toHaveLength(99)
      },
    )

    it('refuses by itself what is no value, and writes the rest', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const outcomes = await crm.write(
        'contact',
        [
          newContact(subject, 'p-1', { [subject.names.score]: Number.NaN }),
          newContact(subject, 'p-2'),
        ],
        noSignal(),
      )
      expect(outcomes).toMatchObject([{ kind: 'rejected' }, { kind: 'written' }])
    })

    it('says where a merged record went, and that a removed one is gone', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const emails = ['a', 'b', 'c', 'd'].map((name) => `${name}@acme.example`)
      const [a = '', b = '', c = '', d = ''] = emails.map((email) =>
        subject.seed('contact', { email }),
      )
      const winner = subject.merge('contact', a, b)
      subject.remove('contact', c)
      const writes = [b, c, d].map((crmId, i): CrmWrite => {
        const key = `p-${i}`
        return { ref: key, key, crmId, properties: { [subject.names.score]: 5 } }
      })
      expect(await crm.write('contact', writes, noSignal())).toEqual([
        { kind: 'moved', crmId: winner },
        { kind: 'missing' },
        { kind: 'written', crmId: d, created: false },
      ])
    })

    it('names the record that has the address already', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const id = subject.seed('contact', { email: 'p-1@acme.example' })
      const outcomes = await crm.write(
        'contact',
        [newContact(subject, 'p-1'), newContact(subject, 'p-2')],
        noSignal(),
      )
      expect(outcomes).toMatchObject([{ kind: 'exists', crmId: id }, { kind: 'written' }])
      expect(subject.records('contact')).toHaveLength(2)
    })
  })
}
