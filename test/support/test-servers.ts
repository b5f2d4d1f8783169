import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'

/** What global-setup.ts tells the workers through their environment. */
export interface TestServers {
  /** URL of the database that others are cloned from: migrated and empty. */
  readonly templateUrl: string
  /** Redis for the queues; null queues in PostgreSQL. */
  readonly redisUrl: string | null
  /** A data folder whose embedded cluster is migrated and empty, to be copied; null on services. */
  readonly home: string | null
  /** Folder of the run, for what its processes share. */
  readonly folder: string
}

const VARIABLES = {
  templateUrl: 'RIPEN_TEST_TEMPLATE_URL',
  redisUrl: 'RIPEN_TEST_REDIS_URL',
  home: 'RIPEN_TEST_HOME',
  folder: 'RIPEN_TEST_FOLDER',
} as const

/** Leaves word for the workers, which start later. */
export function announceServers(servers: TestServers): void {
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const value = servers[name as keyof TestServers]
    if (value === null) delete process.env[variable]
    else process.env[variable] = value
  }
}

/** Where this run's databases live. */
export function testServers(): TestServers {
  const templateUrl = process.env[VARIABLES.templateUrl]
  const folder = process.env[VARIABLES.folder]
  if (!templateUrl || !folder) {
    throw new Error('test/support/global-setup.ts did not run for this project')
  }
  const redisUrl = process.env[VARIABLES.redisUrl] ?? null
  return { templateUrl, redisUrl, home: process.env[VARIABLES.home] ?? null, folder }
}

const PREFIX = 'ripen_test_'
const LEFTOVER_AFTER_MS = 6 * 3_600_000
const PATIENCE_MS = 10_000

/** A new database name; it tells when it was made, for `dropLeftovers`. */
export function newDatabaseName(): string {
  return `${PREFIX}${Date.now().toString(36)}_${randomBytes(5).toString('hex')}`
}

/** The same server, another database. */
export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

export function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

/** Runs statements on a connection of its own. */
export async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Clones a database that nobody is connected to, and makes it an installation of its own. */
export async function cloneDatabase(url: string): Promise<string> {
  const name = newDatabaseName()
  await freeOf(url)
  await onDatabase(urlOfDatabase(url, 'postgres'), (client) =>
    client.query(`create database ${name} template ${databaseOf(url)}`),
  )
  const clone = urlOfDatabase(url, name)
  await onDatabase(clone, (client) =>
    client.query('update installation set id = gen_random_uuid()'),
  )
  return clone
}

/**
 * Drops a database.
 * @throws when somebody is still connected to it: whoever was started was not stopped.
 */
export async function dropDatabase(url: string): Promise<void> {
  const left = await freeOf(url).catch((error: unknown) => error)
  await onDatabase(urlOfDatabase(url, 'postgres'), (client) =>
    client.query(`drop database ${databaseOf(url)} with (force)`),
  )
  if (left instanceof Error) throw left
}

/** Waits until nobody is connected; a killed process's connections end a little after it. */
async function freeOf(url: string): Promise<void> {
  const name = databaseOf(url)
  await onDatabase(urlOfDatabase(url, 'postgres'), async (client) => {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const { rows } = await client.query(
        `select application_name, state, left(query, 80) as query from pg_stat_activity
         where datname = $1 and backend_type = 'client backend'`,
        [name],
      )
      if (rows.length === 0) return
      if (Date.now() > deadline) throw new Error(`still connected: ${JSON.stringify(rows)}`)
      await sleep(20)
    }
  })
}

/** Drops what runs that were killed left behind; a run of today is left alone. */
export async function dropLeftovers(url: string): Promise<void> {
  await onDatabase(urlOfDatabase(url, 'postgres'), async (client) => {
    const { rows } = await client.query(
      `select datname from pg_database where starts_with(datname, '${PREFIX}')`,
    )
    for (const { datname } of rows) {
      const madeAt = Number.parseInt(String(datname).slice(PREFIX.length).split('_')[0] ?? '', 36)
      if (Date.now() - madeAt < LEFTOVER_AFTER_MS) continue
      await client.query(`drop database if exists ${datname} with (force)`)
    }
  })
}

/** Name of the installation that a database holds: the prefix of its queues on Redis. */
export async function installationOf(url: string): Promise<string> {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query('select id from installation')
    return String(rows[0]?.id)
  })
}

/** Loses every job of the queues that BullMQ keeps in PostgreSQL. */
export async function emptyQueueTables(url: string): Promise<void> {
  await onDatabase(url, async (client) => {
    const { rows } = await client.query(
      `select string_agg(format('ripen_queue.%I', tablename), ', ') as tables from pg_tables
       where schemaname = 'ripen_queue' and tablename not in ('migration', 'meta')`,
    )
    await client.query(`truncate ${rows[0]?.tables}`)
  })
}

/** Removes the queues of one installation; what others keep in this Redis is not touched. */
export async function forgetQueues(redisUrl: string, installation: string): Promise<void> {
  const redis = new Redis(redisUrl)
  try {
    const match = `ripen-${installation}:*`
    for await (const keys of redis.scanStream({ match, count: 1000 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.del(...keys.map(String))
    }
  } finally {
    await redis.quit()
  }
}
