import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

describe('the thread', () => {
  it('carries usage of both vendors into HubSpot, and writes nothing twice', async () => {
    const thread = await openThread()
    expect(await thread.run()).toMatchObject({ created: 5, associations: 2, tasks: 1, parked: 0 })
    expect(await thread.run()).toMatchObject({ recordsWritten: 0, writeCalls: 0, tasks: 0 })
  })
})
