import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { CheckResult } from '../../src/app/cli/commands/check.ts'
import type { ProvisionReport } from '../../src/app/cli/commands/provision.ts'
import { type Ran, ripen, startRipen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import type { Vendors } from '../support/vendors.ts'

let world: CliWorld
let vendors: Vendors
let environment: Record<string, string>
/** Everything that commands have printed, for the search for secrets. */
let printed = ''
beforeAll(async () => {
  world = await openCliWorld()
  await begin('scored')
})
afterEach(() => {
  expect(printed).not.toMatch(/na1-(access|refresh|code)-|sandbox-secret/)
  printed = ''
})
afterAll(() => world.close())

/** An account without our properties, and a home that is not connected to it. */
async function begin(stage: 'empty' | 'scored') {
  vendors = await world.vendors()
  const home = await world.home(stage)
  environment = {
    ...vendors.environment,
    ...home.environment,
    HUBSPOT_ACCESS_TOKEN: '',
    HUBSPOT_APP_URL: vendors.baseUrl,
    HUBSPOT_CLIENT_ID: 'sandbox-client',
    HUBSPOT_CLIENT_SECRET: 'sandbox-secret',
    RIPEN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    RIPEN_MAPPINGS_DIR: world.mappings,
    RIPEN_LOG_LEVEL: 'trace',
  }
}

const CRM = ['--crm', 'hubspot']

async function run(...args: string[]): Promise<Ran> {
  const ran = await ripen([...args, ...CRM], environment)
  printed += ran.stdout + ran.stderr
  return ran
}

async function json<T>(code: number, ...args: string[]): Promise<T> {
  const ran = await run(...args, '--json')
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: expect.any(String) })
  return JSON.parse(ran.stdout) as T
}

/** A person opens the address that the command prints, and agrees. */
async function agree(address: string, said = 'yes'): Promise<string> {
  const body = new URLSearchParams({ answer: said })
  const response = await fetch(address, { method: 'POST', body, redirect: 'manual' })
  return response.headers.get('location') ?? ''
}

const addressIn = async (running: ReturnType<typeof startRipen>) =>
  (await running.says(/^ {2}(http\S+)$/m))[1] ?? ''

const ill = ({ findings }: CheckResult) => findings.filter(({ level }) => level !== 'ok')
const tokenCalls = () => vendors.hubspot.calls().filter(({ path }) => path.endsWith('/token'))

describe('one after another, a connection', () => {
  let foretold: ProvisionReport

  it('is missing at first, and the message says how to make it', async () => {
    expect(await run('check')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('run ripen connect --crm hubspot'),
    })
  })

  it('is not made by an answer that is not its own, nor when somebody refuses', async () => {
    const running = startRipen(['connect', ...CRM, '--port', '0'], environment)
    const address = await addressIn(running)
    const foreign = new URL(new URL(address).searchParams.get('redirect_uri') ?? '')
    foreign.search = '?state=made-up.state&code=x'
    expect((await fetch(foreign)).status).toBe(404)
    const back = await agree(address, 'no')
    expect((await fetch(back)).status).toBe(400)
    const ran = await running.ended
    printed += ran.stdout + ran.stderr
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('access_denied') })
  })

  it('is made when the browser comes back', async () => {
    const running = startRipen(['connect', ...CRM, '--port', '0', '--json'], environment)
    const page = await fetch(await agree(await addressIn(running)))
    expect(await page.text()).toContain('Connected')
    const ran = await running.ended
    printed += ran.stdout + ran.stderr
    expect(JSON.parse(ran.stdout)).toMatchObject({ crm: 'hubspot', account: '4242424' })
  })

  it('is looked at by check, which tells what is not there yet', async () => {
    const checked = await json<CheckResult>(0, 'check')
    expect(checked).toMatchObject({ ok: true, credential: { kind: 'OAuth' } })
    expect(ill(checked).map(({ level }) => level)).toEqual(['warning', 'warning'])
  })

  it('lets provision foretell what it creates', async () => {
    foretold = await json<ProvisionReport>(0, 'provision', '--dry-run')
    expect(foretold).toMatchObject({ dryRun: true, ok: true })
    expect(vendors.hubspot.property('contacts', 'pql_score')).toBeUndefined()
    const done = await json<ProvisionReport>(0, 'provision')
    expect({ ...done, dryRun: true }).toEqual(foretold)
    expect(vendors.hubspot.property('contacts', 'pql_score')?.type).toBe('number')
  })

  it('is refreshed by one of two processes that need it at once, and then all is well', async () => {
    vendors.hubspot.access.expireAccessTokens()
    vendors.hubspot.resetCalls()
    const both = await Promise.all([json<CheckResult>(0, 'check'), json<CheckResult>(0, 'check')])
    expect(both.flatMap(ill)).toEqual([])
    expect(tokenCalls()).toHaveLength(1)
  })

  it('lets sync write, which has nothing to create any more', async () => {
    vendors.hubspot.resetCalls()
    expect(await json(0, 'sync')).toMatchObject({ created: 15, parked: 0 })
    const writes = vendors.hubspot.calls().filter(({ kind }) => kind === 'write')
    expect(writes.filter(({ path }) => path.includes('properties'))).toEqual([])
  })

  it('is removed by disconnect', async () => {
    expect(await json(0, 'disconnect')).toEqual({ crm: 'hubspot', removed: true })
    expect(await run('sync')).toMatchObject({ code: 2 })
  })

  it('is made without a browser here too: the address that it ends at is pasted', async () => {
    const running = startRipen(['connect', ...CRM, '--paste'], environment)
    const back = await agree(await addressIn(running))
    expect(back).toMatch(/^http:\/\/localhost:4020\/oauth\/hubspot\/callback\?/)
    running.type(back)
    const ran = await running.ended
    printed += ran.stdout + ran.stderr
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('4242424') })
  })
})

describe('a connection is not begun', () => {
  const none = { HUBSPOT_CLIENT_ID: '', HUBSPOT_CLIENT_SECRET: '' }
  it.each([
    { name: 'without an app', change: none, told: 'HUBSPOT_CLIENT_ID' },
    { name: 'without a key', change: { RIPEN_ENCRYPTION_KEY: '' }, told: 'openssl rand' },
    {
      name: 'beside a token',
      change: { HUBSPOT_ACCESS_TOKEN: 'pat-1' },
      told: 'HUBSPOT_ACCESS_TOKEN is set',
    },
  ])('$name', async ({ change, told }) => {
    const ran = await ripen(['connect', ...CRM], { ...environment, ...change })
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(told) })
  })
})

describe('one after another, with a static token', () => {
  beforeAll(async () => {
    await begin('empty')
    environment['HUBSPOT_ACCESS_TOKEN'] = vendors.environment['HUBSPOT_ACCESS_TOKEN'] ?? ''
    environment['HUBSPOT_API_VERSION'] = '2026-03'
  })

  it('check ends with 2 and names every scope that is missing', async () => {
    const { access } = vendors.hubspot
    access.limitStaticToken(['crm.objects.contacts.read', 'crm.objects.companies.read'])
    const result = await json<CheckResult>(2, 'check')
    expect(result.ok).toBe(false)
    const scopes = result.findings.filter(({ about }) => about === 'scopes')
    expect(scopes.map(({ what }) => what.split(' ')[0])).toEqual([
      'crm.objects.companies.write',
      'crm.schemas.companies.write',
      'crm.objects.contacts.write',
      'crm.schemas.contacts.write',
      'crm.objects.owners.read',
    ])
    expect((await run('check')).stdout).toContain('✖ scopes: crm.objects.owners.read is missing')
  })

  it('provision ends with 2 for a property that is not as it should be, and leaves that object as it is', async () => {
    vendors.hubspot.access.limitStaticToken(null)
    vendors.hubspot.defineProperty('contacts', { name: 'pql_score', type: 'string' })
    const report = await json<ProvisionReport>(2, 'provision')
    const contact = report.objects.find(({ object }) => object === 'contact')
    expect(contact?.drift).toMatchObject([{ property: 'pql_score', found: 'type string' }])
    expect(contact?.created).toEqual([])
    const company = report.objects.find(({ object }) => object === 'company')
    expect(company?.created).toContain('pqa_score')
    const { stdout } = await run('provision')
    expect(stdout).toContain('✖ pql_score: expected type number, found type string')
  })

  it('check says so too', async () => {
    const { findings } = await json<CheckResult>(2, 'check')
    expect(findings.map(({ what }) => what).join()).toContain('pql_score: expected type number')
  })

  it('all of it goes by the dated version that is set', () => {
    const paths = vendors.hubspot.calls().map(({ path }) => path)
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter((path) => /\/v[34]\//.test(path))).toEqual([])
  })

  it('check ends with 1 when nobody answers, and 2 when the token is wrong', async () => {
    environment['HUBSPOT_ACCESS_TOKEN'] = 'pat-wrong'
    expect((await run('check')).code).toBe(2)
    environment['HUBSPOT_BASE_URL'] = 'http://127.0.0.1:9'
    expect((await run('check')).code).toBe(1)
  })
})
