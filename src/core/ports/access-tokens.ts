/** Where a connector gets the token of its next call. */
export interface AccessTokens {
  /** What a person set up, for messages: a variable or a connection. */
  readonly name: string
  /**
   * A token that is good for a call now; renewed before it ends, by one process at a time.
   * @throws {ConfigError} when there is none and a person must connect.
   * @throws {RateLimitedError} when the vendor asks for a pause before it gives a new one.
   * @throws {RetryableError} when a new one could not be had.
   */
  get(signal: AbortSignal): Promise<string>
  /**
   * Another token after the vendor refused this one as expired; null when there can be no other.
   * @throws {ConfigError} when that happens too often.
   */
  renew(refused: string, signal: AbortSignal): Promise<string | null>
  /** What the token was given for, as its giver said; null when it did not. */
  scopes(signal: AbortSignal): Promise<readonly string[] | null>
}

/** A token of the environment: it does not change while the process runs. */
export function fixedToken(name: string, token: string): AccessTokens {
  return { name, get: async () => token, renew: async () => null, scopes: async () => null }
}
