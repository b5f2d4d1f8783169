import { join } from 'node:path'
import { createHubspotCrm } from '../../connectors/crms/hubspot/hubspot-crm.ts'
import { amplitudeStream } from '../../connectors/sources/amplitude/amplitude-stream.ts'
import { createFilesSource } from '../../connectors/sources/files/files-source.ts'
import { mixpanelHosts } from '../../connectors/sources/mixpanel/hosts.ts'
import { createMixpanelSource } from '../../connectors/sources/mixpanel/mixpanel-source.ts'
import { segmentSource } from '../../connectors/sources/segment/segment-source.ts'
import { segmentStream } from '../../connectors/sources/segment/segment-stream.ts'
import type { JobData } from '../../jobs/catalog.ts'
import type { ConnectedCrm, ConnectedSource, JobContext, Progress } from '../../jobs/context.ts'
import { createEngine, type Engine } from '../../jobs/engine.ts'
import { dropShardUsage } from '../../jobs/steps/score-shards.ts'
import type { Config } from '../infra/config.ts'
import { type Duck, startDuck } from '../infra/lake/duck.ts'
import { createFactTable } from '../infra/lake/fact-table.ts'
import { createLogger, type Logger } from '../infra/logger.ts'
import { createMetrics, type Metrics } from '../infra/metrics.ts'
import { type Database, openDatabase } from '../infra/postgres/database.ts'
import { acquireEmbeddedPostgres, type EmbeddedServer } from '../infra/postgres/embedded/acquire.ts'
import { takeTurn } from '../infra/postgres/pace.ts'
import { openQueues } from '../infra/queue/queues.ts'
import { connectAmplitude } from './connect-amplitude.ts'

/** What of an interval's calls may come at once. */
const HUBSPOT_BURST_SHARE = 0.25
/** Search: 5 calls a second for the whole account. */
const HUBSPOT_SEARCH_PACE = { calls: 4, intervalMs: 1_000, burst: 1 }

/** A project has 60 queries in any hour: 15 at once and then 45 an hour never pass it. */
const MIXPANEL_HOUR_PACE = { calls: 45, intervalMs: 3_600_000, burst: 15 }
/** And 3 in a second. */
const MIXPANEL_SECOND_PACE = { calls: 2, intervalMs: 1_000, burst: 1 }

export interface ComposeOptions {
  readonly config: Config
  readonly clock?: () => Date
  /** When RIPEN_LOG_LEVEL is absent; commands tell their failures themselves. Default `error`. */
  readonly logLevel?: 'info' | 'error'
  readonly onProgress?: (progress: Progress) => void
  readonly onNotice?: (message: string) => void
}

/** Everything, built and connected. */
export interface App {
  readonly config: Config
  readonly context: JobContext
  readonly engine: Engine
  readonly metrics: Metrics
  readonly logger: Logger
  close(): Promise<void>
}

/**
 * The only place that builds everything: your PostgreSQL and Redis when they are configured, else the
 * embedded server and its queue.
 * @throws {ConfigError} when something that is configured cannot be used.
 */
export async function compose(options: ComposeOptions): Promise<App> {
  const { config } = options
  const logger = createLogger(config.RIPEN_LOG_LEVEL ?? options.logLevel ?? 'error')
  const opened = await openState(options)
  try {
    const metrics = createMetrics(opened.database.db)
    const context = createContext(options, opened, logger, metrics)
    const { id } = await opened.database.db
      .selectFrom('installation')
      .select('id')
      .executeTakeFirstOrThrow()
    const queues = await openQueues<JobData>({
      redisUrl: config.REDIS_URL,
      databaseUrl: opened.databaseUrl,
      installation: id,
      onError: seldom((error) =>
        logger.warn({ kind: error.name }, 'the queue has trouble with its connection'),
      ),
    })
    const engine = createEngine(context, queues)
    const close = async () => {
      await engine.close()
      await dropShardUsage(context)
      await closeState(opened)
    }
    return { config, context, engine, metrics, logger, close }
  } catch (error) {
    await closeState(opened)
    throw error
  }
}

/** An outage tells itself once in a while, not with every attempt to reconnect. */
function seldom(tell: (error: Error) => void): (error: Error) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - toldAt < 10_000) return
    toldAt = performance.now()
    tell(error)
  }
}

interface State {
  readonly databaseUrl: string
  readonly server: EmbeddedServer | null
  readonly database: Database
  readonly duck: Duck
}

async function openState({ config, onNotice }: ComposeOptions): Promise<State> {
  const dataDir = config.RIPEN_DATA_DIR
  const embedded = { dataDir, ...(onNotice ? { onNotice } : {}) }
  const server = config.DATABASE_URL ? null : await acquireEmbeddedPostgres(embedded)
  const databaseUrl = config.DATABASE_URL ?? server?.url ?? ''
  let database: Database | null = null
  try {
    database = await openDatabase(databaseUrl)
    const duck = await startDuck({
      dataDir,
      memoryMb: config.RIPEN_DUCKDB_MEMORY_MB,
      threads: config.RIPEN_DUCKDB_THREADS,
    })
    return { databaseUrl, server, database, duck }
  } catch (error) {
    await database?.close()
    await server?.release()
    throw error
  }
}

async function closeState(state: State): Promise<void> {
  state.duck.close()
  await state.database.close()
  await state.server?.release()
}

function createContext(
  { config, clock, onProgress }: ComposeOptions,
  { database, duck }: State,
  logger: Logger,
  metrics: Metrics,
): JobContext {
  return {
    db: database.db,
    pool: database.pool,
    duck,
    facts: createFactTable(),
    shardUsage: { current: null },
    shardPeople: config.RIPEN_SCORE_SHARD_PEOPLE,
    lakeDir: join(config.RIPEN_DATA_DIR, 'lake'),
    tmpDir: join(config.RIPEN_DATA_DIR, 'tmp'),
    logger,
    clock: clock ?? (() => new Date()),
    pullOverdueMs: config.RIPEN_PULL_OVERDUE_MINUTES * 60_000,
    sources: new Map([
      ['amplitude', connectAmplitude(config)],
      ['mixpanel', mixpanel(config, database)],
      ['segment', SEGMENT],
    ]),
    declaredSource: (name, mapping) => ({
      source: createFilesSource(name, mapping),
      online: false,
      variables: '--files PATH: it is read from files only',
      start: null,
    }),
    streams: new Map([amplitudeStream, segmentStream].map((stream) => [stream.name, stream])),
    crms: new Map([['hubspot', hubspot(config, database, metrics)]]),
    onProgress: onProgress ?? (() => {}),
  }
}

function mixpanel(config: Config, { db }: Database): ConnectedSource {
  const projectId = config.MIXPANEL_PROJECT_ID ?? ''
  const serviceAccount = config.MIXPANEL_SERVICE_ACCOUNT ?? ''
  const secret = config.MIXPANEL_SECRET ?? ''
  return {
    source: createMixpanelSource({
      ...mixpanelHosts(config.MIXPANEL_REGION, {
        dataUrl: config.MIXPANEL_BASE_URL,
        queryUrl: config.MIXPANEL_QUERY_BASE_URL,
      }),
      projectId,
      serviceAccount,
      secret,
      timezone: config.MIXPANEL_TIMEZONE,
      openDayEveryMs: config.MIXPANEL_OPEN_DAY_MINUTES * 60_000,
      lookBackDays: config.MIXPANEL_LOOK_BACK_DAYS,
      sweepEveryMs: config.MIXPANEL_SWEEP_MINUTES * 60_000,
      sweepDays: config.MIXPANEL_SWEEP_DAYS,
      profilesEveryMs: config.MIXPANEL_PROFILES_HOURS * 3_600_000,
      groups: Object.fromEntries(
        (config.MIXPANEL_GROUPS ?? '').split(',').flatMap((pair) => {
          const [key, id] = pair.split('=')
          return key && id ? [[key, id]] : []
        }),
      ),
      pace: async (signal) => {
        await takeTurn(db, { name: `mixpanel ${projectId} hour`, ...MIXPANEL_HOUR_PACE }, signal)
        await takeTurn(
          db,
          { name: `mixpanel ${projectId} second`, ...MIXPANEL_SECOND_PACE },
          signal,
        )
      },
    }),
    online: projectId !== '' && serviceAccount !== '' && secret !== '',
    variables:
      'MIXPANEL_PROJECT_ID, MIXPANEL_SERVICE_ACCOUNT and MIXPANEL_SECRET, or pull files with --files DIR',
    start: config.MIXPANEL_START ? new Date(config.MIXPANEL_START) : null,
  }
}

/** Nothing to pull: everything comes by webhook. */
const SEGMENT: ConnectedSource = {
  source: segmentSource,
  online: false,
  variables: 'SEGMENT_WRITE_KEY and point Segment at the webhook of ripen serve',
  start: null,
}

/** So many calls that no ten seconds hold more than are allowed, the burst included. */
function hubspotPace(allowed: number): { calls: number; intervalMs: number; burst: number } {
  const burst = Math.max(1, Math.floor(allowed * HUBSPOT_BURST_SHARE))
  return { calls: Math.max(1, allowed - burst), intervalMs: 10_000, burst }
}

function hubspot(config: Config, { db }: Database, metrics: Metrics): ConnectedCrm {
  const accessToken = config.HUBSPOT_ACCESS_TOKEN
  const baseUrl = config.HUBSPOT_BASE_URL
  const callTimeoutMs = config.RIPEN_CRM_TIMEOUT_MS
  const variables = 'HUBSPOT_ACCESS_TOKEN'
  if (!accessToken) return { connect: null, variables, callTimeoutMs }
  const portal = new URL(baseUrl).host
  return {
    variables,
    callTimeoutMs,
    connect: (keyProperty) =>
      createHubspotCrm({
        baseUrl,
        accessToken,
        keyProperty,
        additionalDomains: config.HUBSPOT_ADDITIONAL_DOMAINS,
        timeoutMs: callTimeoutMs,
        pace: (bucket, signal) =>
          takeTurn(
            db,
            bucket === 'search'
              ? { name: `hubspot ${portal} search`, ...HUBSPOT_SEARCH_PACE }
              : { name: `hubspot ${portal}`, ...hubspotPace(config.HUBSPOT_CALLS_PER_10S) },
            signal,
          ),
        onCall: (call) => metrics.crmCall('hubspot', call),
      }),
  }
}
