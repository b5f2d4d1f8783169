import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { type Ran, ripen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { type PostReceiver, startPostReceiver } from '../support/receivers.ts'
import { DOMAINS } from '../support/small-usage.ts'
import type { Vendors } from '../support/vendors.ts'

// Commands are processes of their own, each with a start.
jest.setTimeout(240_000)

let world: CliWorld
let vendors: Vendors
let slack: PostReceiver
let environment: Record<string, string>
beforeAll(async () => {
  world = await openCliWorld()
  slack = await startPostReceiver()
  vendors = await world.vendors()
  const home = await world.home('scored')
  environment = { ...vendors.environment, ...home.environment }
})
afterAll(async () => {
  await slack.close()
  await world.close()
})

const run = (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
  ripen(args, { ...environment, ...more })
const json = async (args: readonly string[], more: Record<string, string> = {}) =>
  JSON.parse((await run([...args, '--json'], more)).stdout)

const CRM = ['--crm', 'hubspot']
/** HubSpot lets no company have a name of more than three letters. */
const rule = (on: boolean) =>
  vendors.hubspot.setRules(
    'companies',
    'name',
    on ? [{ ruleType: 'MAX_LENGTH', ruleArguments: ['3'] }] : [],
  )

describe('ripen parked', () => {
  it('has nothing to list at first', async () => {
    expect(await run(['parked'])).toMatchObject({ code: 0, stdout: 'Nothing is parked.\n' })
    expect(await json(['parked'])).toEqual({ parked: [], retried: null })
  })

  it('lists what HubSpot refuses, by name, with its reason and the id to ask HubSpot by', async () => {
    rule(true)
    await run(world.steps.sync)
    const { stdout, code } = await run(['parked', ...CRM])
    expect(code).toBe(0)
    const line = stdout.split('\n').find((one) => one.includes(DOMAINS.fresh)) ?? ''
    expect(line).toMatch(/^hubspot company /)
    expect(line).toMatch(/ since \d{4}-\d\d-\d\dT\d\d:\d\dZ /)
    expect(line).toMatch(/name/)
    expect(line).toMatch(/\[[0-9a-f-]{36}\]$/)
    const { parked } = await json(['parked', ...CRM])
    expect(parked).toContainEqual(
      expect.objectContaining({ crm: 'hubspot', object: 'company', names: [DOMAINS.fresh] }),
    )
  })

  it('leaves them alone until somebody says --retry; then the next sync writes them', async () => {
    const before = (await json(['parked'])).parked.length
    rule(false)
    await run(world.steps.sync)
    expect((await json(['parked'])).parked).toHaveLength(before)
    const retried = await run(['parked', '--retry'])
    expect(retried.stdout).toMatch(new RegExp(`${before} records get another try: ripen sync`))
    await run(world.steps.sync)
    expect((await json(['parked'])).parked).toEqual([])
  })

  it('says which CRMs there are when it is asked about another one', async () => {
    expect(await run(['parked', '--crm', 'zoho'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--crm zoho is not known; take one of'),
    })
  })
})

describe('ripen alerts', () => {
  it('says that nobody is told where no channel is set, and what sets one', async () => {
    const { code, stdout } = await run(['alerts'])
    expect(code).toBe(0)
    expect(stdout).toContain('nobody is told: set RIPEN_ALERT_SLACK_URL')
    expect(await run(['alerts', '--test'])).toMatchObject({ code: 2 })
  })

  it('tries each channel, and tells which one was not reached without its address', async () => {
    const channel = { RIPEN_ALERT_SLACK_URL: `${slack.url}?key=hidden` }
    const reached = await run(['alerts', '--test'], channel)
    expect(reached).toMatchObject({ code: 0, stdout: expect.stringMatching(/^slack +delivered/) })
    expect(JSON.parse(slack.received[0]?.body ?? '').text).toContain('nothing is wrong')
    slack.answers.push(503)
    const failed = await run(['alerts', '--test'], channel)
    expect(failed).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('not delivered: answered 503'),
    })
    expect(failed.stdout + failed.stderr).not.toContain('hidden')
    expect(await json(['alerts'], channel)).toMatchObject({ channels: ['slack'], unsent: [] })
  })
})

describe('ripen check --crm', () => {
  it('points at the line of the mapping that a finding is about, and says what would be right', async () => {
    vendors.hubspot.defineProperty('contacts', { name: 'pql_score', type: 'string' })
    const status = vendors.hubspot.property('contacts', 'hs_lead_status')
    const options = (status?.options ?? []).filter(({ value }) => value !== 'BAD_TIMING')
    vendors.hubspot.defineProperty('contacts', { name: 'hs_lead_status', options })
    const { code, stdout } = await run(['check', ...CRM])
    expect(code).toBe(2)
    expect(stdout).toMatch(
      /^✖ hubspot\.yaml:\d+:\d+ properties: contact property pql_score: expected/m,
    )
    expect(stdout).toMatch(
      /^✖ hubspot\.yaml:\d+:\d+ options: contact property hs_lead_status has no option BAD_TIMING, .*it has NEW, OPEN/m,
    )
    const { findings } = await json(['check', ...CRM])
    expect(findings).toContainEqual(
      expect.objectContaining({
        about: 'options',
        at: expect.objectContaining({
          file: 'hubspot.yaml',
          path: 'objects.contact.sales-status.values.rejected.1',
        }),
      }),
    )
  })
})
