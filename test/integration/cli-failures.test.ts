import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ripen, ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { mappingFiles, writeMappings } from '../support/mapping-files.ts'
import { smallUsage } from '../support/small-usage.ts'
import type { TestState } from '../support/state.ts'
import { writeExports } from '../support/usage-log.ts'
import { SECRETS, type Vendors } from '../support/vendors.ts'

let world: CliWorld
let home: TestState
let vendors: Vendors
let environment: Record<string, string>
let before: unknown
beforeAll(async () => {
  world = await openCliWorld()
  vendors = await world.vendors()
  home = await world.home('scored')
  environment = { ...vendors.environment, ...home.environment }
  before = await ripenJson(['status'], environment)
})
afterAll(() => world.close())

/** The status without what a failure and the clock may change. */
function lasting(status: unknown): unknown {
  const { open: _open, sources, ...rest } = status as Record<string, unknown>
  const kept = Object.entries(sources as Record<string, Record<string, unknown>>).map(
    ([name, { lagSeconds: _lag, failures: _failures, ...source }]) => [name, source],
  )
  return { ...rest, sources: Object.fromEntries(kept) }
}

/** Nothing half-written: everything is as it was before. */
async function expectUntouched(): Promise<void> {
  expect(lasting(await ripenJson(['status'], environment))).toEqual(lasting(before))
  expect(vendors.hubspot.records('contacts')).toEqual([])
  expect(vendors.hubspot.records('companies')).toEqual([])
}

describe('HubSpot', () => {
  it('a wrong token ends with 2, names the variable and shows no token', async () => {
    const HUBSPOT_ACCESS_TOKEN = 'pat-na1-not-the-right-one'
    const run = await ripen(world.steps.sync, { ...environment, HUBSPOT_ACCESS_TOKEN })
    expect(run.stderr).toMatch(/HUBSPOT_ACCESS_TOKEN/)
    expect(run.stdout + run.stderr).not.toContain(HUBSPOT_ACCESS_TOKEN)
    expect(run.code).toBe(2)
    await expectUntouched()
  })

  it('an address where nobody answers ends with 1 and names the variable', async () => {
    const HUBSPOT_BASE_URL = 'http://127.0.0.1:9'
    const { code, stderr } = await ripen(world.steps.sync, { ...environment, HUBSPOT_BASE_URL })
    expect(stderr).toMatch(/127\.0\.0\.1:9.*HUBSPOT_BASE_URL/s)
    expect(code).toBe(1)
    await expectUntouched()
  })

  it('an address where something else answers ends with 2', async () => {
    const HUBSPOT_BASE_URL = `${vendors.baseUrl}/elsewhere`
    const { code, stderr } = await ripen(world.steps.sync, { ...environment, HUBSPOT_BASE_URL })
    expect(stderr).toMatch(/HUBSPOT_BASE_URL/)
    expect(code).toBe(2)
  })

  it('missing credentials end with 2 and are named', async () => {
    const { HUBSPOT_ACCESS_TOKEN: _token, ...rest } = environment
    const { code, stderr } = await ripen(world.steps.sync, rest)
    expect(stderr).toContain('HUBSPOT_ACCESS_TOKEN')
    expect(code).toBe(2)
  })

  it('a CRM that there is not ends with 2', async () => {
    const { code, stderr } = await ripen(['sync', '--crm', 'siebel'], environment)
    expect(stderr).toMatch(/siebel.*hubspot/)
    expect(code).toBe(2)
  })
})

describe('the vendors of usage', () => {
  it.each([
    { source: 'amplitude', name: 'AMPLITUDE_SECRET_KEY' },
    { source: 'mixpanel', name: 'MIXPANEL_SECRET' },
  ])('$source: a wrong secret ends with 2 and is not shown', async ({ source, name }) => {
    const fresh = await world.home('empty')
    const variables = { ...vendors.environment, ...fresh.environment, [name]: 'not-the-right-one' }
    const { code, stdout, stderr } = await ripen(
      [...world.steps.pull, '--source', source],
      variables,
    )
    expect(stderr).toContain(name)
    expect(stdout + stderr).not.toContain('not-the-right-one')
    expect(code).toBe(2)
  })

  it('missing credentials end with 2 and are named', async () => {
    const { code, stderr } = await ripen(world.steps.pull, home.environment)
    for (const name of ['AMPLITUDE_API_KEY', 'AMPLITUDE_SECRET_KEY', 'MIXPANEL_PROJECT_ID']) {
      expect(stderr).toContain(name)
    }
    expect(code).toBe(2)
    const one = await ripen([...world.steps.pull, '--source', 'mixpanel'], home.environment)
    expect(one.stderr).toContain('MIXPANEL_SERVICE_ACCOUNT')
    expect(one.code).toBe(2)
  })

  it('a source that there is not, and files without a source, end with 2', async () => {
    const unknown = await ripen(['pull', '--source', 'heap'], environment)
    expect(unknown.stderr).toMatch(/heap.*amplitude.*mixpanel/)
    const which = await ripen(['pull', '--files', '/tmp'], environment)
    expect(which.stderr).toMatch(/--source/)
    expect([unknown.code, which.code]).toEqual([2, 2])
  })
})

describe('export files', () => {
  const pullBroken = async (source: 'amplitude' | 'mixpanel', spoil: (whole: Buffer) => Buffer) => {
    const files = await writeExports(smallUsage(new Date(world.asOf)), await makeFolder('exports'))
    const path = files[source]
    await writeFile(path, spoil(await readFile(path)))
    const args = [...world.steps.pull, '--source', source, '--files', path]
    return ripen(args, environment)
  }

  it.each([
    {
      name: 'a zip that is cut short',
      source: 'amplitude' as const,
      spoil: (whole: Buffer) => whole.subarray(0, Math.floor(whole.length / 2)),
    },
    {
      name: 'a zip with a damaged entry',
      source: 'amplitude' as const,
      spoil: (whole: Buffer) => {
        const body = whole.indexOf(Buffer.from([0x1f, 0x8b]))
        whole.fill(0xaa, body + 20, body + 28)
        return whole
      },
    },
    {
      name: 'something that is no zip',
      source: 'amplitude' as const,
      spoil: () => Buffer.from('<html>please log in</html>'),
    },
    {
      name: 'JSON lines that are cut short',
      source: 'mixpanel' as const,
      spoil: (whole: Buffer) => whole.subarray(0, whole.length - 40),
    },
    {
      name: 'a line that is no JSON',
      source: 'mixpanel' as const,
      spoil: (whole: Buffer) => Buffer.concat([whole, Buffer.from('{"event": "x", oh no}\n')]),
    },
    {
      name: 'an export that Mixpanel ended early',
      source: 'mixpanel' as const,
      spoil: (whole: Buffer) => Buffer.concat([whole, Buffer.from('terminated early')]),
    },
  ])('$name ends with 2, names the file, and nothing of it is kept', async ({ source, spoil }) => {
    const run = await pullBroken(source, spoil)
    expect(run.stderr).toMatch(/export\.(zip|jsonl)/)
    expect(run.stderr).not.toMatch(/northfield|solo-works/)
    expect(run.code).toBe(2)
    await expectUntouched()
  })

  it('a folder without one ends with 2', async () => {
    const args = ['pull', '--source', 'mixpanel', '--files', await makeFolder('empty')]
    const { code, stderr } = await ripen(args, environment)
    expect(stderr).toMatch(/jsonl.*--files/)
    expect(code).toBe(2)
  })
})

describe('mappings', () => {
  it('a field that there is not ends with 2, with file, line and column, and is not published', async () => {
    const folder = await makeFolder('wrong')
    const from = '    family: usage'
    const to = '    family: usage\n    colour: green'
    await writeMappings(folder, await mappingFiles({ file: 'usage.yaml', from, to }))
    const { code, stderr } = await ripen(['score', '--mappings', folder], environment)
    const lines = (await readFile(join(folder, 'usage.yaml'), 'utf8')).split('\n')
    const line = lines.findIndex((text) => text.includes('colour')) + 1
    expect(stderr).toContain(`usage.yaml:${line}:5`)
    expect(stderr).toContain('colour')
    expect(code).toBe(2)
    await expectUntouched()
  })

  it('a folder that cannot be read ends with 2', async () => {
    const { code, stderr } = await ripen(['score', '--mappings', '/nowhere'], environment)
    expect(stderr).toMatch(/\/nowhere.*--mappings/)
    expect(code).toBe(2)
  })
})

it('no secret was ever shown', async () => {
  const status = await ripen(['status'], environment)
  for (const secret of Object.values(SECRETS)) {
    expect(status.stdout + status.stderr).not.toContain(secret)
  }
})
