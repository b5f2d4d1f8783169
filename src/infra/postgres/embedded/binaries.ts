import { randomBytes } from 'node:crypto'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../../../core/errors.ts'
import { errorCode } from './failure.ts'
import { findPlatformPackage, type PlatformPackage, programPath } from './platform.ts'
import { ownMark } from './process-mark.ts'
import { type Account, run } from './run-as.ts'
import { ensureOwn, sharedPlace } from './shared-place.ts'

/**
 * A folder with bin, lib and share whose programs the account can run: the installed package, or a
 * copy of it where that one is out of reach, mounted noexec, or lacks library links and is read-only.
 * @throws {ConfigError} when they run nowhere.
 */
export async function prepareBinaries(
  dataDir: string,
  account: Account | undefined,
): Promise<string> {
  const installed = findPlatformPackage()
  await linkLibraries(installed.native).catch(() => undefined)
  let trial = await tryOut(installed.native, account)
  if (trial.works) return installed.native
  for (const place of copyPlaces(dataDir, account)) {
    const copy = await place()
      .then((folder) => (folder === undefined ? undefined : copyTo(folder, installed)))
      .catch(asUnusable)
    if (copy === undefined) continue
    trial = await tryOut(copy, account)
    if (trial.works) return copy
  }
  throw new ConfigError(
    `The embedded PostgreSQL does not run on this system: ${trial.output.trim()}\nSet DATABASE_URL to a PostgreSQL server, version 15 or later.`,
  )
}

/** npm packages cannot hold symbolic links, and install scripts, which could make them, are off. */
async function linkLibraries(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch((error) => {
    if (errorCode(error) === 'ENOENT') return '[]'
    throw error
  })
  const links: readonly { source: string; target: string }[] = JSON.parse(text)
  for (const { source, target } of links) {
    await symlink(basename(source), join(dirname(native), target)).catch((error) => {
      // Another process may be linking the same package right now.
      if (errorCode(error) !== 'EEXIST') throw error
    })
  }
}

async function tryOut(native: string, account: Account | undefined) {
  const { code, output } = await run(programPath(native, 'postgres'), ['--version'], account)
  return { works: code === 0, output }
}

/** Root must not leave programs where another account could swap them; a user owns the data folder. */
function copyPlaces(dataDir: string, account: Account | undefined) {
  if (account !== undefined) return [() => sharedPlace(account)]
  const own = join(tmpdir(), `ripen-${process.geteuid?.() ?? 'user'}`)
  return [async () => dataDir, async () => ((await ensureOwn(own)) ? own : undefined)]
}

const asUnusable = () => undefined

async function copyTo(place: string, installed: PlatformPackage): Promise<string> {
  const home = join(place, `postgres-${installed.label}`)
  const native = join(home, 'native')
  if ((await lstat(native).catch(asUnusable)) !== undefined) return native
  // Renamed when whole, so that a copy which exists is complete.
  const staging = `${home}.${ownMark}-${randomBytes(4).toString('hex')}`
  try {
    await copyTree(installed.native, join(staging, 'native'))
    await linkLibraries(join(staging, 'native'))
    await chmod(staging, 0o755)
    await rename(staging, home)
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    // Lost the race against another process that made the same copy?
    if ((await lstat(native).catch(asUnusable)) === undefined) throw error
  }
  return native
}

/** Sets modes outright: a checkout made under a strict umask is closed to the server's account. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'pkgconfig') await copyTree(source, target)
    } else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target)
      await chmod(target, 0o755)
    }
  }
}
