import { z } from 'zod'
import { ConfigError, RateLimitedError, RetryableError } from '../../../src/core/errors.ts'
import type { CrmCall } from '../../../src/core/ports/crm.ts'
import type { OAuthGrant } from '../../../src/core/ports/oauth-client.ts'
import { parseBaseUrl } from './base-url.ts'
import { toLongId } from './long-id.ts'
import { createTransport } from './transport.ts'
import { parseJson, type WireError } from './wire-errors.ts'

export interface TokenEndpointOptions {
  /** Address of the org, such as `https://acme.my.salesforce.com`. */
  readonly baseUrl: string
  /** Deadline of a call, in milliseconds. */
  readonly timeoutMs: number
  /** How long a token is taken to be good where Salesforce does not say, in milliseconds. */
  readonly lifetimeMs: number
  readonly onCall?: ((call: CrmCall) => void) | undefined
}

const ENDPOINT = 'POST oauth2/token'
const LOGIN_PAUSE_MS = 60_000

const grantShape = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish().catch(null),
  expires_in: z.coerce.number().positive().nullish().catch(null),
  /** `https://login.salesforce.com/id/00D…/005…`; some answers lack it. */
  id: z.string().nullish().catch(null),
  scope: z.string().nullish().catch(null),
})

/** Asks for a token; every parameter goes into the body. */
export type AskForToken = (
  form: Readonly<Record<string, string>>,
  mend: string,
  signal: AbortSignal,
) => Promise<OAuthGrant>

/**
 * One org's token endpoint. It counts towards no limit of the org, so nobody is asked for permission.
 * @throws {ConfigError} when Salesforce refuses; the message ends with `mend`.
 * @throws {RateLimitedError | RetryableError} when it may be tried again.
 */
export function openTokenEndpoint(options: TokenEndpointOptions): AskForToken {
  const baseUrl = parseBaseUrl(options.baseUrl)
  const { timeoutMs, onCall, lifetimeMs } = options
  const transport = createTransport({
    baseUrl,
    tokens: null,
    pace: async () => {},
    onCall,
    timeoutMs,
  })
  return async (form, mend, signal) => {
    const text = new URLSearchParams({ ...form }).toString()
    const body = { type: 'application/x-www-form-urlencoded', text }
    const path = '/services/oauth2/token'
    const call = {
      kind: 'write',
      method: 'POST',
      path,
      endpoint: ENDPOINT,
      body,
      open: true,
    } as const
    const result = await transport.send(call, signal)
    if (result.ok) return toGrant(parseJson(result.answer.text), lifetimeMs)
    const { failure } = result
    throw failure.kind === 'failed' ? failure.error : refused(failure.errors, mend)
  }
}

function toGrant(body: unknown, lifetimeMs: number): OAuthGrant {
  const { data } = grantShape.safeParse(body)
  // The tokens may have been given out, but nobody has them: the old ones are tried again.
  if (!data) throw new RetryableError(`Salesforce's answer to ${ENDPOINT} could not be read.`)
  const account = /\/id\/(00D\w{12}(?:\w{3})?)\//.exec(data.id ?? '')?.[1]
  return {
    accessToken: data.access_token,
    refreshToken: data.refresh_token ?? null,
    lifetimeMs: data.expires_in ? data.expires_in * 1_000 : lifetimeMs,
    account: account === undefined ? null : toLongId(account),
    scopes: data.scope?.split(/\s+/).filter(Boolean) ?? null,
  }
}

/** The words of the answer are left out, since they may repeat what was sent; its code is the standard's. */
function refused(errors: readonly WireError[], mend: string): ConfigError | RateLimitedError {
  const [first] = errors
  if (/rate exceeded/i.test(first?.message ?? '')) {
    return new RateLimitedError('Salesforce takes no more logins of this user now.', LOGIN_PAUSE_MS)
  }
  const code = /^[a-z_]{1,60}$/.test(first?.code ?? '') ? ` (${first?.code})` : ''
  return new ConfigError(`Salesforce gave no token${code}. ${mend}`)
}
