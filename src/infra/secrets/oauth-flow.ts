import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { ConfigError } from '../../core/errors.ts'
import type { OAuthClient } from '../../core/ports/oauth-client.ts'
import type { Db } from '../postgres/database.ts'
import { storeConnected } from './credential-store.ts'
import type { Keyring } from './keyring.ts'

/** How long a person may take to log in and agree. */
const STATE_LIFETIME_MS = 10 * 60_000

export interface OAuthFlowOptions {
  readonly db: Db
  readonly keyring: Keyring
  readonly connection: string
  readonly client: OAuthClient
  /**
   * Asked before a grant is stored.
   * @throws {ConfigError} when this account must not be connected.
   */
  readonly accept?: (account: string | null) => Promise<void>
  readonly now?: () => Date
}

export interface ConnectedAccount {
  readonly account: string | null
  readonly scopes: readonly string[] | null
}

/** The authorisation-code flow of one connection; what was begun is kept in PostgreSQL, so any process may finish it. */
export interface OAuthFlow {
  /** Begins an authorisation; the address is for one use within ten minutes. */
  start(redirectUri: string, scopes: readonly string[]): Promise<string>
  /**
   * Takes the parameters that the vendor sent back, exchanges the code and stores the tokens.
   * @throws {ConfigError} when they do not belong to an authorisation that was begun here.
   */
  finish(parameters: URLSearchParams, signal: AbortSignal): Promise<ConnectedAccount>
}

export function createOAuthFlow(options: OAuthFlowOptions): OAuthFlow {
  const now = options.now ?? (() => new Date())
  return {
    start: (redirectUri, scopes) => start(options, redirectUri, scopes, now()),
    finish: (parameters, signal) => finish(options, parameters, now, signal),
  }
}

const verifierAbout = (connection: string) => `oauth verifier ${connection}`

async function start(
  { db, keyring, connection, client }: OAuthFlowOptions,
  redirectUri: string,
  scopes: readonly string[],
  now: Date,
): Promise<string> {
  const id = randomBytes(9).toString('base64url')
  const secret = randomBytes(32).toString('base64url')
  const verifier = client.pkce ? randomBytes(48).toString('base64url') : null
  const sealed = verifier === null ? null : keyring.seal(verifier, verifierAbout(connection))
  await db.deleteFrom('oauth_state').where('expires_at', '<', now).execute()
  await db
    .insertInto('oauth_state')
    .values({
      id,
      connection,
      secret_hash: sha256(secret),
      redirect_uri: redirectUri,
      key_id: keyring.keyId,
      verifier: sealed?.bytes ?? null,
      expires_at: new Date(now.getTime() + STATE_LIFETIME_MS),
    })
    .execute()
  const challenge = verifier === null ? null : sha256(verifier).toString('base64url')
  return client.authorizeUrl({ redirectUri, scopes, state: `${id}.${secret}`, challenge })
}

async function finish(
  options: OAuthFlowOptions,
  parameters: URLSearchParams,
  now: () => Date,
  signal: AbortSignal,
): Promise<ConnectedAccount> {
  const begun = await takeState(options, parameters.get('state') ?? '', now())
  const refusal = parameters.get('error')
  const code = parameters.get('code')
  if (refusal !== null || !code) throw notAgreed(options.connection, refusal)
  const grant = await options.client.exchange({ code, ...begun }, signal)
  const { refreshToken, account, scopes } = grant
  if (refreshToken === null) {
    throw new ConfigError(
      `${options.connection} gave no refresh token; the app must be allowed to work while nobody is there`,
    )
  }
  await options.accept?.(account)
  const { db, keyring, connection } = options
  await storeConnected(db, keyring, connection, { ...grant, refreshToken }, now())
  return { account, scopes }
}

/**
 * The row is taken out by whoever names it, right or wrong: a state is good for one try. The secret part
 * is compared in a time that says nothing about it.
 */
async function takeState(
  { db, keyring, connection }: OAuthFlowOptions,
  state: string,
  now: Date,
): Promise<{ redirectUri: string; verifier: string | null }> {
  const [id = '', secret = ''] = state.split('.')
  const row = await db
    .deleteFrom('oauth_state')
    .where('id', '=', id)
    .where('connection', '=', connection)
    .returningAll()
    .executeTakeFirst()
  const isRight = row !== undefined && timingSafeEqual(sha256(secret), row.secret_hash)
  if (!isRight || row.expires_at.getTime() <= now.getTime()) {
    throw new ConfigError(
      'this answer does not belong to a connection that was begun here, or it was used before or came later than ten minutes; begin again',
    )
  }
  const { key_id: keyId, verifier: bytes, redirect_uri: redirectUri } = row
  const verifier = bytes === null ? null : keyring.open({ keyId, bytes }, verifierAbout(connection))
  return { redirectUri, verifier }
}

/** The vendor's word is told only when it is one of the standard's: everything else is somebody's text. */
function notAgreed(connection: string, refusal: string | null): ConfigError {
  const word = refusal !== null && /^[a-z_]{1,40}$/.test(refusal) ? ` (${refusal})` : ''
  return new ConfigError(`access to ${connection} was not given${word}; nothing was stored`)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
