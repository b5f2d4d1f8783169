import { spawn } from 'node:child_process'
import { chown, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { ConfigError } from '../../../core/errors.ts'

/** The account that owns the cluster and runs the server; undefined means "whoever runs this process". */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * PostgreSQL refuses to run as root, so root lends it another account: the owner of the data when
 * that is somebody (`sudo` in one's own checkout), else `nobody`. It needs an entry in /etc/passwd,
 * which initdb looks up.
 */
export async function chooseAccount(dataDir: string): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const accounts = await readAccounts()
  const owner = await stat(dataDir)
  const byOwner = owner.uid === 0 ? undefined : accounts.find(({ uid }) => uid === owner.uid)
  const byName = ['nobody', 'daemon'].map((name) => accounts.find((one) => one.name === name))
  const found = byOwner ?? byName.find((account) => account !== undefined && account.uid !== 0)
  // Inside a user namespace root may have no other account to lend.
  if (found !== undefined && (await canEnter('/', found))) return { uid: found.uid, gid: found.gid }
  throw new ConfigError(
    'PostgreSQL does not run as root, and here root cannot become `nobody` to run it (no such account, or a container without other ids). Run Ripen as an ordinary user, or set DATABASE_URL to a PostgreSQL server.',
  )
}

/** The account that an existing cluster belongs to: the only one that the server starts under. */
export async function ownerOf(cluster: string): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = await stat(cluster)
  if (uid !== 0) return { uid, gid }
  throw new ConfigError(
    `${cluster} belongs to root, under which PostgreSQL does not run. Give it back: chown -R nobody '${cluster}'`,
  )
}

/** Hands a file or folder over to the account; nothing to do when that is the current user. */
export async function giveTo(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid)
}

/**
 * Options under which PostgreSQL's programs run. The environment is bare because the server reads PG…
 * variables, and a stray LD_LIBRARY_PATH would replace the libraries that it ships with.
 */
export function spawnOptions(account: Account | undefined) {
  const windows = process.platform === 'win32'
  return {
    // Ours may be a folder that the account cannot enter, or one that is unmounted one day.
    cwd: windows ? tmpdir() : '/',
    windowsHide: true,
    ...(windows ? {} : { env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' } }),
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  }
}

/** Runs a program to its end; never throws. `code` is -1 when it could not be started at all. */
export function run(
  program: string,
  args: readonly string[],
  account: Account | undefined,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    let output = ''
    const fail = (error: unknown) => resolve({ code: -1, output: `${output}${error}` })
    try {
      const child = spawn(program, args, {
        ...spawnOptions(account),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString()
        })
      }
      child.on('error', fail)
      child.on('close', (code) => resolve({ code: code ?? -1, output }))
    } catch (error) {
      // Some failures come as events, others, such as an impossible account, at once.
      fail(error)
    }
  })
}

/** Whether the account can enter the folder. The kernel is asked: modes, ACLs and mounts all count. */
export async function canEnter(folder: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true
  const { code } = await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], account)
  return code === 0
}

async function readAccounts() {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    const account = { name: name ?? '', uid: Number(uid), gid: Number(gid) }
    // macOS writes -2 for nobody; the kernel knows it as the same bits without a sign.
    const valid =
      uid !== undefined && Number.isInteger(account.uid) && Number.isInteger(account.gid)
    return valid ? [{ ...account, uid: account.uid >>> 0, gid: account.gid >>> 0 }] : []
  })
}
