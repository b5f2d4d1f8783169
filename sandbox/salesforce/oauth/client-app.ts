/** The external client app that is let into the org. */
export interface ClientAppOptions {
  /** Default `sandbox-client`. */
  readonly clientId?: string
  /** Default `sandbox-secret`. */
  readonly clientSecret?: string
  /** PEM of a certificate or public key: who signs with its private key may use the JWT flow. */
  readonly certificate?: string
  /** User names that the JWT flow may speak for. Default: every active user. */
  readonly approvedUsers?: readonly string[]
  /** User name that client credentials run as; null switches the flow off. Default: the integration user. */
  readonly runAs?: string | null
  /** Besides every address on loopback. */
  readonly redirectUris?: readonly string[]
  /** How long an access token is good for. Default two hours. */
  readonly accessTokenMs?: number
  /** How long a code is good for. Default 15 minutes. */
  readonly codeMs?: number
  /** Every refresh gives a new refresh token and ends the old one, whose re-use ends all. Default false. */
  readonly rotateRefreshTokens?: boolean
  /** Refuse to authorise without a proof key. Default false; one that is sent is always checked. */
  readonly requirePkce?: boolean
}
