import { isSyncFailure, type SyncFailureKind } from '../src/core/errors.ts'

export type Decision =
  | { readonly action: 'pause-queue'; readonly ms: number }
  | { readonly action: 'retry' }
  | { readonly action: 'park' }

/** What becomes of a step that failed. Anything that is no `SyncFailure` is a bug, and parked. */
export function decide(error: unknown): Decision {
  if (!isSyncFailure(error)) return { action: 'park' }
  switch (error.kind) {
    case 'rate-limited':
      return { action: 'pause-queue', ms: error.retryAfterMs }
    case 'retryable':
      return { action: 'retry' }
    case 'record-rejected':
    case 'config':
      return { action: 'park' }
  }
}

/** The kind that is stored beside the message. */
export function kindOf(error: unknown): SyncFailureKind | 'bug' {
  return isSyncFailure(error) ? error.kind : 'bug'
}

/** A message for people: ours as it is, a bug's without its text, which might hold data. */
export function messageOf(error: unknown): string {
  if (isSyncFailure(error)) return error.message
  const name = error instanceof Error ? error.name : typeof error
  return `unexpected ${name}; see the log (RIPEN_LOG_LEVEL=error)`
}
