import { createPrivateKey, createSign } from 'node:crypto'
import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { OAuthGrant } from '../../../src/core/ports/oauth-client.ts'
import { openTokenEndpoint, type TokenEndpointOptions } from './token-endpoint.ts'

/** How Salesforce lets an app in without a person: by a secret, or by a signed assertion. */
export type AppGrant =
  | {
      readonly flow: 'client-credentials'
      readonly clientId: string
      readonly clientSecret: string
    }
  | {
      readonly flow: 'jwt'
      readonly clientId: string
      readonly username: string
      /** PEM. */
      readonly privateKey: string
      /** Such as `https://login.salesforce.com`, or `https://test.salesforce.com` for sandboxes. */
      readonly audience: string
    }

export interface GrantedTokensOptions extends TokenEndpointOptions {
  readonly grant: AppGrant
  readonly now?: () => Date
}

/** A token is renewed so long before its end, but never more than a third of its life. */
const BUFFER_MS = 5 * 60_000
/** Salesforce takes no assertion that is good for longer. */
const ASSERTION_MS = 3 * 60_000
/** A new token that is refused at once is not mended by another one. */
const MOST_FORCED = 3
const FORCED_WITHIN_MS = 3_600_000

/**
 * Tokens of an app that logs in by itself: nothing is stored, and every process has its own. All callers
 * of one process share one login.
 * @throws {ConfigError} when the private key cannot be used.
 */
export function createGrantedTokens(options: GrantedTokensOptions): AccessTokens {
  const { grant } = options
  const now = options.now ?? (() => new Date())
  const ask = openTokenEndpoint(options)
  const formOf = formMaker(grant)
  let known: { readonly grant: OAuthGrant; readonly renewAt: number } | null = null
  let asking: Promise<OAuthGrant> | null = null
  let forced: number[] = []

  /** Its end no single caller may hasten: the deadline of the call bounds it. */
  function login(): Promise<OAuthGrant> {
    asking ??= ask(formOf(now()), mendOf(grant), AbortSignal.timeout(2 * options.timeoutMs))
      .then((given) => {
        const bufferMs = Math.min(BUFFER_MS, given.lifetimeMs / 3)
        known = { grant: given, renewAt: now().getTime() + given.lifetimeMs - bufferMs }
        return given
      })
      .finally(() => {
        asking = null
      })
    return asking
  }

  const name =
    grant.flow === 'jwt'
      ? 'the JWT bearer flow of SALESFORCE_CLIENT_ID'
      : 'the client credentials of SALESFORCE_CLIENT_ID'
  return {
    name,
    async get(signal) {
      if (known && now().getTime() < known.renewAt) return known.grant.accessToken
      return (await until(signal, login())).accessToken
    },
    async renew(refused, signal) {
      if (known && known.grant.accessToken !== refused) return known.grant.accessToken
      const since = now().getTime() - FORCED_WITHIN_MS
      forced = forced.filter((at) => at > since)
      if (asking === null) {
        if (forced.length >= MOST_FORCED) {
          throw new ConfigError(
            `Salesforce refused ${MOST_FORCED} new tokens within an hour. ${mendOf(grant)}`,
          )
        }
        forced.push(now().getTime())
      }
      return (await until(signal, login())).accessToken
    },
    scopes: async () => known?.grant.scopes ?? null,
  }
}

function mendOf({ flow }: AppGrant): string {
  if (flow === 'client-credentials') {
    return 'Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, that SALESFORCE_BASE_URL is the My Domain address, and that the External Client App has the client credentials flow with a user to run as.'
  }
  return 'Check SALESFORCE_CLIENT_ID, SALESFORCE_USERNAME, SALESFORCE_JWT_AUDIENCE and that the certificate of SALESFORCE_PRIVATE_KEY_FILE is in the External Client App, with this user admitted by its policies.'
}

function formMaker(grant: AppGrant): (now: Date) => Readonly<Record<string, string>> {
  if (grant.flow === 'client-credentials') {
    const { clientId, clientSecret } = grant
    const form = { client_id: clientId, client_secret: clientSecret }
    return () => ({ ...form, grant_type: 'client_credentials' })
  }
  const key = readKey(grant.privateKey)
  return (now) => {
    const exp = Math.floor((now.getTime() + ASSERTION_MS) / 1_000)
    const claims = { iss: grant.clientId, sub: grant.username, aud: grant.audience, exp }
    const signed = [{ alg: 'RS256' }, claims].map(encoded).join('.')
    const signature = createSign('RSA-SHA256').update(signed).sign(key, 'base64url')
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature}`,
    }
  }
}

function readKey(pem: string) {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new ConfigError('SALESFORCE_PRIVATE_KEY_FILE holds no private key in PEM form.')
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** Waits for a shared piece of work no longer than the caller wants to. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {})
  let stop: () => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () =>
      reject(new RetryableError('Stopped while a token was asked for; nothing was sent.'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
