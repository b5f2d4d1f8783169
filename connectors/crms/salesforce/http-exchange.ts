import http from 'node:http'
import https from 'node:https'
import { PassThrough } from 'node:stream'
import { Transport } from 'jsforce/lib/transport.js'
import type { HttpRequest, HttpResponse } from 'jsforce/lib/types/index.js'
import { StreamPromise } from 'jsforce/lib/util/promise.js'

/** What came back from one call, before anybody judged it. */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export interface ExchangeOptions {
  /** Bound of the whole exchange, the body of the answer included, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Shorter than the idle limit of the servers and proxies on the way, so that no dead connection is reused. */
const IDLE_SOCKET_MS = 4_000

const agentOptions = { keepAlive: true, timeout: IDLE_SOCKET_MS }
const agents = { 'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions) }

export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/**
 * Makes one call and reads its whole answer. The connection is broken at the deadline and when the caller
 * gives up, so that nothing arrives later. Nothing is ever repeated, and no redirect is followed.
 */
export function exchange(request: WireRequest, options: ExchangeOptions): Promise<Answer> {
  const { timeoutMs, signal } = options
  const url = new URL(request.url)
  const isSecure = url.protocol === 'https:'
  const { method, headers, body } = request
  return new Promise((resolve, reject) => {
    const agent = isSecure ? agents['https:'] : agents['http:']
    const call = (isSecure ? https : http).request(url, { method, headers: { ...headers }, agent })
    const stop = () => call.destroy(named('Stopped'))
    const timer = setTimeout(() => call.destroy(named('DeadlineExceeded')), timeoutMs)
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    const fail = (error: unknown) => {
      over()
      reject(error)
    }
    signal.addEventListener('abort', stop, { once: true })
    call.on('error', fail)
    call.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('close', () => {
        // An answer that was cut off is none, whatever its status said.
        if (!response.complete) return fail(named('AnswerCutOff'))
        over()
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), text })
      })
    })
    if (signal.aborted) stop()
    call.end(body)
  })
}

/**
 * jsforce with our exchange under it: its own repeats writes into empty uploads, bounds the wait for the
 * head of an answer only, and cannot be stopped. Every answer is handed to `seen` with status and headers,
 * which its errors do not carry.
 */
export class RecordedTransport extends Transport {
  private readonly options: ExchangeOptions
  private readonly seen: (answer: Answer) => void

  constructor(options: ExchangeOptions, seen: (answer: Answer) => void) {
    super()
    this.options = options
    this.seen = seen
  }

  override httpRequest(request: HttpRequest): StreamPromise<HttpResponse> {
    return StreamPromise.create(() => ({ stream: new PassThrough(), promise: this.send(request) }))
  }

  private async send({ method, url, headers = {}, body }: HttpRequest): Promise<HttpResponse> {
    const text = typeof body === 'string' ? body : undefined
    const answer = await exchange({ method, url, headers, body: text }, this.options)
    this.seen(answer)
    const { status: statusCode, text: answered } = answer
    // jsforce reads CSV whole, by six delimiters at once: what is no JSON it gets as text.
    const isJson = answer.headers['content-type']?.startsWith('application/json') === true
    const type = isJson ? 'application/json' : 'text/plain'
    return { statusCode, headers: { ...answer.headers, 'content-type': type }, body: answered }
  }
}

function named(name: string): Error {
  const error = new Error(name)
  error.name = name
  return error
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  )
}
