import type { OAuthClient, OAuthStart } from '../../../src/core/ports/oauth-client.ts'
import { openTokenEndpoint, type TokenEndpointOptions } from './token-endpoint.ts'

export interface SalesforceOAuthOptions extends TokenEndpointOptions {
  /** Consumer key of an External Client App. */
  readonly clientId: string
  /** Null for an app without one. */
  readonly clientSecret: string | null
}

const MEND =
  'Check SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET and the callback address of the External Client App, then run ripen connect --crm salesforce.'

/** What Ripen asks for: the API, and to work while nobody is there. */
export const DEFAULT_SCOPES: readonly string[] = ['api', 'refresh_token']

/** Salesforce's authorisation-code flow, always with a proof key. */
export function createSalesforceOAuth(options: SalesforceOAuthOptions): OAuthClient {
  const ask = openTokenEndpoint(options)
  const { clientId, clientSecret } = options
  const client = {
    client_id: clientId,
    ...(clientSecret === null ? {} : { client_secret: clientSecret }),
  }
  return {
    pkce: true,
    authorizeUrl: (start) => authorizeUrl(options, start),
    exchange: ({ code, redirectUri, verifier }, signal) =>
      ask(
        {
          ...client,
          ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
          ...(verifier === null ? {} : { code_verifier: verifier }),
        },
        MEND,
        signal,
      ),
    refresh: (refreshToken, signal) =>
      ask({ ...client, grant_type: 'refresh_token', refresh_token: refreshToken }, MEND, signal),
  }
}

function authorizeUrl({ baseUrl, clientId }: SalesforceOAuthOptions, start: OAuthStart): string {
  const url = new URL('/services/oauth2/authorize', baseUrl)
  url.searchParams.set('response_type', 'code')
  url.searchParams.set('client_id', clientId)
  url.searchParams.set('redirect_uri', start.redirectUri)
  url.searchParams.set('scope', start.scopes.join(' '))
  url.searchParams.set('state', start.state)
  if (start.challenge !== null) {
    url.searchParams.set('code_challenge', start.challenge)
    url.searchParams.set('code_challenge_method', 'S256')
  }
  return url.href
}
