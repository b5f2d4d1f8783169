import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals'
import { readDeals } from '../../jobs/steps/read-deals.ts'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { removeFolders } from '../support/state.ts'
import { TRAIT_FILES } from '../support/traits-files.ts'
import {
  closeTraitsWorlds,
  hubspotMapping,
  openTraitsWorld,
  type TraitsWorld,
} from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const mapping = hubspotMapping(['read-every: 1h', 'read-every: 1h\ndeals: {}'])
let world: TraitsWorld
let contactId = ''

beforeEach(async () => {
  world = await openTraitsWorld(NOW)
  await world.person('per_ann', { nodes: ['email/ann@acme.com'] })
  const [id = ''] = world.sandbox.seed({
    contacts: [{ email: 'ann@acme.com', pql_person_id: 'per_ann' }],
  }).contacts
  contactId = id
  await world.link('per_ann', 'contact', contactId)
  await world.read(mapping)
  world.sandbox.people.openDeal({ contacts: [contactId] }, { dealname: 'Team plan' })
  await read()
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

async function read(): Promise<void> {
  world.now = new Date(world.now.getTime() + 2 * 3_600_000)
  const clock = () => world.now
  const context = { db: world.database.db, clock }
  const { signal } = new AbortController()
  const run = { note: () => {}, count: () => {} }
  const set = parseMappingSet(TRAIT_FILES)
  await readDeals({ context, crm: world.crm, set, mapping, signal, run })
}

const deals = async () => (await world.database.db.selectFrom('crm_deal_record').execute()).length
const said = () => world.database.db.selectFrom('sales_state').select('status').execute()
const stale = async () =>
  (await world.database.db.selectFrom('crm_read').select('stale').executeTakeFirst())?.stale

it('a record that was merged since the last look keeps its deals until it is known as which', async () => {
  expect([await deals(), await said()]).toEqual([1, [{ status: 'opportunity' }]])
  const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@old.example' }] }).contacts
  const merged = world.sandbox.merge('contacts', contactId, other)
  await read()
  expect([await deals(), await said()]).toEqual([1, [{ status: 'opportunity' }]])
  expect(await stale()).toBe(1)
  // It is read again at once, and found.
  await world.hear([], mapping)
  const row = await world.database.db.selectFrom('crm_record').select('crm_id').executeTakeFirst()
  expect(row).toEqual({ crm_id: merged })
  await read()
  expect([await deals(), await said()]).toEqual([1, [{ status: 'opportunity' }]])
})

it('a record that is there and has its deal no more loses it', async () => {
  const [deal = { id: '' }] = world.sandbox.records('deals')
  world.sandbox.archive('deals', deal.id)
  await read()
  expect([await deals(), await said()]).toEqual([0, [{ status: 'none' }]])
  expect(await stale()).toBe(0)
})
