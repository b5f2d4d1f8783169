import type { Pool } from 'pg'
import { ConfigError, isSyncFailure, RetryableError } from '../../core/errors.ts'
import type { AccessTokens } from '../../core/ports/access-tokens.ts'
import type { OAuthClient } from '../../core/ports/oauth-client.ts'
import type { Db } from '../postgres/database.ts'
import { withLocks } from '../postgres/lock.ts'
import { type Credential, readCredential, storeRenewed } from './credential-store.ts'
import type { Keyring } from './keyring.ts'

/**
 * A vendor that refuses tokens which it has just given is asked for no more than so many in so long:
 * something is wrong that another token does not mend.
 */
const MOST_FORCED = 3
const FORCED_WITHIN_MS = 3_600_000

export interface TokenKeeperOptions {
  readonly db: Db
  readonly pool: Pool
  readonly keyring: Keyring
  /** Names the row, and the lock. */
  readonly connection: string
  readonly client: Pick<OAuthClient, 'refresh'>
  /** What a person does when there is no token, such as `run ripen connect --crm hubspot`. */
  readonly mend: string
  /** Bound of a refresh, the wait for another process's included, in milliseconds. */
  readonly timeoutMs: number
  readonly now?: () => Date
}

/**
 * Access tokens of a stored credential. One process refreshes at a time: the others wait for the lock,
 * look again, and take what the first one has stored.
 */
export function createTokenKeeper(options: TokenKeeperOptions): AccessTokens {
  const { db, keyring, connection } = options
  const now = options.now ?? (() => new Date())
  let known: Credential | null = null
  let refreshing: Promise<Credential> | null = null

  const isGood = (credential: Credential) => credential.refreshAt.getTime() > now().getTime()

  async function read(): Promise<Credential> {
    const credential = await readCredential(db, keyring, connection)
    if (credential) return credential
    throw new ConfigError(`${connection} is not connected; ${options.mend}`)
  }

  /** Callers of this process share one refresh, whose end no single one of them may hasten. */
  async function refreshed(isEnough: (credential: Credential) => boolean, forced: boolean) {
    refreshing ??= underLock(options, now, isEnough, forced, read).finally(() => {
      refreshing = null
    })
    known = await refreshing
    return known
  }

  return {
    name: `the OAuth connection of ${connection}`,
    async get(signal) {
      if (known && isGood(known)) return known.accessToken
      known = await read()
      if (isGood(known)) return known.accessToken
      const { accessToken } = await until(signal, refreshed(isGood, false))
      return accessToken
    },
    async renew(refused, signal) {
      const isOther = ({ accessToken }: Credential) => accessToken !== refused
      known = await read()
      if (isOther(known)) return known.accessToken
      const { accessToken } = await until(signal, refreshed(isOther, true))
      return accessToken
    },
    scopes: async () => (await read()).scopes,
  }
}

async function underLock(
  options: TokenKeeperOptions,
  now: () => Date,
  isEnough: (credential: Credential) => boolean,
  forced: boolean,
  read: () => Promise<Credential>,
): Promise<Credential> {
  const { connection, pool, timeoutMs } = options
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    return await withLocks(pool, [`credential ${connection}`], signal, async (lost) => {
      const current = await read()
      if (isEnough(current)) return current
      return refreshOnce(options, current, now(), forced, lost)
    })
  } catch (error) {
    if (isSyncFailure(error) || !signal.aborted) throw error
    throw new RetryableError(`No new token for ${connection} in ${timeoutMs} ms; nothing was sent.`)
  }
}

/** The new tokens are stored before anybody uses them: a changed refresh token is never lost to a later failure. */
async function refreshOnce(
  { db, keyring, connection, client, mend }: TokenKeeperOptions,
  current: Credential,
  now: Date,
  isForced: boolean,
  signal: AbortSignal,
): Promise<Credential> {
  const forced = isForced ? countForced(current, now) : null
  if (forced && forced.count > MOST_FORCED) {
    throw new ConfigError(
      `${connection} refused ${MOST_FORCED} new tokens within an hour; look at the app and its access there, then ${mend}`,
    )
  }
  const grant = await client.refresh(current.refreshToken, signal)
  await storeRenewed(db, keyring, connection, current, grant, { now, forced })
  const stored = await readCredential(db, keyring, connection)
  if (stored) return stored
  throw new ConfigError(`${connection} was disconnected; ${mend}`)
}

function countForced(current: Credential, now: Date): { count: number; since: Date } {
  const { forced, forcedSince } = current
  const isRecent = forcedSince !== null && now.getTime() - forcedSince.getTime() < FORCED_WITHIN_MS
  return isRecent ? { count: forced + 1, since: forcedSince } : { count: 1, since: now }
}

/** Waits for a shared piece of work no longer than the caller wants to. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // Whoever gives up leaves the work to the others; its failure is theirs.
  work.catch(() => {})
  let stop: () => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new RetryableError('Stopped while a token was renewed; nothing was sent.'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
