import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRandom } from '../../sandbox/company/random.ts'
import { ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder, serverPid } from '../support/embedded-processes.ts'
import { type FinalState, readFinalState } from '../support/final-state.ts'
import { killAt, type Moment } from '../support/kill.ts'
import { mappingFiles, writeMappings } from '../support/mapping-files.ts'
import type { TestState } from '../support/state.ts'

let world: CliWorld
let pulled: FinalState
let scored: FinalState
beforeAll(async () => {
  world = await openCliWorld()
  scored = await readFinalState(await world.home('scored'))
  pulled = await readFinalState(await world.home('pulled'))
}, 120_000)
afterAll(() => world.close())

const random = createRandom(7)

/** Killed once at a moment and run again: the same as if nothing had happened. */
async function killAndRunAgain(step: 'pull' | 'score', moment: Moment): Promise<void> {
  const vendors = await world.vendors()
  const home = await world.home(step === 'pull' ? 'empty' : 'pulled')
  const environment = { ...vendors.environment, ...home.environment }
  const args = world.steps[step]
  const killed = await killAt(moment, args, environment, { vendors, home })
  if (moment.kind !== 'after') expect(killed.signal).toBe('SIGKILL')
  await ripenJson(args, environment)
  expect(await serverPid(home.dataDir)).toBeUndefined()
  const { open: _open, ...state } = await readFinalState(home)
  const { open: _then, ...wanted } = step === 'pull' ? pulled : scored
  expect(state).toEqual(wanted)
}

describe('a pull that is killed with SIGKILL and run again ends as if nothing had happened', () => {
  it.each<{ when: string; moment: Moment }>([
    { when: 'the first hours are asked for', moment: { kind: 'arrived', path: /api\/2\/export/ } },
    { when: 'the first hours are there', moment: { kind: 'answered', path: /api\/2\/export/ } },
    { when: 'days are asked for', moment: { kind: 'arrived', path: /api\/2\.0\/export/ } },
    { when: 'a file is being written', moment: { kind: 'file', name: /^\.writing/ } },
    { when: 'a file is written', moment: { kind: 'file', name: /^mixpanel-[0-9a-f]+\.parquet/ } },
    { when: 'a rollup is written', moment: { kind: 'file', name: /-rollup-.*parquet$/ } },
  ])('when $when', ({ moment }) => killAndRunAgain('pull', moment), 120_000)

  it.each([1, 2])(
    'at a moment by chance (%i)',
    () => killAndRunAgain('pull', { kind: 'after', ms: random.int(400, 1_600) }),
    120_000,
  )
})

describe('a rebuild of rollups that is killed with SIGKILL and run again ends as if nothing had happened', () => {
  let args: string[]
  let rebuilt: FinalState
  beforeAll(async () => {
    const edits = { file: 'usage.yaml', from: 'event: Signed Up', to: 'event: Query Run' }
    const mappings = await writeMappings(await makeFolder('changed'), await mappingFiles(edits))
    args = ['score', '--as-of', world.asOf, '--mappings', mappings]
    rebuilt = await readFinalState(await run(null))
  }, 60_000)

  async function run(moment: Moment | null): Promise<TestState> {
    const vendors = await world.vendors()
    const home = await world.home('scored')
    const environment = { ...vendors.environment, ...home.environment }
    if (moment) await killAt(moment, args, environment, { vendors, home })
    await ripenJson(args, environment)
    expect(vendors.amplitude.calls()).toEqual([])
    return home
  }

  it.each<{ when: string; moment: Moment }>([
    { when: 'while a file is written', moment: { kind: 'file', name: /^\.writing/ } },
    { when: 'at a moment by chance', moment: { kind: 'after', ms: random.int(500, 1_200) } },
    { when: 'at another moment', moment: { kind: 'after', ms: random.int(500, 1_200) } },
  ])('$when', async ({ moment }) => {
    const { open: _open, ...state } = await readFinalState(await run(moment))
    const { open: _then, ...wanted } = rebuilt
    expect(state).toEqual(wanted)
  })
})

describe('a score that is killed with SIGKILL and run again ends as if nothing had happened', () => {
  it.each([1, 2, 3])('at a moment by chance (%i)', () =>
    killAndRunAgain('score', { kind: 'after', ms: random.int(500, 1_200) }),
  )
})
