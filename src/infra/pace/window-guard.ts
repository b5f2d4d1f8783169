import { isNarrow, type Window } from '../../core/pace/shape.ts'

/** A call that took longer than others counts for longer, but for no more than this. */
const MOST_EXTRA_MS = 500
/** The quickest call is forgotten slowly, so that a slower network becomes the usual one. */
const FORGET_SHARE = 0.01
const LOOK_AGAIN_MS = 50
/** What the vendor said so long ago is no guide any more. */
const HEARD_FOR_MS = 1_000

/** Calls of others for one of ours, at most: those of another app are none that our turns space out. */
const MOST_OTHERS = 8

/** A call of this process; `endMs` is when it has left the vendor's window for sure. */
interface Counted {
  readonly begunMs: number
  endMs: number
}

/**
 * The calls of this process that may still count in the vendor's window, and what the vendor last said to
 * be left of it. However calls bunch up on the way, and whatever other processes do, no window shall hold
 * too many: evenly spaced turns alone cannot promise that.
 */
export class WindowGuard {
  private calls: Counted[] = []
  private heard: { readonly left: number; readonly begunMs: number; readonly atMs: number } | null =
    null
  private quickestMs = Number.POSITIVE_INFINITY

  /** Milliseconds until there may be a place in the window; 0 when there is one. */
  waitMs(window: Window, nowMs: number): number {
    if (this.heard && nowMs - this.heard.atMs > HEARD_FOR_MS) this.heard = null
    const since = Math.min(nowMs, this.heard?.begunMs ?? nowMs)
    this.calls = this.calls.filter((call) => call.endMs > since)
    const held = this.calls.filter((call) => call.endMs > nowMs)
    const isFull = held.length >= window.calls || this.isSaidFull(window, held.length, nowMs)
    if (!isFull) return 0
    const first = Math.min(...held.map((call) => call.endMs), nowMs + LOOK_AGAIN_MS)
    return Math.max(1, first - nowMs)
  }

  /**
   * What was left when the last answered call began, less those begun since, and those that are out
   * since: ours, and as many more as others had in the window for each of ours.
   */
  private isSaidFull(window: Window, held: number, nowMs: number): boolean {
    const { heard } = this
    if (!heard) return false
    const begun = this.calls.filter((call) => call.begunMs > heard.begunMs).length
    const out = this.calls.filter(
      (call) => call.endMs > heard.begunMs && call.endMs <= nowMs,
    ).length
    const ofAll = Math.min(MOST_OTHERS, (window.calls - heard.left) / Math.max(1, held))
    return isNarrow(window.calls, heard.left - (begun - out) * Math.max(1, ofAll))
  }

  /** @returns what `end` is to be told. */
  begin(nowMs: number): Counted {
    const call = { begunMs: nowMs, endMs: Number.POSITIVE_INFINITY }
    this.calls.push(call)
    return call
  }

  /** A call under way holds its place; an answered one is held for longer by what it took more than others. */
  end(call: Counted, nowMs: number, window: Window, left: number | null): void {
    const tookMs = nowMs - call.begunMs
    this.quickestMs = Math.min(tookMs, this.quickestMs * (1 + FORGET_SHARE))
    const extraMs = Math.min(MOST_EXTRA_MS, tookMs - this.quickestMs)
    call.endMs = call.begunMs + window.intervalMs + extraMs
    if (left === null || (this.heard && this.heard.begunMs > call.begunMs)) return
    this.heard = { left, begunMs: call.begunMs, atMs: nowMs }
  }
}
