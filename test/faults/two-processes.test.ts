import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createRandom } from '../../sandbox/company/random.ts'
import { startHubspotSandbox } from '../../sandbox/hubspot/start-hubspot-sandbox.ts'
import { ripenJson, startRipen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { eventually } from '../support/embedded-processes.ts'
import { readFinalPortal, readFinalState } from '../support/final-state.ts'
import { viewPortal } from '../support/portal.ts'
import { createState, removeFolders } from '../support/state.ts'
import type { Vendors } from '../support/vendors.ts'

afterAll(removeFolders)

const LIMIT = 100
const INTERVAL_MS = 2_000
const PROCESS = join(import.meta.dirname, '../support/pace-process.ts')

describe('two processes that make calls to one portal', () => {
  const children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    }
  })

  /** Makes calls from two processes at once: `share` of the rate that is allowed, refusals of one kind and another. */
  async function share() {
    const limits = { burst: LIMIT, intervalMs: INTERVAL_MS }
    const portal = await startHubspotSandbox({ latencyMs: 20, limits })
    const state = await createState()
    for (let i = 0; i < 2; i++) {
      const child = fork(PROCESS, {
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: state.databaseUrl ?? '',
          HUBSPOT_BASE_URL: portal.baseUrl,
          HUBSPOT_ACCESS_TOKEN: 'sandbox-token',
        },
      })
      children.push(child)
      await once(child, 'message')
    }
    const make = async (calls: number) => {
      portal.sandbox.resetCalls()
      const startedAt = performance.now()
      await eventually(`${calls} calls`, async () => portal.sandbox.calls().length >= calls, 60_000)
      const rate = (calls * 1000) / (performance.now() - startedAt)
      const refused = portal.sandbox.calls().filter(({ status }) => status === 429).length
      return { share: rate / ((LIMIT * 1000) / INTERVAL_MS), refused }
    }
    // The first seconds go by what the smallest account has: 90 in ten seconds.
    await make(30)
    return {
      make,
      async close() {
        await Promise.all(children.map((child) => child.connected && child.disconnect()))
        await Promise.all(
          children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
        )
        await portal.close()
        await state.close()
      },
    }
  }

  it('share its limit: most of it is used and no call refused, also when one is killed', async () => {
    const calls = await share()
    const together = await calls.make(4 * LIMIT)
    children[1]?.kill('SIGKILL')
    const alone = await calls.make(4 * LIMIT)
    await calls.close()
    // How near the limit it comes is the bench's to say.
    for (const made of [together, alone]) {
      expect(made).toEqual({ share: expect.any(Number), refused: 0 })
      expect(made.share).toBeGreaterThan(0.6)
    }
  }, 120_000)
})

describe('two syncs on one portal', () => {
  let world: CliWorld
  let undisturbed: unknown
  beforeAll(async () => {
    world = await openCliWorld()
    const vendors = await world.vendors()
    const home = await world.home('scored')
    await ripenJson(world.steps.sync, { ...vendors.environment, ...home.environment })
    undisturbed = { portal: readFinalPortal(vendors.hubspot), state: await readFinalState(home) }
  }, 240_000)
  afterAll(() => world.close())

  const random = createRandom(5)
  it.each([1, 2, 3])(
    'lose nothing and make nothing twice when one of them is killed (%i)',
    async () => {
      // So few calls that the sync takes seconds.
      const vendors = await world.vendors({ limits: { burst: 60, searchPerSecond: 5 } })
      const home = await world.home('scored')
      const environment = {
        ...vendors.environment,
        ...home.environment,
        RIPEN_CRM_TIMEOUT_MS: '1500',
      }
      const killAt = random.int(2, 25)
      const unlucky = random.int(0, 1)
      let requests = 0
      const workers = [1, 2].map(() => startRipen([...world.steps.sync, '--json'], environment))
      vendors.onRequest(({ phase, path }) => {
        if (phase === 'arrived' && path.startsWith('/crm/')) requests += 1
        if (requests === killAt) workers[unlucky]?.kill('SIGKILL')
      })
      const ends = await Promise.all(workers.map((worker) => worker.ended))
      vendors.onRequest(null)
      expect(ends[1 - unlucky]?.code).toBe(0)
      expect(readFinalPortal(vendors.hubspot)).toEqual((undisturbed as { portal: unknown }).portal)
      expect(await readFinalState(home)).toEqual((undisturbed as { state: unknown }).state)
      const { tasks } = viewPortal(vendors.hubspot)
      expect(tasks.length).toBeGreaterThan(0)
      expect(new Set(tasks.map(({ body }) => body)).size).toBe(tasks.length)
      expect(vendors.hubspot.calls().filter(({ status }) => status === 429)).toEqual([])
    },
    240_000,
  )
})

describe('two workers that run for good', () => {
  let world: CliWorld
  beforeAll(async () => {
    world = await openCliWorld()
  })
  afterAll(() => world.close())

  const ofHubspot = ({ environment }: Vendors) =>
    Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('HUBSPOT_')))
  const random = createRandom(7)

  it.each([1, 2])(
    'write and listen side by side, and when one is killed nothing is lost or made twice (%i)',
    async () => {
      const vendors = await world.vendors({ limits: { burst: 60, searchPerSecond: 5 } })
      const { hubspot } = vendors
      const home = await world.home('scored')
      // Without sources: what is to be written stays as it was scored, but for what time changes.
      const environment = {
        ...ofHubspot(vendors),
        ...home.environment,
        RIPEN_MAPPINGS_DIR: world.mappings,
        RIPEN_CRM_TIMEOUT_MS: '1500',
      }
      const killAt = random.int(5, 30)
      let requests = 0
      const workers = [1, 2].map(() => startRipen(['worker', '--json'], environment))
      const unlucky = workers[random.int(0, 1)]
      const survivor = workers.find((worker) => worker !== unlucky)
      vendors.onRequest(({ phase, path }) => {
        if (phase === 'arrived' && path.startsWith('/crm/')) requests += 1
        if (requests === killAt) unlucky?.kill('SIGKILL')
      })
      await unlucky?.ended
      const seen = () => {
        const { contacts, companies, employments, tasks } = viewPortal(hubspot)
        return {
          contacts: contacts.length,
          companies: companies.length,
          employments: employments.length,
          tasks: tasks.length,
        }
      }
      const whole = { contacts: 10, companies: 5, employments: 9, tasks: 2 }
      await eventually('all is written', async () => isDeepStrictEqual(seen(), whole), 150_000)
      // Both steps are at it: the one writes, the other follows what changed.
      const searches = () =>
        hubspot.calls().filter(({ path }) => /contacts\/search$/.test(path)).length
      await eventually('changes are followed', async () => searches() > 0, 150_000)
      await eventually(
        'nothing is left to do',
        async () => {
          const { open } = await readFinalState(home)
          return open.every((step) => step !== 'reconcile' && step !== 'listen')
        },
        150_000,
      )
      survivor?.kill('SIGTERM')
      expect((await survivor?.ended)?.code).toBe(0)
      vendors.onRequest(null)
      const { records, tasks } = await readFinalState(home)
      expect(records.filter((row) => (row as { state: string }).state !== 'in-sync')).toEqual([])
      expect(tasks.map((row) => (row as { state: string }).state)).toEqual(['created', 'created'])
      expect(seen()).toEqual(whole)
      expect(new Set(viewPortal(hubspot).contacts).size).toBe(whole.contacts)
      expect(new Set(viewPortal(hubspot).tasks.map(({ body }) => body)).size).toBe(whole.tasks)
      expect(hubspot.calls().filter(({ status }) => status === 429)).toEqual([])
    },
    480_000,
  )
})
