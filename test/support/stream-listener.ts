import { EventEmitter, once } from 'node:events'
import type { CrmStream, StreamFollower, StreamTold } from '../../src/core/ports/crm-stream.ts'
import type { CrmSignal, Signals } from '../../src/core/ports/crm-webhook.ts'

/** Somebody who follows a stream and keeps what she was told. */
export interface StreamListener {
  readonly told: readonly StreamTold[]
  /** How often she was let in. */
  readonly opened: number
  /** How it ended; null when it was told to stop. */
  readonly ended: Promise<unknown>
  /** All that was told, read. */
  readonly signals: readonly CrmSignal[]
  readonly missed: readonly string[]
  /** The last place that was told. */
  readonly place: Uint8Array | null
  /** Resolves when what was told satisfies this; rejects when the stream ends before. */
  until(isThere: () => boolean): Promise<void>
  stop(): Promise<unknown>
}

export interface ListenOptions {
  readonly account: string
  readonly from?: Uint8Array | null
  /** Called before something counts as taken; what it throws is thrown into the stream. */
  readonly onTake?: (told: StreamTold) => void | Promise<void>
}

const DEADLINE_MS = 20_000

/** Follows a stream until it is stopped. */
export function listenTo(stream: CrmStream, options: ListenOptions): StreamListener {
  const stop = new AbortController()
  const news = new EventEmitter()
  const told: StreamTold[] = []
  let opened = 0
  let isOver = false
  const follower: StreamFollower = {
    account: options.account,
    from: options.from ?? null,
    async opened() {
      opened++
      news.emit('news')
    },
    async take(one) {
      await options.onTake?.(one)
      told.push(one)
      news.emit('news')
    },
  }
  const ended = stream
    .follow(follower, stop.signal)
    .then(
      () => null,
      (error: unknown) => error,
    )
    .finally(() => {
      isOver = true
      news.emit('news')
    })
  const read = (): Signals[] =>
    told.flatMap(({ body }) => (body === null ? [] : [stream.parse(body)]))
  return {
    told,
    ended,
    get opened() {
      return opened
    },
    get signals() {
      return read().flatMap(({ signals }) => signals)
    },
    get missed() {
      return read().flatMap(({ missed }) => missed ?? [])
    },
    get place() {
      return told.at(-1)?.place ?? null
    },
    async until(isThere) {
      const signal = AbortSignal.timeout(DEADLINE_MS)
      while (!isThere()) {
        if (isOver) throw new Error('the stream ended', { cause: await ended })
        await once(news, 'news', { signal })
      }
    },
    stop() {
      stop.abort()
      return ended
    },
  }
}
