import express from 'express'
import { listen } from '../listen.ts'
import {
  createSalesforceSandbox,
  SANDBOX_TOKEN,
  type SalesforceSandbox,
  type SalesforceSandboxOptions,
} from './salesforce-sandbox.ts'

/** An answer of the stand-in, read whole. */
export interface SandboxAnswer {
  readonly status: number
  readonly headers: Headers
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown
  readonly text: string
}

export interface StartOptions extends SalesforceSandboxOptions {
  /** 0 takes a free port. Default 0. */
  readonly port?: number
  /** Port of the gRPC server; 0 takes a free one. Default 0. */
  readonly pubsubPort?: number
}

/** A stand-in that listens on loopback, with a bare client for it. */
export interface RunningSalesforce {
  readonly sandbox: SalesforceSandbox
  readonly baseUrl: string
  /** The gRPC server of the Pub/Sub API, as host and port. */
  readonly pubsubUrl: string
  /** The bearer token that never ends. */
  readonly token: string
  /**
   * Calls with the right token; rejects when the connection breaks. A path that does not begin with
   * `/services` is below the newest API version; a text as body is sent as it is.
   */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<SandboxAnswer>
  close(): Promise<void>
}

const NEWEST = '/services/data/v67.0'

/** Starts a stand-in for Salesforce on loopback, by default on free ports. */
export async function startSalesforceSandbox(
  options: StartOptions = {},
): Promise<RunningSalesforce> {
  const sandbox = await createSalesforceSandbox(options)
  const app = express()
  app.disable('x-powered-by')
  app.use(sandbox.router)
  const server = await listen(app, options.port)
  const pubsubUrl = await sandbox.pubsub.listen(options.pubsubPort)
  const token = options.token ?? SANDBOX_TOKEN
  return {
    sandbox,
    baseUrl: server.baseUrl,
    pubsubUrl,
    token,
    call: async (method, path, body, headers = {}) => {
      const url = server.baseUrl + (/^\/(services|sandbox|id)\b/.test(path) ? '' : NEWEST) + path
      const isText = typeof body === 'string'
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          ...(isText ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, json: parsed(text), text }
    },
    close: async () => {
      await server.close()
      await sandbox.close()
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
