import {
  createPostgresBackend,
  type Job,
  Queue,
  RateLimitError,
  runMigrations,
  UnrecoverableError,
  Worker,
} from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { ConfigError } from '../../core/errors.ts'

export interface QueueOptions {
  /** Present: BullMQ on Redis. Absent: BullMQ's PostgreSQL backend on `databaseUrl`. */
  readonly redisUrl: string | undefined
  readonly databaseUrl: string
  /** Keeps installations that share a Redis apart. */
  readonly installation: string
  readonly onError: (error: Error) => void
}

export interface AddOptions {
  readonly attempts: number
  readonly backoffMs: number
}

/** What a handler is told about its job. */
export interface Delivery<T> {
  readonly name: string
  readonly data: T
  /** True when a failure now is the last one. */
  readonly lastAttempt: boolean
}

/** What becomes of a job whose handler failed; anything else that it throws is tried again. */
export type Verdict =
  | { readonly action: 'pause-queue'; readonly ms: number }
  | { readonly action: 'fail'; readonly reason: string }

/** BullMQ behind the two things that we need of it, on either backend. */
export interface Queues<T extends object> {
  add(queue: string, name: string, data: T, options: AddOptions): Promise<void>
  /**
   * Works on a queue. The handler returns null when done, or a verdict; a pause costs no attempt and
   * stops the whole queue.
   */
  work(
    queue: string,
    concurrency: number,
    handler: (delivery: Delivery<T>) => Promise<Verdict | null>,
  ): void
  close(): Promise<void>
}

const LOCK_MS = 120_000
const KEEP_FAILED = 200

/**
 * Opens the queues.
 * @throws {ConfigError} when Redis cannot be reached.
 */
export async function openQueues<T extends object>(options: QueueOptions): Promise<Queues<T>> {
  const open = options.redisUrl
    ? await redisFactory(options.redisUrl, options)
    : await postgresFactory(options)
  const queues = new Map<string, Queue>()
  const workers: Worker[] = []
  const queueOf = (name: string): Queue => {
    const known = queues.get(name)
    if (known) return known
    const queue = open.queue(name)
    queue.on('error', options.onError)
    queues.set(name, queue)
    return queue
  }
  return {
    async add(queue, name, data, { attempts, backoffMs }) {
      await queueOf(queue).add(name, data, {
        attempts,
        backoff: { type: 'exponential', delay: backoffMs },
        removeOnComplete: true,
        removeOnFail: KEEP_FAILED,
      })
    },
    work(name, concurrency, handler) {
      const queue = queueOf(name)
      const worker = open.worker(name, concurrency, async (job) => {
        const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1)
        const verdict = await handler({ name: job.name, data: job.data as T, lastAttempt })
        if (verdict?.action === 'pause-queue') {
          await queue.rateLimit(verdict.ms)
          throw new RateLimitError()
        }
        if (verdict?.action === 'fail') throw new UnrecoverableError(verdict.reason)
      })
      worker.on('error', options.onError)
      workers.push(worker)
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await open.close()
    },
  }
}

type Processor = (job: Job) => Promise<void>

interface Factory {
  queue(name: string): Queue
  worker(name: string, concurrency: number, processor: Processor): Worker
  close(): Promise<void>
}

async function redisFactory(url: string, options: QueueOptions): Promise<Factory> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true })
  redis.on('error', options.onError)
  const failed = new Promise<never>((_resolve, reject) => redis.once('error', reject))
  try {
    await Promise.race([redis.connect(), failed])
  } catch (cause) {
    redis.disconnect()
    throw new ConfigError(
      'Redis cannot be reached; check REDIS_URL, or leave it out to queue in PostgreSQL',
      { cause },
    )
  }
  const shared = { connection: redis, prefix: `ripen-${options.installation}` }
  return {
    queue: (name) => new Queue(name, shared),
    worker: (name, concurrency, processor) =>
      new Worker(name, processor, { ...shared, concurrency, lockDuration: LOCK_MS }),
    close: async () => {
      await redis.quit().catch(() => redis.disconnect())
    },
  }
}

const QUEUE_SCHEMA = 'ripen_queue'

async function postgresFactory(options: QueueOptions): Promise<Factory> {
  const client = new pg.Client({ connectionString: options.databaseUrl })
  await client.connect()
  try {
    await runMigrations(client, QUEUE_SCHEMA)
  } finally {
    await client.end()
  }
  const connection = { connectionString: options.databaseUrl, schema: QUEUE_SCHEMA, max: 3 }
  // The two backends are one class with different type parameters; ours does not depend on them.
  return {
    queue: (name) => new Queue(name, { connection }, createPostgresBackend) as unknown as Queue,
    worker: (name, concurrency, processor) =>
      new Worker(
        name,
        processor as never,
        { connection, concurrency, lockDuration: LOCK_MS },
        createPostgresBackend,
      ) as unknown as Worker,
    close: async () => {},
  }
}
