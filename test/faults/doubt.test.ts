import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { ConnectedCrm } from '../../jobs/context.ts'
import type { FaultRule } from '../../sandbox/fault-script.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
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

const TIMEOUT_MS = 500
const TASKS = { method: 'POST', path: /objects\/tasks$/ }
const CONTACTS = { method: 'POST', path: /contacts\/batch\/upsert$/ }
const COMPANIES = { method: 'POST', path: /companies\/batch\/upsert$/ }
const LINKS = { method: 'POST', path: /associations\/contacts/ }

/** As if whoever paces the calls kept each new task waiting for longer than a call may take. */
function paceTasks({ app }: Thread, ms: number): void {
  const crms = app.context.crms as Map<string, ConnectedCrm>
  const connected = crms.get('hubspot')
  if (!connected?.connect) throw new Error('not connected')
  const { connect } = connected
  crms.set('hubspot', {
    ...connected,
    connect: (keys) => {
      const crm = connect(keys)
      const createTasks: Crm['createTasks'] = async (...given) => {
        await sleep(ms)
        return crm.createTasks(...given)
      }
      return { ...crm, createTasks }
    },
  })
}

async function openUnsynced(): Promise<Thread> {
  const always = { file: 'hubspot.yaml', from: /create: qualified/g, to: 'create: always' }
  const thread = await openThread({
    origin,
    working: false,
    mappings: await mappingFiles(always),
    environment: { RIPEN_CRM_TIMEOUT_MS: String(TIMEOUT_MS) },
  })
  thread.app.engine.start(['score', 'desire'], [])
  await thread.score()
  return thread
}

async function syncWith(...faults: readonly FaultRule[]): Promise<Thread> {
  const thread = await openUnsynced()
  return finish(thread, faults)
}

async function finish(thread: Thread, faults: readonly FaultRule[]): Promise<Thread> {
  for (const fault of faults) thread.vendors.hubspot.faults.push(fault)
  thread.app.engine.start(['reconcile'], ['hubspot'])
  await thread.sync()
  expect(thread.vendors.hubspot.faults.pending).toBe(0)
  return thread
}

describe('a call with no certain outcome is settled by reading, never by repeating', () => {
  it.each<{ name: string; faults: FaultRule[] }>([
    { name: 'a task that was made without an answer', faults: [{ ...TASKS, kind: 'reset-after' }] },
    { name: 'a task whose answer broke off', faults: [{ ...TASKS, kind: 'half-body' }] },
    { name: 'a task that was not made', faults: [{ ...TASKS, kind: 'reset' }] },
    { name: 'a task made after the deadline', faults: [{ ...TASKS, delayMs: 2 * TIMEOUT_MS }] },
    {
      name: 'a task made behind a bad gateway',
      faults: [{ ...TASKS, status: 502, carriedOut: true }],
    },
    { name: 'contacts made without an answer', faults: [{ ...CONTACTS, kind: 'reset-after' }] },
    { name: 'contacts whose answer broke off', faults: [{ ...CONTACTS, kind: 'half-body' }] },
    {
      name: 'contacts made after the deadline',
      faults: [{ ...CONTACTS, delayMs: 2 * TIMEOUT_MS }],
    },
    { name: 'an empty success', faults: [{ ...CONTACTS, kind: 'empty-2xx' }] },
    {
      name: 'companies, contacts, associations and a task in one pass',
      faults: [COMPANIES, CONTACTS, LINKS, TASKS].map((call) => ({ ...call, kind: 'reset-after' })),
    },
  ])('$name', async ({ faults }) => {
    const thread = await syncWith(...faults)
    const portal = viewPortal(thread.vendors.hubspot)
    expect(portal.contacts).toHaveLength(10)
    expect(portal.companies).toHaveLength(5)
    expect(portal.employments).toHaveLength(9)
    expect(portal.tasks).toHaveLength(1)
    expect(await thread.status()).toMatchObject({
      open: [],
      crms: { hubspot: { records: { 'in-sync': 15 }, tasks: { created: 1 } } },
    })
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })

  it('a task made after the deadline of a call that was kept waiting is looked for after that', async () => {
    const thread = await openUnsynced()
    // Longer than the deadline and the margin, both counted from before the wait.
    paceTasks(thread, TIMEOUT_MS + 2_500)
    await finish(thread, [{ ...TASKS, delayMs: 3 * TIMEOUT_MS }])
    expect(viewPortal(thread.vendors.hubspot).tasks).toHaveLength(1)
  })
})
