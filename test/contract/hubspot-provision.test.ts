import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmProperty, ProvisionPlan } from '../../src/core/ports/crm.ts'
import type { Finding } from '../../src/core/ports/crm-check.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import {
  closeAccounts,
  connectHubspot,
  openAccount,
  startHubspotSubject,
} from './hubspot-subject.ts'

afterEach(closeAccounts)

const STAGE: CrmProperty = {
  name: 'usage_stage',
  label: 'Stage',
  type: 'enumeration',
  options: [
    { value: 'warm', label: 'Warm' },
    { value: 'hot', label: 'Hot' },
  ],
}

const only = (plan: ProvisionPlan, ...properties: CrmProperty[]) => ({ ...plan, properties })
const option = (value: string, displayOrder: number) => ({
  value,
  label: value,
  displayOrder,
  hidden: false,
})
const told = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((one) => one.level === level).map(({ what }) => what)

describe('options of an enumeration of ours', () => {
  it('are added to the list as it is, with those that people have added', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const plan = only(subject.plan('contact'), STAGE)
    await crm.provision(plan, noSignal())
    const options = [option('theirs', 0), option('warm', 1)]
    sandbox.defineProperty('contacts', { name: 'usage_stage', label: 'Renamed', options })
    const result = await crm.provision(plan, noSignal())
    expect(result.optionsAdded).toEqual([{ property: 'usage_stage', values: ['hot'] }])
    const { options: now, label } = sandbox.property('contacts', 'usage_stage') ?? {}
    expect(now?.map(({ value }) => value)).toEqual(['theirs', 'warm', 'hot'])
    expect(label).toBe('Renamed')
  })

  it('are never sent when the list could not be read: everybody would lose theirs', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const plan = only(subject.plan('contact'), STAGE)
    await crm.provision(plan, noSignal())
    sandbox.defineProperty('contacts', { name: 'usage_stage', options: [option('theirs', 0)] })
    sandbox.resetCalls()
    sandbox.faults.push({ path: /usage_stage$/, status: 200, body: { name: 'usage_stage' } })
    expect((await failureOf(crm.provision(plan, noSignal()))).kind).toBe('retryable')
    expect(sandbox.calls().filter(({ method }) => method === 'PATCH')).toEqual([])
  })

  it('are not added to what lies in another group', async () => {
    const { subject, sandbox, crm } = await openAccount()
    const plan = only(subject.plan('contact'), STAGE)
    const foreign = { name: 'usage_stage', type: 'enumeration', fieldType: 'select' }
    sandbox.defineProperty('contacts', { ...foreign, options: [option('theirs', 0)] })
    const { drift, findings } = await crm.provision(plan, noSignal())
    expect(drift).toMatchObject([{ property: 'usage_stage', expected: 'options warm, hot' }])
    expect(told(findings, 'warning').join()).toContain('its definition is left alone')
    expect(sandbox.property('contacts', 'usage_stage')?.options).toHaveLength(1)
  })
})

describe('what is no longer as we made it', () => {
  const readOnly = { archivable: true, readOnlyDefinition: false, readOnlyValue: true }
  it.each([
    { name: 'retyped', change: { type: 'string', fieldType: 'text' }, found: 'type string' },
    { name: 'deleted', change: { archived: true }, found: 'one that was deleted' },
    { name: 'read-only', change: { modificationMetadata: readOnly }, found: 'a read-only value' },
    {
      name: 'calculated',
      change: { fieldType: 'calculation_equation' },
      found: 'a value that HubSpot calculates',
    },
  ])('$name is told with what to do, and left alone', async ({ change, found }) => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.defineProperty('contacts', { name: 'usage_score', ...change })
    const before = sandbox.property('contacts', 'usage_score')
    sandbox.resetCalls()
    const { drift, created } = await crm.provision(subject.plan('contact'), noSignal())
    expect(drift).toEqual([
      { property: 'usage_score', expected: expect.any(String), found, mend: expect.any(String) },
    ])
    expect(created).toEqual([])
    expect(sandbox.property('contacts', 'usage_score')).toEqual(before)
    expect(sandbox.calls().filter(({ kind }) => kind === 'write')).toEqual([])
  })

  it('keeps what is missing beside it from being created', async () => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.defineProperty('contacts', { name: 'usage_score', type: 'string', fieldType: 'text' })
    const plan = subject.plan('contact')
    const extra = { name: 'usage_extra', label: 'Extra', type: 'date' } as const
    const more = { ...plan, properties: [...plan.properties, extra] }
    expect(await crm.provision(more, noSignal())).toMatchObject({
      created: [],
      groupCreated: false,
    })
    expect(sandbox.property('contacts', 'usage_extra')).toBeUndefined()
  })

  it('moved to another group is told, and no obstacle', async () => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.defineProperty('contacts', { name: 'usage_score', groupName: 'sales_properties' })
    const { drift, findings } = await crm.provision(subject.plan('contact'), noSignal())
    expect(drift).toEqual([])
    expect(told(findings, 'warning')).toEqual([expect.stringContaining('sales_properties')])
  })
})

describe('the room of an account', () => {
  it('for unique properties is looked at before anything is created', async () => {
    const subject = await startHubspotSubject()
    const { sandbox } = subject
    for (let i = 0; i < 10; i += 1) {
      sandbox.defineProperty('contacts', { name: `unique_${i}`, hasUniqueValue: true })
    }
    const crm = connectHubspot(subject.baseUrl)
    const error = await failureOf(crm.provision(subject.plan('contact'), noSignal()))
    expect(error.kind).toBe('config')
    expect(error.message).toContain('unique_9')
    expect(sandbox.calls().filter(({ kind }) => kind === 'write')).toEqual([])
    const dry = await crm.provision(subject.plan('contact'), noSignal(), { dryRun: true })
    expect(told(dry.findings, 'error')).toEqual([expect.stringContaining('unique_9')])
    await subject.close()
  })

  it('for properties of its own is looked at too', async () => {
    const subject = await startHubspotSubject({ limits: { customProperties: 2 } })
    const crm = connectHubspot(subject.baseUrl)
    const error = await failureOf(crm.provision(subject.plan('company'), noSignal()))
    expect(error.message).toMatch(/room for 2 more .* 3 are missing/)
    expect(subject.sandbox.property('companies', 'usage_score')).toBeUndefined()
    await subject.close()
  })
})

describe('rules of an administrator', () => {
  const numbers = { least: 0, greatest: 100 }
  const score = { name: 'usage_score', label: 'x', type: 'number', values: { numbers } } as const
  const note = { name: 'usage_note', label: 'x', type: 'text', values: { longest: 1000 } } as const
  it.each([
    { name: 'MIN_NUMBER 0', of: score, args: ['0'], level: null },
    { name: 'MIN_NUMBER 1', of: score, args: ['1'], level: 'error' },
    { name: 'MAX_NUMBER 100', of: score, args: ['100'], level: null },
    { name: 'MAX_NUMBER 99', of: score, args: ['99'], level: 'error' },
    { name: 'DECIMAL 2', of: score, args: ['2'], level: null },
    { name: 'MAX_LENGTH 1000', of: note, args: ['1000'], level: null },
    { name: 'MAX_LENGTH 999', of: note, args: ['999'], level: 'error' },
    { name: 'REGEX ^x', of: note, args: ['^x'], level: 'warning' },
    { name: 'ALPHANUMERIC ALPHA_ONLY', of: note, args: ['ALPHA_ONLY'], level: 'warning' },
  ])('$name is held against what may be written: $level', async ({ name, of, args, level }) => {
    const { subject, sandbox, crm } = await openAccount()
    const ruleType = name.split(' ')[0] ?? ''
    sandbox.setRules('contacts', of.name, [{ ruleType, ruleArguments: args }])
    const plan = only(subject.plan('contact'), of)
    const { findings, drift } = await crm.provision(plan, noSignal())
    expect(findings.map((one) => one.level)).toEqual(level === null ? [] : [level])
    expect(drift).toEqual([])
  })

  it('that cannot be read keep nothing from being created', async () => {
    const { subject, sandbox, crm } = await openAccount()
    sandbox.faults.push({ path: /property-validations/, status: 404, body: '<html></html>' })
    expect((await crm.provision(subject.plan('contact'), noSignal())).drift).toEqual([])
  })
})
