import { createWriteStream } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ConfigError, RateLimitedError, RetryableError } from '../../../src/core/errors.ts'

export interface MixpanelCall {
  readonly url: URL
  /** Sent as a form by POST; absent for GET. */
  readonly form?: URLSearchParams
  readonly serviceAccount: string
  readonly secret: string
  /** The variables that hold the address, for messages. */
  readonly urlVariables: string
  /** A connection that is silent for so long is given up. */
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** An answer that was understood: a body that is still to be read, or Mixpanel's complaint (400). */
export type MixpanelAnswer =
  | { readonly kind: 'body'; readonly body: IncomingMessage }
  | { readonly kind: 'refused'; readonly detail: string }

/** Mixpanel names no pause; its allowance is counted over an hour and a second. */
const PAUSE_MS = 60_000
const MOST_DETAIL = 300

/**
 * Makes one call. Not by `fetch`, which takes a compressed body whose end is missing for a whole one.
 * @throws {ConfigError} on 401, 403 and 404.
 * @throws {RateLimitedError} on 429.
 * @throws {RetryableError} when there is no answer or any other status.
 */
export async function callMixpanel(call: MixpanelCall): Promise<MixpanelAnswer> {
  const body = await send(call).catch((cause: unknown) => {
    throw new RetryableError(
      `Mixpanel at ${call.url.host} cannot be reached; check ${call.urlVariables} and the network`,
      { cause },
    )
  })
  const { statusCode: status = 0 } = body
  if (status === 200) return { kind: 'body', body }
  const detail = await complaint(body)
  switch (status) {
    case 400:
      return { kind: 'refused', detail }
    case 401:
    case 403:
      throw new ConfigError(
        `Mixpanel refuses the credentials (${status}); check MIXPANEL_SERVICE_ACCOUNT, MIXPANEL_SECRET and MIXPANEL_PROJECT_ID, and MIXPANEL_REGION: where the project keeps its data`,
      )
    case 404:
      throw new ConfigError(
        `${call.url.host} has no ${call.url.pathname} (404); check ${call.urlVariables}`,
      )
    case 429:
      throw new RateLimitedError('Mixpanel asks for a pause (429)', pauseOf(body))
    default:
      throw new RetryableError(`Mixpanel answered ${status}`)
  }
}

function send(call: MixpanelCall): Promise<IncomingMessage> {
  const { url, form, serviceAccount, secret, idleMs, signal } = call
  const request = url.protocol === 'http:' ? httpRequest : httpsRequest
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: form ? 'POST' : 'GET',
      auth: `${serviceAccount}:${secret}`,
      signal,
      headers: {
        accept: 'text/plain, application/json',
        'accept-encoding': 'gzip',
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
    })
    sent.setTimeout(idleMs, () => sent.destroy(new Error(`nothing came for ${idleMs} ms`)))
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.end(form?.toString())
  })
}

/**
 * Streams a body to disk.
 * @throws {RetryableError} when it breaks off, a bad gzip trailer included.
 */
export async function saveAnswer(body: IncomingMessage, path: string): Promise<void> {
  const target = createWriteStream(path)
  try {
    if (isGzip(body)) await pipeline(body, createGunzip(), target)
    else await pipeline(body, target)
  } catch (cause) {
    throw brokenOff(cause)
  }
}

/**
 * Reads a small body.
 * @throws {RetryableError} when it breaks off.
 */
export async function readAnswer(body: IncomingMessage): Promise<string> {
  try {
    if (!isGzip(body)) return await text(body)
    const plain = createGunzip()
    const [, read] = await Promise.all([pipeline(body, plain), text(plain as Readable)])
    return read
  } catch (cause) {
    throw brokenOff(cause)
  }
}

const isGzip = (body: IncomingMessage): boolean => body.headers['content-encoding'] === 'gzip'

function brokenOff(cause: unknown): RetryableError {
  return new RetryableError('the answer of Mixpanel broke off; it is fetched again', { cause })
}

/** What Mixpanel says itself (`{"error": …}`), or the beginning of whatever came. */
async function complaint(body: IncomingMessage): Promise<string> {
  const said = await readAnswer(body).catch(() => '')
  try {
    const { error } = JSON.parse(said) as { readonly error?: unknown }
    if (typeof error === 'string') return error.slice(0, MOST_DETAIL)
  } catch {
    // Not JSON: a proxy's page, perhaps.
  }
  return said.slice(0, MOST_DETAIL)
}

function pauseOf(body: IncomingMessage): number {
  const seconds = Number(body.headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : PAUSE_MS
}
