import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanUp, makeFolder } from './embedded-processes.ts'
import {
  cloneDatabase,
  dropDatabase,
  emptyQueueTables,
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
  /** Loses every job, as a wiped Redis would. Not for a state whose server belongs to processes. */
  wipeQueues(): Promise<void>
  /**
   * Removes it.
   * @throws when somebody still uses it.
   */
  close(): Promise<void>
}

/** True when the run works on your PostgreSQL and Redis; false on the embedded server. */
export const onServices = (): boolean => testServers().redisUrl !== null

/**
 * A state whose database is cloned from the run's template; for tests in this process.
 * @param origin what to start from; nobody may use it meanwhile. Default: nothing pulled yet.
 */
export async function createState(origin?: TestState): Promise<TestState> {
  const dataDir = join(await makeFolder('state'), 'data')
  if (origin) await cp(origin.dataDir, dataDir, { recursive: true })
  else await mkdir(dataDir)
  const { templateUrl } = testServers()
  return stateOn(await cloneDatabase(origin?.databaseUrl ?? templateUrl), dataDir)
}

/**
 * A state for processes of their own. On the embedded default they find a data folder as the last
 * command left it, with a stopped server in it; on services, a cloned database.
 * @param origin what to start from; nobody may use it meanwhile. Default: nothing pulled yet.
 */
export async function createHome(origin?: TestState): Promise<TestState> {
  const { home } = testServers()
  if (home === null) return createState(origin)
  const dataDir = join(await makeFolder('home'), 'data')
  // The command keeps owners and modes, which fs.cp does not.
  await promisify(execFile)('cp', ['-a', origin?.dataDir ?? home, dataDir])
  return stateOn(null, dataDir)
}

async function stateOn(databaseUrl: string | null, dataDir: string): Promise<TestState> {
  const { redisUrl } = testServers()
  const installation = databaseUrl ? await installationOf(databaseUrl) : null
  const wipeQueues = async () => {
    if (redisUrl && installation) await forgetQueues(redisUrl, installation)
    else if (databaseUrl) await emptyQueueTables(databaseUrl)
  }
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
      if (redisUrl && installation) await forgetQueues(redisUrl, installation)
      if (databaseUrl) await dropDatabase(databaseUrl)
    },
  }
}

/** Ends servers and removes folders; for `afterAll`, after every state was closed. */
export const removeFolders = cleanUp
