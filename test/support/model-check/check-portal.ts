import { expect } from '@jest/globals'
import fc from 'fast-check'
import { openSyncWorld } from '../sync-world.ts'
import { happening, PortalHistory } from './portal-history.ts'
import { PORTAL_RULES } from './portal-person.ts'
import { slowRunsOf } from './runs.ts'

/** Plays histories of several people each, against the stand-in. @returns how many. */
export async function checkPortal(numRuns: number): Promise<number> {
  const world = await openSyncWorld(PORTAL_RULES)
  let run = 0
  const happenings = fc.array(happening, { maxLength: 40, size: 'max' })
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      const history = new PortalHistory(world, String(run++))
      await history.begin()
      for (const one of all) await history.happen(one)
      expect(await history.settle()).toEqual([])
    }),
    slowRunsOf('histories of five people on the wire', numRuns),
  )
  return run
}
