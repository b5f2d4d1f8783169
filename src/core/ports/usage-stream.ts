import type { SqlQuery } from './usage-source.ts'

/** One event that came by webhook. */
export interface StagedEvent {
  readonly id: number
  readonly receivedAt: Date
  /** JSON text, as it came. */
  readonly body: string
}

/** A source whose events come by webhook. */
export interface UsageStream {
  readonly name: string
  /**
   * The canonical events among what came, with the columns of `UsageSource.eventsSql`. The window is
   * the UTC hour (`YYYY-MM-DDTHH`) that the event belongs to. What cannot be read yields null, never an
   * error: one bad event must not hold up the others.
   */
  eventsSql(events: readonly StagedEvent[]): SqlQuery
}
