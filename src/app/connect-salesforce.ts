import { createSalesforceMemory } from '../../connectors/crms/salesforce/memory.ts'
import type { SalesforceRules } from '../../connectors/crms/salesforce/rules.ts'
import { createSalesforceCrm } from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { createSalesforceStream } from '../../connectors/crms/salesforce/stream/salesforce-stream.ts'
import { streamAddress } from '../../connectors/crms/salesforce/stream/stream-address.ts'
import type { ConnectedCrm } from '../../jobs/context.ts'
import type { SalesforceMapping } from '../core/mapping/crm-mapping.ts'
import type { AccessTokens } from '../core/ports/access-tokens.ts'
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import type { Metrics } from '../infra/metrics.ts'
import { createGovernor, type Governor } from '../infra/pace/governor.ts'
import { createBulkJobs } from '../infra/postgres/bulk-job-store.ts'
import type { Db } from '../infra/postgres/database.ts'

const TEN_SECONDS_MS = 10_000
const VARIABLES =
  'SALESFORCE_BASE_URL and SALESFORCE_CLIENT_ID with what SALESFORCE_OAUTH_FLOW needs; for the flow code also run ripen connect --crm salesforce'

export interface SalesforceParts {
  readonly config: Config
  readonly db: Db
  readonly metrics: Metrics
  readonly logger: Logger
  /** Null when nothing is set. */
  readonly accessToken: string | AccessTokens | null
  /** A call that surely did nothing is made so often in all before its step fails. */
  readonly attempts: number
}

/** Salesforce as the environment has it; what is learned of the org is shared by all that connect. */
export function connectSalesforce(parts: SalesforceParts): ConnectedCrm {
  const { config, db, metrics, logger, accessToken, attempts } = parts
  const callTimeoutMs = config.RIPEN_CRM_TIMEOUT_MS
  const baseUrl = config.SALESFORCE_BASE_URL
  if (!accessToken || !baseUrl) return { connect: null, variables: VARIABLES, callTimeoutMs }
  const governor = createSalesforceGovernor(config, db, baseUrl)
  const memory = createSalesforceMemory()
  const bulkJobs = createBulkJobs(db, 'salesforce')
  const address = streamAddress(config.SALESFORCE_PUBSUB_URL, baseUrl)
  const stream =
    address && createSalesforceStream({ address, baseUrl, accessToken, timeoutMs: callTimeoutMs })
  return {
    variables: VARIABLES,
    callTimeoutMs,
    ...(stream ? { stream } : {}),
    connect: ({ keyProperty, salesforce }) =>
      createSalesforceCrm({
        ...{ baseUrl, accessToken, memory, bulkJobs, attempts },
        keyField: keyProperty,
        rules: salesforce ? rulesOf(salesforce) : {},
        timeoutMs: callTimeoutMs,
        apiVersion: config.SALESFORCE_API_VERSION,
        bulkShare: config.SALESFORCE_DAILY_SHARE,
        pace: governor.take,
        onCall: (call) => {
          metrics.crmCall('salesforce', call)
          logger.debug({ crm: 'salesforce', ...call }, 'a call to a CRM')
        },
      }),
  }
}

function rulesOf(mapping: SalesforceMapping): SalesforceRules {
  return {
    createAs: mapping['create-as'],
    duplicates: mapping.duplicates,
    domainFields: mapping['domain-fields'],
    matchWebsite: mapping['match-website'],
    taskKeyField: mapping['task-key'],
    bulkFrom: mapping['bulk-from'] === 'never' ? null : mapping['bulk-from'],
  }
}

/**
 * One governor for an org. Salesforce has one quota for the last 24 hours and all apps, which it tells
 * beside every answer, and no midnight at which it begins anew.
 */
function createSalesforceGovernor(config: Config, db: Db, baseUrl: string): Governor {
  const lane = { calls: config.SALESFORCE_CALLS_PER_10S, intervalMs: TEN_SECONDS_MS }
  return createGovernor({
    db,
    name: `salesforce ${new URL(baseUrl).host}`,
    vendor: 'Salesforce',
    lanes: { general: lane, search: lane, association: lane },
    day: {
      share: config.SALESFORCE_DAILY_SHARE,
      variable: 'SALESFORCE_DAILY_SHARE',
      timeZone: null,
      readTimeZone: async () => null,
    },
  })
}
