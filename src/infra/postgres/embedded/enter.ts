import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../../../core/errors.ts'
import { prepareBinaries } from './binaries.ts'
import { createCluster, findCluster, sweep } from './cluster.ts'
import { embeddedFailure } from './failure.ts'
import { launchServer } from './launch.ts'
import { isServerRunning, readPostmasterFile } from './postmaster-file.ts'
import { chooseAccount, ownerOf } from './run-as.ts'
import { type Answer, knock, type Session } from './session.ts'
import { tryStartLock } from './start-lock.ts'

/** A stay at the server, and all it takes to leave or to write a URL. */
export interface Stay {
  readonly session: Session
  readonly cluster: string
  readonly password: string
}

const pauseMs = 15
/** Without any sign of progress; recovery after a crash is one, another process at work too. */
const patienceMs = 30_000
const longestRecoveryMs = 600_000

/**
 * Adopts the server of a data folder, or sets it up and starts it, alone or beside others that are
 * doing the same. `mayCreate: false` is for returning to a cluster that was there before.
 */
export async function enterServer(
  dataDir: string,
  mayCreate: boolean,
  onNotice: (message: string) => void,
): Promise<Stay> {
  const patience = startPatience(dataDir)
  for (;;) {
    const cluster = await findCluster(dataDir)
    if (cluster === undefined && !mayCreate) {
      throw new ConfigError(`The embedded database in ${dataDir} was deleted while in use.`)
    }
    const answer: Answer = cluster === undefined ? { kind: 'absent' } : await knock(cluster)
    if (answer.kind === 'joined' && cluster !== undefined) {
      const { folder, password } = cluster
      return { session: answer.session, cluster: folder, password }
    }
    if (answer.kind === 'busy') {
      patience.spend(answer.why, answer.recovering)
      await sleep(pauseMs)
      continue
    }
    const unlock = await tryStartLock(dataDir)
    if (unlock === undefined) {
      patience.spend('another process is starting it', true)
      await sleep(pauseMs)
      continue
    }
    await bringUp(dataDir, onNotice).finally(unlock)
    patience.spend('the server ended as soon as it had started, or gave way to another', false)
  }
}

async function bringUp(dataDir: string, onNotice: (message: string) => void): Promise<void> {
  await sweep(dataDir)
  const existing = await findCluster(dataDir)
  const account = await (existing === undefined ? chooseAccount(dataDir) : ownerOf(existing.folder))
  const native = await prepareBinaries(dataDir, account)
  if (existing === undefined) await createCluster(dataDir, native, account, onNotice)
  const cluster = existing ?? (await findCluster(dataDir))
  // Somebody deleted the data folder meanwhile: look again.
  if (cluster === undefined) return
  const file = await readPostmasterFile(cluster.folder)
  if (file !== undefined && (await isServerRunning(file, cluster.folder))) {
    await sleep(pauseMs)
    return
  }
  await launchServer(cluster.folder, native, account, join(dataDir, 'postgres.log'))
}

function startPatience(dataDir: string) {
  const startedAt = Date.now()
  let movedAt = startedAt
  return {
    spend(why: string, progress: boolean) {
      const now = Date.now()
      if (progress) movedAt = now
      if (now - movedAt < patienceMs && now - startedAt < longestRecoveryMs) return
      const seconds = Math.round((now - startedAt) / 1_000)
      const log = join(dataDir, 'postgres.log')
      throw embeddedFailure(`The embedded PostgreSQL did not answer for ${seconds} s (${log})`, why)
    },
  }
}
