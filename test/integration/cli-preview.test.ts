import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ripen, ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import type { Vendors } from '../support/vendors.ts'

let world: CliWorld
let vendors: Vendors
let environment: Record<string, string>
beforeAll(async () => {
  world = await openCliWorld()
  vendors = await world.vendors()
  environment = { ...vendors.environment, ...(await world.home('scored')).environment }
  await ripenJson(['provision', '--crm', 'hubspot', '--mappings', world.mappings], environment)
  vendors.hubspot.resetCalls()
})
afterAll(() => world.close())

describe('a look at one person, who is not in the CRM yet', () => {
  it('diff tells her record and that of her account, old and new', async () => {
    const args = ['diff', '--crm', 'hubspot', '--person', WHO.champion]
    const { code, stdout } = await ripen(args, environment)
    expect(stdout).toMatch(new RegExp(`^company ${DOMAINS.fresh} {2}\\+ new$`, 'm'))
    expect(stdout).toMatch(new RegExp(`^contact ${WHO.champion} {2}\\+ new$`, 'm'))
    expect(stdout).toMatch(/^ {4}pql_score +— → 70$/m)
    expect(stdout).toMatch(/2 write calls.*\nNothing was written\.$/m)
    // Lines of a terminal: nothing is painted, and nothing runs over.
    expect(stdout).not.toContain('\u001b[')
    expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([])
    expect(code).toBe(0)
  })

  it('test shows each step from her ids to the calls', async () => {
    const { stdout, code } = await ripen(['test', WHO.champion, '--crm', 'hubspot'], environment)
    const steps = [...stdout.matchAll(/^(\d)\. /gm)].map(([, step]) => step)
    expect(steps).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(stdout).toMatch(/amplitude\/u:a-ana/)
    expect(stdout).toMatch(/^ +70 {2}in all: /m)
    expect(stdout).toMatch(/create contact +ana@/)
    expect(stdout).toMatch(/associate contact and company/)
    expect(code).toBe(0)
    const told = await ripenJson(['test', WHO.champion, '--crm', 'hubspot'], environment)
    expect(told).toMatchObject({
      person: { name: WHO.champion },
      account: { name: DOMAINS.fresh },
      crms: [{ crm: 'hubspot', problem: null }],
    })
  })

  it('neither of them made a call that writes', () => {
    expect(vendors.hubspot.calls().filter(({ kind }) => kind === 'write')).toEqual([])
  })
})

it.each([
  { args: ['diff', '--crm', 'hubspot', '--person', 'nobody@nowhere.dev'], says: /nobody's e-mail/ },
  { args: ['diff', '--crm', 'hubspot', '--sample', 'x'], says: /--sample x/ },
  { args: ['test', 'nobody@nowhere.dev'], says: /nobody's e-mail/ },
])('$args ends with 2', async ({ args, says }) => {
  const { code, stderr } = await ripen(args, environment)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(says) })
})
