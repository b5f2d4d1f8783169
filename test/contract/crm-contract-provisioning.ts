import { describe, expect, it } from '@jest/globals'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

/** Properties of our own: created, or told to be missing where an admin alone creates them. */
export function describeProvisioning(holder: SubjectHolder): void {
  describe('provisioning', () => {
    it('creates what is missing, and nothing the second time', async () => {
      const { subject } = holder
      if (subject.install) return
      const crm = subject.connect()
      const plan = subject.plan('contact')
      const names = plan.properties.map((property) => property.name)
      const first = await crm.provision(plan, noSignal())
      expect([...first.created].sort()).toEqual([...names].sort())
      expect(first.groupCreated).toBe(true)
      expect(await crm.provision(plan, noSignal())).toEqual({
        groupCreated: false,
        created: [],
        existing: names,
        optionsAdded: [],
        drift: [],
        findings: [],
      })
    })

    it('tells what it would do, and does nothing, when it is only asked', async () => {
      const { subject } = holder
      if (subject.install) return
      const calls: string[] = []
      const crm = subject.connect({ onCall: ({ kind }) => calls.push(kind) })
      const plan = subject.plan('contact')
      const names = plan.properties.map((property) => property.name)
      const told = await crm.provision(plan, noSignal(), { dryRun: true })
      expect(told).toMatchObject({ groupCreated: true, created: names, existing: [], drift: [] })
      expect(calls).not.toContain('write')
      expect(await crm.provision(plan, noSignal())).toEqual(told)
    })

    it('adds options to an enumeration of ours, and takes none away', async () => {
      const { subject } = holder
      if (subject.install) return
      const crm = await connectProvisioned(subject)
      const plan = subject.plan('contact')
      const withOptions = (...values: string[]) => ({
        ...plan,
        properties: [
          {
            name: 'usage_stage',
            label: 'Stage',
            type: 'enumeration' as const,
            options: values.map((value) => ({ value, label: value })),
          },
        ],
      })
      await crm.provision(withOptions('warm', 'hot'), noSignal())
      const changed = await crm.provision(withOptions('hot', 'cold'), noSignal())
      expect(changed.optionsAdded).toEqual([{ property: 'usage_stage', values: ['cold'] }])
      const all = await crm.provision(withOptions('warm', 'hot', 'cold'), noSignal())
      expect(all).toMatchObject({ created: [], optionsAdded: [], drift: [] })
    })

    it('tells everything that is missing, and how an admin gets it there, where it may create nothing', async () => {
      const { subject } = holder
      if (!subject.install) return
      const calls: string[] = []
      const crm = subject.connect({ onCall: ({ kind }) => calls.push(kind) })
      const plan = subject.plan('contact')
      const names = plan.properties.map((property) => property.name)
      for (const dryRun of [true, false]) {
        const told = await crm.provision(plan, noSignal(), { dryRun })
        expect(told).toMatchObject({ groupCreated: false, created: [], existing: [] })
        expect(told.drift.map(({ property }) => property)).toEqual(names)
        for (const { mend } of told.drift) expect(mend).toContain('deploy')
      }
      expect(calls).not.toContain('write')
      subject.install(plan)
      const after = await crm.provision(plan, noSignal())
      expect(after).toMatchObject({ created: [], existing: names, drift: [] })
    })

    it('gives the same result when two processes do it at once', async () => {
      const { subject } = holder
      subject.install?.(subject.plan('company'))
      const plan = subject.plan('company')
      const connect = () => subject.connect().provision(plan, noSignal())
      const results = await Promise.all([connect(), connect(), connect()])
      expect(results.map((result) => result.drift)).toEqual([[], [], []])
      for (const result of results) {
        expect(result.created.length + result.existing.length).toBe(plan.properties.length)
      }
    })

    it('reports a property that is not as we need it, and leaves it alone', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const plan = subject.plan('contact')
      const other = plan.properties.map((property) =>
        property.name === subject.names.score ? { ...property, type: 'bool' as const } : property,
      )
      const again = await crm.provision({ ...plan, properties: other }, noSignal())
      expect(again.created).toEqual([])
      expect(again.drift.map((drift) => drift.property)).toEqual([subject.names.score])
      expect((await crm.provision(plan, noSignal())).drift).toEqual([])
    })
  })
}
