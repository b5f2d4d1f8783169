import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'

/**
 * `npm run test:services`: integration tests and faults of queues on your PostgreSQL and Redis. Each test has
 * a database of its own, cloned from a template and dropped afterwards; so the role must be allowed to
 * create databases.
 */
const root = join(import.meta.dirname, '../..')

/**
 * Left out: what brings a server of its own, or is about commands and files of the lake. Every statement that those send to
 * PostgreSQL others send too. Of the faults, those of queues and of processes side by side are what differs here.
 */
const EMBEDDED_ONLY = [
  'embedded-postgres',
  '/integration/cli-',
  '/integration/demo-days',
  '/integration/lake-',
  '/faults/(?!queue-|two-processes)',
]

const NEEDED = {
  DATABASE_URL: 'postgres://postgres@127.0.0.1:5432/test',
  REDIS_URL: 'redis://127.0.0.1:6379',
} as const

function refuse(message: string): never {
  process.stderr.write(`test:services: ${message}\n`)
  process.exit(2)
}

function readVariables(): { databaseUrl: string; redisUrl: string } {
  const missing = Object.entries(NEEDED).filter(([name]) => !process.env[name])
  if (missing.length > 0) {
    const lines = missing.map(([name, example]) => `  ${name} (such as ${name}=${example})`)
    refuse(`set what is missing:\n${lines.join('\n')}`)
  }
  return {
    databaseUrl: process.env['DATABASE_URL'] ?? '',
    redisUrl: process.env['REDIS_URL'] ?? '',
  }
}

/** @returns what went wrong, without a password. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message || error.name : String(error)
}

async function checkPostgres(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as version,
         (select rolcreatedb or rolsuper from pg_roles where rolname = current_user) as may_create`,
    )
    await client.end()
    const [row] = rows
    if (row?.version < 150_000) refuse('PostgreSQL at DATABASE_URL is older than 15')
    if (row?.may_create !== true)
      refuse('the role of DATABASE_URL must be allowed to create databases')
  } catch (error) {
    refuse(
      `PostgreSQL at DATABASE_URL does not answer (${reasonOf(error)}); start it, or correct the URL`,
    )
  }
}

async function checkRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 5_000 })
  let told: unknown
  redis.on('error', (error) => {
    told = error
  })
  try {
    await redis.connect()
    await redis.ping()
    await redis.quit()
  } catch (error) {
    redis.disconnect()
    refuse(
      `Redis at REDIS_URL does not answer (${reasonOf(told ?? error)}); start it, or correct the URL`,
    )
  }
}

const { databaseUrl, redisUrl } = readVariables()
await checkPostgres(databaseUrl)
await checkRedis(redisUrl)
process.stdout.write(
  `On PostgreSQL and Redis: integration and faults. Left out, which npm test and npm run test:soak run on the embedded server: ${EMBEDDED_ONLY.join(', ')}\n`,
)
const { DATABASE_URL: _database, REDIS_URL: _redis, ...environment } = process.env
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules/jest/bin/jest.js'),
  ...['--selectProjects', 'integration', 'faults'],
  ...['--testPathIgnorePatterns', '/node_modules/', ...EMBEDDED_ONLY],
]
const child = spawn(process.execPath, [...jest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...environment,
    RIPEN_TEST_SERVICES_DATABASE: databaseUrl,
    RIPEN_TEST_SERVICES_REDIS: redisUrl,
  },
})
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
