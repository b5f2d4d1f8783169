import { afterAll, afterEach, expect, it } from '@jest/globals'
import { amplitudeRows } from '../../sandbox/company/amplitude-rows.ts'
import { mixpanelRows } from '../../sandbox/company/mixpanel-rows.ts'
import { playAnswers } from '../../sandbox/company/story-answers.ts'
import { createDemoClock } from '../../src/app/demo-clock.ts'
import {
  type DemoLook,
  followRestlessness,
  lookOf,
  lookOnce,
  lookTimes,
  playDays,
} from '../../src/app/demo-days.ts'
import { createReps } from '../../src/app/demo-reps.ts'
import { accountStory } from '../../src/app/demo-story.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

const END = new Date('2026-09-10T00:00:00Z')
const MORNING_MS = 8 * 3_600_000

it('thirty days bring a rejection and a won deal back, and a status that stays while its score wavers', async () => {
  const { log, stories } = playAnswers(90, 1, 0)
  const times = lookTimes(END, MORNING_MS)
  const clock = createDemoClock(new Date(END.getTime() + MORNING_MS))
  const thread = await openThread({
    rows: {
      amplitude: amplitudeRows(log.amplitude, END),
      mixpanel: mixpanelRows(log.mixpanel, END),
    },
    mappings: await mappingFiles(
      { file: 'hubspot.yaml', from: /^# (deals: .*?) #.*$/m, to: '$1' },
      { file: 'hubspot.yaml', from: 'read-every: 1h', to: 'read-every: 30d' },
    ),
    ...{ hubspot: { now: clock.standIn }, start: '2026-06-12', now: clock.now(), working: false },
  })
  const { app, vendors } = thread
  const { engine, context } = app
  engine.start(['pull', 'rollup', 'identity', 'rebuild'], [])
  await thread.pull()
  const both = {
    ...clock,
    set(at: Date) {
      clock.set(at)
      thread.setNow(at)
    },
  }
  const [rejected, won] = [stories.rejected.domain, stories.won.domain]
  const reps = createReps(vendors.hubspot, both, { rejected, won })
  const restless = followRestlessness(context.db, stories.wavering.domain)
  engine.start(['score', 'desire', 'reconcile', 'listen'], ['hubspot'])
  const [first = END, ...others] = times
  const looks: DemoLook[] = [lookOf(first, await lookOnce(app, both, first))]
  await engine.request('listen', 'hubspot')
  await engine.idle(['listen'], ['hubspot'])
  await restless.note()
  looks.push(...(await playDays(app, both, others, { reps, restless }, () => {})))
  const no = await accountStory(context.db, rejected, reps.acts)
  const yes = await accountStory(context.db, won, reps.acts)
  const calm = await restless.result(first)
  // The same use in both companies: who was turned down is not asked about again.
  expect(no).toMatchObject({ tasks: 1, salesStatus: 'rejected' })
  expect(no.usageStatus).not.toBe('qualified')
  expect(no.lines.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'the task is closed: Closed by Ripen: sales said no.',
      expect.stringContaining('held back'),
    ]),
  )
  expect(yes).toMatchObject({ tasks: 2, salesStatus: 'won' })
  expect(yes.lines.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'the task is closed: Closed by Ripen: the deal was won.',
      expect.stringContaining('sales: opportunity → won'),
    ]),
  )
  expect(calm.wavering.crossings).toBeGreaterThanOrEqual(5)
  expect(calm.wavering.changes).toBe(1)
  const { scores } = calm.wavering
  const moves = scores.flatMap((score, i) => (i > 0 && score !== scores[i - 1] ? [i] : []))
  expect(moves.length).toBeGreaterThanOrEqual(12)
  // From the first days to the last ones, and never for a week without a move.
  const rests = [0, ...moves, scores.length].map((at, i, all) => at - (all[i - 1] ?? 0))
  expect(Math.max(...rests)).toBeLessThan(7)
  // A day on which nothing changed costs no write.
  expect(looks).toHaveLength(30)
  expect(looks.filter(({ writeCalls }) => writeCalls === 0).length).toBeGreaterThan(5)
  for (const { recordsWritten, writeCalls } of looks) {
    if (writeCalls === 0) expect(recordsWritten).toBe(0)
  }
  const last = others.at(-1) ?? END
  expect(lookOf(last, await lookOnce(app, both, last))).toMatchObject({
    ...{ recordsWritten: 0, writeCalls: 0, tasks: 0 },
  })
}, 240_000)
