import { expect } from '@jest/globals'
import fc from 'fast-check'
import { slowRunsOf } from './runs.ts'
import { TaskHistory, taskHappenings } from './task-history.ts'
import { openTaskWorld } from './task-world.ts'

/** Plays histories of the tasks of several companies each. @returns how many, and how many tasks came of them. */
export async function checkTasks(numRuns: number): Promise<{ runs: number; tasks: number }> {
  const world = await openTaskWorld()
  let runs = 0
  await fc.assert(
    fc.asyncProperty(taskHappenings, async (all) => {
      const history = new TaskHistory(world)
      await history.begin(`run-${runs++}`)
      for (const one of all) await history.happen(one)
      expect(await history.settle()).toEqual([])
    }),
    slowRunsOf('histories of the tasks of six companies', numRuns),
  )
  return { runs, tasks: world.thread.vendors.hubspot.records('tasks').length }
}
