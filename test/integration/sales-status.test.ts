import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readSalesStates, storeSeenSales } from '../../src/infra/postgres/sales-store.ts'
import { removeFolders } from '../support/state.ts'
import { closeTraitsWorlds, openTraitsWorld, type TraitsWorld } from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const later = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)
let world: TraitsWorld
beforeEach(async () => {
  world = await openTraitsWorld(NOW)
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

const say = (status: 'none' | 'accepted' | 'rejected' | 'won', at: Date, about = 'per_ann') =>
  world.database.db
    .transaction()
    .execute((tx) => storeSeenSales(tx, 'hubspot', [{ about, status, reason: null }], at))
const tell = (status: 'accepted' | 'rejected', told: Date, at: Date) =>
  world.database.db.transaction().execute((tx) => {
    const seen = { about: 'per_ann', status, reason: null, since: told.getTime() }
    return storeSeenSales(tx, 'hubspot', [seen], at)
  })
const stateOf = async (id: string, model: string | null = null) =>
  (await readSalesStates(world.database.db, [id], model)).get(id)
const history = () =>
  world.database.db
    .selectFrom('score_change')
    .select(['subject_id', 'model', 'cause', 'from_sales', 'to_sales', 'from_score', 'to_score'])
    .orderBy('id')
    .orderBy('model')
    .execute()

describe('the sales status', () => {
  it('is what the record says now, though it was said before what stood there', async () => {
    await world.person('per_ann')
    await tell('rejected', later(1), later(2))
    // The record was merged into another, which somebody accepted last week.
    await tell('accepted', later(-7 * 24), later(3))
    const stands = { status: 'accepted', since: later(3).getTime() }
    expect(await stateOf('per_ann')).toMatchObject(stands)
    await tell('rejected', later(4), later(5))
    expect(await stateOf('per_ann')).toMatchObject({
      status: 'rejected',
      since: later(4).getTime(),
    })
  })

  it('is what the values of the property mean, with the reason and the scores of the moment', async () => {
    await world.person('per_ann')
    await world.score('per_ann', 'people', 71)
    await world.score('per_ann', 'expansion', 12)
    const properties = { hs_lead_status: 'UNQUALIFIED', website: 'no budget' }
    const { contacts } = world.sandbox.seed({ contacts: [{ email: 'a@b.com', ...properties }] })
    await world.link('per_ann', 'contact', contacts[0] ?? '')
    await world.read()
    expect(await stateOf('per_ann', 'people')).toEqual({
      status: 'rejected',
      since: NOW.getTime(),
      scoreThen: 71,
      source: 'hubspot',
      reason: 'no budget',
      scores: { people: 71, expansion: 12 },
    })
    expect(await stateOf('per_ann', 'expansion')).toMatchObject({ scoreThen: 12 })
    expect(await stateOf('per_ann', 'another')).toMatchObject({ scoreThen: null })
    expect(await world.touched()).toEqual(['score per_ann'])
  })

  it('leaves a row of history for every model that scores the subject, with the value before', async () => {
    await world.person('per_ann')
    await world.score('per_ann', 'people', 71)
    await world.score('per_ann', 'expansion', 12)
    await say('accepted', NOW)
    await say('accepted', later(1))
    await say('rejected', later(2))
    const row = { subject_id: 'per_ann' }
    const people = { model: 'people', from_score: 71, to_score: 71 }
    const expansion = { model: 'expansion', from_score: 12, to_score: 12 }
    const accepted = { cause: 'sales: accepted', from_sales: 'none', to_sales: 'accepted' }
    const rejected = { cause: 'sales: rejected', from_sales: 'accepted', to_sales: 'rejected' }
    expect(new Set(await history())).toEqual(
      new Set([
        { ...row, ...people, ...accepted },
        { ...row, ...expansion, ...accepted },
        { ...row, ...people, ...rejected },
        { ...row, ...expansion, ...rejected },
      ]),
    )
    expect(await history()).toHaveLength(4)
  })

  it('keeps its date while the CRM says the same, and is none when it takes it back', async () => {
    await world.person('per_ann')
    expect(await say('none', NOW)).toEqual([])
    await say('rejected', later(1))
    expect(await say('rejected', later(5))).toEqual([])
    expect(await stateOf('per_ann')).toMatchObject({ since: later(1).getTime() })
    expect(await say('none', later(6))).toEqual(['per_ann'])
    expect(await stateOf('per_ann')).toMatchObject({ status: 'none', since: null })
  })

  it('does not go back when an older answer comes late', async () => {
    await world.person('per_ann')
    await say('won', later(2))
    expect(await say('accepted', later(1))).toEqual([])
    expect(await stateOf('per_ann')).toMatchObject({ status: 'won' })
  })

  it('of somebody who was merged into another is found with the other, the later word first', async () => {
    await world.person('per_ann')
    await world.score('per_ann', 'people', 40)
    const alias = { id: 'per_old', person_id: 'per_ann' }
    await world.database.db.insertInto('person_alias').values(alias).execute()
    await say('accepted', NOW)
    await say('rejected', later(1), 'per_old')
    expect(await stateOf('per_ann')).toMatchObject({ status: 'rejected', scoreThen: 40 })
    expect((await history()).at(-1)).toMatchObject({
      subject_id: 'per_ann',
      from_sales: 'accepted',
    })
    await say('won', later(2))
    expect(await stateOf('per_ann')).toMatchObject({ status: 'won' })
    expect(await readSalesStates(world.database.db, null)).toEqual(
      new Map([['per_ann', await stateOf('per_ann')]]),
    )
  })
})
