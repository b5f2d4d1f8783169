import { z } from 'zod'
import type { OAuthGrant } from '../../core/ports/oauth-client.ts'
import type { Db } from '../postgres/database.ts'
import type { Keyring } from './keyring.ts'

/** A token is renewed so long before its end: clocks differ, and calls take time. */
const BUFFER_MS = 5 * 60_000
/** But short-lived tokens would be renewed all the time. */
const BUFFER_SHARE = 1 / 3

/** A stored credential, opened. */
export interface Credential {
  readonly accessToken: string
  readonly refreshToken: string
  readonly generation: number
  readonly account: string | null
  readonly scopes: readonly string[] | null
  readonly expiresAt: Date
  readonly refreshAt: Date
  readonly forced: number
  readonly forcedSince: Date | null
  readonly connectedAt: Date
  readonly refreshedAt: Date
}

const secretShape = z.object({ accessToken: z.string(), refreshToken: z.string() })

const aboutOf = (connection: string) => `credential ${connection}`

/** The credential of a connection; null before it is connected. */
export async function readCredential(
  db: Db,
  keyring: Keyring,
  connection: string,
): Promise<Credential | null> {
  const row = await db
    .selectFrom('credential')
    .selectAll()
    .where('connection', '=', connection)
    .executeTakeFirst()
  if (!row) return null
  const sealed = { keyId: row.key_id, bytes: row.sealed }
  const secret = secretShape.parse(JSON.parse(keyring.open(sealed, aboutOf(connection))))
  return {
    ...secret,
    generation: row.generation,
    account: row.account,
    scopes: row.scopes,
    expiresAt: row.expires_at,
    refreshAt: row.refresh_at,
    forced: row.forced,
    forcedSince: row.forced_since,
    connectedAt: row.connected_at,
    refreshedAt: row.refreshed_at,
  }
}

/** Stores what a person has just connected, in place of what was there. */
export async function storeConnected(
  db: Db,
  keyring: Keyring,
  connection: string,
  grant: OAuthGrant & { readonly refreshToken: string },
  now: Date,
): Promise<void> {
  const row = {
    connection,
    kind: 'oauth',
    ...sealedColumns(keyring, connection, grant),
    ...endColumns(grant.lifetimeMs, now),
    account: grant.account,
    scopes: grant.scopes === null ? null : [...grant.scopes],
    forced: 0,
    forced_since: null,
    connected_at: now,
    refreshed_at: now,
  }
  await db
    .insertInto('credential')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('connection').doUpdateSet((e) => ({
        ...row,
        generation: e('credential.generation', '+', 1),
      })),
    )
    .execute()
}

/** Why a token was renewed. */
export interface Renewal {
  readonly now: Date
  /** The vendor had refused the old token before its end. */
  readonly forced: { readonly count: number; readonly since: Date } | null
}

/**
 * Stores a renewed access token, and the refresh token with it when the vendor has changed that too.
 * @returns false when the connection was removed or made anew meanwhile: the grant is of no use then.
 */
export async function storeRenewed(
  db: Db,
  keyring: Keyring,
  connection: string,
  old: Credential,
  grant: OAuthGrant,
  renewal: Renewal,
): Promise<boolean> {
  const { now, forced } = renewal
  const refreshToken = grant.refreshToken ?? old.refreshToken
  const result = await db
    .updateTable('credential')
    .set({
      ...sealedColumns(keyring, connection, { ...grant, refreshToken }),
      ...endColumns(grant.lifetimeMs, now),
      generation: old.generation + 1,
      ...(grant.scopes === null ? {} : { scopes: [...grant.scopes] }),
      forced: forced?.count ?? old.forced,
      forced_since: forced?.since ?? old.forcedSince,
      refreshed_at: now,
    })
    .where('connection', '=', connection)
    .where('generation', '=', old.generation)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** @returns false when there was none. */
export async function removeCredential(db: Db, connection: string): Promise<boolean> {
  await db.deleteFrom('oauth_state').where('connection', '=', connection).execute()
  const result = await db
    .deleteFrom('credential')
    .where('connection', '=', connection)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

function sealedColumns(
  keyring: Keyring,
  connection: string,
  { accessToken, refreshToken }: { readonly accessToken: string; readonly refreshToken: string },
): { key_id: string; sealed: Buffer } {
  const text = JSON.stringify({ accessToken, refreshToken })
  const { keyId, bytes } = keyring.seal(text, aboutOf(connection))
  return { key_id: keyId, sealed: bytes }
}

function endColumns(lifetimeMs: number, now: Date): { expires_at: Date; refresh_at: Date } {
  const bufferMs = Math.min(BUFFER_MS, lifetimeMs * BUFFER_SHARE)
  return {
    expires_at: new Date(now.getTime() + lifetimeMs),
    refresh_at: new Date(now.getTime() + lifetimeMs - bufferMs),
  }
}
