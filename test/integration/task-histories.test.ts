import { afterAll, expect, it } from '@jest/globals'
import { checkTasks } from '../support/model-check/check-tasks.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads } from '../support/thread.ts'

afterAll(async () => {
  await closeThreads()
  await removeFolders()
})

it('whatever happens, there is never a second task for one episode, and what a person has in hand is left alone', async () => {
  const { runs, tasks } = await checkTasks(6)
  // They would say nothing of tasks that nobody made.
  expect(tasks).toBeGreaterThan(2 * runs)
}, 280_000)
