import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { invalidGrant, OAuthError } from './oauth-error.ts'

const header = z.object({ alg: z.string() })
const claims = z.object({
  iss: z.string(),
  sub: z.string().optional(),
  /** The older name of `sub`. */
  prn: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.union([z.number(), z.string()]).transform(Number),
})

export interface AssertionRules {
  readonly clientId: string
  /** PEM of the app's certificate or public key. */
  readonly certificate: string | undefined
  /** Login addresses that an assertion may be made out to. */
  readonly audiences: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * The user name that a signed assertion speaks for.
 *
 * @throws {OAuthError} unless signature, issuer, audience and end are right.
 */
export function readAssertion(assertion: string, rules: AssertionRules): string {
  const [head = '', payload = '', signature = '', ...rest] = assertion.split('.')
  const kind = header.safeParse(decoded(head))
  const read = claims.safeParse(decoded(payload))
  if (!kind.success || !read.success || rest.length > 0) throw invalidGrant('invalid assertion')
  const { iss, sub, prn, aud, exp } = read.data
  if (iss !== rules.clientId) {
    throw new OAuthError('invalid_client_id', 'client identifier invalid')
  }
  if (!isSigned(`${head}.${payload}`, signature, kind.data.alg, rules.certificate)) {
    throw invalidGrant('invalid assertion')
  }
  if (![aud].flat().some((one) => rules.audiences.includes(one.replace(/\/$/, '')))) {
    throw invalidGrant('audience is invalid')
  }
  if (!(exp * 1000 > rules.now)) throw invalidGrant('assertion has expired')
  return sub ?? prn ?? ''
}

function isSigned(
  signed: string,
  signature: string,
  algorithm: string,
  certificate: string | undefined,
): boolean {
  if (certificate === undefined || algorithm !== 'RS256') return false
  const key = createPublicKey(certificate)
  return verify('RSA-SHA256', Buffer.from(signed), key, Buffer.from(signature, 'base64url'))
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
