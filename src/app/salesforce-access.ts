import { readFileSync } from 'node:fs'
import {
  type AppGrant,
  createGrantedTokens,
} from '../../connectors/crms/salesforce/granted-tokens.ts'
import {
  createSalesforceOAuth,
  DEFAULT_SCOPES,
} from '../../connectors/crms/salesforce/salesforce-oauth.ts'
import type { TokenEndpointOptions } from '../../connectors/crms/salesforce/token-endpoint.ts'
import { ConfigError } from '../core/errors.ts'
import type { Config } from '../infra/config.ts'
import type { Metrics } from '../infra/metrics.ts'
import { noteAccount } from '../infra/postgres/crm-account-store.ts'
import type { Database } from '../infra/postgres/database.ts'
import { createKeyring } from '../infra/secrets/keyring.ts'
import { createOAuthFlow } from '../infra/secrets/oauth-flow.ts'
import { createTokenKeeper } from '../infra/secrets/token-keeper.ts'
import type { CrmAccess } from './oauth-connection.ts'

const CONNECTION = 'salesforce'
const NOBODY: CrmAccess = { token: null, oauth: null }

/**
 * How Salesforce lets us in: a session of the environment, an app that logs in by itself, or what a person
 * has connected.
 * @throws {ConfigError} when the private key cannot be read.
 */
export function openSalesforceAccess(
  config: Config,
  database: Database,
  metrics: Metrics,
): CrmAccess {
  const { SALESFORCE_BASE_URL: baseUrl, SALESFORCE_CLIENT_ID: clientId } = config
  const staticToken = config.SALESFORCE_ACCESS_TOKEN ?? null
  if (!baseUrl) return NOBODY
  if (!clientId) return { ...NOBODY, token: staticToken }
  const endpoint: TokenEndpointOptions = {
    baseUrl,
    timeoutMs: config.RIPEN_CRM_TIMEOUT_MS,
    lifetimeMs: config.SALESFORCE_SESSION_MINUTES * 60_000,
    onCall: (call) => metrics.crmCall(CONNECTION, call),
  }
  if (config.SALESFORCE_OAUTH_FLOW === 'code') {
    return connectedAccess(config, clientId, endpoint, database)
  }
  return {
    token: staticToken ?? createGrantedTokens({ ...endpoint, grant: grantOf(config, clientId) }),
    oauth: null,
  }
}

function grantOf(config: Config, clientId: string): AppGrant {
  if (config.SALESFORCE_OAUTH_FLOW === 'client-credentials') {
    const clientSecret = config.SALESFORCE_CLIENT_SECRET ?? ''
    return { flow: 'client-credentials', clientId, clientSecret }
  }
  return {
    ...{ flow: 'jwt', clientId, username: config.SALESFORCE_USERNAME ?? '' },
    privateKey: readKeyFile(config.SALESFORCE_PRIVATE_KEY_FILE ?? ''),
    audience: config.SALESFORCE_JWT_AUDIENCE,
  }
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('SALESFORCE_PRIVATE_KEY_FILE cannot be read.', { cause })
  }
}

function connectedAccess(
  config: Config,
  clientId: string,
  endpoint: TokenEndpointOptions,
  { db, pool }: Database,
): CrmAccess {
  const { RIPEN_ENCRYPTION_KEY: key, SALESFORCE_CLIENT_SECRET: secret } = config
  const staticToken = config.SALESFORCE_ACCESS_TOKEN ?? null
  if (!key) return { ...NOBODY, token: staticToken }
  const client = createSalesforceOAuth({ ...endpoint, clientId, clientSecret: secret ?? null })
  const stored = { db, keyring: createKeyring(key), connection: CONNECTION, client }
  const accept = (account: string | null) => noteAccount(db, CONNECTION, account)
  const mend = 'run ripen connect --crm salesforce'
  // Whoever waits for another process's refresh may have to make one himself after it.
  const timeoutMs = 3 * endpoint.timeoutMs
  const keeper = createTokenKeeper({ ...stored, pool, mend, timeoutMs })
  return {
    token: staticToken ?? keeper,
    oauth: {
      flow: createOAuthFlow({ ...stored, accept }),
      scopes: () => config.SALESFORCE_OAUTH_SCOPES?.split(/[ ,]+/) ?? DEFAULT_SCOPES,
      overriddenBy: staticToken === null ? null : 'SALESFORCE_ACCESS_TOKEN',
    },
  }
}
