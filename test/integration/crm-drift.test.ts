import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { noteProvisioned, provisionOnce } from '../../jobs/steps/provision-once.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import { crmNeeds } from '../../src/core/sync/crm-needs.ts'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, wanted } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'

afterEach(closeCrmWorlds)
afterAll(removeFolders)

const REFS = Array.from({ length: 100 }, (_, n) => `per_${String(n).padStart(3, '0')}`)
const READ_ONLY = { archivable: true, readOnlyDefinition: false, readOnlyValue: true }
const AS_BEFORE = { ...READ_ONLY, readOnlyValue: false }
const logger = { warn: () => {} } as never
const signal = new AbortController().signal
let world: CrmWorld
let mapping: CrmMapping
let found: string[]
const run = {
  note: ({ outcome, reason }: { outcome: string; reason: string | null }) => {
    if (outcome === 'finding') found.push(reason ?? '')
  },
  count: () => {},
}

const wantAll = (score: number) =>
  world.wantAll(REFS.map((ref) => wanted('contact', ref, { properties: { score } })))
const writeCalls = () => world.sandbox.calls().filter(({ kind }) => kind === 'write').length
const provision = () =>
  provisionOnce({ db: world.database.db, logger }, world.crm, mapping, signal, run)
async function count(state: string): Promise<number> {
  const rows = await world.database.db
    .selectFrom('crm_record')
    .select('ref')
    .where('state', '=', state as 'parked')
    .execute()
  return rows.length
}

beforeEach(async () => {
  world = await openCrmWorld()
  found = []
  mapping = { objects: { contact: world.rules('contact') } } as CrmMapping
  await noteProvisioned(
    world.database.db,
    'hubspot',
    crmNeeds(mapping).objects.map(({ plan }) => plan),
  )
  await wantAll(1)
  await world.reconcile('contact')
  await wantAll(2)
  world.sandbox.resetCalls()
})

describe('a property that is not ours to write any more', () => {
  it.each([
    { how: 'read-only', change: { modificationMetadata: READ_ONLY }, back: AS_BEFORE },
    { how: 'deleted', change: { archived: true }, back: AS_BEFORE },
    { how: 'of another type', change: { type: 'date', fieldType: 'date' }, back: AS_BEFORE },
  ])(
    'is noticed after a few refusals, and nothing more is sent: $how',
    async ({ change, back }) => {
      const whole = { type: 'number', fieldType: 'number', archived: false }
      world.sandbox.defineProperty('contacts', { name: 'score', ...change })
      await expect(world.reconcile('contact')).rejects.toThrow(/score: expected .*, found /)
      expect(writeCalls()).toBeLessThanOrEqual(14)
      // Until it has ended, nothing is sent at all.
      world.sandbox.resetCalls()
      await expect(provision()).rejects.toThrow('score: expected')
      expect(writeCalls()).toBe(0)
      world.sandbox.defineProperty('contacts', {
        name: 'score',
        ...whole,
        modificationMetadata: back,
      })
      await provision()
      expect(await count('parked')).toBe(0)
      await world.reconcile('contact')
      expect(await count('in-sync')).toBe(100)
      // Then it is not looked at any more.
      world.sandbox.resetCalls()
      await provision()
      expect(world.sandbox.calls()).toEqual([])
    },
  )
})

describe('a rule of the account that refuses our values', () => {
  it('is told, parks whom it refuses, and lets them pass when it is lifted', async () => {
    const { sandbox } = world
    sandbox.setRules('contacts', 'score', [{ ruleType: 'MAX_NUMBER', ruleArguments: ['1'] }])
    await world.reconcile('contact')
    expect(await count('parked')).toBe(100)
    await provision()
    expect(found).toContainEqual(expect.stringContaining('has the rule MAX_NUMBER 1'))
    expect(await count('parked')).toBe(100)
    sandbox.setRules('contacts', 'score', [])
    await provision()
    expect(await count('pending')).toBe(100)
    sandbox.resetCalls()
    await provision()
    expect(sandbox.calls()).toEqual([])
  })
})

it('a changed mapping gives the refused another try, and nobody else', async () => {
  const { db } = world.database
  const park = (ref: string, code: string | null) =>
    db.updateTable('crm_record').set({ state: 'parked', code }).where('ref', '=', ref).execute()
  await park('per_000', 'INVALID_OPTION')
  await park('per_001', 'NO_VALUE')
  await park('per_002', null)
  await provision()
  expect(await count('parked')).toBe(3)
  const property = { from: 'grade', type: 'string', label: 'Letter' }
  mapping = {
    objects: { contact: world.rules('contact', { properties: { letter: property } }) },
  } as CrmMapping
  await provision()
  expect(await count('parked')).toBe(2)
})

it('three records with one bad value of their own stop nobody', async () => {
  await world.wantAll(
    REFS.slice(0, 3).map((ref) =>
      wanted('contact', ref, { properties: { score: 3, email: 'no address' } }),
    ),
  )
  await world.reconcile('contact')
  expect([await count('parked'), await count('in-sync')]).toEqual([3, 97])
})
