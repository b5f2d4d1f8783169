import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createRandom, type Random } from '../../sandbox/company/random.ts'
import type { FaultRule } from '../../sandbox/fault-script.ts'
import { ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { type FinalState, readFinalPortal, readFinalState } from '../support/final-state.ts'
import { killAt } from '../support/kill.ts'
import type { Vendors } from '../support/vendors.ts'

let world: CliWorld
let undisturbed: { state: FinalState; portal: unknown }
const RIPEN_CRM_TIMEOUT_MS = '1500'
const BUDGET_MS = 100_000
const LEAST_SEEDS = 5

beforeAll(async () => {
  world = await openCliWorld()
  const vendors = await world.vendors()
  const home = await world.home('scored')
  await ripenJson(world.steps.sync, { ...vendors.environment, ...home.environment })
  undisturbed = { state: await readFinalState(home), portal: readFinalPortal(vendors.hubspot) }
}, 120_000)
afterAll(() => world.close())

const CALLS = [
  /companies\/batch\/upsert$/,
  /contacts\/batch\/upsert$/,
  /associations\/contacts/,
  /objects\/tasks$/,
]
const KINDS = ['reset', 'reset-after', 'half-body'] as const

function breakSomeCalls(vendors: Vendors, random: Random): void {
  for (const path of CALLS) {
    if (!random.chance(0.3)) continue
    const fault: FaultRule = { method: 'POST', path, kind: random.pick(KINDS) }
    vendors.hubspot.faults.push(fault)
  }
}

/** Every step killed up to twice at any moment, calls broken besides, then each run to its end. */
async function liveThrough(seed: number): Promise<void> {
  const random = createRandom(seed)
  const vendors = await world.vendors()
  const home = await world.home('empty')
  const environment = { ...vendors.environment, ...home.environment, RIPEN_CRM_TIMEOUT_MS }
  for (const step of ['pull', 'score', 'sync'] as const) {
    const args = world.steps[step]
    if (step === 'sync') breakSomeCalls(vendors, random)
    for (let kills = random.int(1, 2); kills > 0; kills--) {
      const moment = { kind: 'after', ms: random.int(400, 2_200) } as const
      await killAt(moment, args, environment, { vendors, home })
    }
    await ripenJson(args, environment)
  }
  expect(readFinalPortal(vendors.hubspot)).toEqual(undisturbed.portal)
  expect(await readFinalState(home)).toEqual(undisturbed.state)
  expect(await ripenJson(world.steps.sync, environment)).toMatchObject({ writeCalls: 0 })
}

it(
  'whatever is killed or broken, and whenever, the end is the same',
  async () => {
    const from = Number(process.env['RIPEN_TEST_SEED'] ?? 1)
    const startedAt = performance.now()
    let seed = from
    for (; seed < from + LEAST_SEEDS || performance.now() - startedAt < BUDGET_MS; seed++) {
      try {
        await liveThrough(seed)
      } catch (cause) {
        throw new Error(`with RIPEN_TEST_SEED=${seed}`, { cause })
      }
    }
    process.stdout.write(`lived through seeds ${from} to ${seed - 1}\n`)
  },
  4 * BUDGET_MS,
)
