import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import type { CheckResult } from '../../src/app/cli/commands/check.ts'
import type { DiffResult } from '../../src/app/cli/commands/diff.ts'
import type { ProvisionReport } from '../../src/app/cli/commands/provision.ts'
import { type Ran, ripen, startRipen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { WHO } from '../support/small-usage.ts'

const CRM = ['--crm', 'salesforce']

let world: CliWorld
let org: RunningSalesforce
let environment: Record<string, string>
/** Everything that commands have printed, for the search for secrets. */
let printed = ''

beforeAll(async () => {
  world = await openCliWorld()
  org = await startSalesforceSandbox({ app: { requirePkce: true, rotateRefreshTokens: true } })
  const home = await world.home('scored')
  environment = {
    ...home.environment,
    SALESFORCE_BASE_URL: org.baseUrl,
    SALESFORCE_CLIENT_ID: 'sandbox-client',
    SALESFORCE_CLIENT_SECRET: 'sandbox-secret',
    RIPEN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    RIPEN_MAPPINGS_DIR: world.mappings,
    RIPEN_LOG_LEVEL: 'trace',
  }
})
afterEach(() => {
  expect(printed).not.toMatch(/sandbox-secret|!AQ|aPrx/)
  printed = ''
})
afterAll(async () => {
  await world.close()
  await org.close()
})

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

describe('one after another, Salesforce', () => {
  it('is not connected at first, and the message says what to do', async () => {
    expect(await run('check')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('run ripen connect --crm salesforce'),
    })
  })

  it('is connected when a person has logged in there', async () => {
    const running = startRipen(['connect', ...CRM, '--port', '0', '--json'], environment)
    const address = (await running.says(/^ {2}(http\S+)$/m))[1] ?? ''
    const body = new URLSearchParams({ answer: 'yes' })
    const { headers } = await fetch(address, { method: 'POST', body, redirect: 'manual' })
    const page = await fetch(headers.get('location') ?? '')
    expect(await page.text()).toContain('Connected')
    const ran = await running.ended
    printed += ran.stdout + ran.stderr
    expect(JSON.parse(ran.stdout)).toMatchObject({
      crm: 'salesforce',
      account: expect.stringMatching(/^00D/),
    })
  })

  it('lacks the fields of the package, and check and provision say how they get there', async () => {
    const checked = await json<CheckResult>(2, 'check')
    const told = checked.findings.filter(({ level }) => level !== 'ok')
    expect(JSON.stringify(told)).toContain('PQL_Person_Id__c')
    expect(JSON.stringify(told)).toContain('sf project deploy start')
    expect(checked.allowances.map(({ name }) => name)).toEqual([
      'calls in 24 hours',
      'batches of the Bulk API in 24 hours',
    ])
    const foretold = await json<ProvisionReport>(2, 'provision', '--dry-run')
    expect(foretold.objects.every(({ created }) => created.length === 0)).toBe(true)
    expect(await run('sync')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('PQA_Score__c'),
    })
  })

  it('stands ready once an admin has deployed it', async () => {
    installPackage(org.sandbox)
    const checked = await json<CheckResult>(0, 'check')
    expect(checked.findings.filter(({ level }) => level === 'error')).toEqual([])
    expect(checked.findings.map(({ what }) => what).join()).toContain('integration@sandbox.example')
    expect(await json<ProvisionReport>(0, 'provision')).toMatchObject({ ok: true })
  })

  it('is written by sync, and the second one writes nothing', async () => {
    const { people } = org.sandbox
    const lead = people.create('Lead', { LastName: 'Ana', Company: 'N', Email: WHO.champion })
    const first = await json<{ recordsWritten: number }>(0, 'sync')
    expect(first.recordsWritten).toBe(1)
    expect(org.sandbox.record(lead)?.values['PQL_Score__c']).toBe(70)
    expect(await json(0, 'sync')).toMatchObject({ recordsWritten: 0, writeCalls: 0 })
  })

  it('is shown by diff and test what a sync would write, old and new, and nothing is written', async () => {
    const [lead] = org.sandbox.records('Lead')
    org.sandbox.people.edit('Lead', lead?.id ?? '', { PQL_Score__c: 3 })
    const all = () => ['Lead', 'Account', 'Task'].map((object) => org.sandbox.records(object))
    const before = JSON.stringify(all())
    const { records } = await json<DiffResult>(0, 'diff')
    const changed = records.filter(({ fields }) => fields.length > 0)
    expect(changed).toMatchObject([
      {
        name: WHO.champion,
        step: 'update',
        fields: [{ property: 'PQL_Score__c', old: '3', new: 70 }],
      },
    ])
    const told = await run('diff')
    expect(told.stdout).toMatch(/PQL_Score__c +3 → 70/)
    expect(told.stdout).toContain('Nothing was written.')
    const tested = await run('test', WHO.champion)
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining('PQL_Score__c') })
    expect(JSON.stringify(all())).toBe(before)
  })

  it('is let go by disconnect', async () => {
    expect(await json(0, 'disconnect')).toEqual({ crm: 'salesforce', removed: true })
    expect(await run('sync')).toMatchObject({ code: 2 })
  })
})
