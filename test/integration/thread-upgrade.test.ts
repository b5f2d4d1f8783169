import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { startSchedule } from '../../jobs/schedule.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { nextGeneration } from '../../src/infra/postgres/rollup-generations.ts'
import { eventually } from '../support/embedded-processes.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** As if everything that is published had been so by a Ripen whose models had another language. */
async function publishedLongAgo({ app }: Thread): Promise<void> {
  const { rowCount } =
    await app.context.pool.query(`update mapping_version set hash = hash || '-old',
    files = jsonb_set(files, '{models/people.yaml}',
      to_jsonb(replace(files ->> 'models/people.yaml', 'per: 1', 'per: occurrence')))
    where files ->> 'models/people.yaml' like '%per: 1%'`)
  expect(rowCount).toBeGreaterThan(0)
}

const changedPlan = () =>
  mappingFiles({ file: 'usage.yaml', from: 'event: Data Source Connected', to: 'event: Linked' })

describe('a mapping that an older version published', () => {
  it('is refused with its number, its folder and the mend while nothing else is published', async () => {
    const thread = await openThread({ origin, working: false })
    await publishedLongAgo(thread)
    await expect(thread.status()).rejects.toThrow(
      /version \d+ of the mappings, published from test, .*--mappings[\s\S]*models\/people\.yaml:\d+:\d+/,
    )
  })

  it('holds up nobody while the rollups of the mended one are made', async () => {
    const thread = await openThread({ origin })
    const { app } = thread
    await thread.score()
    await publishedLongAgo(thread)
    await thread.publish(await changedPlan())
    expect(await nextGeneration(app.context.db)).not.toBeNull()
    expect((await thread.status()).people).toBeGreaterThan(0)
    const before = await readEffective(app.context.db)
    await sql`update score set next_change_at = '2020-01-01'`.execute(app.context.db)
    const schedule = startSchedule(app.context, app.engine)
    await eventually('the rollups are swapped', async () => {
      return (await nextGeneration(app.context.db)) === null
    })
    schedule.stop()
    await app.engine.idle(['rollup', 'identity', 'rebuild', 'score', 'desire'])
    const after = await readEffective(app.context.db)
    expect(after.version).toBe(before.version)
    expect(after.generation).not.toBe(before.generation)
  })
})
