import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../../core/errors.ts'
import { embeddedFailure, errorCode } from './failure.ts'
import { postgresMajor, programPath } from './platform.ts'
import { isMarkAlive, ownMark } from './process-mark.ts'
import { type Account, canEnter, giveTo, run } from './run-as.ts'
import { sharedPlace } from './shared-place.ts'

/** A PostgreSQL data folder and the password of its one user. */
export interface Cluster {
  readonly folder: string
  readonly password: string
}

/** The one user, who owns everything, and the database that Ripen lives in. */
export const clusterUser = 'ripen'

/** Lies inside the cluster, so that the two can only come, move and go together. */
const passwordFile = 'ripen-password'

/** In the data folder of root: names the cluster when it had to be kept elsewhere. */
const pointerFile = 'pg-location'

/**
 * The cluster of a data folder, or undefined when none was made yet.
 * @throws {ConfigError} when there is something that this server cannot open.
 */
export async function findCluster(dataDir: string): Promise<Cluster | undefined> {
  const local = join(dataDir, 'pg')
  const pointer = await readIfThere(join(dataDir, pointerFile))
  const elsewhere = pointer?.trim()
  const folder = elsewhere ?? local
  const version = (await readIfThere(join(folder, 'PG_VERSION')))?.trim()
  if (version === postgresMajor) {
    const password = await readIfThere(join(folder, passwordFile))
    if (password !== undefined) return { folder, password: password.trim() }
    throw new ConfigError(`${folder} was not made by Ripen: it holds no ${passwordFile}.`)
  }
  if (version !== undefined) {
    throw new ConfigError(
      `${folder} holds data of PostgreSQL ${version}, and the embedded server is ${postgresMajor}. Start Ripen with the version that wrote it, or move the folder away to start empty.`,
    )
  }
  if (elsewhere !== undefined) {
    throw new ConfigError(
      `${join(dataDir, pointerFile)} says that the database is in ${elsewhere}, which is gone. Bring it back, or delete ${pointerFile} to start empty.`,
    )
  }
  if ((await listIfThere(local)).length === 0) return undefined
  throw new ConfigError(
    `${local} holds files but no PostgreSQL database. Move it away to start empty.`,
  )
}

/**
 * Makes the cluster of a data folder. It is built beside its place and appears there whole, so a
 * process killed half-way leaves nothing but litter, which a later start sweeps up. When several
 * processes do this at once, the first to finish wins and the others throw theirs away.
 */
export async function createCluster(
  dataDir: string,
  native: string,
  account: Account | undefined,
  onNotice: (message: string) => void,
): Promise<void> {
  const moved = account !== undefined && !(await canEnter(dataDir, account))
  const parent = moved ? await sharedPlace(account) : dataDir
  if (moved) await sweep(parent)
  const staging = join(parent, `${stagingPrefix}${ownMark}.${randomBytes(4).toString('hex')}`)
  await mkdir(staging, { mode: 0o700 })
  try {
    const built = await build(staging, native, account)
    if (moved) await settleElsewhere(built, parent, dataDir, onNotice)
    else await settle(built, join(dataDir, 'pg'))
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
  }
}

async function build(staging: string, native: string, account: Account | undefined) {
  const password = randomBytes(24).toString('hex')
  const handOver = join(staging, 'password')
  const folder = join(staging, 'data')
  await writeFile(handOver, `${password}\n`, { mode: 0o600 })
  await giveTo(handOver, account)
  await giveTo(staging, account)
  const { code, output } = await run(
    programPath(native, 'initdb'),
    [
      ...['-D', folder, '-U', clusterUser, `--pwfile=${handOver}`],
      ...['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256'],
    ],
    account,
  )
  if (code !== 0) throw embeddedFailure('The embedded PostgreSQL could not be set up', output)
  const kept = join(folder, passwordFile)
  await rename(handOver, kept)
  await sync(kept)
  return folder
}

async function settle(built: string, place: string): Promise<void> {
  try {
    await rename(built, place)
    await sync(dirname(place))
  } catch (error) {
    // Whoever was faster left a whole cluster there; anything else is a failure.
    if ((await readIfThere(join(place, 'PG_VERSION'))) === undefined) throw error
  }
}

/** The pointer is what counts: a cluster that no pointer names belongs to nobody. */
async function settleElsewhere(
  built: string,
  parent: string,
  dataDir: string,
  onNotice: (message: string) => void,
): Promise<void> {
  const mark = createHash('sha256').update(dataDir).digest('hex').slice(0, 8)
  const place = join(parent, `pg-${mark}-${randomBytes(4).toString('hex')}`)
  const draft = join(dataDir, `${pointerFile}.${ownMark}`)
  await rename(built, place)
  await writeFile(draft, `${place}\n`)
  await sync(draft)
  try {
    await link(draft, join(dataDir, pointerFile))
    onNotice(
      `The account that PostgreSQL runs under cannot enter ${dataDir}, so the database is kept in ${place}. Deleting ${dataDir} means a fresh start; ${place} may then be deleted too.`,
    )
  } catch (error) {
    await rm(place, { recursive: true, force: true })
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
}

const stagingPrefix = 'pg-setup-'

/** Removes what processes that died during set-up left in a folder. */
export async function sweep(parent: string): Promise<void> {
  for (const name of await listIfThere(parent)) {
    if (!name.startsWith(stagingPrefix)) continue
    const mark = name.slice(stagingPrefix.length).split('.')[0] ?? ''
    if (isMarkAlive(mark)) continue
    // Its initdb may live on a little and still write there; what stays is for the next start.
    const options = { recursive: true, force: true, maxRetries: 3 }
    await rm(join(parent, name), options).catch(() => undefined)
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

async function listIfThere(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Makes a file, or the names in a folder, outlast a power cut. Windows cannot open folders for it. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return
  await handle.sync().catch(() => undefined)
  await handle.close()
}
