import type { AccessTokens } from '../core/ports/access-tokens.ts'
import type { CrmNeeds } from '../core/ports/crm-check.ts'
import type { OAuthFlow } from '../infra/secrets/oauth-flow.ts'

/** A CRM that a person connects by logging in there. */
export interface OAuthConnection {
  readonly flow: OAuthFlow
  /** What to ask for, so that a mapping can do its work. */
  scopes(needs: CrmNeeds): readonly string[]
  /** The variable that is used in place of this connection; null when there is none. */
  readonly overriddenBy: string | null
}

export interface CrmAccess {
  /** What calls bear; null when nothing is set. */
  readonly token: string | AccessTokens | null
  readonly oauth: OAuthConnection | null
}

/** Where a browser is sent back to; it must be one of the redirect addresses of the app. */
export function callbackUrl(base: string, crm: string): string {
  return `${base.replace(/\/+$/, '')}/oauth/${crm}/callback`
}
