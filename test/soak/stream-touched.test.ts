import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { startSchedule } from '../../jobs/schedule.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { eventually } from '../support/embedded-processes.ts'
import { closeIngest, type IngestThread, openIngest } from '../support/ingest.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeIngest()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const RUNS = 6

/** Few ids of each kind, so that they meet: known ones, new ones, and ones that become shared. */
const deed = fc.record({
  event: fc.constantFrom('Activation Reached', 'Query Run', 'Something Else', '$identify'),
  user: fc.constantFrom(null, 'a-jon', 'a-ana', 'a-eva', 'n-1', 'n-2', 'n-3'),
  device: fc.constantFrom(null, 'dev-ivy', 'dev-1', 'dev-2'),
  alias: fc.constantFrom(null, 'al-1', 'al-2'),
  email: fc.constantFrom(
    null,
    'jon@quiet-mills.com',
    ' ANA@northfield-tools.com',
    'new@brand-new.dev',
    'other@brand-new.dev',
    'me@gmail.com',
  ),
  plan: fc.constantFrom(null, 'trial', 'pro'),
  minutesAgo: fc.integer({ min: 1, max: 50 * 60 }),
  /** The event before it once more, which may say something else by now. */
  isCopy: fc.constantFrom(false, false, false, true),
})
type StreamedDeed = typeof deed extends fc.Arbitrary<infer T> ? T : never

let made = 0
function rowOf({ event, user, device, alias, email, plan, minutesAgo, isCopy }: StreamedDeed) {
  if (!isCopy || made === 0) made += 1
  const at = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
  return {
    uuid: `cccccccc-0000-4000-8000-${String(made).padStart(12, '0')}`,
    event_type: event,
    event_time: at(NOW.getTime() - minutesAgo * 60_000),
    // An hour that no export covers.
    server_upload_time: at(NOW.getTime() - 60_000),
    user_id: user,
    device_id: device,
    amplitude_id: alias,
    user_properties: { ...(email ? { email } : {}), ...(plan ? { plan } : {}) },
  }
}

async function stateOf({ app }: Pick<IngestThread, 'app'>) {
  const { db } = app.context
  const people = await db.selectFrom('person').selectAll().orderBy('id').execute()
  return {
    people: people.map(({ created_at: _, ...rest }) => rest),
    nodes: await db.selectFrom('identity_node').selectAll().orderBy('node').execute(),
    scores: await db
      .selectFrom('score')
      .selectAll()
      .orderBy('subject_id')
      .orderBy('model')
      .execute(),
    days: await db
      .selectFrom('rollup_day')
      .select(['source', 'day', 'events'])
      .where('events', '>', 0)
      .orderBy('source')
      .orderBy('day')
      .execute(),
    changes: await db.selectFrom('score_change').select('id').orderBy('id').execute(),
    touched: await db.selectFrom('touched').selectAll().where('step', '<>', 'desire').execute(),
  }
}

it('looking at those who were touched leaves nothing for a look at everybody to change', async () => {
  const batches = fc.array(fc.array(deed, { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  })
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      const thread = await openIngest({ origin })
      const { context, engine } = thread.app
      await thread.score()
      for (const batch of all) {
        expect((await thread.amplitude(batch.map(rowOf))).status).toBe(200)
        await thread.settle()
      }
      const streamed = await stateOf(thread)
      expect(streamed.touched).toEqual([])
      // Every day anew, and not only what is said to be touched.
      await context.db
        .updateTable('rollup_day')
        .set((e) => ({ requested: e('requested', '+', 1) }))
        .execute()
      await requestWork(context.db, 'rollup', 'amplitude')
      await requestWork(context.db, 'rollup', 'mixpanel')
      await engine.request('identity', 'all')
      await engine.wake(['rollup'])
      for (const step of ['rollup', 'identity', 'score'] as const) await engine.idle([step])
      expect(await stateOf(thread)).toEqual(streamed)
      await closeIngest()
      await closeThreads()
    }),
    { numRuns: RUNS, endOnFailure: true, seed: Number(process.env['RIPEN_TEST_SEED'] ?? 5) },
  )
}, 240_000)

it('a look at everybody that was asked for meanwhile is not forgotten', async () => {
  const thread = await openThread({ origin, working: false })
  const { context, engine } = thread.app
  await context.db.deleteFrom('score').execute()
  await requestWork(context.db, 'score', 'all')
  await requestTouched(context.db, 'score', 'all')
  engine.start(['score'], [])
  await engine.wake(['score'])
  await engine.idle(['score'])
  const scores = await context.db.selectFrom('score').select('subject_id').execute()
  expect(scores.length).toBeGreaterThan(10)
})

it('scores that are due are asked for while events stream in', async () => {
  const thread = await openThread({ origin })
  const { context, engine } = thread.app
  await thread.score()
  await context.db.updateTable('score').set({ next_change_at: NOW }).execute()
  const due = () =>
    context.db.selectFrom('score').where('next_change_at', '<=', NOW).select('model')
  expect(await due().execute()).not.toEqual([])
  await requestTouched(context.db, 'score', 'all')
  const schedule = startSchedule(context, engine)
  try {
    await eventually('a look at who is due', async () => (await due().execute()).length === 0)
  } finally {
    schedule.stop()
  }
  await engine.idle(['score'])
})
