import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'
import type { BenchContext, Figure, Measured } from '../figure.ts'
import {
  type Environment,
  ownDatabase,
  type Services,
  seed,
  startInstallation,
} from '../stream/installation.ts'
import { type LoadResult, pressOn } from '../stream/load.ts'

/** An event is in the score before the person has left the page. */
const LIMIT_S = 2

/** From the post of an event to the row of the person's score, while 500 events arrive each second. */
export const stream: Figure = {
  name: 'stream',
  unit: 's',
  async run(context) {
    const embedded = await onEmbedded(context)
    const services = servicesOf(process.env)
    if (!services)
      context.note('DATABASE_URL and REDIS_URL are not set: the embedded default stands for them')
    const own = services ? await onServices(context, services) : embedded
    return [
      measured('stream/post-to-score-p99', own),
      measured('stream/post-to-score-p99-embedded', embedded),
    ]
  },
}

function measured(name: string, { latencies }: LoadResult): Measured {
  return { name, value: quantile(latencies, 0.99), baseline: LIMIT_S, lessIsBetter: true }
}

function servicesOf(env: NodeJS.ProcessEnv): Services | null {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = env
  return databaseUrl && redisUrl ? { databaseUrl, redisUrl } : null
}

async function onServices(context: BenchContext, services: Services): Promise<LoadResult> {
  const database = await ownDatabase(services.databaseUrl)
  try {
    const environment = { DATABASE_URL: database.url, REDIS_URL: services.redisUrl }
    return await measure(context, 'PostgreSQL and Redis', environment, database.url)
  } finally {
    await database.drop()
  }
}

async function onEmbedded(context: BenchContext): Promise<LoadResult> {
  const server = await acquireEmbeddedPostgres({ dataDir: dataDirOf(context, 'embedded') })
  try {
    return await measure(context, 'embedded', {}, server.url)
  } finally {
    await server.release()
  }
}

const dataDirOf = ({ dir }: BenchContext, name: string): string =>
  join(dir, `stream-${name.replaceAll(' ', '-')}`)

async function measure(
  context: BenchContext,
  name: string,
  environment: Environment,
  databaseUrl: string,
): Promise<LoadResult> {
  const dataDir = dataDirOf(context, name)
  await mkdir(dataDir, { recursive: true })
  const all = { ...environment, RIPEN_DATA_DIR: dataDir }
  context.note(`${name}: pulling and scoring the sample company`)
  await seed(context.dir, all, context.signal)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const running = await startInstallation(all)
    try {
      const result = await pressOn(running.url, client, context.signal)
      context.note(`${name}: ${told(result)}`)
      return result
    } finally {
      await running.stop()
    }
  } finally {
    await client.end()
  }
}

function told({ latencies, posted, perSecond }: LoadResult): string {
  const at = (share: number) => `${quantile(latencies, share).toFixed(2)} s`
  return `${posted} events at ${perSecond.toFixed(0)}/s, ${latencies.length} followed: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1)}`
}

/** The value that this share of the sorted values does not pass. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.POSITIVE_INFINITY
}
