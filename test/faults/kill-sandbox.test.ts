import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ripenJson, startRipen } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder } from '../support/embedded-processes.ts'

let world: CliWorld
beforeAll(async () => {
  world = await openCliWorld()
}, 120_000)
afterAll(() => world.close())

it('a sandbox that is killed with SIGKILL keeps its records, and the next sync writes nothing', async () => {
  const dir = await makeFolder('sandbox')
  const start = (port: string) => startRipen(['sandbox', '--port', port, '--dir', dir, '--json'])
  const first = start('0')
  const { url, environment: vendors } = (await first.json()) as {
    url: string
    environment: Record<string, string>
  }
  const home = await world.home('scored')
  const environment = { ...vendors, ...home.environment }
  const synced = await ripenJson(world.steps.sync, environment)
  expect(synced).toMatchObject({ created: 15, associations: 9, tasks: 2, parked: 0 })
  const before = await contactsAt(url, vendors)
  first.kill('SIGKILL')
  expect((await first.ended).signal).toBe('SIGKILL')

  const second = start(new URL(url).port)
  await second.json()
  expect(await contactsAt(url, vendors)).toEqual(before)
  expect(before).toHaveLength(10)
  expect(await ripenJson(world.steps.sync, environment)).toMatchObject({
    recordsWritten: 0,
    writeCalls: 0,
    tasks: 0,
  })
  second.kill('SIGTERM')
  expect((await second.ended).code).toBe(0)
})

async function contactsAt(url: string, variables: Record<string, string>): Promise<unknown[]> {
  const answer = await fetch(
    `${url}/crm/v3/objects/contacts?limit=100&properties=email,pql_score`,
    {
      headers: { authorization: `Bearer ${variables['HUBSPOT_ACCESS_TOKEN']}` },
    },
  )
  const { results } = (await answer.json()) as {
    results: { id: string; properties: { email: string; pql_score: string } }[]
  }
  return results.map(({ id, properties: { email, pql_score } }) => ({ id, email, pql_score }))
}
