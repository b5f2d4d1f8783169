/** What a vendor's token endpoint gave. */
export interface OAuthGrant {
  readonly accessToken: string
  /** Absent when the old one stays good. */
  readonly refreshToken: string | null
  /** How long the access token is good for, in milliseconds. */
  readonly lifetimeMs: number
  /** The vendor's own id of the account; null when the answer does not tell it. */
  readonly account: string | null
  /** Null when the answer does not tell them. */
  readonly scopes: readonly string[] | null
}

export interface OAuthStart {
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly state: string
  /** `code_challenge` of the method S256 (RFC 7636); null without PKCE. */
  readonly challenge: string | null
}

export interface OAuthExchange {
  readonly code: string
  readonly redirectUri: string
  /** What `challenge` was made of; null without PKCE. */
  readonly verifier: string | null
}

/**
 * One vendor's side of the authorisation-code flow. Calls are made once, with a deadline.
 * @throws {ConfigError} when the vendor refuses; the message says what to do.
 * @throws {RateLimitedError} when it asks for a pause.
 * @throws {RetryableError} when it could not be asked, or did not answer.
 */
export interface OAuthClient {
  /** Whether the vendor is asked to check a proof key. */
  readonly pkce: boolean
  /** The address that a person opens. */
  authorizeUrl(start: OAuthStart): string
  exchange(exchange: OAuthExchange, signal: AbortSignal): Promise<OAuthGrant>
  refresh(refreshToken: string, signal: AbortSignal): Promise<OAuthGrant>
}
