import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedFailure } from './failure.ts'
import { programPath } from './platform.ts'
import { readLastPort, readPostmasterFile, removeStaleFile } from './postmaster-file.ts'
import { type Account, giveTo, spawnOptions } from './run-as.ts'

/**
 * Given at every start rather than written into the cluster, so that a newer Ripen's take effect.
 * No value may hold a space: Windows passes them on through a command line.
 */
const settings = {
  listen_addresses: '127.0.0.1',
  // The path of a socket is bounded to some 100 bytes, and data folders are not.
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  wal_level: 'minimal',
  max_wal_senders: '0',
  huge_pages: 'off',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  // What clients are told, they log themselves; statements and details would put people's data here.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
} as const

/**
 * Pages that the server holds, in MB: a thirty-second part of the machine's memory, 128 at least and 512 at most. With
 * less, scores are read from pages that first have to be written.
 * @param totalBytes memory of the machine.
 */
export function sharedBuffersMb(totalBytes: number): number {
  return Math.min(512, Math.max(128, Math.floor(totalBytes / 32 / 2 ** 20)))
}

const maxLogBytes = 5_000_000
const longestStartMs = 600_000
const windows = process.platform === 'win32'

/**
 * Starts the server and returns when it listens, or when it gave way to another one: look again
 * which. It is in a session of its own, so neither Ctrl-C nor the end of this process reaches it.
 * @throws {ConfigError} with the end of its log when it does not start.
 */
export async function launchServer(
  cluster: string,
  native: string,
  account: Account | undefined,
  logPath: string,
): Promise<void> {
  await removeStaleFile(cluster)
  const log = await openLog(logPath, account)
  try {
    for (let attempt = 1; ; attempt += 1) {
      const from = (await log.stat()).size
      const port = await choosePort(attempt === 1 ? cluster : undefined)
      const end = await spawnServer(cluster, native, account, port, log)
      if (end === 'listens') return
      const said = await readFrom(log, from)
      if (/lock file .* (already exists|is empty)|pre-existing shared memory/.test(said)) return
      const taken = /could not bind|could not create any TCP\/IP sockets/.test(said)
      if ((taken || end === 'killed') && attempt < 5) continue
      throw embeddedFailure(`The embedded PostgreSQL did not start (its log: ${logPath})`, said)
    }
  } finally {
    await log.close()
  }
}

type Launch = 'listens' | 'gave up' | 'killed'

async function spawnServer(
  cluster: string,
  native: string,
  account: Account | undefined,
  port: number,
  log: FileHandle,
): Promise<Launch> {
  const shared_buffers = `${sharedBuffersMb(totalmem())}MB`
  const options = Object.entries({ ...settings, shared_buffers, port }).flatMap(([k, v]) => [
    '-c',
    `${k}=${v}`,
  ])
  // On Windows only pg_ctl can shed an administrator's rights, which PostgreSQL refuses.
  const [program, args] = windows
    ? [programPath(native, 'pg_ctl'), ['start', '-W', '-D', cluster, '-o', options.join(' ')]]
    : [programPath(native, 'postgres'), ['-D', cluster, ...options]]
  const child = spawn(program, args, {
    ...spawnOptions(account),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  child.unref()
  const state: { end?: Launch | Error } = {}
  child.on('exit', (code, signal) => {
    if (!(windows && code === 0)) state.end = signal === null ? 'gave up' : 'killed'
  })
  child.on('error', (error) => {
    state.end = error
  })
  const end = await whenUp(cluster, windows ? undefined : child.pid, state)
  if (!(end instanceof Error)) return end
  throw embeddedFailure('The embedded PostgreSQL could not be run', end.message, end)
}

/** Recovery after a crash may take long; it ends in readiness or in the end of the server. */
async function whenUp(
  cluster: string,
  pid: number | undefined,
  state: { readonly end?: Launch | Error },
): Promise<Launch | Error> {
  const deadline = Date.now() + longestStartMs
  while (state.end === undefined && Date.now() < deadline) {
    const found = await readPostmasterFile(cluster)
    // A file that a killed server left says ready, too, but with another process id.
    if (found?.ready === true && (pid === undefined || found.pid === pid)) return 'listens'
    await sleep(5)
  }
  return state.end ?? new Error(`It was not ready after ${longestStartMs / 60_000} minutes.`)
}

async function openLog(path: string, account: Account | undefined): Promise<FileHandle> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size > maxLogBytes) await rename(path, `${path}.1`).catch(() => undefined)
  const { O_APPEND, O_CREAT, O_RDWR, O_NOFOLLOW } = constants
  // Root may be writing into a folder of somebody else's: never through a link.
  const log = await open(path, O_APPEND | O_CREAT | O_RDWR | (O_NOFOLLOW ?? 0), 0o600)
  if (account !== undefined) await giveTo(path, account)
  return log
}

async function readFrom(log: FileHandle, position: number): Promise<string> {
  const length = Math.max(0, (await log.stat()).size - position)
  const { buffer, bytesRead } = await log.read(Buffer.alloc(length), 0, length, position)
  return buffer.toString('utf8', 0, bytesRead)
}

/** The cluster's last port if it is free, else any that is. A port taken meanwhile costs one more try. */
async function choosePort(cluster: string | undefined): Promise<number> {
  const last = cluster === undefined ? undefined : await readLastPort(cluster)
  if (last !== undefined && cluster !== undefined) {
    // The children of a killed server keep its port for a moment.
    const crashed = (await readPostmasterFile(cluster)) !== undefined
    for (let tries = crashed ? 20 : 1; tries > 0; tries -= 1) {
      if ((await probe(last)) === last) return last
      await sleep(15)
    }
  }
  const free = await probe(0)
  if (free !== undefined) return free
  throw embeddedFailure('The embedded PostgreSQL found no free port on 127.0.0.1', '')
}

function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const found = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(found))
    })
  })
}
