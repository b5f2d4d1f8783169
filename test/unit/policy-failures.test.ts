import { describe, expect, it } from '@jest/globals'
import { decide, kindOf, messageOf } from '../../jobs/failure-policy.ts'
import {
  ConfigError,
  isSyncFailure,
  RateLimitedError,
  RecordRejectedError,
  RetryableError,
} from '../../src/core/errors.ts'

const secret = 'Cannot read ann@acme.com of {"token":"abc"}'
class OddError extends Error {
  override readonly name = 'OddError'
  readonly kind = 'retryable'
}

describe('a step that failed', () => {
  it.each([
    {
      name: 'at a busy vendor pauses the queue as long as the vendor asks',
      error: new RateLimitedError('wait', 1500),
      decision: { action: 'pause-queue', ms: 1500 },
      kind: 'rate-limited',
      message: 'wait',
    },
    {
      name: 'where nothing happened is tried again',
      error: new RetryableError('no answer'),
      decision: { action: 'retry' },
      kind: 'retryable',
      message: 'no answer',
    },
    {
      name: 'for a record that is refused is parked',
      error: new RecordRejectedError('bad value'),
      decision: { action: 'park' },
      kind: 'record-rejected',
      message: 'bad value',
    },
    {
      name: 'for what a person must mend is parked',
      error: new ConfigError('check the key'),
      decision: { action: 'park' },
      kind: 'config',
      message: 'check the key',
    },
    {
      name: 'by a bug is parked, and its text stays out of sight',
      error: new TypeError(secret),
      decision: { action: 'park' },
      kind: 'bug',
      message: 'unexpected TypeError; see the log (RIPEN_LOG_LEVEL=error)',
    },
    {
      name: 'by something that only looks like one of the four is a bug',
      error: new OddError(secret),
      decision: { action: 'park' },
      kind: 'bug',
      message: 'unexpected OddError; see the log (RIPEN_LOG_LEVEL=error)',
    },
    {
      name: 'by a text that was thrown is a bug',
      error: secret,
      decision: { action: 'park' },
      kind: 'bug',
      message: 'unexpected string; see the log (RIPEN_LOG_LEVEL=error)',
    },
    {
      name: 'by nothing that was thrown is a bug',
      error: undefined,
      decision: { action: 'park' },
      kind: 'bug',
      message: 'unexpected undefined; see the log (RIPEN_LOG_LEVEL=error)',
    },
  ])('$name', ({ error, decision, kind, message }) => {
    expect(decide(error)).toEqual(decision)
    expect(kindOf(error)).toBe(kind)
    expect(messageOf(error)).toBe(message)
  })
})

describe('the four failures', () => {
  it('carry their own name and cause', () => {
    const cause = new Error('socket')
    const failure = new RateLimitedError('wait', 5, { cause })
    expect(failure).toMatchObject({ name: 'RateLimitedError', retryAfterMs: 5, cause })
    expect(isSyncFailure(failure)).toBe(true)
    expect(isSyncFailure(cause)).toBe(false)
    expect(isSyncFailure(null)).toBe(false)
  })
})
