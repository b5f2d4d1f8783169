import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterUser } from './cluster.ts'
import { enterServer, type Stay } from './enter.ts'
import { asEmbeddedFailure } from './failure.ts'
import { databaseName, leave } from './session.ts'

/** A PostgreSQL that runs for as long as some process uses it. */
export interface EmbeddedServer {
  /**
   * postgres:// URL on 127.0.0.1 to the database `ripen`, with its password. It stays the same for
   * as long as the process runs, unless the server crashed and its port was taken before it was back.
   */
  readonly url: string
  /**
   * Leaves the server: the last process out stops it, and waits until it has ended. Idempotent.
   * Close pools first: a server that stops cuts off whoever is still connected.
   */
  release(): Promise<void>
}

export interface EmbeddedOptions {
  /** RIPEN_DATA_DIR, absolute or relative to the working folder; made when absent. */
  readonly dataDir: string
  /** Told what an operator should know, e.g. that the data is kept elsewhere. */
  readonly onNotice?: (message: string) => void
}

const rejoinPauseMs = 1_000

/**
 * Adopts the PostgreSQL server of a data folder, or sets it up and starts it. Any number of processes
 * may do so at the same moment. While the server is held, it is brought back after a crash.
 * @throws {ConfigError} when a person must act: unsupported platform, disk full, no permission, …
 */
export async function acquireEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir)
  const onNotice = options.onNotice ?? (() => undefined)
  try {
    await mkdir(dataDir, { recursive: true })
    return holdPlace(await enterServer(dataDir, true, onNotice), dataDir, onNotice)
  } catch (error) {
    throw asEmbeddedFailure(`The embedded PostgreSQL cannot use ${dataDir}`, error)
  }
}

/**
 * Keeps the place until it is released. When one backend crashes, PostgreSQL cuts off every client,
 * and this process would no longer count as a guest, so it joins again.
 */
function holdPlace(
  first: Stay,
  dataDir: string,
  onNotice: (message: string) => void,
): EmbeddedServer {
  let stay = first
  let rejoining: Promise<void> | undefined
  let releasing: Promise<void> | undefined
  const leaving = new AbortController()

  const watch = () => {
    stay.session.client.once('end', () => {
      if (!leaving.signal.aborted) rejoining = rejoin()
    })
  }
  const rejoin = async () => {
    let told = ''
    while (!leaving.signal.aborted) {
      try {
        const back = await enterServer(dataDir, false, onNotice)
        if (back.session.port !== stay.session.port) onNotice(movedNotice(back))
        stay = back
        watch()
        return
      } catch (error) {
        const { message } = asEmbeddedFailure('The embedded PostgreSQL is lost', error)
        if (message !== told) onNotice(message)
        told = message
      }
      await sleep(rejoinPauseMs, undefined, { ref: false, signal: leaving.signal }).catch(() => {})
    }
  }
  const release = async () => {
    leaving.abort()
    await rejoining
    await leave(stay.session, stay.cluster)
  }

  watch()
  return {
    get url() {
      return urlOf(stay)
    },
    release() {
      releasing ??= release()
      return releasing
    },
  }
}

function movedNotice({ session }: Stay): string {
  return `The embedded PostgreSQL came back on port ${session.port}, because its old port was taken. Restart this process to reach it.`
}

/** `sslmode` because a PGSSLMODE meant for another server would otherwise apply to this one. */
function urlOf({ session, password }: Stay): string {
  return `postgres://${clusterUser}:${password}@127.0.0.1:${session.port}/${databaseName}?sslmode=disable`
}
