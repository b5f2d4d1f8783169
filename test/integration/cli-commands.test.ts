import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Ran, ripen, ripenJson, startRipen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { SECRETS, type Vendors } from '../support/vendors.ts'

let world: CliWorld
let vendors: Vendors
let environment: Record<string, string>
beforeAll(async () => {
  world = await openCliWorld()
  vendors = await world.vendors()
  const home = await world.home('empty')
  environment = { ...vendors.environment, ...home.environment, RIPEN_LOG_LEVEL: 'trace' }
})
afterAll(() => world.close())

const FIXTURE = /@(?:[a-z]+\.)?(?:northfield|solo|oldfield|latecomer|quiet)[a-z-]*\.|finn@gmail/

/** The one object on stdout; logs and progress are elsewhere, and name nobody. */
function onlyJson({ code, stdout, stderr }: Ran): Record<string, unknown> {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  expect(stderr).not.toMatch(FIXTURE)
  for (const secret of Object.values(SECRETS)) expect(stdout + stderr).not.toContain(secret)
  expect(stdout.trimEnd().startsWith('{') && stdout.endsWith('}\n')).toBe(true)
  return JSON.parse(stdout)
}

describe('one after another, at the most talkative log level, with --json', () => {
  it('pull', async () => {
    const ran = await ripen([...world.steps.pull, '--json'], environment)
    // The pipeline did log.
    expect(ran.stderr).toMatch(/step done/)
    expect(onlyJson(ran)).toMatchObject({
      sources: { amplitude: { events: 25 }, mixpanel: { events: 9 } },
      people: 10,
      peopleInSeveralSources: 5,
      accounts: 5,
    })
  })

  it('score', async () => {
    const ran = onlyJson(await ripen([...world.steps.score, '--json'], environment))
    expect(ran).toMatchObject({
      qualifiedPeople: 3,
      qualifiedAccounts: 2,
      people: expect.arrayContaining([expect.objectContaining({ name: WHO.champion, score: 70 })]),
      accounts: expect.arrayContaining([expect.objectContaining({ name: DOMAINS.fresh })]),
    })
  })

  it('sync', async () => {
    const ran = onlyJson(await ripen([...world.steps.sync, '--json'], environment))
    expect(ran).toMatchObject({ created: 15, associations: 9, tasks: 2, parked: 0 })
  })

  it('sync again, which writes nothing', async () => {
    const ran = onlyJson(await ripen([...world.steps.sync, '--json'], environment))
    expect(ran).toMatchObject({ recordsWritten: 0, writeCalls: 0, tasks: 0 })
  })

  it('pull and score again, which change nothing', async () => {
    const before = await ripenJson(['status'], environment)
    await ripenJson(world.steps.pull, environment)
    await ripenJson(world.steps.score, environment)
    const after = await ripenJson(['status'], environment)
    for (const name of ['people', 'accounts', 'qualifiedPeople', 'qualifiedAccounts', 'crms']) {
      expect(after[name]).toEqual(before[name])
    }
    vendors.hubspot.resetCalls()
    await ripenJson(world.steps.sync, environment)
    expect(vendors.hubspot.calls().filter(({ kind }) => kind === 'write')).toEqual([])
  })

  it('status', async () => {
    expect(onlyJson(await ripen(['status', '--json'], environment))).toMatchObject({
      people: 10,
      crms: { hubspot: { records: { 'in-sync': 15 }, tasks: { created: 2 } } },
      mapping: { folder: world.mappings },
      sources: {
        amplitude: { events: 25, gaps: [], failures: null, backfill: { due: expect.any(Number) } },
        mixpanel: { events: 9, gaps: [], lagSeconds: expect.any(Number) },
      },
      rebuild: {},
      notices: [],
      schemaChanges: [],
    })
  })

  it('events', async () => {
    const { events } = onlyJson(await ripen(['events', '--json'], environment))
    expect(events).toContainEqual(
      expect.objectContaining({
        name: 'page_viewed',
        source: 'mixpanel',
        rows: 4,
        people: 4,
        use: 'mapped',
        actions: ['pricing_viewed'],
      }),
    )
  })

  it('explain, for an address and for a domain', async () => {
    const person = onlyJson(await ripen(['explain', WHO.champion, '--json'], environment))
    expect(person).toMatchObject({ subject: 'person', account: DOMAINS.fresh })
    const account = onlyJson(await ripen(['explain', DOMAINS.fresh, '--json'], environment))
    expect(account).toMatchObject({ subject: 'account', scores: [{ score: 60 }] })
    const nobody = await ripen(['explain', 'nobody@nowhere.dev', '--json'], environment)
    expect({ code: nobody.code, stdout: nobody.stdout }).toEqual({ code: 2, stdout: '' })
  })
})

describe('without --json', () => {
  it('the same is told in words', async () => {
    const status = await ripen(['status'], environment)
    expect(status.stdout).toMatch(/10 people \(5 in several sources\), 5 accounts/)
    const explained = await ripen(['explain', WHO.champion], environment)
    expect(explained.stdout).toMatch(/\+40 +Invited colleagues \(2 times, last on /)
    expect(explained.stdout).toContain(
      `Account: ${DOMAINS.fresh} (by the domain of the address: ${DOMAINS.fresh})`,
    )
    expect(explained.stdout).toMatch(/amplitude\/u:a-ana +in amplitude with email\/\S+, on 2026-/)
    const identity = await ripen(['identity'], environment)
    expect(identity.stdout).toMatch(/^Ids that join nobody\n {2}none\n/)
    expect(status.stdout).toMatch(/amplitude +25 events +\d+ windows .* behind +pulled/)
    expect([status.code, explained.code]).toEqual([0, 0])
  })
})

describe('commands that stay up', () => {
  it('serve answers, and goes away cleanly on SIGTERM', async () => {
    const serve = startRipen(['serve', '--json'], { ...environment, RIPEN_PORT: '0' })
    const { api } = (await serve.json()) as { api: string }
    const people = await (await fetch(`${api}/api/v1/people?limit=1`)).json()
    expect(people).toMatchObject({ items: [{ name: WHO.champion }] })
    serve.kill('SIGTERM')
    const { signal, ...ran } = await serve.ended
    expect(signal).toBeNull()
    onlyJson({ ...ran, signal })
    await expect(fetch(`${api}/healthz`)).rejects.toThrow()
  })

  it('worker does what is asked for, and goes away cleanly on SIGINT', async () => {
    const worker = startRipen(['worker', '--json'], environment)
    expect(await worker.json()).toMatchObject({
      sources: ['amplitude', 'mixpanel'],
      crms: ['hubspot'],
    })
    worker.kill('SIGINT')
    onlyJson(await worker.ended)
  })

  it('sandbox plays Salesforce too when it is asked to, with what the package deploys', async () => {
    const dir = await makeFolder('sandbox')
    const args = ['sandbox', '--crm', 'salesforce', '--seed', '--port', '0', '--dir', dir, '--json']
    const sandbox = startRipen(args)
    const { environment: given } = (await sandbox.json()) as { environment: Record<string, string> }
    const home = await world.home('empty')
    const environment = { ...home.environment, ...given, RIPEN_MAPPINGS_DIR: world.mappings }
    const checked = await ripen(['check', '--crm', 'salesforce', '--json'], environment)
    sandbox.kill('SIGTERM')
    await sandbox.ended
    expect(checked).toMatchObject({ code: 0 })
    expect(JSON.parse(checked.stdout)).toMatchObject({ crm: 'salesforce', ok: true })
  })

  it('sandbox says where it listens and how to point Ripen there', async () => {
    const dir = await makeFolder('sandbox')
    const sandbox = startRipen(['sandbox', '--port', '0', '--dir', dir, '--json'])
    const { url, environment: variables } = (await sandbox.json()) as {
      url: string
      environment: Record<string, string>
    }
    expect(variables).toMatchObject({ HUBSPOT_BASE_URL: url, AMPLITUDE_BASE_URL: url })
    expect((await fetch(url)).status).toBe(200)
    sandbox.kill('SIGTERM')
    const ran = await sandbox.ended
    expect(ran.code).toBe(0)
    JSON.parse(ran.stdout)
  })
})
