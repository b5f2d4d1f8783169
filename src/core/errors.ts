/**
 * The four ways in which talking to a vendor fails, and the one field to branch on.
 * A rejected record is a value in a batch result (see `ports/crm.ts`), never a throw;
 * the class exists for calls about one record.
 */
export type SyncFailureKind = 'retryable' | 'rate-limited' | 'record-rejected' | 'config'

abstract class SyncError extends Error {
  abstract readonly kind: SyncFailureKind
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Nothing happened at the vendor; the same call may be made again later. */
export class RetryableError extends SyncError {
  readonly kind = 'retryable'
}

/** The vendor asks for a pause of `retryAfterMs` milliseconds. */
export class RateLimitedError extends SyncError {
  readonly kind = 'rate-limited'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number, options?: { cause?: unknown }) {
    super(message, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** The vendor refuses this record; another record may pass. */
export class RecordRejectedError extends SyncError {
  readonly kind = 'record-rejected'
}

/**
 * A person must act: wrong credentials, a bad mapping, an unreadable file.
 * The message names the file, line, field or variable, and the mend.
 */
export class ConfigError extends SyncError {
  readonly kind = 'config'
}

/** The vendor gives nothing of one window, however it is asked; others may still be had. */
export class RefusedWindowError extends ConfigError {
  readonly windowKey: string
  constructor(message: string, windowKey: string) {
    super(message)
    this.windowKey = windowKey
  }
}

export type SyncFailure = RetryableError | RateLimitedError | RecordRejectedError | ConfigError

/** True for the four failures above; anything else that is thrown is a bug. */
export function isSyncFailure(error: unknown): error is SyncFailure {
  return error instanceof SyncError
}
