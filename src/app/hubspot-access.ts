import { createHubspotOAuth } from '../../connectors/crms/hubspot/hubspot-oauth.ts'
import { scopesFor } from '../../connectors/crms/hubspot/scopes.ts'
import type { AccessTokens } from '../core/ports/access-tokens.ts'
import type { CrmNeeds } from '../core/ports/crm-check.ts'
import type { Config } from '../infra/config.ts'
import type { Metrics } from '../infra/metrics.ts'
import { noteAccount } from '../infra/postgres/crm-account-store.ts'
import type { Database } from '../infra/postgres/database.ts'
import { createKeyring } from '../infra/secrets/keyring.ts'
import { createOAuthFlow, type OAuthFlow } from '../infra/secrets/oauth-flow.ts'
import { createTokenKeeper } from '../infra/secrets/token-keeper.ts'

/** A CRM that a person connects by logging in there. */
export interface OAuthConnection {
  readonly flow: OAuthFlow
  /** What to ask for, so that a mapping can do its work. */
  scopes(needs: CrmNeeds): readonly string[]
  /** The variable that is used in place of this connection; null when there is none. */
  readonly overriddenBy: string | null
}

export interface CrmAccess {
  /** What calls bear; null when nothing is set. */
  readonly token: string | AccessTokens | null
  readonly oauth: OAuthConnection | null
}

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

/** Where a browser is sent back to; it must be one of the redirect addresses of the app. */
export function callbackUrl(base: string, crm: string): string {
  return `${base.replace(/\/+$/, '')}/oauth/${crm}/callback`
}
