import { randomUUID } from 'node:crypto'
import type { ChangeEvent } from './change-events.ts'

const KEPT_MS = 72 * 3_600_000
/** More are forgotten before their time, so that a long run does not fill the memory. */
const MOST_KEPT = 200_000

/** The place before the first event. */
const BEGINNING = 3_223_480

/** An event with its place on the stream. */
export interface StreamEvent extends ChangeEvent {
  readonly id: string
  readonly replay: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The events of the last 72 hours. Places grow, but not by one. */
export class EventStream {
  private events: StreamEvent[] = []
  private readonly listeners = new Set<() => void>()
  private readonly now: () => number
  private tip = BEGINNING
  /** The last place that was forgotten. */
  private forgotten = BEGINNING

  constructor(now: () => number) {
    this.now = now
  }

  /** The place of the newest event. */
  get latest(): number {
    return this.tip
  }

  append(events: readonly ChangeEvent[]): void {
    if (events.length === 0) return
    for (const event of events) {
      this.tip += 1 + (this.tip % 3)
      this.events.push({ ...event, id: randomUUID(), replay: this.tip, at: this.now() })
    }
    if (this.events.length > MOST_KEPT * 1.1) {
      const gone = this.events.splice(0, this.events.length - MOST_KEPT)
      this.forgotten = gone.at(-1)?.replay ?? this.forgotten
    }
    for (const listener of this.listeners) listener()
  }

  /** Events behind a place, oldest first; `take` decides which count. */
  after(place: number, take: (event: StreamEvent) => boolean, most: number): StreamEvent[] {
    this.forget(this.now() - KEPT_MS)
    const found: StreamEvent[] = []
    for (let next = this.position(place); next < this.events.length; next++) {
      if (found.length >= most) break
      const event = this.events[next]
      if (event !== undefined && take(event)) found.push(event)
    }
    return found
  }

  /** Whether a subscriber may start behind a place: it is on the stream, or is its end. */
  knows(place: number): boolean {
    this.forget(this.now() - KEPT_MS)
    if (place === this.tip || (place === BEGINNING && this.forgotten === BEGINNING)) return true
    return this.events.some(({ replay }) => replay === place)
  }

  /** The place before the oldest event that is kept. */
  get earliest(): number {
    this.forget(this.now() - KEPT_MS)
    return this.forgotten
  }

  all(): readonly StreamEvent[] {
    return [...this.events]
  }

  /** Calls back after every append; returns how to stop. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Events from before a moment are gone. */
  forget(before: number): void {
    const [oldest] = this.events
    if (oldest === undefined || oldest.at >= before) return
    this.forgotten = this.events.findLast(({ at }) => at < before)?.replay ?? this.forgotten
    this.events = this.events.filter(({ at }) => at >= before)
  }

  /** The first position whose place is behind another. */
  private position(place: number): number {
    let low = 0
    let high = this.events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.events[middle]?.replay ?? 0) <= place) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A place as bytes, which mean nothing to a client. */
export function replayBytes(place: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(place))
  return bytes
}

export function readReplay(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined
  return Number(Buffer.from(bytes).readBigUInt64BE())
}
