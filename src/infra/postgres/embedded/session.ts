import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { type Cluster, clusterUser } from './cluster.ts'
import { errorCode } from './failure.ts'
import { findPlatformPackage, programPath } from './platform.ts'
import { isServerRunning, readPostmasterFile } from './postmaster-file.ts'

/**
 * One process's stay at the server: a connection that holds a shared advisory lock. The kernel closes
 * it when the process dies in whatever way, so the count of guests is never wrong.
 */
export interface Session {
  readonly client: Client
  readonly port: number
  readonly serverPid: number
}

export type Answer =
  | { readonly kind: 'joined'; readonly session: Session }
  | { readonly kind: 'absent' }
  /** It starts, stops or recovers: ask again. */
  | { readonly kind: 'busy'; readonly why: string; readonly recovering: boolean }

/** The database that Ripen lives in. */
export const databaseName = 'ripen'

/** Advisory locks belong to a database; this one nobody drops or copies. */
const lockDatabase = 'postgres'
const guestsLock = 7_473_601

const stopPatienceMs = 60_000
const cannotConnectNow = '57P03'

/** Joins the cluster's running server, if there is one. */
export async function knock(cluster: Cluster): Promise<Answer> {
  const file = await readPostmasterFile(cluster.folder)
  // First of all, since another program may have the port of a server that was killed.
  if (file === undefined || !(await isServerRunning(file, cluster.folder)))
    return { kind: 'absent' }
  if (file.port === undefined) return busy('the server is about to start')
  const client = createClient(cluster, file.port)
  try {
    await client.connect()
    if (await takePlace(client)) {
      return { kind: 'joined', session: { client, port: file.port, serverPid: file.pid } }
    }
    await client.end()
    return busy('the server is being stopped by the last process that used it')
  } catch (error) {
    await client.end().catch(() => undefined)
    return busy(String(error), errorCode(error) === cannotConnectNow)
  }
}

/** Gives the place up; the last guest out stops the server and waits until it has ended. */
export async function leave(session: Session, cluster: string): Promise<void> {
  const { client } = session
  setReferenced(client, true)
  try {
    // In this order: were each to ask for the lock alone while still a guest, two that leave
    // together would both be refused, and the server would run on for nobody.
    await client.query('select pg_advisory_unlock_shared($1)', [guestsLock])
    const { rows } = await client.query('select pg_try_advisory_lock($1) as last', [guestsLock])
    if (rows[0]?.last === true) await stopServer(session, cluster)
  } catch {
    // The server went away, and with it everything that there was to leave.
  }
  await client.end().catch(() => undefined)
}

function busy(why: string, recovering = false): Answer {
  return { kind: 'busy', why, recovering }
}

function createClient({ password }: Cluster, port: number): Client {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: clusterUser,
    password,
    database: lockDatabase,
    ssl: false,
    application_name: 'ripen embedded server',
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  })
  // A lost connection shows as `end`, too; unheard, this event would end the process.
  client.on('error', () => undefined)
  return client
}

/** @returns false while somebody holds the lock alone in order to stop the server. */
async function takePlace(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select pg_try_advisory_lock_shared($1) as place,
            exists (select from pg_database where datname = $2) as furnished`,
    [guestsLock, databaseName],
  )
  if (rows[0]?.place !== true) return false
  if (rows[0]?.furnished !== true) await createDatabase(client)
  setReferenced(client, false)
  return true
}

async function createDatabase(client: Client): Promise<void> {
  try {
    await client.query(`create database ${databaseName}`)
  } catch (error) {
    // Another guest did so in the same instant: duplicate_database, or unique_violation in its catalogue.
    if (errorCode(error) !== '42P04' && errorCode(error) !== '23505') throw error
  }
}

async function stopServer({ client, serverPid }: Session, cluster: string): Promise<void> {
  // Told by the server itself, unless its folder was deleted under it.
  const { rows } = await client.query(`select pg_read_file('postmaster.pid', true) as file`)
  const pid = Number.parseInt(rows[0]?.file ?? serverPid, 10)
  if (process.platform === 'win32') {
    const program = programPath(findPlatformPackage().native, 'pg_ctl')
    await promisify(execFile)(program, ['stop', '-D', cluster, '-m', 'fast', '-W'])
  } else {
    process.kill(pid, 'SIGINT')
  }
  const deadline = Date.now() + stopPatienceMs
  while ((await readPostmasterFile(cluster))?.pid === pid && Date.now() < deadline) await sleep(5)
}

/** An idle stay must not keep a process alive that has nothing else to do. */
function setReferenced(client: Client, referenced: boolean): void {
  // Both methods exist since pg 8 and are missing from its types.
  const switchable = client as Client & { ref(): void; unref(): void }
  if (referenced) switchable.ref()
  else switchable.unref()
}
