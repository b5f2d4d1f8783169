import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRandom } from '../../sandbox/company/random.ts'
import { ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { serverPid } from '../support/embedded-processes.ts'
import { type FinalState, readFinalPortal, readFinalState } from '../support/final-state.ts'
import { killAt, type Moment } from '../support/kill.ts'

let world: CliWorld
let undisturbed: { state: FinalState; portal: unknown; ms: number }
/** Short, because a task in doubt is looked for no earlier than this and two seconds. */
const RIPEN_CRM_TIMEOUT_MS = '1500'

beforeAll(async () => {
  world = await openCliWorld()
  const vendors = await world.vendors()
  const home = await world.home('scored')
  const startedAt = performance.now()
  await ripenJson(world.steps.sync, { ...vendors.environment, ...home.environment })
  const ms = performance.now() - startedAt
  const portal = readFinalPortal(vendors.hubspot)
  undisturbed = { state: await readFinalState(home), portal, ms }
}, 120_000)
afterAll(() => world.close())

const random = createRandom(20)
const moments: { when: string; moment: Moment }[] = [
  { when: 'properties are made', moment: { kind: 'answered', path: /properties.*batch\/create$/ } },
  { when: 'companies are made', moment: { kind: 'answered', path: /companies\/batch\/upsert$/ } },
  { when: 'contacts are sent', moment: { kind: 'arrived', path: /contacts\/batch\/upsert$/ } },
  { when: 'contacts are made', moment: { kind: 'answered', path: /contacts\/batch\/upsert$/ } },
  { when: 'they are associated', moment: { kind: 'arrived', path: /associations\/contacts/ } },
  { when: 'a task is sent', moment: { kind: 'arrived', method: 'POST', path: /objects\/tasks$/ } },
  { when: 'a task is made', moment: { kind: 'answered', method: 'POST', path: /objects\/tasks$/ } },
  {
    when: 'the second task is sent',
    moment: { kind: 'arrived', method: 'POST', path: /objects\/tasks$/, nth: 2 },
  },
]

/** Killed once at a moment and run again: the same as if nothing had happened. */
async function killAndRunAgain(moment: Moment): Promise<void> {
  const vendors = await world.vendors()
  const home = await world.home('scored')
  const environment = { ...vendors.environment, ...home.environment, RIPEN_CRM_TIMEOUT_MS }
  const killed = await killAt(moment, world.steps.sync, environment, { vendors, home })
  if (moment.kind !== 'after') expect(killed.signal).toBe('SIGKILL')
  await ripenJson(world.steps.sync, environment)
  expect(await serverPid(home.dataDir)).toBeUndefined()
  expect(readFinalPortal(vendors.hubspot)).toEqual(undisturbed.portal)
  expect(await readFinalState(home)).toEqual(undisturbed.state)
}

describe('a sync that is killed with SIGKILL and run again ends as if nothing had happened', () => {
  it.each(moments)('when $when', ({ moment }) => killAndRunAgain(moment))

  it.each([1, 2])('at a moment by chance (%i)', async () => {
    // The last two thirds: before, it only starts up.
    const ms = Math.round(undisturbed.ms * (0.35 + 0.65 * random.next()))
    await killAndRunAgain({ kind: 'after', ms })
  })
})

describe('a call that arrives late, after the command that made it was killed', () => {
  it.each([
    { what: 'a task', path: /objects\/tasks$/, method: 'POST' },
    { what: 'contacts', path: /contacts\/batch\/upsert$/, method: 'POST' },
  ])('$what is there once', async ({ path, method }) => {
    const vendors = await world.vendors()
    const home = await world.home('scored')
    const environment = { ...vendors.environment, ...home.environment, RIPEN_CRM_TIMEOUT_MS }
    vendors.hubspot.faults.push({ path, method, delayMs: 1_200 })
    const moment: Moment = { kind: 'arrived', path, method }
    const killed = await killAt(moment, world.steps.sync, environment, { vendors, home })
    expect(killed.signal).toBe('SIGKILL')
    await ripenJson(world.steps.sync, environment)
    expect(readFinalPortal(vendors.hubspot)).toEqual(undisturbed.portal)
    expect(await ripenJson(world.steps.sync, environment)).toMatchObject({ writeCalls: 0 })
  })
})
