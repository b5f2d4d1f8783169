import { afterAll, expect, it } from '@jest/globals'
import { checkPortal } from '../support/model-check/check-portal.ts'
import { removeFolders } from '../support/state.ts'
import { closeSyncWorlds } from '../support/sync-world.ts'

afterAll(async () => {
  await closeSyncWorlds()
  await removeFolders()
})

it('whatever happens to contacts on the wire, they come to rest where they should be', async () => {
  expect(await checkPortal(8)).toBeGreaterThanOrEqual(8)
}, 280_000)
