import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SampleCompany } from '../../../../sandbox/company/sample-company.ts'
import type { SandboxServer } from '../../../../sandbox/sandbox-server.ts'
import { type Config, readConfig } from '../../../infra/config.ts'
import type { App } from '../../compose.ts'
import { companyOf, DEMO_DAYS, DEMO_HOUR_MS, startDemoSandbox } from '../../demo-company.ts'
import { resetDemoDatabase } from '../../demo-database.ts'
import { readRanking } from '../../ranking.ts'
import { readStatus } from '../../status.ts'
import { demoReport } from '../demo-report.ts'
import { createProgressFeed, type ProgressFeed } from '../progress.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'
import { describeSync, type SyncResult, sinceNow, syncOnce } from './sync.ts'

/** What one pass of the demo did. */
export interface DemoPass {
  readonly recordsWritten: number
  readonly writeCalls: number
  readonly readCalls: number
  readonly seconds: number
}

const TOP = 10
const CRM = 'hubspot'

/** `ripen demo`: the main job on a sample company, twice; the second pass has nothing to write. */
export async function demoCommand(options: CommonOptions): Promise<void> {
  const startedAt = performance.now()
  const base = readConfig()
  const dir = join(base.RIPEN_DATA_DIR, 'demo')
  const server = await resetDemoDatabase(dir)
  try {
    for (const name of ['lake', 'tmp', 'hubspot', 'sample-company.json']) {
      await rm(join(dir, name), { recursive: true, force: true })
    }
    const { company, end } = await companyOf(dir, new Date(), true)
    const sandbox = await startDemoSandbox(dir, company, { port: 0, seed: true })
    try {
      await runDemo(options, demoConfig(dir, end, sandbox), company, sandbox, startedAt)
    } finally {
      await sandbox.close()
    }
  } finally {
    await server.release()
  }
}

/** The demo has a data folder of its own and never touches your database, queue or vendors. */
export function demoConfig(dir: string, end: Date, sandbox: SandboxServer): Config {
  const start = new Date(end.getTime() - DEMO_DAYS * 86_400_000).toISOString().slice(0, 10)
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

async function runDemo(
  options: CommonOptions,
  config: Config,
  company: SampleCompany,
  sandbox: SandboxServer,
  startedAt: number,
): Promise<void> {
  const feed = createProgressFeed()
  const clock = () =>
    new Date(Date.parse(`${config.AMPLITUDE_START}`) + DEMO_DAYS * 86_400_000 + DEMO_HOUR_MS)
  const silent = options.json === true
  await withApp({ config, clock, onProgress: feed.onProgress }, async (app) => {
    app.engine.start(['pull', 'rollup', 'identity', 'score', 'desire', 'reconcile'], [CRM])
    const passes = [
      await runPass(app, feed, 'First pass', silent),
      await runPass(app, feed, 'Second pass', silent),
    ]
    const status = await readStatus(app.context.db)
    const events = Object.values(status.sources).reduce((sum, source) => sum + source.events, 0)
    const tasks = Object.values(status.crms[CRM]?.tasks ?? {}).reduce((sum, n) => sum + n, 0)
    const { people, accounts, qualifiedPeople, qualifiedAccounts } = status
    const seconds = Math.round(performance.now() - startedAt) / 1000
    const counts = { events, people, accounts, qualifiedPeople, qualifiedAccounts, tasks }
    if (silent) return printJson({ ...counts, passes, seconds })
    const best = {
      people: await readRanking(app.context.db, 'person', { limit: TOP }),
      accounts: await readRanking(app.context.db, 'account', { limit: TOP }),
    }
    print(await demoReport({ counts, passes, seconds, best, company, sandbox }))
  })
}

async function runPass(
  app: App,
  feed: ProgressFeed,
  title: string,
  silent: boolean,
): Promise<DemoPass> {
  const { engine, context } = app
  const since = await sinceNow(app)
  const results: SyncResult[] = []
  const lines = [
    {
      title: `${title}: pull from Amplitude and Mixpanel`,
      steps: ['pull'] as const,
      run: async () => {
        await engine.request('pull', 'amplitude')
        await engine.request('pull', 'mixpanel')
        await engine.idle(['pull'])
        await engine.idle(['rollup'])
        await engine.idle(['identity'])
        const { people, accounts, sources } = await readStatus(context.db)
        const events = Object.values(sources).reduce((sum, source) => sum + source.events, 0)
        return `${events} events, ${people} people, ${accounts} accounts`
      },
    },
    {
      title: `${title}: score people and accounts`,
      steps: ['score'] as const,
      run: async () => {
        await engine.request('score', 'all')
        await engine.idle(['score'])
        const { qualifiedPeople, qualifiedAccounts } = await readStatus(context.db)
        return `${qualifiedPeople} people and ${qualifiedAccounts} accounts qualified`
      },
    },
    {
      title: `${title}: write to HubSpot`,
      steps: ['reconcile'] as const,
      run: async () => {
        const result = await syncOnce(app, CRM, since)
        results.push(result)
        return describeSync(result)
      },
    },
  ]
  await feed.show(lines, silent)
  const [result] = results
  return {
    recordsWritten: result?.recordsWritten ?? 0,
    writeCalls: result?.writeCalls ?? 0,
    readCalls: result?.readCalls ?? 0,
    seconds: result?.seconds ?? 0,
  }
}
