import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, isSyncFailure, RetryableError } from '../../../src/core/errors.ts'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { CrmCall, Pace, PaceBucket, Turn } from '../../../src/core/ports/crm.ts'
import { createAgentPool } from './agent-pool.ts'
import { toDatedUrl } from './api-version.ts'
import { type CallFailure, classifyError } from './classify-error.ts'
import { limitsSaid } from './limits-said.ts'
import { type Answer, parseErrorBody } from './wire-shapes.ts'

/** One call to be made: what it is for, and the client's method that makes it. */
export interface Call {
  readonly kind: 'read' | 'write'
  readonly bucket?: 'search'
  /** A write that may be carried out twice: one whose outcome is in doubt is simply made again. */
  readonly idempotent?: true
  /** The endpoint without ids. */
  readonly endpoint: string
  /** Called after all waiting, right before the call goes out; each time that it does. */
  readonly sending?: (() => Promise<void>) | undefined
  /** Calls one method of the client with `options` as its last argument. */
  invoke(options: CallOptions): Promise<unknown>
}

/** What every method of the client takes as its last argument. */
export interface CallOptions {
  readonly middleware: Recorder[]
  readonly middlewareMergeStrategy: 'append'
}

export type CallResult =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly failure: CallFailure }

export interface Transport {
  /**
   * Paces, makes one call with a deadline and reports it. Repeats it only if twice is as good as once: a
   * read or an idempotent write, a call that HubSpot asks to make later, one that was not sent, and, once and with another token,
   * one that was not let in because the token had expired.
   * Throws only what `pace`, `sending` and the tokens throw.
   */
  send(call: Call, signal: AbortSignal): Promise<CallResult>
}

/** Sees each request and answer of the client; generic, since every API of the client has its own classes. */
interface Recorder {
  pre<Request extends WireRequest>(request: Request): Promise<Request>
  post<Response extends WireResponse>(response: Response): Promise<Response>
}

interface WireRequest {
  getUrl(): string
  setUrl(url: string): void
  setAgent(agent: Agent): void
  setHeaderParam(name: string, value: string): void
}

interface WireResponse {
  readonly httpStatusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: { text(): Promise<string> }
}

export interface TransportOptions {
  readonly baseUrl: URL
  /** Null for calls that bear no token. */
  readonly tokens: AccessTokens | null
  readonly pace: Pace
  readonly onCall?: ((call: CrmCall) => void) | undefined
  readonly timeoutMs: number
  readonly apiVersion?: string | undefined
  /** How often a call is made in all when that does no harm; 1 by default. */
  readonly attempts?: number | undefined
}

/** Doubled with every attempt. */
const REPEAT_AFTER_MS = 500
/** A longer pause than this is the caller's: it holds a lease. */
const LONGEST_PAUSE_MS = 15_000

/** The one way to HubSpot: connections, deadline, pacing, reporting and the classification of failures. */
export function createTransport(options: TransportOptions): Transport {
  const pool = createAgentPool(options.baseUrl.protocol === 'https:' ? 'https:' : 'http:')

  /**
   * The answer is taken off the wire by a middleware, not from the client's return value: the client
   * throws on an empty success and puts bodies and headers into its errors.
   */
  async function exchange(
    call: Call,
    token: string | null,
    signal: AbortSignal,
  ): Promise<Answer | { broken: unknown }> {
    const lease = pool.lease()
    let answer: Answer | undefined
    const recorder: Recorder = {
      pre: async (request) => {
        request.setAgent(lease.agent)
        request.setUrl(toDatedUrl(request.getUrl(), options.apiVersion))
        if (token !== null) request.setHeaderParam('Authorization', `Bearer ${token}`)
        return request
      },
      post: async (response) => {
        answer = await toAnswer(response)
        return response
      },
    }
    const invoke = () => call.invoke({ middleware: [recorder], middlewareMergeStrategy: 'append' })
    try {
      await withDeadline(invoke, options.timeoutMs, signal)
    } catch (error) {
      if (!answer) {
        lease.abort()
        return { broken: error }
      }
    }
    lease.release()
    return answer ?? { broken: new Error('no answer was seen') }
  }

  async function attempt(call: Call, token: string | null, signal: AbortSignal) {
    const turn = await permission(options.pace, call, signal)
    try {
      await call.sending?.()
    } catch (error) {
      turn?.over({})
      throw error
    }
    const startedMs = performance.now()
    const ended = await exchange(call, token, signal)
    const isAnswer = !('broken' in ended)
    turn?.over(isAnswer ? limitsSaid(ended) : {})
    const status = isAnswer ? ended.status : 0
    const ms = Math.round(performance.now() - startedMs)
    options.onCall?.({ kind: call.kind, endpoint: call.endpoint, status, ms })
    return ended
  }

  async function sendOnce(call: Call, signal: AbortSignal): Promise<CallResult> {
    const { tokens } = options
    const token = tokens && checkToken(await tokens.get(signal), tokens.name)
    let ended = await attempt(call, token, signal)
    if (tokens && token !== null && isExpired(ended)) {
      const other = await tokens.renew(token, signal)
      if (other !== null) ended = await attempt(call, checkToken(other, tokens.name), signal)
    }
    if (!('broken' in ended) && ended.status >= 200 && ended.status < 300) {
      return { ok: true, answer: ended }
    }
    const { host } = options.baseUrl
    const credential = tokens?.name ?? 'HUBSPOT_CLIENT_ID with HUBSPOT_CLIENT_SECRET'
    const place = { endpoint: call.endpoint, host, credential }
    return { ok: false, failure: classifyError(ended, place) }
  }

  return {
    async send(call, signal) {
      const { attempts = 1 } = options
      for (let attempt = 1; ; attempt++) {
        const result = await sendOnce(call, signal)
        const waitMs = attempt < attempts ? repeatAfterMs(result, call, attempt) : null
        if (waitMs === null) return result
        await sleep(waitMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

/** How long to wait before a call is made again; null when it must not be, or not here. */
function repeatAfterMs(result: CallResult, call: Call, attempt: number): number | null {
  if (result.ok || result.failure.kind === 'refused') return null
  const { error, mayHaveHappened } = result.failure
  if (error.kind === 'rate-limited') {
    return error.retryAfterMs <= LONGEST_PAUSE_MS ? error.retryAfterMs : null
  }
  const isOnce = call.kind === 'write' && !call.idempotent
  if (error.kind !== 'retryable' || (mayHaveHappened && isOnce)) return null
  return REPEAT_AFTER_MS * 2 ** (attempt - 1)
}

/** HubSpot counts calls about associations, and searches, apart from all others. */
function bucketOf(call: Call): PaceBucket {
  return call.bucket ?? (call.endpoint.includes(' associations/') ? 'association' : 'general')
}

/** HubSpot did not even look at such a call, so that it may be made again whatever it is. */
function isExpired(ended: Answer | { broken: unknown }): boolean {
  if ('broken' in ended || ended.status !== 401) return false
  return parseErrorBody(ended.body).category === 'EXPIRED_AUTHENTICATION'
}

/** Anything else cannot be put into a header, and the error of the HTTP client would show it. */
export function checkToken(token: string, name: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ConfigError(`${name} is empty, or holds blanks or other odd characters.`)
}

async function permission(pace: Pace, call: Call, signal: AbortSignal): Promise<Turn | undefined> {
  try {
    signal.throwIfAborted()
    const turn = (await pace(bucketOf(call), signal)) ?? undefined
    if (signal.aborted) turn?.over({})
    signal.throwIfAborted()
    return turn
  } catch (error) {
    if (isSyncFailure(error) || !signal.aborted) throw error
    throw new RetryableError(`Stopped before ${call.endpoint}; nothing was sent.`)
  }
}

/** Rejects when the time is up or the caller gives up; the call itself is then the caller's to break. */
async function withDeadline(
  invoke: () => Promise<unknown>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  let giveUp: (name: string) => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    giveUp = (name) => reject(named(name))
  })
  const stop = () => giveUp('Stopped')
  const timer = setTimeout(() => giveUp('DeadlineExceeded'), timeoutMs)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([invoke(), stopped])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function named(name: string): Error {
  const error = new Error(name)
  error.name = name
  return error
}

async function toAnswer(response: WireResponse): Promise<Answer> {
  const text = await response.body.text()
  return { status: response.httpStatusCode, headers: response.headers, body: parseJson(text) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
