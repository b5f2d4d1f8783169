import { link, readFile, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from './process-mark.ts'

/** What a running server, or one that was killed, says about itself in its data folder. */
export interface PostmasterFile {
  readonly pid: number
  /** Undefined in the first instants, before the server has settled on one. */
  readonly port: number | undefined
  /** It accepts connections, or did when it was killed. */
  readonly ready: boolean
  readonly text: string
}

const fileName = 'postmaster.pid'

/** PostgreSQL's own lock file; undefined when no server runs and the last one ended well. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(cluster, fileName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const [pid, , , port, , , , status] = text.split('\n')
  return {
    pid: Number(pid),
    port: Number(port) > 0 ? Number(port) : undefined,
    ready: status?.trim() === 'ready',
    text,
  }
}

/** Where the last server listened, so that pools which outlive a crash find the next one. */
export async function readLastPort(cluster: string): Promise<number | undefined> {
  const text = await readFile(join(cluster, 'postmaster.opts'), 'utf8').catch(() => '')
  const port = /"port=(\d+)"/.exec(text)?.[1]
  return port === undefined ? undefined : Number(port)
}

/** Whether the file's process runs and is the server of this cluster; when in doubt, yes. */
export async function isServerRunning({ pid }: PostmasterFile, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  const args = await argumentsOf(pid)
  if (args === undefined) return true
  // Only the postmaster keeps its arguments; its children and other programs do not show them.
  const folder = args[args.indexOf('-D') + 1]
  if (!args[0]?.includes('postgres') || !args.includes('-D') || folder === undefined) return false
  if (folder === cluster) return true
  const [theirs, ours] = await Promise.all([folder, cluster].map((path) => realPathOf(path)))
  // Moved while it ran: its old path is gone, and it may be this one.
  return theirs === undefined || theirs === ours
}

/**
 * Removes the file of a server that was killed if its process id now belongs to another program (or
 * to a zombie), which PostgreSQL would take for a rival. It goes by rename, and comes back if a
 * new server wrote it meanwhile. PostgreSQL's check of shared memory still forbids a second server.
 */
export async function removeStaleFile(cluster: string): Promise<void> {
  const found = await readPostmasterFile(cluster)
  if (found === undefined || !isAlive(found.pid) || (await isServerRunning(found, cluster))) return
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

/** Undefined where the system does not tell. A zombie has none. */
async function argumentsOf(pid: number): Promise<readonly string[] | undefined> {
  // Other systems separate arguments by blanks, as paths may hold them: not worth guessing.
  if (process.platform !== 'linux') return undefined
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return text?.split('\0')
}

function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined)
}
