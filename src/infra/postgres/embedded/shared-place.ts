import { chmod, lstat, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../../core/errors.ts'
import { type Account, canEnter } from './run-as.ts'

/**
 * For root only: a folder that the server's account can reach and that nobody else can write to,
 * used when the checkout or the data folder is closed to that account (a clone under /root).
 *
 * /var/lib comes first because temporary folders are swept by age on many systems. Where others can
 * create names, an existing folder counts only if root owns it and only root can write to it;
 * anything else may have been planted, and a fresh name that cannot be guessed is used instead.
 */
export async function sharedPlace(account: Account): Promise<string> {
  const places = ['/var/lib/ripen', '/var/tmp/ripen-root', join(tmpdir(), 'ripen-root')]
  for (const place of places) {
    if ((await ensureOwn(place)) && (await canEnter(place, account))) return place
  }
  for (const parent of ['/var/tmp', tmpdir()]) {
    const place = await mkdtemp(join(parent, 'ripen-root-')).catch(() => undefined)
    if (place === undefined) continue
    await chmod(place, 0o755)
    if (await canEnter(place, account)) return place
  }
  throw new ConfigError(
    `PostgreSQL does not run as root, and the account with id ${account.uid} can enter none of ${places.join(', ')}. Open one of them to it, run Ripen as an ordinary user, or set DATABASE_URL to a PostgreSQL server.`,
  )
}

/** Makes a folder that only the current user can write to; false when an existing one is not so. */
export async function ensureOwn(place: string): Promise<boolean> {
  try {
    await mkdir(place, { mode: 0o755 })
    await chmod(place, 0o755)
  } catch {
    // It exists, or cannot be made: the look below tells which.
  }
  const found = await lstat(place).catch(() => undefined)
  return (
    found?.isDirectory() === true && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0
  )
}
