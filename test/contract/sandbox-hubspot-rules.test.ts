import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

let running: RunningHubspotSandbox
beforeEach(async () => {
  running = await startHubspotSandbox({ limits: { customProperties: 40 } })
})
afterEach(() => running.close())

const create = (properties: Readonly<Record<string, string>>) =>
  running.call('POST', '/crm/v3/objects/contacts', { properties })

describe('the rules of an administrator in the HubSpot stand-in', () => {
  it.each([
    { ruleType: 'MIN_NUMBER', ruleArguments: ['1'], good: '1', bad: '0' },
    { ruleType: 'MAX_NUMBER', ruleArguments: ['50'], good: '50', bad: '51' },
    { ruleType: 'DECIMAL', ruleArguments: ['1'], good: '1.5', bad: '1.25' },
  ])('$ruleType refuses $bad and takes $good', async ({ good, bad, ...rule }) => {
    running.sandbox.defineProperty('contacts', { name: 'points', type: 'number' })
    running.sandbox.setRules('contacts', 'points', [rule])
    const refused = await create({ points: bad })
    expect(refused).toMatchObject({ status: 400, json: { category: 'VALIDATION_ERROR' } })
    expect((await create({ points: good })).status).toBe(201)
    expect((await create({ points: '' })).status).toBe(201)
  })

  it.each([
    { ruleType: 'MIN_LENGTH', ruleArguments: ['3'], good: 'abc', bad: 'ab' },
    { ruleType: 'MAX_LENGTH', ruleArguments: ['3'], good: 'abc', bad: 'abcd' },
    { ruleType: 'ALPHANUMERIC', ruleArguments: ['NUMERIC_ONLY'], good: '12', bad: '1a' },
    { ruleType: 'REGEX', ruleArguments: ['^a'], good: 'ab', bad: 'ba' },
  ])('$ruleType refuses $bad and takes $good', async ({ good, bad, ...rule }) => {
    running.sandbox.setRules('contacts', 'jobtitle', [rule])
    expect((await create({ jobtitle: bad })).status).toBe(400)
    expect((await create({ jobtitle: good })).status).toBe(201)
  })

  it('are listed by property, under both sorts of address', async () => {
    const rule = { ruleType: 'MAX_LENGTH', ruleArguments: ['3'] }
    running.sandbox.setRules('contacts', 'jobtitle', [rule])
    const want = [{ propertyName: 'jobtitle', propertyValidationRules: [rule] }]
    for (const path of ['/crm/v3/property-validations', '/crm/property-validations/2026-03']) {
      expect((await running.call('GET', `${path}/0-1`)).json).toEqual({ results: want })
      expect((await running.call('GET', `${path}/0-2`)).json).toEqual({ results: [] })
    }
  })
})

describe('what the HubSpot stand-in tells of an account', () => {
  it('counts the properties of its own that each object has', async () => {
    running.sandbox.defineProperty('companies', { name: 'extra' })
    running.sandbox.defineProperty('companies', { name: 'gone', archived: true })
    const { json } = await running.call('GET', '/crm/limits/2026-03/custom-properties')
    const rows = (json?.['byObjectType'] ?? []) as Record<string, unknown>[]
    expect(rows.find((row) => row['objectTypeId'] === '0-2')).toMatchObject({ limit: 40, usage: 1 })
    expect(rows.find((row) => row['objectTypeId'] === '0-1')).toMatchObject({ limit: 40, usage: 0 })
  })

  it('lists archived and read-only definitions as they were set', async () => {
    const modificationMetadata = { archivable: true, readOnlyDefinition: true, readOnlyValue: true }
    running.sandbox.defineProperty('contacts', { name: 'gone', archived: true })
    running.sandbox.defineProperty('contacts', { name: 'locked', modificationMetadata })
    const names = async (query: string) => {
      const { json } = await running.call('GET', `/crm/v3/properties/contacts${query}`)
      return ((json?.['results'] ?? []) as { name: string }[]).map(({ name }) => name)
    }
    expect(await names('?archived=true')).toEqual(['gone'])
    expect(await names('')).toContain('locked')
    expect((await create({ locked: 'x' })).status).toBe(400)
  })
})
