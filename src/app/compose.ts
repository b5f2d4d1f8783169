import { join } from 'node:path'
import { createHubspotCrm } from '../../connectors/crms/hubspot/hubspot-crm.ts'
import { createHubspotWebhook } from '../../connectors/crms/hubspot/hubspot-webhook.ts'
import { amplitudeStream } from '../../connectors/sources/amplitude/amplitude-stream.ts'
import { canaryStream } from '../../connectors/sources/canary/canary-stream.ts'
import { createFilesSource } from '../../connectors/sources/files/files-source.ts'
import { mixpanelHosts } from '../../connectors/sources/mixpanel/hosts.ts'
import { createMixpanelSource } from '../../connectors/sources/mixpanel/mixpanel-source.ts'
import { segmentSource } from '../../connectors/sources/segment/segment-source.ts'
import { segmentStream } from '../../connectors/sources/segment/segment-stream.ts'
import type { JobData } from '../../jobs/catalog.ts'
import {
  type ConnectedCrm,
  type ConnectedSource,
  connectedCrms,
  type JobContext,
  type Progress,
} from '../../jobs/context.ts'
import { createEngine, type Engine } from '../../jobs/engine.ts'
import { dropShardUsage } from '../../jobs/steps/score-shards.ts'
import type { AccessTokens } from '../core/ports/access-tokens.ts'
import { type Config, namedVariable } from '../infra/config.ts'
import { type Duck, lazyDuck, startDuck } from '../infra/lake/duck.ts'
import { createFactTable } from '../infra/lake/fact-table.ts'
import { createRollupTable } from '../infra/lake/rollup-table.ts'
import { createLogger, type DestinationStream, type Logger } from '../infra/logger.ts'
import { createMetrics, type Metrics } from '../infra/metrics.ts'
import { alertChannels } from '../infra/outbound/alert-channels.ts'
import { type Database, openDatabase } from '../infra/postgres/database.ts'
import { acquireEmbeddedPostgres, type EmbeddedServer } from '../infra/postgres/embedded/acquire.ts'
import { takeTurn } from '../infra/postgres/pace.ts'
import { openQueues } from '../infra/queue/queues.ts'
import { connectAmplitude } from './connect-amplitude.ts'
import { connectSalesforce } from './connect-salesforce.ts'
import { openHubspotAccess } from './hubspot-access.ts'
import { createHubspotGovernor } from './hubspot-governor.ts'
import type { OAuthConnection } from './oauth-connection.ts'
import { openSalesforceAccess } from './salesforce-access.ts'

/** A call to a CRM that surely did nothing is made so often in all before its step fails. */
const CRM_ATTEMPTS = 4

/** A project has 60 queries in any hour: 15 at once and then 45 an hour never pass it. */
const MIXPANEL_HOUR_PACE = { calls: 45, intervalMs: 3_600_000, burst: 15 }
/** And 3 in a second. */
const MIXPANEL_SECOND_PACE = { calls: 2, intervalMs: 1_000, burst: 1 }

/** Whoever a playbook tells something has so long to answer. */
const OUTBOUND_TIMEOUT_MS = 15_000

/** What the path of what streams in may use besides, of what DuckDB may use for everything else. */
const STREAM_MEMORY_SHARE = 0.25

export interface ComposeOptions {
  readonly config: Config
  readonly clock?: () => Date
  /** When RIPEN_LOG_LEVEL is absent; commands tell their failures themselves. Default `error`. */
  readonly logLevel?: 'info' | 'error'
  /** Takes log lines in place of stderr. */
  readonly logTo?: DestinationStream
  readonly onProgress?: (progress: Progress) => void
  readonly onNotice?: (message: string) => void
  /** Where the variables are that mappings name; that of the process when left out. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Everything, built and connected. */
export interface App {
  readonly config: Config
  readonly context: JobContext
  readonly engine: Engine
  readonly metrics: Metrics
  readonly logger: Logger
  /** The connections that people make by logging in at a vendor, by name of the CRM. */
  readonly oauth: ReadonlyMap<string, OAuthConnection>
  close(): Promise<void>
}

/**
 * The only place that builds everything: your PostgreSQL and Redis when they are configured, else the
 * embedded server and its queue.
 * @throws {ConfigError} when something that is configured cannot be used.
 */
export async function compose(options: ComposeOptions): Promise<App> {
  const { config } = options
  const logger = createLogger(config.RIPEN_LOG_LEVEL ?? options.logLevel ?? 'error', options.logTo)
  const opened = await openState(options)
  try {
    const metrics = createMetrics(opened.database.db, config.RIPEN_FRESHNESS_SLO, () =>
      connectedCrms({ crms }),
    )
    const { database } = opened
    const access = openHubspotAccess(config, database, metrics)
    const salesforce = openSalesforceAccess(config, database, metrics)
    const parts = { config, db: database.db, metrics, logger, attempts: CRM_ATTEMPTS }
    const crms: ReadonlyMap<string, ConnectedCrm> = new Map([
      ['hubspot', hubspot(config, database, metrics, logger, access.token)],
      ['salesforce', connectSalesforce({ ...parts, accessToken: salesforce.token })],
    ])
    const context = createContext(options, opened, logger, crms)
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
    const oauth = new Map<string, OAuthConnection>()
    if (access.oauth) oauth.set('hubspot', access.oauth)
    if (salesforce.oauth) oauth.set('salesforce', salesforce.oauth)
    return { config, context, engine, metrics, logger, oauth, close }
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
  readonly streamDuck: Duck
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
    const streamDuck = lazyDuck(() =>
      startDuck({
        dataDir,
        memoryMb: Math.max(128, Math.ceil(config.RIPEN_DUCKDB_MEMORY_MB * STREAM_MEMORY_SHARE)),
        threads: 1,
      }),
    )
    return { databaseUrl, server, database, duck, streamDuck }
  } catch (error) {
    await database?.close()
    await server?.release()
    throw error
  }
}

async function closeState(state: State): Promise<void> {
  state.duck.close()
  state.streamDuck.close()
  await state.database.close()
  await state.server?.release()
}

function createContext(
  { config, clock, onProgress, environment }: ComposeOptions,
  { database, duck, streamDuck }: State,
  logger: Logger,
  crms: JobContext['crms'],
): JobContext {
  return {
    db: database.db,
    pool: database.pool,
    duck,
    streamDuck,
    facts: createFactTable(),
    rollups: createRollupTable(),
    shardUsage: { current: null },
    shardPeople: config.RIPEN_SCORE_SHARD_PEOPLE,
    lakeDir: join(config.RIPEN_DATA_DIR, 'lake'),
    tmpDir: join(config.RIPEN_DATA_DIR, 'tmp'),
    logger,
    clock: clock ?? (() => new Date()),
    alertChannels: alertChannels({
      slackUrl: config.RIPEN_ALERT_SLACK_URL,
      webhookUrl: config.RIPEN_ALERT_WEBHOOK_URL,
      webhookSecret: config.RIPEN_ALERT_WEBHOOK_SECRET,
      smtpUrl: config.RIPEN_ALERT_SMTP_URL,
      from: config.RIPEN_ALERT_EMAIL_FROM,
      to: config.RIPEN_ALERT_EMAIL_TO,
    }),
    alertLimits: {
      parkedShare: config.RIPEN_ALERT_PARKED_SHARE,
      quotaLeft: config.RIPEN_ALERT_QUOTA_LEFT,
    },
    canary: config.RIPEN_CANARY_EMAIL
      ? {
          email: config.RIPEN_CANARY_EMAIL.toLowerCase(),
          everyMs: config.RIPEN_CANARY_MINUTES * 60_000,
          withinMs: config.RIPEN_CANARY_WITHIN_MINUTES * 60_000,
        }
      : null,
    freshnessObjective: config.RIPEN_FRESHNESS_SLO,
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
    streams: new Map(
      [amplitudeStream, segmentStream, canaryStream].map((stream) => [stream.name, stream]),
    ),
    crms,
    variable: (name) => namedVariable(name, environment),
    outboundTimeoutMs: OUTBOUND_TIMEOUT_MS,
    publicUrl: config.RIPEN_PUBLIC_URL ?? null,
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

function hubspot(
  config: Config,
  { db }: Database,
  metrics: Metrics,
  logger: Logger,
  accessToken: string | AccessTokens | null,
): ConnectedCrm {
  const baseUrl = config.HUBSPOT_BASE_URL
  const callTimeoutMs = config.RIPEN_CRM_TIMEOUT_MS
  const apiVersion = config.HUBSPOT_API_VERSION
  const variables =
    'HUBSPOT_ACCESS_TOKEN, or HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET and run ripen connect --crm hubspot'
  if (!accessToken) return { connect: null, variables, callTimeoutMs }
  const { HUBSPOT_CLIENT_SECRET: clientSecret, RIPEN_PUBLIC_URL: publicUrl } = config
  const governor = createHubspotGovernor(config, db, accessToken)
  return {
    // Webhooks are signed over the address that HubSpot called, which only the configuration knows.
    ...(clientSecret && publicUrl ? { webhook: createHubspotWebhook(clientSecret) } : {}),
    variables,
    callTimeoutMs,
    connect: ({ keyProperty }) =>
      createHubspotCrm({
        baseUrl,
        accessToken,
        keyProperty,
        additionalDomains: config.HUBSPOT_ADDITIONAL_DOMAINS,
        timeoutMs: callTimeoutMs,
        attempts: CRM_ATTEMPTS,
        ...(apiVersion === undefined ? {} : { apiVersion }),
        pace: governor.take,
        onCall: (call) => {
          metrics.crmCall('hubspot', call)
          logger.debug({ crm: 'hubspot', ...call }, 'a call to a CRM')
        },
      }),
  }
}
