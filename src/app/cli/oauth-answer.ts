import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { ConfigError } from '../../core/errors.ts'
import type { OAuthFlow } from '../../infra/secrets/oauth-flow.ts'
import { type FinishedOAuth, finishOAuth } from '../oauth-page.ts'

/** Somewhere that an answer may come from; closing it ends the wait. */
export interface AnswerSource {
  readonly answer: Promise<FinishedOAuth>
  close(): Promise<void>
}

/**
 * Listens on loopback for the browser that the vendor sends back. Other pages may call this address too:
 * what `isOurs` does not know is turned away and ends nothing.
 * @throws {ConfigError} when the port is taken.
 */
export async function listenForAnswer(
  flow: OAuthFlow,
  port: number,
  path: string,
  isOurs: (parameters: URLSearchParams) => boolean,
): Promise<AnswerSource & { readonly port: number }> {
  let settle: (finished: FinishedOAuth) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const answer = new Promise<FinishedOAuth>((resolve, reject) => {
    settle = resolve
    fail = reject
  })
  const server = createServer((request, response) => {
    const [target = '', query = ''] = (request.url ?? '').split('?')
    const parameters = new URLSearchParams(query)
    if (request.method !== 'GET' || target !== path || !isOurs(parameters)) {
      response.writeHead(404).end()
      return
    }
    finishOAuth(flow, parameters).then((finished) => {
      const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
      response.writeHead(finished.connected ? 200 : 400, { ...headers, connection: 'close' })
      response.end(finished.page, () => settle(finished))
    }, fail)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const mend = 'take another --port that the app knows as a redirect address, or use --paste'
      reject(new ConfigError(`cannot listen on port ${port} of loopback; ${mend}`, { cause }))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    answer,
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Reads the address that the browser was sent back to from standard input, for machines without a browser. */
export function readPastedAnswer(flow: OAuthFlow): AnswerSource {
  const lines = createInterface({ input: process.stdin })
  const answer = new Promise<FinishedOAuth>((resolve, reject) => {
    lines.once('line', (line) => {
      const text = line.trim()
      const query = text.includes('?') ? text.slice(text.indexOf('?') + 1) : text
      finishOAuth(flow, new URLSearchParams(query.split('#')[0])).then(resolve, reject)
    })
    lines.once('close', () => reject(new ConfigError('nothing was pasted; nothing was connected')))
  })
  return { answer, close: async () => lines.close() }
}
