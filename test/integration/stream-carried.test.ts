import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { JobData } from '../../jobs/catalog.ts'
import { createEngine, type Engine } from '../../jobs/engine.ts'
import { explain } from '../../src/app/explanation.ts'
import { stageEvents } from '../../src/infra/postgres/staging.ts'
import { readWork, requestWork, STEPS } from '../../src/infra/postgres/work.ts'
import { openQueues } from '../../src/infra/queue/queues.ts'
import { eventually } from '../support/embedded-processes.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
const engines: Engine[] = []
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** An engine on the thread's own queues, all of whose jobs get lost but those of some queues. */
async function losing(thread: Thread, keep: readonly string[]) {
  const { context } = thread.app
  const { id } = await context.db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  const queues = await openQueues<JobData>({
    redisUrl: thread.state.environment['REDIS_URL'],
    databaseUrl: thread.state.databaseUrl ?? '',
    installation: id,
    onError: () => {},
  })
  const added: string[] = []
  const engine = createEngine(context, {
    ...queues,
    add: async (queue, name, data, options) => {
      added.push(name)
      if (keep.includes(queue)) await queues.add(queue, name, data, options)
    },
  })
  engines.push(engine)
  return { engine, added }
}

const event = (uuid: number): string => {
  const at = new Date(NOW.getTime() - 60_000).toISOString().replace('T', ' ').replace('Z', '')
  return JSON.stringify({
    uuid: `eeeeeeee-0000-4000-8000-${String(uuid).padStart(12, '0')}`,
    event_type: 'Activation Reached',
    event_time: at,
    server_upload_time: at,
    user_id: 'a-jon',
    user_properties: { email: WHO.quiet },
  })
}

const scoreOf = async (thread: Thread) =>
  (await explain(thread.app.context.db, WHO.quiet))?.scores[0]?.score ?? 0

describe('what streamed in', () => {
  it('is in the scores though every job behind the first one gets lost', async () => {
    const thread = await openThread({ origin, working: false })
    const { db } = thread.app.context
    const all = await losing(thread, ['scores', 'stream'])
    all.engine.start(STEPS, [])
    await all.engine.request('score', 'all')
    await all.engine.idle(['score'])
    const before = await scoreOf(thread)
    await stageEvents(db, 'amplitude', [event(1)])
    await all.engine.touch('stage', 'amplitude')
    await eventually('the score', async () => (await scoreOf(thread)) === before + 30)
  })

  it('is left to the queue where somebody asked for a look at everybody', async () => {
    const thread = await openThread({ origin, working: false })
    const { db } = thread.app.context
    await requestWork(db, 'identity', 'all')
    const some = await losing(thread, ['stream'])
    some.engine.start(STEPS, [])
    await stageEvents(db, 'amplitude', [event(2)])
    await some.engine.touch('stage', 'amplitude')
    await eventually('a job', async () => some.added.includes('identity'))
    const [row] = await readWork(db, 'identity', 'all')
    expect(row && row.whole > row.done).toBe(true)
    const touched = await db
      .selectFrom('touched')
      .select('step')
      .where('step', '!=', 'desire')
      .execute()
    expect(touched.map(({ step }) => step)).toEqual(['identity'])
  })

  it('adds no job while somebody is on the way', async () => {
    const thread = await openThread({ origin, working: false })
    const { engine, added } = await losing(thread, [])
    for (let turn = 0; turn < 3; turn++) await engine.touch('stage', 'amplitude')
    expect(added).toEqual(['stage'])
    const { db } = thread.app.context
    await db.updateTable('work').set({ failed: 3 }).where('step', '=', 'stage').execute()
    await engine.touch('stage', 'amplitude')
    await db.updateTable('work').set({ done: 4 }).where('step', '=', 'stage').execute()
    await engine.touch('stage', 'amplitude')
    expect(added).toEqual(['stage', 'stage', 'stage'])
  })
})
