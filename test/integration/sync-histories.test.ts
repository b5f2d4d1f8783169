import { afterAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { happening, PORTAL_RULES, PortalHistory } from '../support/model-check/portal-history.ts'
import { removeFolders } from '../support/state.ts'
import { closeSyncWorlds, openSyncWorld } from '../support/sync-world.ts'

const RUNS = 25

afterAll(async () => {
  await closeSyncWorlds()
  await removeFolders()
})

it('whatever happens to a contact on the wire, it comes to rest where it should be', async () => {
  const world = await openSyncWorld(PORTAL_RULES)
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 14 }), async (happenings) => {
      const history = new PortalHistory(world, `per_${run++}`)
      await history.want()
      await world.reconcile()
      await world.compare()
      for (const one of happenings) await history.happen(one)
      expect(await history.settle()).toEqual([])
    }),
    { numRuns: RUNS },
  )
}, 280_000)
