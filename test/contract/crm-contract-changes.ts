import { describe, expect, it } from '@jest/globals'
import type { ChangeQuery, Crm, CrmChange, CrmObject } from '../../src/core/ports/crm.ts'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

const OVERLAP_MS = 60_000

/** All changes until there are no more for now, and where that ends. */
export async function followChanges(
  crm: Crm,
  object: CrmObject,
  query: ChangeQuery,
): Promise<{ readonly changes: readonly CrmChange[]; readonly cursor: string }> {
  const changes: CrmChange[] = []
  let { cursor } = query
  for (;;) {
    const page = await crm.changedSince(object, { ...query, cursor }, noSignal())
    changes.push(...page.changes)
    cursor = page.cursor
    if (!page.more) return { changes, cursor }
  }
}

/** Following what changes. */
export function describeChanges(holder: SubjectHolder): void {
  const open = async (object: CrmObject) => {
    const { subject } = holder
    const crm = await connectProvisioned(subject)
    const { names } = subject
    const properties = [names.email, names.note]
    const ask = { cursor: null, properties, overlapMs: OVERLAP_MS }
    const { cursor } = await followChanges(crm, object, ask)
    return { subject, crm, query: { ...ask, cursor } }
  }
  const follow: typeof followChanges = (crm, object, query) => {
    holder.subject.letTimePass?.()
    return followChanges(crm, object, query)
  }

  describe('changes', () => {
    it('are told with the values that were asked for', async () => {
      const { subject, crm, query } = await open('contact')
      const id = subject.seed('contact', { email: 'a@acme.example' })
      const { changes } = await follow(crm, 'contact', query)
      const [change] = changes.filter(({ crmId }) => crmId === id)
      const { email, note } = subject.names
      expect(change?.properties ?? { [email]: 'a@acme.example', [note]: null }).toEqual({
        [email]: 'a@acme.example',
        [note]: null,
      })
      expect(change?.changedAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      expect(change?.archived ?? false).toBe(false)
    })

    it('of before and after a cursor are all told, in one pass or the next', async () => {
      const { subject, crm, query } = await open('company')
      const first = subject.seed('company', { domain: 'one.example' })
      const { changes, cursor } = await follow(crm, 'company', query)
      expect(changes.map(({ crmId }) => crmId)).toEqual([first])
      const second = subject.seed('company', { domain: 'two.example' })
      const next = await follow(crm, 'company', { ...query, cursor })
      expect(next.changes.map(({ crmId }) => crmId)).toContain(second)
    })

    it('of one instant that are more than a page are told once each in a pass', async () => {
      const { subject, crm, query } = await open('contact')
      const records = Array.from({ length: 470 }, (_, i) => ({ email: `u${i}@acme.example` }))
      const ids = subject.seedMany('contact', records)
      const { changes } = await follow(crm, 'contact', query)
      expect(changes.map(({ crmId }) => crmId).sort()).toEqual([...ids].sort())
    })

    it('of our own making are told like others', async () => {
      const { subject, crm, query } = await open('contact')
      const id = subject.seed('contact', { email: 'a@acme.example' })
      const properties = { [subject.names.note]: 'ours' }
      await crm.write('contact', [{ ref: 'p-1', key: 'p-1', crmId: id, properties }], noSignal())
      const { changes } = await follow(crm, 'contact', query)
      const [change] = changes.filter(({ crmId }) => crmId === id)
      expect(change?.properties?.[subject.names.note] ?? 'ours').toBe('ours')
    })

    it('may be asked for only of records on which a property has a value', async () => {
      const { subject, crm, query } = await open('contact')
      subject.seed('contact', { email: 'a@acme.example' })
      const ours = subject.seed('contact', { email: 'b@acme.example', key: 'p-1' })
      const having = subject.keyProperty.contact
      const { changes } = await follow(crm, 'contact', { ...query, having })
      expect(changes.map(({ crmId }) => crmId)).toEqual([ours])
    })

    it('of merged and deleted records are told as such or not at all', async () => {
      const { subject, crm, query } = await open('contact')
      const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((name) =>
        subject.seed('contact', { email: `${name}@acme.example` }),
      )
      subject.remove('contact', a)
      const left = subject.merge('contact', b, c)
      const { changes } = await follow(crm, 'contact', query)
      const there = changes.filter(({ archived }) => !archived).map(({ crmId }) => crmId)
      expect(there).toEqual([left])
    })
  })

  describe('the account', () => {
    it('has an id that stays', async () => {
      const crm = holder.subject.connect()
      const id = await crm.accountId(noSignal())
      expect(id).not.toBe('')
      expect(await holder.subject.connect().accountId(noSignal())).toBe(id)
    })
  })
}
