import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { readParked, retryParked } from '../../src/infra/postgres/parked-store.ts'
import { openAccount } from '../contract/hubspot-subject.ts'
import { removeFolders } from '../support/state.ts'
import { closeSyncWorlds, openSyncWorld, writeCalls } from '../support/sync-world.ts'

afterEach(closeSyncWorlds)
afterAll(removeFolders)

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const GRADE = { pql_grade: { from: 'grade', 'at-most-every': 'always' } }
const SCORED = { ...GRADE, pql_score: { from: 'score', type: 'number', 'min-delta': 1 } }

describe('a change event for every write', () => {
  it('late, out of order and twice, ends with no second write', async () => {
    const world = await openSyncWorld(SCORED)
    const people = ['ann', 'ben', 'cat']
    await Promise.all(people.map((ref) => world.want(ref, { pql_score: 10, pql_grade: 'D' })))
    await world.reconcile()
    await world.compare()
    // Their events wait while the next writes are made.
    for (const score of [40, 70]) {
      for (const ref of people) await world.want(ref, { pql_score: score, pql_grade: `G${score}` })
      await world.reconcile()
    }
    const writes = writeCalls(world)
    for (const shuffle of [1, 2, 3]) {
      const counts = await world.hear({ shuffle, repeat: 1 })
      expect(counts['edits'] ?? 0).toBe(0)
      await world.reconcile()
    }
    await world.poll()
    world.now += 25 * HOUR
    await world.compare()
    await world.reconcile()
    expect(writeCalls(world)).toBe(writes)
    expect(await world.database.db.selectFrom('crm_edit').selectAll().execute()).toEqual([])
    expect(world.said().get('ann@acme.example')).toMatchObject({
      pql_score: '70',
      pql_grade: 'G70',
    })
  })

  it('costs no call when it tells what was written', async () => {
    const world = await openSyncWorld(SCORED)
    await world.want('ann', { pql_score: 10, pql_grade: 'D' })
    await world.reconcile()
    await world.compare()
    world.sandbox.resetCalls()
    expect(await world.hear({ repeat: 2 })).toMatchObject({ echoes: expect.any(Number) })
    const reads = world.sandbox.calls().filter(({ path }) => path.includes('batch/read'))
    expect(reads).toEqual([])
  })
})

describe('what a person changed in a property of ours', () => {
  it.each(['told', 'polled', 'compared'] as const)('is put right, %s, and noted', async (how) => {
    const world = await openSyncWorld(SCORED)
    await world.want('ann', { pql_score: 70, pql_grade: 'B' })
    await world.reconcile()
    await world.compare()
    await world.hear()
    await world.poll()
    world.sandbox.edit('contacts', world.contactId('ann'), { pql_grade: 'A+' })
    world.now += 2 * MINUTE
    if (how === 'told') await world.hear()
    if (how === 'polled') await world.poll()
    if (how === 'compared') {
      world.now += 24 * HOUR
      await world.compare()
    }
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'B' })
    const edits = await world.database.db
      .selectFrom('crm_edit')
      .select(['ref', 'property', 'outcome'])
      .execute()
    expect(edits).toEqual([{ ref: 'ann', property: 'pql_grade', outcome: 'restored' }])
  })

  it('is left alone while it is respected, and put right by itself after', async () => {
    const world = await openSyncWorld({ pql_grade: { ...GRADE.pql_grade, 'respect-edit': '2h' } })
    await world.want('ann', { pql_grade: 'B' })
    await world.reconcile()
    await world.compare()
    world.sandbox.edit('contacts', world.contactId('ann'), { pql_grade: 'hers' })
    await world.want('ann', { pql_grade: 'C' })
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'hers' })
    world.now += HOUR
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'hers' })
    world.now += HOUR
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'C' })
  })
})

describe('a workflow that rewrites our value', () => {
  it('is left alone after three rounds within an hour, until a person or other rules say otherwise', async () => {
    const world = await openSyncWorld(GRADE)
    const { db } = world.database
    await world.want('ann', { pql_grade: 'B' })
    await world.reconcile()
    await world.compare()
    const from = writeCalls(world)
    const round = async () => {
      world.now += 5 * MINUTE
      world.sandbox.edit('contacts', world.contactId('ann'), { pql_grade: 'workflow' })
      await world.hear({ repeat: 1 })
      await world.reconcile()
    }
    for (let i = 0; i < 6; i++) await round()
    expect(writeCalls(world) - from).toBe(3)
    expect(await readParked(db, 'hubspot')).toMatchObject([
      { ref: 'ann', property: 'pql_grade', code: 'FIGHT', names: ['ann@acme.example'] },
    ])
    expect(await retryParked(db, 'hubspot')).toBe(1)
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'B' })
    expect(await readParked(db, 'hubspot')).toEqual([])
    for (let i = 0; i < 6; i++) await round()
    expect(await readParked(db, null)).toHaveLength(1)
    await world.rules({ pql_grade: { ...GRADE.pql_grade, label: 'Other' } })
    await world.reconcile()
    expect(world.said().get('ann@acme.example')).toMatchObject({ pql_grade: 'B' })
  })

  it('that is another Ripen on the portal comes to rest', async () => {
    const portal = await openAccount()
    const one = await openSyncWorld(GRADE, portal)
    const other = await openSyncWorld(GRADE, portal)
    await one.want('ann', { pql_grade: 'one' })
    await other.want('ann', { pql_grade: 'other' })
    await one.reconcile()
    await other.reconcile()
    portal.sandbox.resetCalls()
    for (let i = 0; i < 12; i++) {
      for (const world of [one, other]) {
        world.now += 25 * HOUR * (i === 0 ? 1 : 0) + MINUTE
        await world.database.db.updateTable('crm_read').set({ stale: 1 }).execute()
        await world.compare()
        await world.reconcile()
      }
    }
    expect(writeCalls(one)).toBeLessThanOrEqual(7)
    const parked = [
      ...(await readParked(one.database.db, null)),
      ...(await readParked(other.database.db, null)),
    ]
    expect(parked.length).toBeGreaterThan(0)
  })
})

describe('a whole comparison', () => {
  it('finds what nobody told of, at the pace of its calls', async () => {
    const world = await openSyncWorld(GRADE)
    await world.rules(GRADE, { 'compare-calls': 24 })
    const people = Array.from({ length: 250 }, (_, n) => `p${n}`)
    for (const ref of people) await world.want(ref, { pql_grade: 'B' })
    await world.reconcile()
    for (let hour = 0; hour < 3; hour++) {
      expect(await world.compare()).toMatchObject({ fieldsRead: hour < 2 ? 100 : 50 })
      world.now += HOUR
    }
    expect(await world.compare()).toEqual({})
    world.sandbox.edit('contacts', world.contactId('p7'), { pql_grade: 'Z' })
    let edits = 0
    for (let hour = 0; hour < 30; hour++) {
      world.now += HOUR
      edits += (await world.compare())['edits'] ?? 0
    }
    await world.reconcile()
    expect([edits, world.said().get('p7@acme.example')?.['pql_grade']]).toEqual([1, 'B'])
  })
})
