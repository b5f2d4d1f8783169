import { execFile } from 'node:child_process'
import { appendFile, chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openDatabase } from '../../src/infra/postgres/database.ts'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'
import { openQueues } from '../../src/infra/queue/queues.ts'
import { clusterOf, endServer } from './embedded-processes.ts'
import { logFolder } from './log-capture.ts'
import { checkLogs } from './log-check.ts'
import {
  announceServers,
  dropDatabase,
  dropLeftovers,
  newDatabaseName,
  onDatabase,
  urlOfDatabase,
} from './test-servers.ts'

const PREFIX = 'ripen-tests-'
const takeDown: (() => Promise<void>)[] = []
let runFolder: string | null = null

/**
 * Prepares one PostgreSQL for all test files of a run: an embedded server of its own, or, when
 * run-services.ts asks for it, the one that it names, with the queues on its Redis.
 */
export async function prepareServers(): Promise<void> {
  const { RIPEN_TEST_SERVICES_DATABASE: url, RIPEN_TEST_SERVICES_REDIS: redisUrl } = process.env
  // Tests say where their state is; what the shell holds is for somebody else.
  for (const name of Object.keys(process.env)) {
    if (/^(DATABASE_URL|REDIS_URL|HUBSPOT_|AMPLITUDE_|MIXPANEL_|RIPEN_(?!TEST_))/.test(name)) {
      delete process.env[name]
    }
  }
  await sweepFolders()
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  runFolder = folder
  takeDown.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  // The account that the server runs under as root must be able to enter.
  await chmod(folder, 0o755)
  if (url && redisUrl) await prepareServices(url, redisUrl, folder)
  else await prepareEmbedded(folder)
}

/**
 * Takes down what `prepareServers` put up.
 * @throws when a log of the run holds an address, a secret or a body: that fails the run.
 */
export async function removeServers(): Promise<void> {
  const checked = await Promise.allSettled(runFolder ? [checkLogs(logFolder(runFolder))] : [])
  for (const step of takeDown.splice(0).reverse()) await step()
  const [result] = checked
  if (result?.status === 'rejected') throw result.reason
}

/** Ends and removes what runs left behind that were killed themselves. */
async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(
      name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-')[0] : Number.NaN,
    )
    if (!Number.isInteger(pid) || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    await endServer(join(folder, 'server')).catch(() => undefined)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function prepareServices(url: string, redisUrl: string, folder: string): Promise<void> {
  await dropLeftovers(url)
  const name = newDatabaseName()
  await onDatabase(urlOfDatabase(url, 'postgres'), (client) =>
    client.query(`create database ${name} template template0 encoding 'UTF8'`),
  )
  const templateUrl = urlOfDatabase(url, name)
  takeDown.push(() => dropDatabase(templateUrl))
  await (await openDatabase(templateUrl)).close()
  announceServers({ templateUrl, redisUrl, home: null, folder })
}

async function prepareEmbedded(folder: string): Promise<void> {
  const home = join(folder, 'home')
  const first = await acquireEmbeddedPostgres({ dataDir: home })
  await migrateAll(first.url)
  await first.release()
  // Kills in these tests are of our processes, never of the machine.
  const unsafe = ['synchronous_commit', 'full_page_writes']
  const settings = unsafe.map((name) => `${name} = off\n`).join('')
  await appendFile(join(await clusterOf(home), 'postgresql.conf'), settings)
  const dataDir = join(folder, 'server')
  // The command keeps owners and modes, which fs.cp does not.
  await promisify(execFile)('cp', ['-a', home, dataDir])
  const server = await acquireEmbeddedPostgres({ dataDir })
  takeDown.push(() => server.release())
  announceServers({ templateUrl: server.url, redisUrl: null, home, folder })
}

async function migrateAll(url: string): Promise<void> {
  await (await openDatabase(url)).close()
  const queues = await openQueues({
    redisUrl: undefined,
    databaseUrl: url,
    installation: 'template',
    onError: () => undefined,
  })
  await queues.close()
}
