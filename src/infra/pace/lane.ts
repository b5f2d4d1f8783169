import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimitedError } from '../../core/errors.ts'
import { regained, slower, stepMs, type Window } from '../../core/pace/shape.ts'
import type { LimitsSaid, Turn } from '../../core/ports/crm.ts'
import type { Db } from '../postgres/database.ts'
import { type Reserved, refuseWindow, reserveTurns, storeWindow } from '../postgres/pace-store.ts'
import { WindowGuard } from './window-guard.ts'

export interface LaneOptions extends Window {
  /** Never more calls than this, whatever the vendor says; absent = what it says. */
  readonly most?: number
}

/** What a lane needs of the account that it belongs to. */
export interface LaneAccount {
  readonly db: Db
  readonly name: string
  /** Of the vendor, for messages. */
  readonly vendor: string
  /** What was told and is not stored yet: a reservation waits for it. */
  settled(): Promise<void>
  /** Stores in the background. */
  store(work: () => Promise<void>): void
  /** What concerns the whole account. */
  told(said: LimitsSaid): void
}

/** Turns are reserved for no longer than this, so that a pause that others meet is met here soon. */
const BLOCK_MS = 250
/** And no further ahead than this, however many processes wait. */
const AHEAD_MS = 1_500
/** A longer pause than this is not waited for: the lease is given back instead. */
const LONGEST_PAUSE_MS = 15_000

const CLOCK_SAMPLES = 32

interface Waiter {
  grant(turn: Turn): void
  refuse(error: unknown): void
}

/**
 * The calls of one kind to one account. Callers wait in the order in which they came; turns are reserved
 * for several of them at a time, and each begins at its instant.
 */
export class Lane {
  private readonly name: string
  private readonly guard = new WindowGuard()
  private readonly waiters = new Set<Waiter>()
  private serving = false
  private said: Window | null = null
  private share = 1
  /** `performance.now()` less PostgreSQL's clock, as the last answers told it: the quickest is the least wrong. */
  private offsetsMs: number[] = []
  private readonly options: LaneOptions
  private readonly account: LaneAccount

  constructor(options: LaneOptions, account: LaneAccount, bucket: string) {
    this.options = options
    this.account = account
    this.name = `${account.name} ${bucket}`
  }

  take(signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiters.delete(waiter)
        reject(signal.reason)
      }
      const done = () => signal.removeEventListener('abort', leave)
      const waiter: Waiter = {
        grant: (turn) => {
          done()
          resolve(turn)
        },
        refuse: (error) => {
          done()
          reject(error)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      this.waiters.add(waiter)
      if (!this.serving) void this.serve()
    })
  }

  /** Works as long as somebody waits. */
  private async serve(): Promise<void> {
    this.serving = true
    try {
      while (this.waiters.size > 0) await this.serveBlock()
    } catch (error) {
      for (const waiter of this.waiters) waiter.refuse(error)
      this.waiters.clear()
    } finally {
      this.serving = false
    }
  }

  private async serveBlock(): Promise<void> {
    await this.account.settled()
    const step = stepMs(this.window(), this.share)
    const most = Math.max(1, Math.floor(BLOCK_MS / step))
    const turns = Math.min(this.waiters.size, most)
    const { db, name: account } = this.account
    const asked = { name: this.name, account, turns, stepMs: step, aheadMs: AHEAD_MS }
    const got = await reserveTurns(db, asked)
    this.learn(got)
    if (got.pausedUntilMs !== null) return this.pause(got.pausedUntilMs - got.nowMs, got.pausedWhy)
    if (got.startsAtMs === null) {
      await sleep(Math.max(1, got.freeAtMs - got.nowMs - AHEAD_MS / 2))
      return
    }
    const startsAtMs = got.startsAtMs + Math.min(...this.offsetsMs)
    for (let turn = 0; turn < turns; turn++) await this.grantAt(startsAtMs + turn * step)
  }

  private async grantAt(atMs: number): Promise<void> {
    await sleepUntil(atMs)
    const window = this.window()
    for (;;) {
      const waitMs = this.guard.waitMs(window, performance.now())
      if (waitMs <= 0) break
      await sleep(waitMs)
    }
    const [waiter] = this.waiters
    if (!waiter) return
    this.waiters.delete(waiter)
    waiter.grant(this.turn())
  }

  private turn(): Turn {
    let isOver = false
    const call = this.guard.begin(performance.now())
    return {
      over: (said) => {
        if (isOver) return
        isOver = true
        this.hear(said)
        this.guard.end(call, performance.now(), this.window(), said.window?.left ?? null)
        this.account.told(said)
      },
    }
  }

  private hear({ window, refused }: LimitsSaid): void {
    const { db, vendor } = this.account
    if (window && window.calls > 0 && window.intervalMs > 0) {
      const { calls, intervalMs } = window
      const isNews = this.said?.calls !== calls || this.said.intervalMs !== intervalMs
      this.said = { calls, intervalMs }
      if (isNews) this.account.store(() => storeWindow(db, this.name, window))
    }
    if (refused?.of !== 'window') return
    const why = `${vendor} refused a call beyond its limit`
    const { pauseMs } = refused
    this.account.store(() =>
      refuseWindow(db, this.name, { pauseMs, slowed: slower(this.share), why }),
    )
  }

  private learn({ calls, intervalMs, slowed, slowedAtMs, nowMs }: Reserved): void {
    if (calls !== null && intervalMs !== null) this.said = { calls, intervalMs }
    this.share = slowedAtMs === null ? 1 : regained(slowed, nowMs - slowedAtMs)
    this.offsetsMs = [...this.offsetsMs.slice(1 - CLOCK_SAMPLES), performance.now() - nowMs]
  }

  private window(): Window {
    const { calls, intervalMs } = this.said ?? this.options
    return { intervalMs, calls: Math.min(calls, this.options.most ?? calls) }
  }

  /** Waits for the end of a short pause; sends everybody away for the time of a long one. */
  private async pause(ms: number, why: string | null): Promise<void> {
    if (ms <= LONGEST_PAUSE_MS) {
      await sleep(Math.max(1, Math.ceil(ms)))
      return
    }
    const error = () => new RateLimitedError(why ?? 'the allowance is paused', Math.ceil(ms))
    for (const waiter of this.waiters) waiter.refuse(error())
    this.waiters.clear()
  }
}

/** Timers may fire a little early by the other clock. */
async function sleepUntil(atMs: number): Promise<void> {
  for (;;) {
    const waitMs = atMs - performance.now()
    if (waitMs <= 0) return
    await sleep(waitMs)
  }
}
