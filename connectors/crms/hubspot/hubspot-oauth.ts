import { z } from 'zod'
import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type { CrmCall } from '../../../src/core/ports/crm.ts'
import type { OAuthClient, OAuthGrant, OAuthStart } from '../../../src/core/ports/oauth-client.ts'
import { OAUTH_PATH } from './api-version.ts'
import { parseBaseUrl } from './hubspot-crm.ts'
import { openRawCalls } from './raw-calls.ts'
import type { Refusal } from './refusal.ts'
import { createTransport } from './transport.ts'

export interface HubspotOAuthOptions {
  /** Address of the API. */
  readonly baseUrl: string
  /** Address of the pages that people see, such as `https://app.hubspot.com`. */
  readonly appUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** HubSpot's token endpoint knows `code_verifier`, but nothing says for which apps: a setting. */
  readonly pkce: boolean
  /** Deadline of a call of the token endpoint, in milliseconds. */
  readonly timeoutMs: number
  readonly onCall?: (call: CrmCall) => void
}

const ENDPOINT = 'POST oauth/token'

const grantShape = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish().catch(null),
  expires_in: z.number().positive(),
  hub_id: z.union([z.number(), z.string()]).transform(String).nullish().catch(null),
  scopes: z.array(z.string()).nullish().catch(null),
})

/** HubSpot's authorisation-code flow. Every parameter of a token call goes into its body. */
export function createHubspotOAuth(options: HubspotOAuthOptions): OAuthClient {
  const baseUrl = parseBaseUrl(options.baseUrl)
  const raw = openRawCalls(baseUrl.href.replace(/\/+$/, ''))
  const { onCall, timeoutMs, clientId, clientSecret } = options
  // The token endpoint counts towards no limit of the account, so nobody is asked for permission.
  const transport = createTransport({
    baseUrl,
    tokens: null,
    pace: async () => {},
    onCall,
    timeoutMs,
  })

  async function ask(form: Readonly<Record<string, string>>, signal: AbortSignal) {
    const body = { ...form, client_id: clientId, client_secret: clientSecret }
    const request = { method: 'POST', path: OAUTH_PATH, form: body } as const
    const result = await transport.send(
      { kind: 'write', endpoint: ENDPOINT, invoke: (call) => raw.send(request, call) },
      signal,
    )
    if (result.ok) return toGrant(result.answer.body)
    const { failure } = result
    throw failure.kind === 'failed' ? failure.error : refused(form['grant_type'], failure.refusal)
  }

  return {
    pkce: options.pkce,
    authorizeUrl: (start) => authorizeUrl(options, start),
    exchange: ({ code, redirectUri, verifier }, signal) =>
      ask(
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          ...(verifier === null ? {} : { code_verifier: verifier }),
        },
        signal,
      ),
    refresh: (refreshToken, signal) =>
      ask({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
  }
}

function authorizeUrl(options: HubspotOAuthOptions, start: OAuthStart): string {
  const url = new URL('/oauth/authorize', options.appUrl)
  url.searchParams.set('client_id', options.clientId)
  url.searchParams.set('redirect_uri', start.redirectUri)
  url.searchParams.set('scope', start.scopes.join(' '))
  url.searchParams.set('state', start.state)
  if (start.challenge !== null) {
    url.searchParams.set('code_challenge', start.challenge)
    url.searchParams.set('code_challenge_method', 'S256')
  }
  return url.href
}

function toGrant(body: unknown): OAuthGrant {
  const { data } = grantShape.safeParse(body)
  // The tokens may have been given out, but nobody has them: the old ones are tried again.
  if (!data) throw new RetryableError(`HubSpot's answer to ${ENDPOINT} could not be read.`)
  return {
    accessToken: data.access_token,
    refreshToken: data.refresh_token ?? null,
    lifetimeMs: data.expires_in * 1_000,
    account: data.hub_id ?? null,
    scopes: data.scopes ?? null,
  }
}

/** The words of the answer are left out: it may repeat what was sent. */
function refused(grantType: string | undefined, refusal: Refusal): ConfigError {
  const { status, category, code, correlationId } = refusal
  const parts = [
    `HTTP ${status}`,
    category,
    code,
    correlationId && `correlation id ${correlationId}`,
  ]
  const what = grantType === 'refresh_token' ? 'the stored refresh token' : 'the authorisation code'
  return new ConfigError(
    `HubSpot refused ${what} (${parts.filter(Boolean).join(', ')}). Check HUBSPOT_CLIENT_ID, ` +
      'HUBSPOT_CLIENT_SECRET and the redirect address of the app, then run ripen connect --crm hubspot.',
  )
}
