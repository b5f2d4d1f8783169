import { createApi } from '../../src/app/api/api.ts'
import { type ApiServer, listenApi } from '../../src/app/api/server.ts'
import { WEBHOOK_TOKEN, WRITE_KEY } from './log-secrets.ts'
import { openThread, type Thread, type ThreadOptions } from './thread.ts'

/** A thread whose API listens, with both webhooks. */
export interface IngestThread extends Thread {
  readonly server: ApiServer
  /** Posts JSON, or text as it is, and returns the status with the answer. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Posts an event to Amplitude's webhook. */
  amplitude(event: unknown): Promise<Answer>
  /** Posts a call to Segment's webhook, the type of the call being the path. */
  segment(type: string, call: unknown): Promise<Answer>
  /** Waits until what came by webhook is in the scores. */
  settle(source?: string): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly json: { readonly detail?: string }
}

const servers: ApiServer[] = []

export async function openIngest(options: ThreadOptions = {}): Promise<IngestThread> {
  const environment = {
    RIPEN_PORT: '0',
    AMPLITUDE_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
    SEGMENT_WRITE_KEY: WRITE_KEY,
    ...options.environment,
  }
  const thread = await openThread({ ...options, environment })
  const server = await listenApi(createApi(thread.app), thread.app.config)
  servers.push(server)
  const post: IngestThread['post'] = async (path, body, headers = {}) => {
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: response.status, json: (await response.json()) as Answer['json'] }
  }
  const basic = `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`
  const { engine } = thread.app
  return {
    ...thread,
    server,
    post,
    amplitude: (event) => post(`/ingest/amplitude/${WEBHOOK_TOKEN}`, event),
    segment: (type, call) => post(`/ingest/segment/v1/${type}`, call, { authorization: basic }),
    async settle(source = 'amplitude') {
      await engine.touch('stage', source)
      for (const step of ['stage', 'rollup', 'identity', 'score'] as const) {
        await engine.idle([step])
      }
    },
  }
}

/** Stops the servers; before `closeThreads`. */
export async function closeIngest(): Promise<void> {
  for (const server of servers.splice(0)) await server.close()
}
