import { createHash, createHmac, randomBytes } from 'node:crypto'
import { ORG_ID, type OrgState } from '../org-state.ts'
import { SalesforceError } from '../salesforce-error.ts'
import type { StoredRow } from '../stored-row.ts'
import type { ClientAppOptions } from './client-app.ts'
import { readAssertion } from './jwt-assertion.ts'
import { invalidGrant, OAuthError } from './oauth-error.ts'

export type Form = Readonly<Record<string, string>>

/** Who is behind an access token. */
export interface Grant {
  readonly userId: string
  readonly scope: string
  readonly endsAt: number
  /** All tokens that go back to one consent. */
  readonly family: string
}

interface PendingCode {
  readonly redirectUri: string
  readonly challenge: string | null
  readonly scope: string
  readonly userId: string
  readonly endsAt: number
}

interface RefreshToken {
  readonly family: string
  readonly userId: string
  readonly scope: string
  used: boolean
}

export interface AccessOptions {
  readonly state: OrgState
  /** A bearer token that never ends. */
  readonly token: string
  readonly integrationUserId: string
  readonly app: ClientAppOptions
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const LOGIN_HOSTS = ['https://login.salesforce.com', 'https://test.salesforce.com']
const SCOPE = 'api refresh_token'
/** Access tokens begin with the short form of the org's id. */
export const TOKEN_PREFIX = `${ORG_ID.slice(0, 15)}!`

/** Who is let in: the bearer of the static token, and those of tokens that the app was given. */
export class AccessGrants {
  private readonly options: AccessOptions
  private readonly accessTokens = new Map<string, Grant>()
  private readonly refreshTokens = new Map<string, RefreshToken>()
  private readonly codes = new Map<string, PendingCode>()
  private count = 0

  constructor(options: AccessOptions) {
    this.options = options
  }

  /** The user behind an `Authorization` header. @throws {SalesforceError} INVALID_SESSION_ID. */
  letIn(authorization: string | undefined): Grant {
    const token = /^(?:Bearer|OAuth) (.+)$/.exec(authorization ?? '')?.[1] ?? ''
    const grant = this.grantOf(token)
    if (grant === undefined) {
      throw new SalesforceError(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
    }
    return grant
  }

  /** The grant of an access token that is still good. */
  grantOf(token: string): Grant | undefined {
    const { integrationUserId } = this.options
    if (token === this.options.token) {
      return { userId: integrationUserId, scope: SCOPE, endsAt: Infinity, family: 'static' }
    }
    const grant = this.accessTokens.get(token)
    return grant !== undefined && grant.endsAt > this.now ? grant : undefined
  }

  /** Gives out an access token without a call. */
  issue(userId: string = this.options.integrationUserId): string {
    return this.newAccessToken({ userId, scope: SCOPE, family: this.newFamily() })
  }

  /** Every access token but the static one ends now, as a session does. */
  expireAccessTokens(): void {
    this.accessTokens.clear()
  }

  /** The app was thrown out: none of its tokens is good any more. */
  revokeAll(): void {
    this.accessTokens.clear()
    this.refreshTokens.clear()
  }

  /** What a person is asked to agree to. */
  readRequest(query: URLSearchParams): { readonly redirectUri: string; readonly scope: string } {
    const redirectUri = query.get('redirect_uri') ?? ''
    if (query.get('client_id') !== this.clientId) {
      throw new OAuthError('invalid_client_id', 'client identifier invalid')
    }
    if (!this.isRegistered(redirectUri)) {
      throw new OAuthError('redirect_uri_mismatch', 'redirect_uri must match configuration')
    }
    if (query.get('response_type') !== 'code') {
      throw new OAuthError('unsupported_response_type', 'response type is not supported')
    }
    if (this.options.app.requirePkce && !query.get('code_challenge')) {
      throw new OAuthError('invalid_request', 'missing required code challenge')
    }
    return { redirectUri, scope: query.get('scope') ?? SCOPE }
  }

  /** A person agrees: where the browser is sent. */
  agree(query: URLSearchParams, userId: string = this.options.integrationUserId): string {
    const { redirectUri, scope } = this.readRequest(query)
    const code = `aPrx${randomBytes(24).toString('base64url')}==`
    const challenge = query.get('code_challenge')
    const endsAt = this.now + (this.options.app.codeMs ?? 900_000)
    this.codes.set(code, { redirectUri, challenge, scope, userId, endsAt })
    return backTo(redirectUri, query.get('state'), { code })
  }

  /** A person refuses. */
  decline(query: URLSearchParams): string {
    const { redirectUri } = this.readRequest(query)
    const answer = { error: 'access_denied', error_description: 'end-user denied authorization' }
    return backTo(redirectUri, query.get('state'), answer)
  }

  /** The token endpoint. `origin` is the address by which the org was called. */
  answer(form: Form, origin: string): Record<string, unknown> {
    switch (form['grant_type']) {
      case 'authorization_code':
        return this.exchange(form, origin)
      case 'refresh_token':
        return this.refresh(form, origin)
      case 'client_credentials':
        return this.clientCredentials(form, origin)
      case JWT_BEARER:
        return this.assertion(form, origin)
      default:
        throw new OAuthError('unsupported_grant_type', 'grant type not supported')
    }
  }

  /** Ends a token; a refresh token takes its access tokens with it. */
  revoke(token: string): void {
    const refresh = this.refreshTokens.get(token)
    if (refresh !== undefined) this.endFamily(refresh.family)
    else if (!this.accessTokens.delete(token)) {
      throw new OAuthError('unsupported_token_type', 'this token type is not supported')
    }
  }

  private get now(): number {
    return this.options.state.now()
  }

  private get clientId(): string {
    return this.options.app.clientId ?? 'sandbox-client'
  }

  private get secret(): string {
    return this.options.app.clientSecret ?? 'sandbox-secret'
  }

  private exchange(form: Form, origin: string): Record<string, unknown> {
    this.checkClient(form, { secretOptional: Boolean(form['code_verifier']) })
    const code = form['code'] ?? ''
    const pending = this.codes.get(code)
    // Good for one try, right or wrong.
    this.codes.delete(code)
    if (pending === undefined) throw invalidGrant('invalid authorization code')
    if (pending.endsAt <= this.now) throw invalidGrant('expired authorization code')
    if (pending.redirectUri !== form['redirect_uri']) {
      throw new OAuthError('redirect_uri_mismatch', 'redirect_uri must match configuration')
    }
    const verifier = form['code_verifier'] ?? ''
    if (pending.challenge !== null && challengeOf(verifier) !== pending.challenge) {
      throw invalidGrant('invalid code verifier')
    }
    const { userId, scope } = pending
    const family = this.newFamily()
    const refreshToken = this.newRefreshToken({ family, userId, scope })
    return { refresh_token: refreshToken, ...this.give({ family, userId, scope }, origin) }
  }

  private refresh(form: Form, origin: string): Record<string, unknown> {
    this.checkClient(form, { secretOptional: this.options.app.requirePkce ?? false })
    const known = this.refreshTokens.get(form['refresh_token'] ?? '')
    if (known?.used) this.endFamily(known.family)
    if (known === undefined || known.used || !this.isActive(known.userId)) {
      throw invalidGrant('expired access/refresh token')
    }
    if (!this.options.app.rotateRefreshTokens) return this.give(known, origin)
    known.used = true
    return { refresh_token: this.newRefreshToken(known), ...this.give(known, origin) }
  }

  private clientCredentials(form: Form, origin: string): Record<string, unknown> {
    this.checkClient(form, { secretOptional: false })
    const { runAs } = this.options.app
    if (runAs === null) throw invalidGrant('no client credentials user enabled')
    const userId = runAs === undefined ? this.options.integrationUserId : this.userNamed(runAs)?.id
    if (userId === undefined || !this.isActive(userId)) {
      throw invalidGrant('no client credentials user enabled')
    }
    return this.give({ userId, scope: 'api', family: this.newFamily() }, origin)
  }

  private assertion(form: Form, origin: string): Record<string, unknown> {
    const { certificate, approvedUsers } = this.options.app
    const name = readAssertion(form['assertion'] ?? '', {
      clientId: this.clientId,
      certificate,
      audiences: [...LOGIN_HOSTS, origin],
      now: this.now,
    })
    const user = this.userNamed(name)
    if (user === undefined || (approvedUsers !== undefined && !approvedUsers.includes(name))) {
      throw invalidGrant("user hasn't approved this consumer")
    }
    if (!this.isActive(user.id)) throw new OAuthError('inactive_user', 'user is inactive')
    return this.give({ userId: user.id, scope: 'api', family: this.newFamily() }, origin)
  }

  private checkClient(form: Form, { secretOptional }: { secretOptional: boolean }): void {
    if (form['client_id'] !== this.clientId) {
      throw new OAuthError('invalid_client_id', 'client identifier invalid')
    }
    const secret = form['client_secret']
    if (secret === undefined && secretOptional) return
    if (secret !== this.secret) throw new OAuthError('invalid_client', 'invalid client credentials')
  }

  private give(
    { userId, scope, family }: Pick<Grant, 'userId' | 'scope' | 'family'>,
    origin: string,
  ): Record<string, unknown> {
    const id = `${origin}/id/${ORG_ID}/${userId}`
    const issuedAt = String(this.now)
    return {
      access_token: this.newAccessToken({ userId, scope, family }),
      signature: createHmac('sha256', this.secret)
        .update(id + issuedAt)
        .digest('base64'),
      scope,
      instance_url: origin,
      id,
      token_type: 'Bearer',
      issued_at: issuedAt,
    }
  }

  private newAccessToken(grant: Pick<Grant, 'userId' | 'scope' | 'family'>): string {
    const token = TOKEN_PREFIX + randomBytes(48).toString('base64url')
    const endsAt = this.now + (this.options.app.accessTokenMs ?? 7_200_000)
    this.accessTokens.set(token, { ...grant, endsAt })
    return token
  }

  private newRefreshToken(grant: Pick<Grant, 'userId' | 'scope' | 'family'>): string {
    const token = `5Aep861${randomBytes(48).toString('base64url')}`
    const { userId, scope, family } = grant
    this.refreshTokens.set(token, { userId, scope, family, used: false })
    return token
  }

  private endFamily(family: string): void {
    for (const [token, known] of this.refreshTokens) {
      if (known.family === family) this.refreshTokens.delete(token)
    }
    for (const [token, grant] of this.accessTokens) {
      if (grant.family === family) this.accessTokens.delete(token)
    }
  }

  private newFamily(): string {
    return String(++this.count)
  }

  private userNamed(name: string): StoredRow | undefined {
    const [user] = this.options.state.table('User').find('Username', name)
    return user
  }

  private isActive(userId: string): boolean {
    return this.options.state.record(userId)?.values['IsActive'] === true
  }

  private isRegistered(redirectUri: string): boolean {
    if (!URL.canParse(redirectUri)) return false
    if (this.options.app.redirectUris?.includes(redirectUri)) return true
    return ['localhost', '127.0.0.1'].includes(new URL(redirectUri).hostname)
  }
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

function backTo(redirectUri: string, state: string | null, answer: Form): string {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  if (state !== null) url.searchParams.set('state', state)
  return url.href
}
