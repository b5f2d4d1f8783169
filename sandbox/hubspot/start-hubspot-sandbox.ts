import express from 'express'
import { listen } from '../listen.ts'
import {
  createHubspotSandbox,
  type HubspotSandbox,
  type HubspotSandboxOptions,
} from './hubspot-sandbox.ts'

/** An answer of the stand-in, read whole. */
export interface SandboxAnswer {
  readonly status: number
  readonly headers: Headers
  /** The body as JSON; undefined when it is none. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  readonly text: string
}

/** A stand-in that listens on loopback, with a bare client for it. */
export interface RunningHubspotSandbox {
  readonly sandbox: HubspotSandbox
  readonly baseUrl: string
  /** Calls with the right token; rejects when the connection breaks. */
  call(method: string, path: string, body?: unknown): Promise<SandboxAnswer>
  close(): Promise<void>
}

/** Starts a stand-in for HubSpot on a free port. */
export async function startHubspotSandbox(
  options: HubspotSandboxOptions = {},
): Promise<RunningHubspotSandbox> {
  const sandbox = await createHubspotSandbox(options)
  const app = express()
  app.use(sandbox.router)
  const server = await listen(app)
  const headers = {
    authorization: `Bearer ${options.token ?? 'sandbox-token'}`,
    'content-type': 'application/json',
  }
  return {
    sandbox,
    baseUrl: server.baseUrl,
    call: async (method, path, body) => {
      const payload = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(`${server.baseUrl}${path}`, { method, headers, ...payload })
      const text = await response.text()
      return { status: response.status, headers: response.headers, json: parsed(text), text }
    },
    close: async () => {
      await server.close()
      await sandbox.close()
    },
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
