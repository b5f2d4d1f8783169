import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as it came. */
export interface StubCall {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What a script does with a call; undefined leaves it to the next one. */
export type StubAnswer =
  | {
      readonly status?: number
      readonly json?: unknown
      readonly text?: string
      readonly headers?: Record<string, string>
    }
  /** Breaks the connection: before an answer, or in the middle of one. */
  | { readonly breaks: 'before' | 'within' }
  /** Never answers, or sends the head of an answer and no more. */
  | { readonly hangs: 'before' | 'within' }

export interface SalesforceStub {
  readonly baseUrl: string
  readonly calls: StubCall[]
  /** Resolves when a connection was closed by the caller. */
  readonly disconnected: Promise<void>
  close(): Promise<void>
}

const VERSIONS = [{ label: "Summer '26", url: '/services/data/v67.0', version: '67.0' }]

/** A server for answers that no org gives on request; everything else answers from `sandbox/salesforce`. */
export async function startSalesforceStub(
  answer: (call: StubCall, count: number) => StubAnswer | undefined,
): Promise<SalesforceStub> {
  const calls: StubCall[] = []
  let onDisconnect = () => {}
  const disconnected = new Promise<void>((resolve) => {
    onDisconnect = resolve
  })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const call = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
      calls.push(call)
      reply(response, answer(call, calls.length) ?? usual(call))
    })
  })
  server.on('connection', (socket) => socket.once('close', onDisconnect))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    calls,
    disconnected,
    close: () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      server.closeAllConnections()
      return closed
    },
  }
}

function usual({ path }: StubCall): StubAnswer {
  if (path === '/services/data/') return { json: VERSIONS }
  return {
    status: 404,
    json: [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
  }
}

function reply(response: ServerResponse, answer: StubAnswer): void {
  if ('breaks' in answer || 'hangs' in answer) {
    const how = 'breaks' in answer ? answer.breaks : answer.hangs
    if (how === 'within') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '999' })
      response.write('{"totalSize":1,')
    }
    if ('breaks' in answer) setImmediate(() => response.destroy())
    return
  }
  const { status = 200, json, text, headers = {} } = answer
  const type = json === undefined ? 'text/plain' : 'application/json;charset=UTF-8'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(json === undefined ? (text ?? '') : JSON.stringify(json))
}

/** The page of a query. */
export function page(records: readonly object[], more: object = {}): StubAnswer {
  return { json: { totalSize: records.length, done: true, records, ...more } }
}

/** The query that a call asks. */
export function askedQuery({ path }: StubCall): string {
  return new URL(path, 'http://stub').searchParams.get('q') ?? ''
}
