import { createHash, randomBytes } from 'node:crypto'
import { HubspotError, PORTAL_ID } from './hubspot-error.ts'

/** An app that people may let into the account. */
export interface OAuthAppOptions {
  /** Default `sandbox-client`. */
  readonly clientId?: string
  /** Default `sandbox-secret`. */
  readonly clientSecret?: string
  /** Besides every address on loopback. */
  readonly redirectUris?: readonly string[]
  /** How long an access token is good for. Default 30 minutes. */
  readonly accessTokenMs?: number
  /** How long a code is good for. Default one minute. */
  readonly codeMs?: number
  /** Every refresh gives a new refresh token and ends the old one. Default false. */
  readonly rotateRefreshTokens?: boolean
  /** Refuse to authorise without a proof key. Default false; one that is sent is always checked. */
  readonly requirePkce?: boolean
  /** Scopes that the app must ask for. */
  readonly requiredScopes?: readonly string[]
}

export type Form = Readonly<Record<string, string>>

interface PendingCode {
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly challenge: string | null
  readonly endsAt: number
}

interface Grant {
  readonly scopes: readonly string[]
  readonly endsAt: number
}

interface AccessOptions {
  readonly token: string
  /** Scopes of the static token; null = all. */
  readonly scopes: readonly string[] | null
  readonly app: OAuthAppOptions
  readonly now: () => number
}

const USER_ID = 9_500_001
const APP_ID = 1_357_911

/** Who is let in: the bearer of the static token, and those of tokens that an app was given. */
export class AccessGrants {
  private readonly options: AccessOptions
  private staticScopes: readonly string[] | null
  private listsStatic = true
  private readonly codes = new Map<string, PendingCode>()
  private readonly accessTokens = new Map<string, Grant>()
  private readonly refreshTokens = new Map<string, readonly string[]>()

  constructor(options: AccessOptions) {
    this.options = options
    this.staticScopes = options.scopes
  }

  /** The scopes of a bearer (null = all), or a refusal. */
  letIn(authorization: string | undefined): { readonly scopes: readonly string[] | null } {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? ''
    if (token === this.options.token) return { scopes: this.staticScopes }
    const grant = this.accessTokens.get(token)
    if (grant === undefined) throw unknownToken()
    if (grant.endsAt <= this.options.now()) throw expiredToken(grant.endsAt, this.options.now())
    return { scopes: grant.scopes }
  }

  /** The static token has these scopes from now on (null = all); `listed`: HubSpot tells them to whoever asks. */
  limitStaticToken(scopes: readonly string[] | null, listed = true): void {
    this.staticScopes = scopes
    this.listsStatic = listed
  }

  /** Every access token ends now, as after half an hour. */
  expireAccessTokens(): void {
    for (const [token, { scopes }] of this.accessTokens) {
      this.accessTokens.set(token, { scopes, endsAt: this.options.now() })
    }
  }

  /** The app was thrown out: none of its tokens is good any more. */
  revoke(): void {
    this.accessTokens.clear()
    this.refreshTokens.clear()
  }

  /** What a person agrees to; throws what HubSpot's page would tell the person. */
  readRequest(query: URLSearchParams): { scopes: readonly string[]; redirectUri: string } {
    const redirectUri = query.get('redirect_uri') ?? ''
    const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean)
    if (query.get('client_id') !== this.clientId) throw refused('unknown client_id')
    if (!this.isRegistered(redirectUri)) throw refused('redirect_uri is not one of the app')
    const { requiredScopes = [], requirePkce = false } = this.options.app
    const missing = requiredScopes.filter((scope) => !scopes.includes(scope))
    if (missing.length > 0) throw refused(`the app requires ${missing.join(', ')}`)
    if (requirePkce && !query.get('code_challenge')) throw refused('code_challenge is missing')
    const method = query.get('code_challenge_method')
    if (query.has('code_challenge') && method !== 'S256') throw refused('use S256')
    return { scopes, redirectUri }
  }

  /** A person agrees: where her browser is sent. */
  agree(query: URLSearchParams): string {
    const { scopes, redirectUri } = this.readRequest(query)
    const code = newSecret('code')
    const endsAt = this.options.now() + (this.options.app.codeMs ?? 60_000)
    const challenge = query.get('code_challenge')
    this.codes.set(code, { redirectUri, scopes, challenge, endsAt })
    return backTo(redirectUri, query.get('state'), { code })
  }

  /** A person refuses. */
  decline(query: URLSearchParams): string {
    const { redirectUri } = this.readRequest(query)
    return backTo(redirectUri, query.get('state'), { error: 'access_denied' })
  }

  /** The token endpoint. */
  answer(form: Form): Record<string, unknown> {
    const { clientId, clientSecret = 'sandbox-secret' } = {
      ...this.options.app,
      clientId: this.clientId,
    }
    if (form['client_id'] !== clientId || form['client_secret'] !== clientSecret) {
      throw refused('missing or invalid client id or secret')
    }
    if (form['grant_type'] === 'authorization_code') return this.exchange(form)
    if (form['grant_type'] === 'refresh_token') return this.refresh(form)
    throw refused('missing or unknown grant_type')
  }

  /** The introspection endpoint. */
  describe(token: string): Record<string, unknown> {
    const grant = this.accessTokens.get(token)
    const isLive = grant !== undefined && grant.endsAt > this.options.now()
    const scopes = isLive ? grant.scopes : this.refreshTokens.get(token)
    if (scopes === undefined) return { active: false }
    return {
      active: true,
      token_use: isLive ? 'access_token' : 'refresh_token',
      hub_id: PORTAL_ID,
      scopes,
    }
  }

  /** What HubSpot tells of a static token. */
  describeStatic(token: string): Record<string, unknown> {
    const isTold = token === this.options.token && this.listsStatic
    if (!isTold || this.staticScopes === null) throw refused('unknown token')
    return { userId: USER_ID, hubId: PORTAL_ID, appId: APP_ID, scopes: this.staticScopes }
  }

  private get clientId(): string {
    return this.options.app.clientId ?? 'sandbox-client'
  }

  private isRegistered(redirectUri: string): boolean {
    if (!URL.canParse(redirectUri)) return false
    if (this.options.app.redirectUris?.includes(redirectUri)) return true
    return ['localhost', '127.0.0.1'].includes(new URL(redirectUri).hostname)
  }

  private exchange(form: Form): Record<string, unknown> {
    const code = form['code'] ?? ''
    const pending = this.codes.get(code)
    // Good for one try, right or wrong.
    this.codes.delete(code)
    if (pending === undefined || pending.endsAt <= this.options.now()) {
      throw refused('missing or unknown auth code')
    }
    if (pending.redirectUri !== form['redirect_uri']) throw refused('redirect_uri does not match')
    const verifier = form['code_verifier'] ?? ''
    if (pending.challenge !== null && challengeOf(verifier) !== pending.challenge) {
      throw refused('code_verifier does not match')
    }
    const refreshToken = newSecret('refresh')
    this.refreshTokens.set(refreshToken, pending.scopes)
    return this.give(pending.scopes, refreshToken)
  }

  private refresh(form: Form): Record<string, unknown> {
    const old = form['refresh_token'] ?? ''
    const scopes = this.refreshTokens.get(old)
    if (scopes === undefined) throw refused('missing or invalid refresh token')
    if (!this.options.app.rotateRefreshTokens) return this.give(scopes, old)
    const refreshToken = newSecret('refresh')
    this.refreshTokens.delete(old)
    this.refreshTokens.set(refreshToken, scopes)
    return this.give(scopes, refreshToken)
  }

  private give(scopes: readonly string[], refreshToken: string): Record<string, unknown> {
    const lifetimeMs = this.options.app.accessTokenMs ?? 1_800_000
    const accessToken = newSecret('access')
    this.accessTokens.set(accessToken, { scopes, endsAt: this.options.now() + lifetimeMs })
    return {
      token_type: 'bearer',
      refresh_token: refreshToken,
      access_token: accessToken,
      hub_id: PORTAL_ID,
      scopes,
      expires_in: lifetimeMs / 1000,
    }
  }
}

function newSecret(kind: string): string {
  return `na1-${kind}-${randomBytes(16).toString('hex')}`
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

function refused(message: string): HubspotError {
  return new HubspotError(400, 'VALIDATION_ERROR', message)
}

function unknownToken(): HubspotError {
  return new HubspotError(
    401,
    'INVALID_AUTHENTICATION',
    'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
  )
}

function expiredToken(endedAt: number, now: number): HubspotError {
  const seconds = Math.round((now - endedAt) / 1000)
  return new HubspotError(
    401,
    'EXPIRED_AUTHENTICATION',
    `The OAuth token used to make this call expired ${seconds} second(s) ago.`,
    { context: { 'expire time': [new Date(endedAt).toISOString()] } },
  )
}
