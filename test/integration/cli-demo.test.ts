import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { endCommands, type Ran, ripen } from '../support/cli.ts'
import { makeFolder, serverPid } from '../support/embedded-processes.ts'
import { viewPortal } from '../support/portal.ts'
import { removeFolders } from '../support/state.ts'

let dir = ''
let ran: Ran
beforeAll(async () => {
  dir = await makeFolder('demo')
  ran = await ripen(['demo', '--json'], {
    RIPEN_DATA_DIR: dir,
    // What a person sees without asking for more.
    RIPEN_LOG_LEVEL: '',
    // The demo uses what is its own, whatever is configured.
    DATABASE_URL: 'postgres://127.0.0.1:9/none',
    REDIS_URL: 'redis://127.0.0.1:9',
    HUBSPOT_BASE_URL: 'http://127.0.0.1:9',
    HUBSPOT_ACCESS_TOKEN: 'somebody-elses-token',
  })
}, 240_000)
afterAll(async () => {
  await endCommands()
  await removeFolders()
})

interface Demo {
  readonly events: number
  readonly people: number
  readonly accounts: number
  readonly qualifiedPeople: number
  readonly qualifiedAccounts: number
  readonly tasks: number
  readonly passes: readonly { writeCalls: number; readCalls: number; recordsWritten: number }[]
  readonly seconds: number
}

describe('ripen demo --json', () => {
  it('ends with 0 and prints one object of exactly these keys', () => {
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    const demo = JSON.parse(ran.stdout)
    expect(Object.keys(demo)).toEqual([
      ...['events', 'people', 'accounts', 'qualifiedPeople', 'qualifiedAccounts', 'tasks'],
      ...['passes', 'seconds'],
    ])
    for (const pass of demo.passes) {
      expect(Object.keys(pass)).toEqual(['recordsWritten', 'writeCalls', 'readCalls', 'seconds'])
    }
  })

  it('tells a company of the size that it promises', () => {
    const demo: Demo = JSON.parse(ran.stdout)
    expect(demo.events).toBeGreaterThan(195_000)
    expect(demo.events).toBeLessThan(205_000)
    expect(demo.people).toBeGreaterThan(1_900)
    expect(demo.accounts).toBeGreaterThanOrEqual(295)
    expect(demo.qualifiedPeople).toBeGreaterThan(20)
    expect(demo.qualifiedAccounts).toBeGreaterThanOrEqual(3)
    expect(demo.tasks).toBe(3)
  })

  it('writes in a first pass, and nothing in a second', () => {
    const { passes }: Demo = JSON.parse(ran.stdout)
    expect(passes).toHaveLength(2)
    expect(passes[0]?.recordsWritten).toBeGreaterThan(1_000)
    // In batches: far fewer calls than records.
    expect(passes[0]?.writeCalls).toBeLessThan(100)
    expect(passes[1]).toMatchObject({ recordsWritten: 0, writeCalls: 0 })
  })

  it('leaves the records to look at, and no server', async () => {
    const hubspot = await createHubspotSandbox({ dataDir: join(dir, 'demo', 'hubspot') })
    const portal = viewPortal(hubspot)
    expect(portal.tasks).toHaveLength(3)
    expect(new Set(portal.contacts).size).toBe(portal.contacts.length)
    await hubspot.close()
    expect(await serverPid(join(dir, 'demo'))).toBeUndefined()
  })
})
