import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { type DesiredRecord, leftRecord } from '../../src/core/sync/desired-record.ts'
import { recordsOf } from '../../src/infra/postgres/crm-record-store.ts'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, said } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'

afterEach(closeCrmWorlds)
afterAll(removeFolders)

/** One that we made, and one that was there. */
async function openWritten() {
  const world = await openCrmWorld()
  const [found = ''] = world.sandbox.seed({
    contacts: [{ email: 'per_old@acme.example' }],
  }).contacts
  await world.want('contact', 'per_new')
  await world.want('contact', 'per_old')
  await world.reconcile('contact')
  const made = (await world.row('per_new')).crm_id ?? ''
  world.sandbox.resetCalls()
  return { world, made, found }
}

async function leave(world: CrmWorld, how: 'keep' | 'clear' | 'archive') {
  const rows = await recordsOf(world.database.db, 'hubspot', ['per_new', 'per_old'])
  const left = [...rows.values()].map(
    (row): DesiredRecord => leftRecord({ 'on-leave': how, properties: {} }, row),
  )
  await world.wantAll(left.map((l) => ({ ...l, object: 'contact', companyRef: null })))
  return world.reconcile('contact', world.rules('contact', { 'on-leave': how }))
}

const writes = (world: CrmWorld) => world.sandbox.calls().filter(({ kind }) => kind === 'write')

describe('the record of somebody who left the model', () => {
  it('keeps what it says: keep', async () => {
    const { world, made, found } = await openWritten()
    await leave(world, 'keep')
    expect(writes(world)).toEqual([])
    for (const id of [made, found]) {
      expect(said(world, 'contact').get(id)).toMatchObject({ score: '70', grade: 'B' })
    }
    expect(await world.row('per_new')).toMatchObject({ state: 'in-sync' })
  })

  it('says nothing of ours any more, and is cleared once: clear', async () => {
    const { world, made, found } = await openWritten()
    await leave(world, 'clear')
    for (const id of [made, found]) {
      expect(Object.keys(said(world, 'contact').get(id) ?? {})).not.toContain('score')
    }
    world.sandbox.resetCalls()
    await leave(world, 'clear')
    expect(writes(world)).toEqual([])
  })

  it('is put away when we made it, else cleared, and told: archive', async () => {
    const { world, made, found } = await openWritten()
    const { counts, entries } = await leave(world, 'archive')
    expect(counts).toMatchObject({ archived: 1, cleared: 1 })
    expect([...said(world, 'contact').keys()]).toEqual([found])
    expect(said(world, 'contact').get(found)).not.toHaveProperty('score')
    expect(entries).toEqual([
      { ref: 'per_old', outcome: 'cleared', reason: expect.stringContaining('did not make it') },
    ])
    expect(await world.row('per_new')).toMatchObject({ state: 'unlinked', crm_id: null })
    expect(await world.row('per_old')).toMatchObject({ state: 'in-sync', crm_id: found })
    const archived = world.sandbox.records('contacts').find(({ id }) => id === made)
    expect(archived).toMatchObject({ archived: true })
    expect(archived?.properties).not.toHaveProperty('score')
  })

  it('stays when it was merged with one that we did not make: archive', async () => {
    const { world, made } = await openWritten()
    const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'bo@acme.example' }] }).contacts
    const merged = world.sandbox.merge('contacts', made, other)
    await leave(world, 'archive')
    expect(said(world, 'contact').has(merged)).toBe(true)
    expect(said(world, 'contact').get(merged)).not.toHaveProperty('score')
  })

  it('is made again when somebody comes back after it was put away', async () => {
    const { world } = await openWritten()
    await leave(world, 'archive')
    await world.want('contact', 'per_new')
    expect((await world.reconcile('contact')).counts).toEqual({ created: 1 })
    expect(await world.row('per_new')).toMatchObject({ state: 'in-sync', created: true })
  })
})

describe('a record that is restored in the CRM', () => {
  it('is found again by our key, and no second one is made', async () => {
    const { world, found } = await openWritten()
    world.sandbox.archive('contacts', found)
    const never = world.rules('contact', { create: 'never' })
    const more = { mayCreate: false, properties: { score: 71, grade: 'B' } }
    await world.want('contact', 'per_old', more)
    await world.reconcile('contact', never)
    expect(await world.row('per_old')).toMatchObject({ state: 'unlinked', crm_id: null })
    world.sandbox.restore('contacts', found)
    await world.want('contact', 'per_old', more)
    await world.reconcile('contact', never)
    expect(await world.row('per_old')).toMatchObject({ state: 'in-sync', crm_id: found })
    expect(said(world, 'contact').get(found)).toMatchObject({ score: '71' })
  })
})

describe('a value that cannot be sent', () => {
  it('parks its record with the reason before anything is sent, and the others get through', async () => {
    const { world } = await openWritten()
    await world.want('contact', 'per_new', { properties: { score: 71, grade: 'Z' } })
    await world.want('contact', 'per_old', { properties: { score: 'many', grade: 'B' } })
    await world.want('contact', 'per_third')
    const { counts } = await world.reconcile('contact')
    expect(counts).toEqual({ parked: 2, created: 1 })
    expect(await world.row('per_new')).toMatchObject({
      state: 'parked',
      code: 'NO_VALUE',
      reason: 'property grade has a value that is none of its options; nothing was sent',
    })
    expect(writes(world)).toHaveLength(1)
  })
})

describe('a property that is left alone when there is nothing to say', () => {
  it('keeps its value, and is not written again when it says the same later', async () => {
    const { world, made } = await openWritten()
    const rules = world.rules('contact', {
      properties: {
        grade: {
          ...{ from: 'grade', type: 'string', label: 'Grade' },
          'when-empty': 'keep',
        },
      },
    })
    const say = async (properties: Record<string, number | string>) => {
      world.sandbox.resetCalls()
      await world.want('contact', 'per_new', { properties })
      await world.reconcile('contact', rules)
      return writes(world).length
    }
    expect(await say({ score: 5 })).toBe(1)
    expect(said(world, 'contact').get(made)).toMatchObject({ score: '5', grade: 'B' })
    expect(await say({ score: 5, grade: 'B' })).toBe(0)
    expect(await say({ score: 0, grade: 'C' })).toBe(1)
    expect(said(world, 'contact').get(made)).toMatchObject({ score: '0', grade: 'C' })
  })
})
