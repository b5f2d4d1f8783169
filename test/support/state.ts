import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanUp, makeFolder } from './embedded-processes.ts'
import {
  cloneDatabase,
  dropDatabase,
  forgetQueues,
  installationOf,
  testServers,
} from './test-servers.ts'

/** An installation of a test's own: database, queues and data folder. */
export interface TestState {
  readonly dataDir: string
  /** The variables that point Ripen at it; everything else is left to the test. */
  readonly environment: Readonly<Record<string, string>>
  /** Its database; null where processes start an embedded server of their own in `dataDir`. */
  readonly databaseUrl: string | null
  /** Removes every key of its queues from Redis; nothing on PostgreSQL. */
  wipeQueues(): Promise<number>
  /**
   * Removes it.
   * @throws when somebody still uses it.
   */
  close(): Promise<void>
}

/** True when the run works on your PostgreSQL and Redis; false on the embedded server. */
export const onServices = (): boolean => testServers().redisUrl !== null

/** A state whose database is cloned from the run's template; for tests in this process. */
export async function createState(): Promise<TestState> {
  const { templateUrl } = testServers()
  return stateOn(await cloneDatabase(templateUrl), await makeFolder('state'))
}

/**
 * A state for processes of their own. On the embedded default they find a data folder as the last
 * command left it, with a stopped server in it; on services, a cloned database.
 * @param origin what to start from; nobody may use it meanwhile. Default: nothing pulled yet.
 */
export async function createHome(origin?: TestState): Promise<TestState> {
  const { templateUrl, home } = testServers()
  const dataDir = join(await makeFolder('home'), 'data')
  if (home !== null) {
    await promisify(execFile)('cp', ['-a', origin?.dataDir ?? home, dataDir])
    return stateOn(null, dataDir)
  }
  const databaseUrl = await cloneDatabase(origin?.databaseUrl ?? templateUrl)
  if (origin) await cp(origin.dataDir, dataDir, { recursive: true })
  else await mkdir(dataDir)
  return stateOn(databaseUrl, dataDir)
}

async function stateOn(databaseUrl: string | null, dataDir: string): Promise<TestState> {
  const { redisUrl } = testServers()
  const installation = databaseUrl ? await installationOf(databaseUrl) : null
  const wipeQueues = async () =>
    redisUrl && installation ? forgetQueues(redisUrl, installation) : 0
  return {
    dataDir,
    databaseUrl,
    environment: {
      RIPEN_DATA_DIR: dataDir,
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
      ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
    },
    wipeQueues,
    async close() {
      await wipeQueues()
      if (databaseUrl) await dropDatabase(databaseUrl)
    },
  }
}

/** Ends servers and removes folders; for `afterAll`, after every state was closed. */
export const removeFolders = cleanUp
