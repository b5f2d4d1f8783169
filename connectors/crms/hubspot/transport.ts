import type { Agent } from 'node:http'
import { ConfigError, isSyncFailure, RetryableError } from '../../../src/core/errors.ts'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { CrmCall, Pace } from '../../../src/core/ports/crm.ts'
import { createAgentPool } from './agent-pool.ts'
import { toDatedUrl } from './api-version.ts'
import { type CallFailure, classifyError } from './classify-error.ts'
import { type Answer, parseErrorBody } from './wire-shapes.ts'

/** One call to be made: what it is for, and the client's method that makes it. */
export interface Call {
  readonly kind: 'read' | 'write'
  readonly bucket?: 'search'
  /** The endpoint without ids. */
  readonly endpoint: string
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
   * Paces, makes one call with a deadline and reports it. It is repeated only when HubSpot did not let it
   * in because the token had expired: once, with another token.
   * Throws only what `pace` and the tokens throw.
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
}

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
    await permission(options.pace, call, signal)
    const startedMs = performance.now()
    const ended = await exchange(call, token, signal)
    const status = 'broken' in ended ? 0 : ended.status
    const ms = Math.round(performance.now() - startedMs)
    options.onCall?.({ kind: call.kind, endpoint: call.endpoint, status, ms })
    return ended
  }

  return {
    async send(call, signal) {
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
    },
  }
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

async function permission(pace: Pace, call: Call, signal: AbortSignal): Promise<void> {
  try {
    signal.throwIfAborted()
    await pace(call.bucket ?? 'general', signal)
    signal.throwIfAborted()
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
