import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { FaultRule } from '../../sandbox/fault-script.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** More than a step has attempts. */
const MANY = 6
/** So often the connector makes a call in all before its step pauses. */
const CALLS = 4

function pauses(path: RegExp): FaultRule {
  return {
    path,
    times: MANY * CALLS,
    status: 429,
    headers: { 'X-HubSpot-RateLimit-Interval-Milliseconds': '120' },
    body: {
      status: 'error',
      message: 'You have reached your ten_secondly_rolling limit.',
      errorType: 'RATE_LIMIT',
      policyName: 'TEN_SECONDLY_ROLLING',
    },
  }
}

async function outcomes(thread: Thread, step: string): Promise<(string | null)[]> {
  const rows = await thread.app.context.db
    .selectFrom('run')
    .select('outcome')
    .where('step', '=', step)
    .orderBy('id')
    .execute()
  return rows.map((row) => row.outcome)
}

async function openScored(): Promise<Thread> {
  const always = { file: 'hubspot.yaml', from: /create: qualified/g, to: 'create: always' }
  // Without a worker for the CRM until the faults are set.
  const thread = await openThread({ origin, working: false, mappings: await mappingFiles(always) })
  thread.app.engine.start(['score', 'desire'], [])
  await thread.score()
  return thread
}

describe('a rate limit in the middle of a sync', () => {
  it.each([
    { when: 'records are written', path: /\/batch\/upsert$/ },
    { when: 'records are looked up', path: /\/companies\/batch\/read$/ },
    { when: 'records are associated', path: /\/associations\/.*\/batch\// },
    { when: 'the task is made', path: /\/objects\/tasks$/ },
  ])('pauses, costs no attempt and completes when $when', async ({ path }) => {
    const thread = await openScored()
    thread.vendors.hubspot.faults.push(pauses(path))
    thread.app.engine.start(['reconcile'], ['hubspot'])
    expect(await thread.sync()).toMatchObject({ created: 15, associations: 9, tasks: 1, parked: 0 })
    expect(thread.vendors.hubspot.faults.pending).toBe(0)
    const ran = await outcomes(thread, 'reconcile')
    expect(ran.filter((outcome) => outcome === 'rate-limited')).toHaveLength(MANY)
    expect(ran.at(-1)).toBe('done')
    const portal = viewPortal(thread.vendors.hubspot)
    expect(portal.contacts).toHaveLength(10)
    expect(portal.companies).toHaveLength(5)
    expect(portal.employments).toHaveLength(9)
    expect(portal.tasks).toHaveLength(1)
  })
})

describe('a failure that passes', () => {
  it('leaves what is in doubt to be read, and nothing is created twice', async () => {
    const thread = await openScored()
    const { faults } = thread.vendors.hubspot
    const path = /\/contacts\/batch\/upsert$/
    faults.push({ path, status: 502, body: 'bad gateway', carriedOut: true, times: 2 })
    thread.app.engine.start(['reconcile'], ['hubspot'])
    expect(await thread.sync()).toMatchObject({ parked: 0, associations: 9, tasks: 1 })
    const portal = viewPortal(thread.vendors.hubspot)
    expect(portal.contacts).toHaveLength(10)
    expect(portal.companies).toHaveLength(5)
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })

  it('that lasts is told, and asked for again later', async () => {
    const thread = await openThread({ working: false })
    const { engine, context } = thread.app
    thread.vendors.amplitude.faults.add({ kind: 'reset' }, { times: 50 })
    engine.start(['pull'], [])
    await engine.request('pull', 'amplitude')
    await expect(engine.idle(['pull'])).rejects.toThrow(/pull amplitude: .*cannot be reached/)
    expect((await thread.status()).open).toContainEqual({
      step: 'pull',
      key: 'amplitude',
      error: expect.stringContaining('AMPLITUDE_BASE_URL'),
    })
    thread.vendors.amplitude.faults.clear()
    await engine.request('pull', 'amplitude')
    await engine.idle(['pull'])
    expect(
      await context.db.selectFrom('source_window').select('window_key').execute(),
    ).toHaveLength(221)
  })
})
