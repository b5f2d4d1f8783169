import { createHubspotOAuth } from '../../connectors/crms/hubspot/hubspot-oauth.ts'
import { scopesFor } from '../../connectors/crms/hubspot/scopes.ts'
import type { Config } from '../infra/config.ts'
import type { Metrics } from '../infra/metrics.ts'
import { noteAccount } from '../infra/postgres/crm-account-store.ts'
import type { Database } from '../infra/postgres/database.ts'
import { createKeyring } from '../infra/secrets/keyring.ts'
import { createOAuthFlow } from '../infra/secrets/oauth-flow.ts'
import { createTokenKeeper } from '../infra/secrets/token-keeper.ts'
import type { CrmAccess } from './oauth-connection.ts'

const CONNECTION = 'hubspot'

/** How HubSpot lets us in: the token of the environment, else what a person has connected. */
export function openHubspotAccess(
  config: Config,
  { db, pool }: Database,
  metrics: Metrics,
): CrmAccess {
  const staticToken = config.HUBSPOT_ACCESS_TOKEN ?? null
  const { HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, RIPEN_ENCRYPTION_KEY } = config
  if (!HUBSPOT_CLIENT_ID || !HUBSPOT_CLIENT_SECRET || !RIPEN_ENCRYPTION_KEY) {
    return { token: staticToken, oauth: null }
  }
  const timeoutMs = config.RIPEN_CRM_TIMEOUT_MS
  const client = createHubspotOAuth({
    baseUrl: config.HUBSPOT_BASE_URL,
    appUrl: config.HUBSPOT_APP_URL,
    clientId: HUBSPOT_CLIENT_ID,
    clientSecret: HUBSPOT_CLIENT_SECRET,
    pkce: config.HUBSPOT_OAUTH_PKCE === 'on',
    timeoutMs,
    onCall: (call) => metrics.crmCall('hubspot', call),
  })
  const keyring = createKeyring(RIPEN_ENCRYPTION_KEY)
  const stored = { db, keyring, connection: CONNECTION, client }
  const accept = (account: string | null) => noteAccount(db, CONNECTION, account)
  const mend = 'run ripen connect --crm hubspot'
  // Whoever waits for another process's refresh may have to make one himself after it.
  const keeper = createTokenKeeper({ ...stored, pool, mend, timeoutMs: 3 * timeoutMs })
  return {
    token: staticToken ?? keeper,
    oauth: {
      flow: createOAuthFlow({ ...stored, accept }),
      scopes: (needs) => config.HUBSPOT_OAUTH_SCOPES?.split(/[ ,]+/) ?? scopesFor(needs, true),
      overriddenBy: staticToken === null ? null : 'HUBSPOT_ACCESS_TOKEN',
    },
  }
}
