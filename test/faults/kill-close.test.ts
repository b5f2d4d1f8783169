import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { killAt, type Moment } from '../support/kill.ts'
import { mappingFiles, writeMappings } from '../support/mapping-files.ts'

let world: CliWorld
/** Asks for the sales status in another way, so that it is read at once. */
let mappings: string
beforeAll(async () => {
  world = await openCliWorld()
  mappings = await writeMappings(
    await makeFolder('mappings'),
    await mappingFiles(
      { file: 'hubspot.yaml', from: 'evidence-within: 24h', to: 'evidence-within: 240h' },
      { file: 'hubspot.yaml', from: /create: qualified/g, to: 'create: always' },
      {
        file: 'hubspot.yaml',
        from: 'industry: industry',
        to: 'sector: industry',
      },
    ),
  )
}, 120_000)
afterAll(() => world.close())

const CLOSE = { method: 'PATCH', path: /objects\/tasks\/\d+$/ }
const moments: { when: string; moment: Moment }[] = [
  { when: 'the closing call is sent', moment: { kind: 'arrived', ...CLOSE } },
  { when: 'a task is closed', moment: { kind: 'answered', ...CLOSE } },
  { when: 'the second closing call is sent', moment: { kind: 'arrived', ...CLOSE, nth: 2 } },
]

describe('a sync that is killed while it closes tasks, and run again', () => {
  it.each(moments)(
    'closes each once, with one note, when $when',
    async ({ moment }) => {
      const vendors = await world.vendors()
      const home = await world.home('scored')
      const environment = {
        ...vendors.environment,
        ...home.environment,
        RIPEN_CRM_TIMEOUT_MS: '1500',
      }
      await ripenJson(world.steps.sync, environment)
      const { hubspot } = vendors
      for (const { id } of hubspot.records('companies')) {
        hubspot.people.edit('companies', id, { pqa_disposition: 'rejected' })
      }
      // The mapping is published, and scored by, before the sync that is killed.
      await ripenJson(['score', '--as-of', world.asOf, '--mappings', mappings], environment)
      const args = ['sync', '--crm', 'hubspot', '--mappings', mappings]
      const killed = await killAt(moment, args, environment, { vendors, home })
      expect(killed.signal).toBe('SIGKILL')
      await ripenJson(args, environment)
      const tasks = hubspot.records('tasks').map(({ properties }) => properties)
      expect(tasks).toHaveLength(2)
      for (const task of tasks) {
        expect(task['hs_task_status']).toBe('COMPLETED')
        expect(task['hs_task_body']?.split('Closed by Ripen: sales said no.')).toHaveLength(2)
      }
      expect(await ripenJson(args, environment)).toMatchObject({ writeCalls: 0 })
    },
    120_000,
  )
})
