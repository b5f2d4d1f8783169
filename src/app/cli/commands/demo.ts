import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SampleCompany } from '../../../../sandbox/company/sample-company.ts'
import type { SandboxServer } from '../../../../sandbox/sandbox-server.ts'
import { type Config, readConfig } from '../../../infra/config.ts'
import type { App } from '../../compose.ts'
import { createDemoClock, type DemoClock } from '../../demo-clock.ts'
import { companyOf, DEMO_DAYS, DEMO_HOUR_MS, startDemoSandbox } from '../../demo-company.ts'
import { resetDemoDatabase } from '../../demo-database.ts'
import {
  type DemoLook,
  followRestlessness,
  LOOKS,
  lookOf,
  lookOnce,
  lookTimes,
  playDays,
} from '../../demo-days.ts'
import { writeDemoMappings } from '../../demo-mappings.ts'
import { createReps } from '../../demo-reps.ts'
import { accountStory } from '../../demo-story.ts'
import { readRanking } from '../../ranking.ts'
import { readStatus } from '../../status.ts'
import { demoReport } from '../demo-report.ts'
import { createProgressFeed, type ProgressFeed, type ProgressLine } from '../progress.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'
import { describeSync, type SyncResult, syncOnce } from './sync.ts'

const DAY_MS = 86_400_000
const TOP = 10
const CRM = 'hubspot'

/**
 * `ripen demo`: the main job on a sample company, day by day over the last thirty, with reps who answer in
 * the stand-in; in the end there is nothing to write.
 */
export async function demoCommand(options: CommonOptions): Promise<void> {
  const startedAt = performance.now()
  const base = readConfig()
  const dir = join(base.RIPEN_DATA_DIR, 'demo')
  const server = await resetDemoDatabase(dir)
  try {
    for (const name of ['lake', 'tmp', 'hubspot', 'mappings', 'sample-company.json']) {
      await rm(join(dir, name), { recursive: true, force: true })
    }
    const { company, end } = await companyOf(dir, new Date(), true)
    // Records that are there already are older than the first look.
    const clock = createDemoClock(new Date(end.getTime() - LOOKS * DAY_MS))
    const now = clock.standIn
    const sandbox = await startDemoSandbox(dir, company, { port: 0, seed: true, now })
    try {
      const mappings = await writeDemoMappings(dir)
      const config = demoConfig(dir, end, sandbox)
      await runDemo({ ...options, mappings }, { config, clock, end, company, sandbox, startedAt })
    } finally {
      await sandbox.close()
    }
  } finally {
    await server.release()
  }
}

/** The demo has a data folder of its own and never touches your database, queue or vendors. */
export function demoConfig(dir: string, end: Date, sandbox: SandboxServer): Config {
  const start = new Date(end.getTime() - DEMO_DAYS * DAY_MS).toISOString().slice(0, 10)
  const { RIPEN_LOG_LEVEL } = readConfig()
  return readConfig({
    ...sandbox.environment,
    RIPEN_DATA_DIR: dir,
    // The stand-in plays a Professional account, which has 190.
    HUBSPOT_CALLS_PER_10S: '180',
    AMPLITUDE_START: start,
    MIXPANEL_START: start,
    RIPEN_LOG_LEVEL,
  })
}

interface Demo {
  readonly config: Config
  readonly clock: DemoClock
  /** Midnight after the last day of use. */
  readonly end: Date
  readonly company: SampleCompany
  readonly sandbox: SandboxServer
  readonly startedAt: number
}

async function runDemo(options: CommonOptions, demo: Demo): Promise<void> {
  const { config, clock, company, sandbox, startedAt } = demo
  const feed = createProgressFeed()
  const silent = options.json === true
  const app = { ...options, config, clock: clock.now, onProgress: feed.onProgress }
  await withApp(app, async (app) => {
    const played = await playDemo(app, demo, feed, silent)
    const { db } = app.context
    const status = await readStatus(db)
    const events = Object.values(status.sources).reduce((sum, source) => sum + source.events, 0)
    const tasks = Object.values(status.crms[CRM]?.tasks ?? {}).reduce((sum, n) => sum + n, 0)
    const { people, accounts, qualifiedPeople, qualifiedAccounts } = status
    const seconds = Math.round(performance.now() - startedAt) / 1000
    const counts = { events, people, accounts, qualifiedPeople, qualifiedAccounts, tasks }
    if (silent) return printJson({ ...counts, ...played, seconds })
    const best = {
      people: await readRanking(db, 'person', { limit: TOP }),
      accounts: await readRanking(db, 'account', { limit: TOP }),
    }
    print(await demoReport({ counts, ...played, seconds, best, company, sandbox }))
  })
}

/** Pulls everything, then looks day by day; what is not known yet on a day does not count on it. */
async function playDemo(app: App, demo: Demo, feed: ProgressFeed, silent: boolean) {
  const { clock, end, company, sandbox } = demo
  const { answers } = company
  if (!answers) throw new Error('the company is without the stories of the thirty days')
  const times = lookTimes(end, DEMO_HOUR_MS)
  const [first = end, ...others] = times
  const reps = createReps(sandbox.hubspot, clock, {
    rejected: answers.rejected.domain,
    won: answers.won.domain,
  })
  const { db } = app.context
  const restless = followRestlessness(db, answers.wavering.domain)
  const looks: DemoLook[] = []
  let again: SyncResult | null = null
  await feed.show(
    [
      pullLine(app, clock, new Date(end.getTime() + DEMO_HOUR_MS)),
      {
        title: `First look, as of ${first.toISOString().slice(0, 10)}`,
        steps: ['reconcile'],
        run: async () => {
          app.engine.start(['score', 'desire', 'reconcile', 'listen'], [CRM])
          const result = await lookOnce(app, clock, first)
          looks.push(lookOf(first, result))
          // From here on HubSpot is asked what changed.
          await app.engine.request('listen', CRM)
          await app.engine.idle(['listen'], [CRM])
          await restless.note()
          return describeSync(result)
        },
      },
      {
        title: `The next ${others.length} days, a look each`,
        steps: ['stage'],
        run: async () => {
          const total = others.length
          const told = { step: 'stage', key: 'days', total, unit: 'looked at' } as const
          const onDay = (done: number) => feed.onProgress({ ...told, done })
          looks.push(...(await playDays(app, clock, others, { reps, restless }, onDay)))
          const written = looks.slice(1).reduce((sum, look) => sum + look.recordsWritten, 0)
          return `${written} records written, ${Math.round(written / total)} a day`
        },
      },
      {
        title: 'The last look again',
        steps: ['reconcile'],
        run: async () => {
          clock.set(times.at(-1) ?? end)
          again = await syncOnce(app, CRM)
          return describeSync(again)
        },
      },
    ],
    silent,
  )
  const [rejected, won] = [answers.rejected.domain, answers.won.domain].map((domain) =>
    accountStory(db, domain, reps.acts),
  )
  return {
    looks,
    again: again && lookOf(times.at(-1) ?? end, again),
    restless: await restless.result(first),
    rejected: await rejected,
    won: await won,
  }
}

function pullLine({ engine, context }: App, clock: DemoClock, at: Date): ProgressLine {
  return {
    title: 'Pull from Amplitude and Mixpanel',
    steps: ['pull'],
    run: async () => {
      clock.set(at)
      engine.start(['pull', 'rollup', 'identity'], [])
      await engine.request('pull', 'amplitude')
      await engine.request('pull', 'mixpanel')
      for (const step of ['pull', 'rollup', 'identity'] as const) await engine.idle([step])
      const { people, accounts, sources } = await readStatus(context.db)
      const events = Object.values(sources).reduce((sum, source) => sum + source.events, 0)
      return `${events} events, ${people} people, ${accounts} accounts`
    },
  }
}
