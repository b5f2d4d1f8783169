import { type ServiceError, status } from '@grpc/grpc-js'
import {
  ConfigError,
  RateLimitedError,
  RetryableError,
  type SyncFailure,
} from '../../../../src/core/errors.ts'

/** Why a stream could not go on. */
export type StreamFailure =
  /** The session is over: another token may help. */
  | { readonly kind: 'session' }
  /** The place is too old, or of another org: nobody can go on behind it. */
  | { readonly kind: 'place' }
  | { readonly kind: 'failed'; readonly error: SyncFailure }

/** The deliveries of a day are used up; they come back bit by bit. */
const QUOTA_PAUSE_MS = 15 * 60_000
const PERMIT =
  'switch Change Data Capture on for leads, contacts, accounts, opportunities and tasks, and let the user of Ripen view all of their records (docs/operations.md); until then what changed is asked for'

export function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'number' &&
    'metadata' in error
  )
}

/** Judges by the status and Salesforce's own code: its words may name records. */
export function streamFailure(error: ServiceError): StreamFailure {
  const code = errorCode(error)
  const named = `Salesforce's stream: ${status[error.code] ?? error.code}${code ? ` (${code})` : ''}`
  switch (error.code) {
    case status.UNAUTHENTICATED:
      return { kind: 'session' }
    case status.INVALID_ARGUMENT:
      if (code.includes('replayid')) return { kind: 'place' }
      return failed(new ConfigError(`${named}.`))
    case status.PERMISSION_DENIED:
    case status.NOT_FOUND:
    case status.UNIMPLEMENTED:
      return failed(notPermitted(named))
    case status.RESOURCE_EXHAUSTED:
      return failed(new RateLimitedError(`${named}.`, QUOTA_PAUSE_MS))
    default:
      return failed(new RetryableError(`${named}.`))
  }
}

export function notPermitted(what: string): ConfigError {
  return new ConfigError(`${what}; ${PERMIT}.`)
}

function failed(error: SyncFailure): StreamFailure {
  return { kind: 'failed', error }
}

/** Such as `sfdc.platform.eventbus.grpc.subscription.fetch.replayid.validation.failed`. */
function errorCode({ metadata }: ServiceError): string {
  const code = String(metadata?.get('error-code')[0] ?? '').toLowerCase()
  return /^[\w.-]{1,150}$/.test(code) ? code : ''
}
