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
}, 600_000)
afterAll(async () => {
  await endCommands()
  await removeFolders()
})

interface Look {
  readonly day: string
  readonly recordsWritten: number
  readonly writeCalls: number
  readonly readCalls: number
  readonly tasks: number
}
interface Story {
  readonly tasks: number
  readonly usageStatus: string
  readonly salesStatus: string
  readonly lines: readonly { readonly text: string }[]
}
interface Demo {
  readonly events: number
  readonly people: number
  readonly accounts: number
  readonly qualifiedPeople: number
  readonly qualifiedAccounts: number
  readonly tasks: number
  readonly looks: readonly Look[]
  readonly again: Look
  readonly restless: {
    readonly crossings: number
    readonly qualifiedChanges: number
    readonly mostChanges: number
    readonly wavering: { readonly crossings: number; readonly changes: number }
  }
  readonly rejected: Story
  readonly won: Story
  readonly seconds: number
}
const demo = (): Demo => JSON.parse(ran.stdout)

describe('ripen demo --json', () => {
  it('ends with 0 and prints one object of exactly these keys', () => {
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(Object.keys(demo())).toEqual([
      ...['events', 'people', 'accounts', 'qualifiedPeople', 'qualifiedAccounts', 'tasks'],
      ...['looks', 'again', 'restless', 'rejected', 'won', 'seconds'],
    ])
    for (const look of demo().looks) {
      expect(Object.keys(look)).toEqual([
        ...['day', 'recordsWritten', 'writeCalls', 'readCalls', 'tasks'],
      ])
    }
  })

  it('tells a company of the size that it promises', () => {
    const { events, people, accounts, qualifiedPeople, qualifiedAccounts, tasks } = demo()
    expect(events).toBeGreaterThan(195_000)
    expect(events).toBeLessThan(205_000)
    expect(people).toBeGreaterThan(1_900)
    expect(accounts).toBeGreaterThanOrEqual(295)
    expect(qualifiedPeople).toBeGreaterThan(20)
    expect(qualifiedAccounts).toBeGreaterThanOrEqual(3)
    // Three become ready within the last day, others within the thirty.
    expect(tasks).toBeGreaterThan(3)
    expect(demo().looks.at(-1)?.tasks).toBe(3)
  })

  it('writes much at the first look, little at each of the next, and nothing again', () => {
    const { looks, again } = demo()
    const [first, ...others] = looks
    expect(others).toHaveLength(29)
    expect(first?.recordsWritten).toBeGreaterThan(1_000)
    // In batches: far fewer calls than records.
    expect(first?.writeCalls).toBeLessThan(100)
    for (const { recordsWritten } of others) {
      expect(recordsWritten).toBeLessThan((first?.recordsWritten ?? 0) / 2)
    }
    expect(again).toMatchObject({ recordsWritten: 0, writeCalls: 0 })
  })

  it('brings back what reps answer: no second task after a no, and a deal that is won', () => {
    const { rejected, won } = demo()
    expect(rejected).toMatchObject({ tasks: 1, salesStatus: 'rejected' })
    expect(rejected.usageStatus).not.toBe('qualified')
    expect(rejected.lines.at(-1)?.text).toContain('held back')
    expect(won).toMatchObject({ tasks: 2, salesStatus: 'won' })
    expect(won.lines.at(-1)?.text).toBe('the task is closed: Closed by Ripen: the deal was won.')
  })

  it('keeps statuses where scores go about the line', () => {
    const { crossings, qualifiedChanges, mostChanges, wavering } = demo().restless
    expect(wavering).toMatchObject({ crossings: 5, changes: 1 })
    expect(qualifiedChanges).toBeLessThan(crossings)
    // A day between any two of them, at the least.
    expect(mostChanges).toBeLessThanOrEqual(6)
  })

  it('leaves the records to look at, and no server', async () => {
    const hubspot = await createHubspotSandbox({ dataDir: join(dir, 'demo', 'hubspot') })
    const portal = viewPortal(hubspot)
    expect(portal.tasks).toHaveLength(demo().tasks)
    expect(new Set(portal.contacts).size).toBe(portal.contacts.length)
    await hubspot.close()
    expect(await serverPid(join(dir, 'demo'))).toBeUndefined()
  })
})
