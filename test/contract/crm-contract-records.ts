import { describe, expect, it } from '@jest/globals'
import { lookup } from './crm-contract-examples.ts'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

/** Provisioning, finding, reading and associating. */
export function describeRecords(holder: SubjectHolder): void {
  describe('inspecting', () => {
    it('finds nothing wrong in an account that stands ready, and writes nothing', async () => {
      const { subject } = holder
      const calls: string[] = []
      const crm = await connectProvisioned(subject, { onCall: ({ kind }) => calls.push(kind) })
      const { names } = subject
      const objects = (['contact', 'company'] as const).map((object) => {
        const read = object === 'contact' ? [names.email] : []
        const alsoWritten = [...read, ...Object.keys(subject.newRecord?.[object] ?? {})]
        return { object, plan: subject.plan(object), alsoWritten, read }
      })
      const { account, findings } = await crm.inspect({ objects, tasks: true }, noSignal())
      expect(account?.id).toMatch(/\S/)
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
      expect(calls).not.toContain('write')
    })

    it('names what is missing and what is not as it should be', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const plan = subject.plan('contact')
      const extra = { name: 'usage_extra', label: 'Extra', type: 'date' as const }
      const properties = [
        ...plan.properties.map((property) =>
          property.name === subject.names.score ? { ...property, type: 'bool' as const } : property,
        ),
        extra,
      ]
      const needs = { object: 'contact', alsoWritten: [], read: ['nobody_declared_this'] } as const
      const objects = [{ ...needs, plan: { ...plan, properties } }]
      const { findings } = await crm.inspect({ objects, tasks: false }, noSignal())
      const told = (level: string) =>
        findings.filter((one) => one.level === level).map(({ what }) => what)
      expect(told('error').join()).toContain(subject.names.score)
      expect(told('error').join()).toContain('nobody_declared_this')
      expect(told('warning').join()).toContain('not there yet')
      for (const { level, mend } of findings) if (level === 'error') expect(mend).toMatch(/\S/)
    })
  })

  describe('the properties of an object', () => {
    it('are those of the CRM and ours, and no others', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const names = await crm.propertyNames('contact', noSignal())
      for (const { name } of subject.plan('contact').properties) expect(names).toContain(name)
      expect(names).toContain(subject.names.email)
      expect(names).not.toContain('nobody_declared_this')
    })
  })

  describe('finding', () => {
    it('recognises records by our key before anything else', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const ownerId = subject.ownerId()
      const keyed = subject.seed('contact', {
        email: 'keyed@acme.example',
        key: 'p-1',
        ownerId,
      })
      const mailed = subject.seed('contact', { email: 'mailed@acme.example' })
      const found = await crm.find(
        'contact',
        [
          lookup('p-1', ['mailed@acme.example']),
          lookup('p-2', ['none@acme.example', 'mailed@acme.example']),
          lookup('p-3', ['none@acme.example']),
        ],
        noSignal(),
      )
      expect(found[0]).toMatchObject([{ crmId: keyed, by: 'key', key: 'p-1', ownerId }])
      const nobody = subject.defaultOwnerId ?? null
      expect(found[1]).toMatchObject([{ crmId: mailed, by: 'email', key: null, ownerId: nobody }])
      expect(found[2]).toEqual([])
      expect(found[0]?.[0]?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    })

    it('offers all companies of a domain, oldest first, in the order of the domains', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const first = subject.seed('company', { domain: 'acme.example' })
      const second = subject.seed('company', { domain: 'acme.example' })
      const other = subject.seed('company', { domain: 'acme.test' })
      const domains = ['acme.test', 'acme.example']
      const [candidates] = await crm.find(
        'company',
        [{ ref: 'a-1', key: 'a-1', emails: [], domains }],
        noSignal(),
      )
      expect(candidates?.map(({ crmId }) => crmId)).toEqual([other, first, second])
      expect(candidates?.every(({ by }) => by === 'domain')).toBe(true)
    })

    it('finds a company by the domain that it got from a merge, and by the one it had', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const first = subject.seed('company', { domain: 'acme.example' })
      const second = subject.seed('company', { domain: 'acme.test' })
      const merged = subject.merge('company', first, second)
      const found = await crm.find(
        'company',
        ['acme.test', 'acme.example', 'acme.other'].map((domain) => {
          return { ref: domain, key: domain, emails: [], domains: [domain] }
        }),
        noSignal(),
      )
      expect(found.map((all) => all.map(({ crmId }) => crmId))).toEqual([[merged], [merged], []])
    })

    it('finds a record again that was restored', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const email = 'a@acme.example'
      const id = subject.seed('contact', { email, key: 'p-1' })
      subject.remove('contact', id)
      const find = () => crm.find('contact', [lookup('p-1', [email])], noSignal())
      expect(await find()).toEqual([[]])
      subject.restore('contact', id)
      expect(await find()).toMatchObject([[{ crmId: id, by: 'key' }]])
    })

    it('answers more lookups than fit into one call', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const ids = Array.from({ length: 230 }, (_, i) =>
        subject.seed('contact', { email: `u${i}@acme.example` }),
      )
      const lookups = ids.map((_, i) => lookup(`p-${i}`, [`u${i}@acme.example`]))
      const found = await crm.find('contact', lookups, noSignal())
      expect(found.map((candidates) => candidates[0]?.crmId)).toEqual(ids)
    })
  })

  describe('reading', () => {
    it('returns current values by id and leaves out what is gone', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const { names } = subject
      const id = subject.seed('contact', { email: 'a@acme.example' })
      const gone = subject.seed('contact', { email: 'b@acme.example' })
      subject.remove('contact', gone)
      const values = await crm.read('contact', [id, gone], [names.email, names.note], noSignal())
      expect([...values]).toEqual([[id, { [names.email]: 'a@acme.example', [names.note]: null }]])
    })
  })

  describe('putting records away', () => {
    it('takes away those named and no others, and nothing the second time', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const ids = Array.from({ length: crm.maxBatch + 5 }, (_, i) =>
        subject.seed('contact', { email: `u${i}@acme.example` }),
      )
      const kept = subject.seed('contact', { email: 'kept@acme.example' })
      const none = ids.map(() => null)
      expect(await crm.archive('contact', ids, noSignal())).toEqual(none)
      expect(subject.records('contact')).toHaveLength(1)
      expect(await crm.archive('contact', ids, noSignal())).toEqual(none)
      const { email } = subject.names
      const left = await crm.read('contact', [...ids, kept], [email], noSignal())
      expect([...left.keys()]).toEqual([kept])
    })
  })

  describe('associating', () => {
    it('puts contacts under their company, and does no harm twice', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const companyId = subject.seed('company', { domain: 'acme.example' })
      const contactIds = ['a', 'b'].map((name) =>
        subject.seed('contact', { email: `${name}@acme.example` }),
      )
      const pairs = contactIds.map((contactId) => ({ contactId, companyId }))
      expect(await crm.associate(pairs, noSignal())).toEqual([null, null])
      expect(await crm.associate(pairs, noSignal())).toEqual([null, null])
      expect(subject.companyContacts()).toEqual(contactIds.map((id) => [id, companyId]))
    })

    it('says which pair was refused, and associates the others', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const companyId = subject.seed('company', { domain: 'acme.example' })
      const contactIds = ['a', 'b', 'c'].map((name) =>
        subject.seed('contact', { email: `${name}@acme.example` }),
      )
      subject.remove('contact', contactIds[1] ?? '')
      const pairs = contactIds.map((contactId) => ({ contactId, companyId }))
      const reasons = await crm.associate(pairs, noSignal())
      expect(reasons).toEqual([null, expect.any(String), null])
      expect(subject.companyContacts()).toHaveLength(2)
    })
  })

  describe('owners', () => {
    it('are all there, those who have left too', async () => {
      const owners = await holder.subject.connect().owners(noSignal())
      expect(owners.map((owner) => owner.id)).toContain(holder.subject.ownerId())
      expect(owners.some((owner) => owner.active)).toBe(true)
      expect(owners.some((owner) => !owner.active)).toBe(true)
      expect(owners.every((owner) => owner.name !== '')).toBe(true)
      expect(new Set(owners.map((owner) => owner.id)).size).toBe(owners.length)
    })
  })
}
