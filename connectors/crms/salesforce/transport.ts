import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from 'jsforce/lib/connection.js'
import { ConfigError, isSyncFailure, RetryableError } from '../../../src/core/errors.ts'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { CrmCall, Pace, Turn } from '../../../src/core/ports/crm.ts'
import {
  type Broken,
  type CallFailure,
  type CallPlace,
  classifyError,
  isNotMendedByToken,
} from './classify-error.ts'
import { type Answer, exchange, RecordedTransport } from './http-exchange.ts'
import { type AskedPause, limitsSaid } from './limits-said.ts'
import { errorsOf } from './wire-errors.ts'

/** One call to be made. */
export interface Call {
  readonly kind: 'read' | 'write'
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** From the root of the org, such as `/services/data/v67.0/query?q=…`. */
  readonly path: string
  /** The same without ids, version and query, for messages and metrics. */
  readonly endpoint: string
  readonly json?: unknown
  /** A body of its own, with its type. */
  readonly body?: { readonly type: string; readonly text: string }
  readonly headers?: Readonly<Record<string, string>>
  /** Calls that need no session bear none. */
  readonly open?: true
  /** Called after all pacing, right before the call goes out. */
  readonly sending?: (() => Promise<void>) | undefined
  /** Finds in an answer that is a success for some of its rows that the org takes no more for the others. */
  readonly limitIn?: (answer: Answer) => AskedPause | null
}

export type CallResult =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly failure: CallFailure }

export interface Transport {
  /**
   * Paces, makes one call with a deadline and reports it. Repeats it only if surely nothing happened: a
   * read, a call that Salesforce asks to make later, one that was not sent, and, once and with another
   * token, one that was not let in because the session had ended.
   * Throws only what `pace`, `sending` and the tokens throw.
   */
  send(call: Call, signal: AbortSignal): Promise<CallResult>
  /** What the messages of failures name. */
  readonly place: Omit<CallPlace, 'endpoint'>
}

export interface TransportOptions {
  readonly baseUrl: URL
  /** Null for calls that bear no token. */
  readonly tokens: AccessTokens | null
  readonly pace: Pace
  readonly onCall?: ((call: CrmCall) => void) | undefined
  readonly timeoutMs: number
  /** How often a call is made in all when nothing can have happened; 1 by default. */
  readonly attempts?: number | undefined
}

/** By this name Salesforce tells our own changes from those of others. */
export const CLIENT = 'ripen'
/** Unless told not to, Salesforce gives a lead that is written, created or not, to another owner. */
const WRITE_HEADERS = { 'Sforce-Auto-Assign': 'FALSE' }
/** Doubled with every attempt. */
const REPEAT_AFTER_MS = 500
/** A longer pause than this is the caller's: it holds a lease. */
const LONGEST_PAUSE_MS = 15_000

/** The one way to Salesforce: deadline, pacing, tokens, reporting and the classification of failures. */
export function createTransport(options: TransportOptions): Transport {
  const { baseUrl, tokens, pace, timeoutMs, attempts = 1 } = options
  const place = { host: baseUrl.host, credential: tokens?.name ?? 'SALESFORCE_CLIENT_ID' }

  async function attempt(call: Call, token: string | null, signal: AbortSignal) {
    const turn = await permission(pace, call, signal)
    try {
      await call.sending?.()
    } catch (error) {
      turn?.over({})
      throw error
    }
    const startedMs = performance.now()
    const ended = await exchangeOnce(baseUrl, call, token, { timeoutMs, signal })
    const isAnswer = !('broken' in ended)
    turn?.over(isAnswer ? limitsSaid(ended, call.limitIn?.(ended) ?? null) : {})
    const ms = Math.round(performance.now() - startedMs)
    const { kind, endpoint } = call
    options.onCall?.({ kind, endpoint, status: isAnswer ? ended.status : 0, ms })
    return ended
  }

  async function sendOnce(call: Call, signal: AbortSignal): Promise<CallResult> {
    const bearer = call.open ? null : tokens
    const token = bearer && checkToken(await bearer.get(signal), bearer.name)
    let ended = await attempt(call, token, signal)
    if (bearer && token !== null && isSessionOver(ended)) {
      // Once: a session that ends as soon as it begins is no matter of tokens.
      const other = await bearer.renew(token, signal)
      if (other !== null) ended = await attempt(call, checkToken(other, bearer.name), signal)
    }
    if (!('broken' in ended) && ended.status >= 200 && ended.status < 300) {
      return { ok: true, answer: ended }
    }
    return { ok: false, failure: classifyError(ended, { ...place, endpoint: call.endpoint }) }
  }

  return {
    place,
    async send(call, signal) {
      for (let count = 1; ; count++) {
        const result = await sendOnce(call, signal)
        const waitMs = count < attempts ? repeatAfterMs(result, call, count) : null
        if (waitMs === null) return result
        await sleep(waitMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

/**
 * Calls with a session go through jsforce: one connection object a call, so that no state of its own
 * outlives it. The answer is taken off the wire, since its errors tell neither status nor headers.
 */
async function exchangeOnce(
  baseUrl: URL,
  call: Call,
  token: string | null,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Answer | Broken> {
  const root = baseUrl.href.replace(/\/+$/, '')
  const body = call.body?.text ?? (call.json === undefined ? undefined : JSON.stringify(call.json))
  const type = call.body?.type ?? 'application/json'
  const headers = {
    ...(body === undefined ? {} : { 'content-type': type }),
    ...(call.kind === 'write' ? WRITE_HEADERS : {}),
    ...call.headers,
  }
  const { method } = call
  const url = `${root}${call.path}`
  let answer: Answer | undefined
  try {
    if (token === null) {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      return await exchange({ method, url, headers: { ...headers, ...length }, body }, options)
    }
    const connection = new Connection({
      ...{ instanceUrl: root, accessToken: token, callOptions: { client: CLIENT } },
      logLevel: 'NONE',
    })
    const transport = new RecordedTransport(options, (seen) => {
      answer = seen
    })
    const request = { method, url, headers, ...(body === undefined ? {} : { body }) }
    await connection.request(request, { transport })
  } catch (error) {
    return answer ?? { broken: error }
  }
  return answer ?? { broken: new Error('no answer was seen') }
}

/** Salesforce did not even look at such a call, so that it may be made again whatever it is. */
function isSessionOver(ended: Answer | Broken): boolean {
  if ('broken' in ended || ended.status !== 401 || isNotMendedByToken(ended)) return false
  const codes = errorsOf(ended).map(({ code }) => code)
  return codes.length === 0 || codes.includes('INVALID_SESSION_ID')
}

/** How long to wait before a call is made again; null when it must not be, or not here. */
function repeatAfterMs(result: CallResult, call: Call, attempt: number): number | null {
  if (result.ok || result.failure.kind === 'refused') return null
  const { error, mayHaveHappened } = result.failure
  if (error.kind === 'rate-limited') {
    return error.retryAfterMs <= LONGEST_PAUSE_MS ? error.retryAfterMs : null
  }
  if (error.kind !== 'retryable' || (mayHaveHappened && call.kind === 'write')) return null
  return REPEAT_AFTER_MS * 2 ** (attempt - 1)
}

/** Anything else cannot be put into a header, and the error of the HTTP client would show it. */
export function checkToken(token: string, name: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ConfigError(`${name} is empty, or holds blanks or other odd characters.`)
}

async function permission(pace: Pace, call: Call, signal: AbortSignal): Promise<Turn | undefined> {
  try {
    signal.throwIfAborted()
    const turn = (await pace('general', signal)) ?? undefined
    if (signal.aborted) turn?.over({})
    signal.throwIfAborted()
    return turn
  } catch (error) {
    if (isSyncFailure(error) || !signal.aborted) throw error
    throw new RetryableError(`Stopped before ${call.endpoint}; nothing was sent.`)
  }
}
