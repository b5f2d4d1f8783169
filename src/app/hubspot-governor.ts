import { readAccountZone } from '../../connectors/crms/hubspot/account-zone.ts'
import type { AccessTokens } from '../core/ports/access-tokens.ts'
import type { Config } from '../infra/config.ts'
import { createGovernor, type Governor } from '../infra/pace/governor.ts'
import type { Db } from '../infra/postgres/database.ts'

/** What the smallest accounts have, less a little: where nobody has said anything yet. */
const FIRST_CALLS = 90
const TEN_SECONDS_MS = 10_000
/** Searches: 5 a second for the whole account; HubSpot tells no limit beside their answers. */
const SEARCH = { calls: 5, intervalMs: 1_000 }

/**
 * One governor for a HubSpot account. Associations have an allowance of their own there, as searches
 * have; the day's quota is one for all calls of all private apps.
 */
export function createHubspotGovernor(
  config: Config,
  db: Db,
  token: string | AccessTokens,
): Governor {
  const baseUrl = config.HUBSPOT_BASE_URL
  const most = config.HUBSPOT_CALLS_PER_10S
  const lane = {
    calls: most ?? FIRST_CALLS,
    intervalMs: TEN_SECONDS_MS,
    ...(most === undefined ? {} : { most }),
  }
  return createGovernor({
    db,
    name: `hubspot ${new URL(baseUrl).host}`,
    vendor: 'HubSpot',
    lanes: { general: lane, search: SEARCH, association: lane },
    day: {
      share: config.HUBSPOT_DAILY_SHARE,
      variable: 'HUBSPOT_DAILY_SHARE',
      timeZone: config.HUBSPOT_TIMEZONE ?? null,
      readTimeZone: async () => {
        const timeoutMs = config.RIPEN_CRM_TIMEOUT_MS
        const accessToken =
          typeof token === 'string' ? token : await token.get(AbortSignal.timeout(timeoutMs))
        const apiVersion = config.HUBSPOT_API_VERSION
        const version = apiVersion === undefined ? {} : { apiVersion }
        return readAccountZone({ baseUrl, accessToken, timeoutMs, ...version })
      },
    },
  })
}
