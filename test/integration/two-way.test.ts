import { afterAll, afterEach, expect, it } from '@jest/globals'
import { readPropertyTraits } from '../../src/infra/postgres/property-traits.ts'
import { storeSeenTraits } from '../../src/infra/postgres/trait-store.ts'
import { removeFolders } from '../support/state.ts'
import { rulesOf } from '../support/sync-rules.ts'
import { closeSyncWorlds, openSyncWorld, type SyncWorld } from '../support/sync-world.ts'

afterEach(closeSyncWorlds)
afterAll(removeFolders)

const PROPERTIES = { pql_plan: { from: 'trait.plan', policy: 'two-way' } }
const REF = 'per_a'
const HOUR = 3_600_000

/** What the record should say by what was told: the step `desire`, for the plan alone. */
async function desire(world: SyncWorld): Promise<void> {
  const { db } = world.database
  const at = new Date(world.now)
  const told = await readPropertyTraits(db, 'hubspot', rulesOf(PROPERTIES), [REF], at)
  await world.want(REF, { pql_plan: told.get(REF)?.['pql_plan'] ?? null })
}

async function edit(world: SyncWorld, plan: string): Promise<void> {
  world.now += HOUR
  world.sandbox.edit('contacts', world.contactId(REF), { pql_plan: plan })
  await world.hear()
}

it('who gives back in a two-way property what Ripen wrote once, after another value, is heard', async () => {
  const world = await openSyncWorld(PROPERTIES)
  const { db } = world.database
  const email = `${REF}@acme.example`
  await db
    .insertInto('person')
    .values({ id: REF, email, email_kind: 'business', told: '[]' })
    .execute()
  const tell = (plan: string) =>
    db
      .transaction()
      .execute((tx) =>
        storeSeenTraits(tx, 'billing', [{ about: REF, values: { plan } }], new Date(world.now)),
      )
  await tell('free')
  await desire(world)
  await world.reconcile()
  await world.compare()
  await edit(world, 'team')
  await desire(world)
  // Before anybody works out anew what it should say, it is still made of her word before.
  await edit(world, 'free')
  await world.reconcile()
  expect(world.said().get(email)?.['pql_plan']).toBe('free')
  const said = db.selectFrom('trait').select('value').where('origin', '=', 'hubspot')
  expect(await said.where('ended_at', 'is', null).execute()).toEqual([{ value: 'free' }])
  await desire(world)
  await world.reconcile()
  expect(world.said().get(email)?.['pql_plan']).toBe('free')
  world.now += HOUR
  await tell('enterprise')
  await desire(world)
  await world.reconcile()
  expect(world.said().get(email)?.['pql_plan']).toBe('enterprise')
})
