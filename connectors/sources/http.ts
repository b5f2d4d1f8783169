import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { ConfigError, RateLimitedError, RetryableError } from '../../src/core/errors.ts'

export interface ExportCall {
  readonly vendor: string
  /** The variable that holds the address, for messages. */
  readonly urlVariable: string
  /** The variables that hold the credentials, for messages. */
  readonly credentialVariables: string
  readonly url: URL
  readonly user: string
  readonly password: string
  readonly signal: AbortSignal
}

/** How an export call ended, as far as both vendors mean the same by a status. */
export type ExportAnswer =
  | { readonly kind: 'body'; readonly response: Response }
  | { readonly kind: 'empty' }
  | { readonly kind: 'too-large'; readonly detail: string }

/** A vendor that names no pause gets one of a minute. */
const PAUSE_MS = 60_000

/**
 * Makes one export call.
 * @throws {ConfigError} on 401 and 403.
 * @throws {RateLimitedError} on 429.
 * @throws {RetryableError} when there is no answer or a 5xx other than 504.
 */
export async function callExport(call: ExportCall): Promise<ExportAnswer> {
  const response = await request(call)
  if (response.status === 200) return { kind: 'body', response }
  const detail = (await response.text().catch(() => '')).slice(0, 300)
  switch (response.status) {
    case 404:
      return { kind: 'empty' }
    case 400:
    case 504:
      return { kind: 'too-large', detail: `${response.status} ${detail}`.trim() }
    case 401:
    case 403:
      throw new ConfigError(
        `${call.vendor} refuses the credentials (${response.status}); check ${call.credentialVariables}`,
      )
    case 429:
      throw new RateLimitedError(
        `${call.vendor} asks for a pause (429)`,
        pauseMsOf(response.headers.get('retry-after')),
      )
    default:
      throw new RetryableError(`${call.vendor} answered ${response.status}`)
  }
}

/** Seconds or a date (RFC 9110, "Retry-After"). */
function pauseMsOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter)
  const pauseMs = Number.isFinite(seconds)
    ? seconds * 1000
    : Date.parse(retryAfter ?? '') - Date.now()
  return pauseMs > 0 ? pauseMs : PAUSE_MS
}

async function request(call: ExportCall): Promise<Response> {
  const basic = Buffer.from(`${call.user}:${call.password}`).toString('base64')
  try {
    return await fetch(call.url, {
      headers: { authorization: `Basic ${basic}` },
      signal: call.signal,
    })
  } catch (cause) {
    throw new RetryableError(
      `${call.vendor} at ${call.url.host} cannot be reached; check ${call.urlVariable} and the network`,
      { cause },
    )
  }
}

/**
 * Streams a body to disk.
 * @throws {RetryableError} when it breaks off, a bad gzip trailer included.
 */
export async function saveBody(vendor: string, response: Response, path: string): Promise<void> {
  if (!response.body) throw new RetryableError(`${vendor} answered without a body`)
  try {
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(path))
  } catch (cause) {
    throw new RetryableError(`the answer of ${vendor} broke off; it is fetched again`, { cause })
  }
}
