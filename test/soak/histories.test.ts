import { afterEach, expect, it } from '@jest/globals'
import { checkPortal } from '../support/model-check/check-portal.ts'
import { checkTasks } from '../support/model-check/check-tasks.ts'
import { removeFolders } from '../support/state.ts'
import { closeSyncWorlds } from '../support/sync-world.ts'
import { closeThreads } from '../support/thread.ts'

afterEach(async () => {
  await closeThreads()
  await closeSyncWorlds()
  await removeFolders()
})

it('whatever happens to contacts on the wire, they come to rest where they should be', async () => {
  expect(await checkPortal(40)).toBeGreaterThan(0)
}, 600_000)

it('whatever happens to tasks on the wire, there is never a second one for an episode', async () => {
  const { runs, tasks } = await checkTasks(20)
  expect(tasks).toBeGreaterThan(runs)
}, 600_000)
