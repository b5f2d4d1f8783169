import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { closeCrmWorlds, openCrmWorld, said } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'
import { closeSyncWorlds, openSyncWorld, writeCalls } from '../support/sync-world.ts'

afterEach(async () => {
  await closeCrmWorlds()
  await closeSyncWorlds()
})
afterAll(removeFolders)

describe('a record whose score changed', () => {
  it('costs no call for less than five points, and is written with its grade for more', async () => {
    const world = await openCrmWorld()
    const properties = {
      score: { from: 'score', type: 'number', label: 'Score' },
      grade: { from: 'grade', type: 'string', label: 'Grade' },
    }
    const rules = world.rules('contact', { properties })
    await world.want('contact', 'per_a')
    await world.reconcile('contact', rules)
    world.sandbox.resetCalls()
    await world.want('contact', 'per_a', { properties: { score: 73, grade: 'A' } })
    await world.reconcile('contact', rules)
    expect(world.sandbox.calls()).toEqual([])
    expect(await world.row('per_a')).toMatchObject({ state: 'in-sync' })
    expect([...said(world, 'contact').values()]).toMatchObject([{ score: '70', grade: 'B' }])
    await world.want('contact', 'per_a', { properties: { score: 75, grade: 'A' } })
    await world.reconcile('contact', rules)
    expect([...said(world, 'contact').values()]).toMatchObject([{ score: '75', grade: 'A' }])
  })
})

describe('what a person wrote into a property of ours', () => {
  it('is not written over where it is respected, even when nobody told of it', async () => {
    const world = await openCrmWorld()
    const rules = world.rules('contact', {
      properties: {
        note: {
          from: 'summary',
          type: 'string',
          label: 'Note',
          'at-most-every': 'always',
          'respect-edit': '30d',
        },
      },
    })
    const { signal } = new AbortController()
    const plan = (await import('../../src/core/sync/provision-plan.ts')).provisionPlan(
      'contact',
      rules,
    )
    await world.crm.provision(plan, signal)
    await world.want('contact', 'per_a', { properties: { score: 70, grade: 'B', note: 'ours' } })
    await world.reconcile('contact', rules)
    const [id = ''] = said(world, 'contact').keys()
    world.sandbox.edit('contacts', id, { note: 'hers' })
    await world.want('contact', 'per_a', { properties: { score: 70, grade: 'B', note: 'new' } })
    const { counts } = await world.reconcile('contact', rules)
    expect(said(world, 'contact').get(id)).toMatchObject({ note: 'hers' })
    expect(counts).toMatchObject({ edits: 1 })
    const edits = await world.database.db
      .selectFrom('crm_edit')
      .select(['ref', 'property', 'outcome'])
      .execute()
    expect(edits).toEqual([{ ref: 'per_a', property: 'note', outcome: 'respected' }])
    const due = await world.database.db.selectFrom('crm_record').select('due_at').executeTakeFirst()
    expect(due?.due_at?.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000)
  })
})

describe('what HubSpot keeps otherwise than it is given', () => {
  const LONG = 'Acme exports reports. '.repeat(4_000).trim()

  it('is written once, and read for ours ever after', async () => {
    const always = { 'at-most-every': 'always' }
    const world = await openSyncWorld({
      email: { from: 'trait.mail', ...always },
      note: { from: 'summary', type: 'text', ...always },
      ratio: { from: 'trait.ratio', type: 'number', ...always },
    })
    const email = 'Per_A@Acme.example'
    await world.want('per_a', { email, note: LONG, ratio: 0.30000000000000004 })
    expect(await world.reconcile()).toMatchObject({ created: 1 })
    const [said] = world.said().values()
    expect(said).toMatchObject({ email: 'per_a@acme.example', ratio: '0.30000000000000004' })
    expect(said?.['note']).toHaveLength(65_536)
    const calls = writeCalls(world)
    for (let hour = 0; hour < 4; hour++) {
      world.now += 3_600_000
      await world.hear()
      await world.poll()
      expect(await world.compare()).not.toHaveProperty('edits')
      expect(await world.reconcile()).toEqual({})
    }
    expect(writeCalls(world)).toBe(calls)
    const edits = await world.database.db.selectFrom('crm_edit').selectAll().execute()
    expect(edits).toEqual([])
  })
})
