import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'
import {
  isServerRunning,
  readPostmasterFile,
} from '../../src/infra/postgres/embedded/postmaster-file.ts'

export interface Ready {
  readonly url: string
  readonly ms: number
  readonly labels: readonly string[]
}

export interface Guest {
  readonly pid: number
  readonly notices: readonly string[]
  /** What it reported once it had used the server. Rejects when it ends before that. */
  readonly ready: Promise<Ready>
  /** Lets it leave; resolves to its exit code. */
  leave(): Promise<number | null>
  /** Sends a signal and waits for its end. */
  kill(signal: NodeJS.Signals): Promise<void>
}

export interface GuestOptions {
  readonly label?: string
  /** The checkout that it runs from; by default this one. */
  readonly checkout?: string
  readonly uid?: number
  /** In a process group of its own, as a shell on a terminal would put it. */
  readonly ownGroup?: boolean
}

const children = new Set<{ child: ChildProcess; closed: Promise<unknown> }>()
const folders: string[] = []
let template: string | undefined

const ownCheckout = join(import.meta.dirname, '..', '..')

/** Starts embedded-child.ts on a data folder. */
export function startGuest(dataDir: string, options: GuestOptions = {}): Guest {
  const script = join(options.checkout ?? ownCheckout, 'test/support/embedded-child.ts')
  const child = spawn(process.execPath, [script, dataDir, options.label ?? 'guest'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
    detached: options.ownGroup === true,
    ...(options.uid === undefined
      ? {}
      : { uid: options.uid, gid: options.uid, env: { HOME: dataDir } }),
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  child.stdin.on('error', () => undefined)
  const notices: string[] = []
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  children.add({ child, closed })
  const ready = new Promise<Ready>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text)
      if (line.event === 'ready') resolve(line)
      if (line.event === 'notice') notices.push(line.notice)
    })
    child.on('close', (code) => reject(new Error(`The guest ended with ${code}: ${errors}`)))
  })
  ready.catch(() => undefined)
  return {
    pid: child.pid ?? -1,
    notices,
    ready,
    async leave() {
      child.stdin.end()
      return closed
    },
    async kill(signal) {
      child.kill(signal)
      await closed
    },
  }
}

/** Asks until the answer is neither undefined nor false. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await sleep(3)
  }
  throw new Error(`Not within ${withinMs} ms: ${what}`)
}

/** A temporary folder that `cleanUp` removes, with the server in it. */
export async function makeFolder(name = 'data'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `ripen test ${name} `))
  folders.push(folder)
  await chmod(folder, 0o755)
  return folder
}

/** A data folder that was set up before and holds no rows: a copy, which takes less than setting up. */
export async function makeUsedFolder(name?: string): Promise<string> {
  template ??= await makeTemplate()
  const folder = await makeFolder(name)
  // The command keeps owners and modes, which fs.cp does not.
  await promisify(execFile)('cp', ['-a', join(template, 'pg'), folder])
  return folder
}

async function makeTemplate(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ripen-test-template-'))
  await chmod(folder, 0o755)
  await (await acquireEmbeddedPostgres({ dataDir: folder })).release()
  return folder
}

/** Removes what `makeUsedFolder` copies from; for `afterAll`. */
export async function dropTemplate(): Promise<void> {
  if (template !== undefined) await rm(template, { recursive: true, force: true })
  template = undefined
}

/** The PostgreSQL data folder that belongs to a data folder. */
export async function clusterOf(dataDir: string): Promise<string> {
  const pointer = await readFile(join(dataDir, 'pg-location'), 'utf8').catch(() => undefined)
  return pointer?.trim() ?? join(dataDir, 'pg')
}

/** The process id in postmaster.pid; undefined when no server runs. */
export async function serverPid(dataDir: string): Promise<number | undefined> {
  return (await readPostmasterFile(await clusterOf(dataDir)))?.pid
}

/** How often a server was started on the data folder. */
export async function countStarts(dataDir: string): Promise<number> {
  const log = await readFile(join(dataDir, 'postgres.log'), 'utf8')
  return log.split('starting PostgreSQL').length - 1
}

/** Ends every guest and server that this file started, and removes the folders. */
export async function cleanUp(): Promise<void> {
  for (const { child, closed } of children) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await closed
  }
  children.clear()
  for (const folder of folders.splice(0)) {
    const nested = await readdir(folder).catch(() => [])
    for (const dataDir of [folder, ...nested.map((name) => join(folder, name))]) {
      await endServer(dataDir)
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Ends the server of a data folder at once, whoever uses it. */
export async function endServer(dataDir: string): Promise<void> {
  const cluster = await clusterOf(dataDir)
  const file = await readPostmasterFile(cluster)
  if (file !== undefined && (await isServerRunning(file, cluster))) {
    process.kill(file.pid, 'SIGQUIT')
    await eventually('the server ends', async () => !(await isServerRunning(file, cluster)))
  }
  if (cluster !== join(dataDir, 'pg')) await rm(cluster, { recursive: true, force: true })
}
