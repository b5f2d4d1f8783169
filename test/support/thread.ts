import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { type SyncResult, sinceNow, syncOnce } from '../../src/app/cli/commands/sync.ts'
import { type App, compose } from '../../src/app/compose.ts'
import { readStatus, type Status } from '../../src/app/status.ts'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { readConfig } from '../../src/infra/config.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { captureLogs } from './log-capture.ts'
import { mappingFiles } from './mapping-files.ts'
import { smallUsage, startOf } from './small-usage.ts'
import { createState, type TestState } from './state.ts'
import type { UsageLog } from './usage-log.ts'
import { startVendors, type VendorRows, type Vendors, type VendorsOptions } from './vendors.ts'

/** When the small history ends and the tests take place. */
export const NOW = new Date('2026-09-10T08:00:00Z')

/** The whole thread in this process: state, stand-ins and the engine between them. */
export interface Thread {
  readonly app: App
  readonly state: TestState
  readonly vendors: Vendors
  readonly usage: UsageLog
  /** What the jobs take for now. */
  setNow(now: Date): void
  publish(files: MappingFiles): Promise<void>
  /** Pulls from these sources and waits for rollups and people. */
  pull(sources?: readonly string[], files?: readonly string[]): Promise<void>
  score(): Promise<void>
  /** Syncs; the result tells what happened since the last time. */
  sync(): Promise<SyncResult>
  /** Pull, score and sync. */
  run(): Promise<SyncResult>
  status(): Promise<Status>
  /** Another worker on the same state and vendors. */
  colleague(): Promise<App>
}

export interface ThreadOptions {
  /** Rows of the vendors; by default the small history, as `Thread.usage`. */
  readonly rows?: VendorRows
  readonly mappings?: MappingFiles
  readonly hubspot?: HubspotSandboxOptions
  readonly profilesPerPage?: number
  readonly beforeHubspot?: VendorsOptions['beforeHubspot']
  readonly now?: Date
  readonly start?: string
  /** More variables, such as RIPEN_CRM_TIMEOUT_MS. */
  readonly environment?: Readonly<Record<string, string>>
  /** A state to start from, such as that of `pulledState`. */
  readonly origin?: TestState
  /** False leaves the work to engines that the test starts. */
  readonly working?: boolean
}

const SOURCES = ['amplitude', 'mixpanel'] as const
const CRM = 'hubspot'
const open: { close(): Promise<void> }[] = []

/** Builds a thread; `closeThreads` takes it down. */
export async function openThread(options: ThreadOptions = {}): Promise<Thread> {
  let now = options.now ?? NOW
  const clock = () => now
  const usage = smallUsage(now)
  const rows = options.rows ?? { amplitude: usage.amplitudeRows, mixpanel: usage.mixpanelRows }
  const state = await createState(options.origin)
  open.push(state)
  const start = options.start ?? startOf(now)
  const hubspot = options.hubspot ?? {}
  const vendors = await startVendors({
    rows,
    start,
    now: clock,
    hubspot,
    profilesPerPage: options.profilesPerPage,
    beforeHubspot: options.beforeHubspot,
  })
  open.push(vendors)
  const config = readConfig({
    ...state.environment,
    ...vendors.environment,
    RIPEN_LOG_LEVEL: 'trace',
    RIPEN_DUCKDB_THREADS: '2',
    ...options.environment,
  })
  const colleague = async () => {
    const app = await compose({
      ...{ config, clock, logTo: captureLogs() },
      environment: options.environment ?? {},
    })
    open.push(app)
    return app
  }
  const app = await colleague()
  const { engine, context } = app
  const publish = async (files: MappingFiles) => {
    await publishMapping(context.db, 'test', files)
  }
  await publish(options.mappings ?? (await mappingFiles()))
  if (options.working !== false) engine.start(STEPS, [CRM])
  const pull = async (sources: readonly string[] = SOURCES, files?: readonly string[]) => {
    for (const name of sources) await engine.request('pull', name, files ? { files } : undefined)
    for (const step of ['pull', 'rollup', 'identity', 'rebuild'] as const) await engine.idle([step])
  }
  const score = async () => {
    await engine.request('score', 'all')
    await engine.idle(['score', 'desire'])
  }
  let since = await sinceNow(app)
  const sync = async () => {
    const result = await syncOnce(app, CRM, since)
    since = await sinceNow(app)
    return result
  }
  return {
    app,
    state,
    vendors,
    usage,
    setNow(at) {
      now = at
    },
    publish,
    pull,
    score,
    sync,
    async run() {
      await pull()
      await score()
      return sync()
    },
    status: () => readStatus(context.db),
    colleague,
  }
}

/** The state after a pull of the small history, to start others from; the caller closes it. */
export const pulledState = (): Promise<TestState> => keptState({}, (thread) => thread.pull())

/** The state after a pull of these files, which nobody has scored yet; the caller closes it. */
export const unscoredState = (
  options: ThreadOptions,
  files: Readonly<Record<'amplitude' | 'mixpanel', string>>,
): Promise<TestState> =>
  keptState({ ...options, working: false }, async (thread) => {
    thread.app.engine.start(['pull', 'rollup', 'identity', 'rebuild'], [])
    for (const source of SOURCES) await thread.pull([source], [files[source]])
  })

async function keptState(
  options: ThreadOptions,
  pull: (thread: Thread) => Promise<void>,
): Promise<TestState> {
  const thread = await openThread(options)
  await pull(thread)
  const { state } = thread
  open.splice(open.indexOf(state), 1)
  await closeThreads()
  return state
}

/** Takes down every thread of a test, the last part first; for `afterEach`. */
export async function closeThreads(): Promise<void> {
  const failures: unknown[] = []
  for (const part of open.splice(0).reverse()) {
    await part.close().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}
