import type { Finding } from './crm-check.ts'
import type { CrmTeller } from './crm-webhook.ts'

/** What was heard at once. */
export interface StreamTold {
  /** For `parse`; null when nothing happened that anybody looks at. */
  readonly body: string | null
  /** Where to go on when all of this is stored, in the CRM's own bytes; null stands for now. */
  readonly place: Uint8Array | null
}

/** Where a stream is followed from, and who is told. */
export interface StreamFollower {
  /** The account whose stream it is, as `Crm.accountId` names it. */
  readonly account: string
  /** The last place that was told; null where there is none. */
  readonly from: Uint8Array | null
  /** The CRM has let us in: what happens from now on is heard. */
  opened(): Promise<void>
  /** Nothing more is asked for until this is settled; the place may be forgotten before it. */
  take(told: StreamTold): Promise<void>
}

/**
 * A CRM that tells what happens to its records to whoever listens. Told at least once, in the order in which it
 * happened; where the CRM cannot go on behind a place, what was missed is told as missed.
 */
export interface CrmStream extends CrmTeller {
  /**
   * Listens until it is told to stop.
   * @throws {ConfigError} when it is not permitted.
   * @throws {RateLimitedError} when the CRM asks for a pause.
   * @throws {RetryableError} when the line broke or fell silent.
   */
  follow(follower: StreamFollower, signal: AbortSignal): Promise<void>
  /** Whether the stream is permitted and can be reached, for a person; never throws for either. */
  inspect(account: string, signal: AbortSignal): Promise<Finding>
}
