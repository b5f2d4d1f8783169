import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, RetryableError } from '../src/core/errors.ts'
import {
  readWork,
  requestTouched,
  requestWork,
  STEPS,
  type Step,
  type WorkRow,
} from '../src/infra/postgres/work.ts'
import type { Queues } from '../src/infra/queue/queues.ts'
import { streamPath, type WorkKey } from './carry-on.ts'
import { CATALOG, type JobData, jobSchema } from './catalog.ts'
import type { JobContext } from './context.ts'
import { runStep } from './run.ts'

/** Runs steps through the queues, here or in other processes. */
export interface Engine {
  /** Works in this process on the queues of these steps (and of these CRMs). */
  start(steps: readonly Step[], crms: readonly string[]): void
  /** Asks for a step and wakes whoever works on it. */
  request(step: Step, key: string, params?: Readonly<Record<string, unknown>>): Promise<void>
  /** Asks a step to look at what was touched, and wakes whoever works on it. */
  touch(step: Step, key: string): Promise<void>
  /** Wakes a step that has something to do, without asking for more. */
  wake(steps: readonly Step[]): Promise<void>
  /**
   * Resolves once nothing of these steps is left to do; keeps waking them.
   * @throws {ConfigError | RetryableError} when one of them failed for good.
   */
  idle(steps: readonly Step[], keys?: readonly string[]): Promise<void>
  close(): Promise<void>
}

const LOOK_EVERY_MS = 40
/** A wake-up may be lost; whoever waits repeats it this often. */
const WAKE_EVERY_MS = 2_000
/** Queues whose work does not wait for each other; the others do one thing at a time. While the database
 * stores one shard of the scores, the next one is worked out. */
const SIDE_BY_SIDE: ReadonlySet<string> = new Set(['pulls', 'stream', 'usage', 'scores'])
const AT_ONCE = 2
const WAIT_FOR_OTHERS_MS = 60_000

export function createEngine(context: JobContext, queues: Queues<JobData>): Engine {
  const stop = new AbortController()
  const add = (step: Step, key: string) => {
    const { queue, attempts, backoffMs } = CATALOG[step]
    return queues.add(queue(key), step, { key }, { attempts, backoffMs })
  }
  const open = async (steps: readonly Step[], keys?: readonly string[]): Promise<WorkRow[]> => {
    const rows = await readWork(context.db)
    return rows.filter(
      (row) =>
        row.requested > row.done &&
        steps.includes(row.step) &&
        (keys === undefined || keys.includes(row.key) || row.key === 'all'),
    )
  }
  const working = new Set<Step>()
  /** @param by who wakes before it is over: nobody waits for that one. */
  const wake = async (steps: readonly Step[], by?: WorkKey) => {
    const rows = (await open(STEPS)).filter((row) => row.failed < row.requested)
    const now = Date.now()
    for (const row of rows) {
      if (!steps.includes(row.step)) continue
      const others = rows.filter(({ step, key }) => step !== by?.step || key !== by.key)
      const waits = others.some((other) => working.has(other.step) && goesBefore(other, row, now))
      if (!waits) await add(row.step, row.key)
    }
  }
  /** A step that another one leads to: ours to do at once if nobody asked for a look at everything. */
  const carryOn = async ({ step, key }: WorkKey): Promise<boolean> => {
    const [row] = await readWork(context.db, step, key)
    if (!row || !working.has(step) || !isTouchedOnly(row)) return false
    try {
      const verdict = await runStep(context, step, key, false, stop.signal, async () => {})
      return verdict === null
    } catch {
      // It is noted in its run; the queue tries it again, as often as its own jobs.
      return false
    }
  }
  const follow = async (step: Step, row: WorkRow, isEarly = false) => {
    if (isEarly) return wake(followers(row, true), row)
    const path = isTouchedOnly(row) ? streamPath(step, row.key) : []
    if (path.length === 0) return wake(followers(row))
    for (const next of path) if (!(await carryOn(next))) return wake([next.step])
    await wake(['desire'])
  }
  const handle = (step: Step, data: JobData, lastAttempt: boolean) =>
    runStep(context, step, data.key, lastAttempt, stop.signal, (row, isEarly) =>
      follow(step, row, isEarly),
    )
  return {
    start(steps, crms) {
      for (const step of steps) working.add(step)
      const wanted = new Set(steps.flatMap((step) => queuesOf(step, crms)))
      for (const name of wanted) {
        const concurrency = SIDE_BY_SIDE.has(name) ? AT_ONCE : 1
        queues.work(name, concurrency, ({ name: step, data, lastAttempt }) =>
          handle(step as Step, jobSchema.parse(data), lastAttempt),
        )
      }
    },
    async request(step, key, params) {
      await requestWork(context.db, step, key, params ?? null)
      await add(step, key)
    },
    async touch(step, key) {
      // Whoever was woken before looks again until nothing is open.
      if (await requestTouched(context.db, step, key)) await add(step, key)
    },
    wake: (steps) => wake(steps),
    async idle(steps, keys) {
      let wokenAt = Date.now()
      for (;;) {
        const rows = await open(steps, keys)
        const failed = rows.find((row) => row.failed >= row.requested)
        if (failed) throw failureOf(failed)
        if (rows.length === 0) return
        if (Date.now() - wokenAt > WAKE_EVERY_MS) {
          wokenAt = Date.now()
          await wake(steps)
        }
        await sleep(LOOK_EVERY_MS)
      }
    },
    async close() {
      stop.abort(new Error('shutting down'))
      await queues.close()
    },
  }
}

/** Nobody asked for more than a look at what was touched. */
const isTouchedOnly = (row: WorkRow): boolean => row.whole <= row.done

/**
 * A step waits for what is asked of the steps before it, since they will ask for it again; but not for
 * long, so that a backfill of months shows results on the way. A rebuild neither waits nor holds up, nor do
 * messages to others.
 * What streams in waits for nothing and holds nobody up: there is always more of it.
 */
function goesBefore(other: WorkRow, row: WorkRow, now: number): boolean {
  if (
    row.step === 'rebuild' ||
    row.step === 'outbound' ||
    isTouchedOnly(row) ||
    isTouchedOnly(other)
  )
    return false
  const earlier = STEPS.indexOf(other.step) < STEPS.indexOf(row.step)
  return earlier && now - other.changedAt.getTime() < WAIT_FOR_OTHERS_MS
}

function queuesOf(step: Step, crms: readonly string[]): string[] {
  const { queue } = CATALOG[step]
  const isOfCrm = step === 'reconcile' || step === 'listen'
  return isOfCrm ? crms.map((crm) => queue(crm)) : [queue('all')]
}

/**
 * The steps that a step's result may have given something to do. Streamed events wake no look at a CRM unless somebody who
 * is qualified has news: the rest is sent together, with the next sweep.
 */
function followers(row: WorkRow, isNews = false): readonly Step[] {
  switch (row.step) {
    case 'forget':
      // It holds up every other step.
      return STEPS
    case 'pull':
      return ['rollup', 'rebuild']
    case 'stage':
      return ['rollup']
    case 'rollup':
      return ['rollup', 'identity']
    case 'identity':
      return ['score']
    case 'score':
      // The whole of it may have become shards, each of which is a row of its own.
      return row.key === 'all' && !isTouchedOnly(row) ? ['score', 'desire'] : ['desire']
    case 'desire':
      // A playbook may have set what the next look writes.
      return isNews || !isTouchedOnly(row)
        ? ['score', 'desire', 'reconcile', 'outbound']
        : ['score', 'outbound']
    case 'reconcile':
      // What the CRM says about people and companies.
      return ['identity', 'score']
    case 'listen':
      // Who asked to be deleted, what the CRM says of others, and records that are gone or came back.
      return ['forget', 'score', 'reconcile']
    case 'rebuild':
      return ['rebuild', 'score']
    case 'outbound':
      return []
  }
}

function failureOf(row: WorkRow): Error {
  const message = `${row.step} ${row.key}: ${row.error ?? 'failed'}`
  return row.errorKind === 'config' ? new ConfigError(message) : new RetryableError(message)
}
