/** A refusal of the token endpoint, in the form of OAuth. */
export class OAuthError extends Error {
  readonly status: number
  readonly code: string

  constructor(code: string, description: string, status = 400) {
    super(description)
    this.code = code
    this.status = status
  }

  toBody(): { error: string; error_description: string } {
    return { error: this.code, error_description: this.message }
  }
}

export function invalidGrant(description: string): OAuthError {
  return new OAuthError('invalid_grant', description)
}
