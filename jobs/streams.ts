import { setTimeout as sleep } from 'node:timers/promises'
import { isSyncFailure } from '../src/core/errors.ts'
import type { CrmStream } from '../src/core/ports/crm-stream.ts'
import { crmSetup } from '../src/core/sync/crm-setup.ts'
import { isPublished, readEffective } from '../src/infra/mappings/published.ts'
import { accountOf } from '../src/infra/postgres/crm-delivery-store.ts'
import {
  noteStream,
  type StreamOf,
  storeTold,
  streamPlace,
} from '../src/infra/postgres/crm-stream-store.ts'
import { withLock } from '../src/infra/postgres/lock.ts'
import type { ConnectedCrm, JobContext } from './context.ts'
import type { Engine } from './engine.ts'
import { kindOf, messageOf } from './failure-policy.ts'
import { isProvisioned } from './steps/listen.ts'

/** Follows the streams of CRMs that have one, until it is stopped. */
export interface Streams {
  stop(): Promise<void>
}

export interface StreamTimes {
  /** How often is looked whether there is something to follow, and whether nobody else does it. */
  readonly lookMs: number
  /** Before a line that broke is opened again; doubled each time until it holds. */
  readonly againMs: number
  readonly longestMs: number
  /** Before a stream that was refused is tried again: a person may have permitted it. */
  readonly refusedMs: number
}

const TIMES: StreamTimes = {
  lookMs: 15_000,
  againMs: 1_000,
  longestMs: 5 * 60_000,
  refusedMs: 15 * 60_000,
}

type StreamContext = Pick<JobContext, 'db' | 'pool' | 'crms' | 'logger'>

/**
 * Starts to follow what CRMs tell by a stream, each by one process of all that are started. What is heard is stored
 * before anything else, as a webhook is; the step `listen` takes it from there.
 */
export function startStreams(
  context: StreamContext,
  engine: Pick<Engine, 'touch'>,
  times: StreamTimes = TIMES,
): Streams {
  const stop = new AbortController()
  const followed = [...context.crms].flatMap(([name, connected]) => {
    const { stream, connect } = connected
    if (!stream || !connect) return []
    return [keepFollowing({ context, engine, times, name, stream, connect }, stop.signal)]
  })
  return {
    async stop() {
      stop.abort(new Error('shutting down'))
      await Promise.all(followed)
    },
  }
}

interface Follow {
  readonly context: StreamContext
  readonly engine: Pick<Engine, 'touch'>
  readonly times: StreamTimes
  readonly name: string
  readonly stream: CrmStream
  readonly connect: NonNullable<ConnectedCrm['connect']>
}

async function keepFollowing(follow: Follow, stop: AbortSignal): Promise<void> {
  const { context, times, name } = follow
  let broken = 0
  while (!stop.aborted) {
    let waitMs = times.lookMs
    try {
      const held = await withLock(context.pool, `stream ${name}`, (lost) =>
        followOnce(follow, AbortSignal.any([stop, lost])),
      )
      const ended = held?.value ?? null
      if (ended?.hasHeard) broken = 0
      if (ended !== null) waitMs = pauseAfter(ended, times, broken++)
    } catch (error) {
      // Such as a database that is away.
      waitMs = pauseAfter({ error, hasHeard: false }, times, broken++)
      if (!stop.aborted) context.logger.warn({ crm: name, kind: kindOf(error) }, 'no stream')
    }
    await sleep(waitMs, undefined, { signal: stop }).catch(() => {})
  }
}

/** How a line ended, and whether it held before that. */
interface Ended {
  readonly error: unknown
  readonly hasHeard: boolean
}

/** @returns null when there is nothing to follow, or it was told to stop. */
async function followOnce(follow: Follow, signal: AbortSignal): Promise<Ended | null> {
  const { context, name } = follow
  const { db, logger } = context
  const crm = await crmToFollow(follow)
  if (crm === null) return null
  let of: StreamOf | null = null
  let hasHeard = false
  try {
    of = { crm: name, account: await accountOf(db, name, () => crm.accountId(signal)) }
    await listenTo(follow, of, () => (hasHeard = true), signal)
    return null
  } catch (error) {
    if (signal.aborted) return null
    const kind = kindOf(error)
    const message = messageOf(error)
    logger.warn({ crm: name, kind, message }, 'the stream is not followed; changes are asked for')
    const isRefused = kind === 'config' || kind === 'rate-limited'
    if (of !== null) await noteStream(db, of, isRefused ? 'refused' : 'broken', message)
    return { error, hasHeard }
  }
}

async function listenTo(
  { context, engine, name, stream }: Follow,
  of: StreamOf,
  onHeard: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { db, logger } = context
  const from = await streamPlace(db, of)
  await stream.follow(
    {
      ...{ account: of.account, from },
      async opened() {
        await noteStream(db, of, 'live', null)
        logger.info({ crm: name, anew: from === null }, 'the stream is followed')
      },
      async take(told) {
        await storeTold(db, of, told)
        if (told.place !== null) onHeard()
        if (told.body === null) return
        logger.debug({ crm: name, bytes: told.body.length }, 'the stream told something')
        await engine.touch('listen', name)
      },
    },
    signal,
  )
}

/** Null before its first write: there is neither our key on a record nor a record that we know. */
async function crmToFollow({ context: { db }, name, connect }: Follow) {
  if (!(await isPublished(db)) || !(await isProvisioned(db, name))) return null
  const mapping = (await readEffective(db)).set.crms.get(name)
  return mapping ? connect(crmSetup(mapping)) : null
}

function pauseAfter({ error }: Ended, times: StreamTimes, before: number): number {
  if (isSyncFailure(error) && error.kind === 'rate-limited') return error.retryAfterMs
  if (isSyncFailure(error) && error.kind === 'config') return times.refusedMs
  return Math.min(times.longestMs, times.againMs * 2 ** Math.min(before, 20))
}
