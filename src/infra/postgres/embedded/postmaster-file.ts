import { execFile } from 'node:child_process'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What a running server, or one that was killed, says about itself in its data folder. */
export interface PostmasterFile {
  readonly pid: number
  /** Undefined in the first instants, before the server has settled on one. */
  readonly port: number | undefined
  readonly text: string
}

const fileName = 'postmaster.pid'

/** PostgreSQL's own lock file; undefined when no server runs and the last one ended well. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(cluster, fileName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const [pid, , , port] = text.split('\n')
  return { pid: Number(pid), port: Number(port) > 0 ? Number(port) : undefined, text }
}

/** Where the last server listened, so that pools which outlive a crash find the next one. */
export async function readLastPort(cluster: string): Promise<number | undefined> {
  const text = await readFile(join(cluster, 'postmaster.opts'), 'utf8').catch(() => '')
  const port = /"port=(\d+)"/.exec(text)?.[1]
  return port === undefined ? undefined : Number(port)
}

/** Whether a process exists, whoever owns it. A zombie counts. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether the file's process runs and is a PostgreSQL; when in doubt, yes. */
export async function isServerRunning({ pid }: PostmasterFile): Promise<boolean> {
  if (!isAlive(pid)) return false
  const command = await commandOf(pid)
  return command === undefined || command.includes('postgres')
}

/**
 * Removes the file of a server that was killed if its process id now belongs to another program (or
 * to a zombie), which PostgreSQL would take for a rival. It goes by rename, and comes back if a
 * new server wrote it meanwhile. PostgreSQL's check of shared memory still forbids a second server.
 */
export async function removeStaleFile(cluster: string): Promise<void> {
  const found = await readPostmasterFile(cluster)
  if (found === undefined || !isAlive(found.pid) || (await isServerRunning(found))) return
  const path = join(cluster, fileName)
  const aside = `${path}.stale-${process.pid}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) !== found.text) await link(aside, path)
    await rm(aside)
  } catch {
    // Another process removed it first.
  }
}

async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  }
  if (process.platform === 'win32') return undefined
  const ps = promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
  return ps.then(
    ({ stdout }) => stdout,
    () => undefined,
  )
}
