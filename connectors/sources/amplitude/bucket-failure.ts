import {
  ConfigError,
  RateLimitedError,
  RetryableError,
  type SyncFailure,
} from '../../../src/core/errors.ts'
import type { BucketOptions } from './bucket.ts'

const CREDENTIALS =
  'AMPLITUDE_S3_ACCESS_KEY_ID and AMPLITUDE_S3_SECRET_ACCESS_KEY, or the credentials of AWS'
/** S3 names no pause. */
const PAUSE_MS = 30_000

const SLOW_DOWN = [
  'SlowDown',
  'RequestLimitExceeded',
  'TooManyRequests',
  'TooManyRequestsException',
]
/** The bucket is in another region than the one that was asked. */
const ELSEWHERE = [
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]

/** What a failed call to a bucket means. */
export function bucketFailure(error: unknown, options: BucketOptions): SyncFailure {
  const cause = { cause: error }
  const name = error instanceof Error ? error.name : ''
  if (name === 'CredentialsProviderError') {
    return new ConfigError(`there are no credentials for the bucket; set ${CREDENTIALS}`, cause)
  }
  const status = statusOf(error)
  if (status === undefined) {
    const where = options.endpoint ? new URL(options.endpoint).host : 'Amazon S3'
    const message = `the bucket ${options.bucket} at ${where} cannot be read; check AMPLITUDE_S3_ENDPOINT and the network`
    return new RetryableError(message, cause)
  }
  if (name === 'NoSuchBucket') {
    return new ConfigError(
      `there is no bucket ${options.bucket}; check AMPLITUDE_S3_BUCKET and AMPLITUDE_S3_ENDPOINT`,
      cause,
    )
  }
  if (ELSEWHERE.includes(name) || status === 301) {
    return new ConfigError(
      `the bucket ${options.bucket} is not in the region ${options.region}; check AMPLITUDE_S3_REGION`,
      cause,
    )
  }
  if (name === 'RequestTimeTooSkewed') {
    return new ConfigError('the clock of this machine is wrong; S3 refuses its requests', cause)
  }
  if (status === 429 || SLOW_DOWN.includes(name)) {
    return new RateLimitedError(`the bucket asks for a pause (${status})`, PAUSE_MS, cause)
  }
  if (status === 401 || status === 403) {
    return new ConfigError(
      `the bucket ${options.bucket} refuses the credentials (${status} ${name}); they need s3:ListBucket and s3:GetObject; check ${CREDENTIALS}`,
      cause,
    )
  }
  if (status === 400) {
    return new ConfigError(
      `the bucket ${options.bucket} refuses the request (400 ${name}); check the AMPLITUDE_S3 variables`,
      cause,
    )
  }
  return new RetryableError(`the bucket answered ${status}`, cause)
}

/** Undefined when there was no answer. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode
}
