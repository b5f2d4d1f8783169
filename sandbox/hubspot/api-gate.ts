import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import type { CallLog } from '../call-log.ts'
import type { FaultRule, FaultScript } from '../fault-script.ts'
import { type ApiReply, sendReply } from '../reply-sender.ts'
import type { AccessGrants } from './access-grants.ts'
import type { AccountHolds } from './account-holds.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { isObject } from './api-endpoint.ts'
import { requireScope } from './endpoint-scopes.ts'
import { HubspotError, invalidJson } from './hubspot-error.ts'
import { isOpenPath } from './oauth-endpoints.ts'
import type { LimitedKind, RateLimits } from './rate-limits.ts'
import type { SandboxCall } from './sandbox-call.ts'

const MAX_URL = 8192

export interface GateOptions {
  readonly access: AccessGrants
  readonly latencyMs: number
  readonly now: () => number
  readonly limits: RateLimits
  readonly holds: AccountHolds
  readonly faults: FaultScript
  readonly calls: CallLog<SandboxCall>
}

/** What the gate knows of the request under way. */
interface Passage {
  readonly correlationId: string
  readonly path: string
  fault: FaultRule | undefined
  headers: Readonly<Record<string, string>>
}

/**
 * The way into the API: scripted faults, then URL length, token, limits and body, then the
 * endpoint. Everything that is answered here is logged.
 */
export function apiRouter(endpoints: readonly ApiEndpoint[], options: GateOptions): Router {
  const gate = new ApiGate(options)
  const router = express.Router()
  const api = express.Router()
  api.use((req, res, next) => void gate.enter(req, res, next).catch(next))
  api.use(express.text({ type: () => true, limit: '20mb' }))
  for (const endpoint of endpoints) {
    api[endpoint.method](endpoint.path, (req, res) => gate.handle(endpoint, req, res))
  }
  api.use((req, res) => gate.unknown(req, res))
  api.use((error: unknown, req: Request, res: Response, _next: NextFunction) =>
    gate.fail(error, req, res),
  )
  router.use((req, res, next) => {
    req.url = currentUrl(req.url)
    if (/^\/(crm|account-info|oauth|integrations|events)\//.test(req.url)) api(req, res, next)
    else next()
  })
  return router
}

/** Dated versions such as `/crm/objects/2026-03/` reach the endpoints of the numbered ones. */
export function currentUrl(url: string): string {
  const dated = url
    .replace(/^\/crm\/associations\/(\d{4}-\d{2}(-beta)?|v4)(?=\/)/, '/crm/v4/associations')
    .replace(
      /^\/crm\/(objects|properties|owners|pipelines|property-validations|limits|lists)\/\d{4}-\d{2}(-beta)?(?=[/?]|$)/,
      '/crm/v3/$1',
    )
    .replace(/^\/account-info\/\d{4}-\d{2}(?=\/)/, '/account-info/v3')
    .replace(/^\/events\/\d{4}-\d{2}(?=\/)/, '/events/v3')
  const isDated = dated !== url && /^\/crm\/objects\//.test(url)
  return isDated && dated.includes('/associations/') ? dated.replace('/crm/v3/', '/crm/v4/') : dated
}

class ApiGate {
  private readonly options: GateOptions
  private readonly passages = new WeakMap<Request, Passage>()
  private count = 0

  constructor(options: GateOptions) {
    this.options = options
  }

  async enter(req: Request, res: Response, next: NextFunction): Promise<void> {
    const { options } = this
    const path = pathOf(req)
    const fault = options.faults.take(req.method, path)
    const passage: Passage = { correlationId: this.nextId(), path, fault, headers: {} }
    this.passages.set(req, passage)
    const waitMs = options.latencyMs + (fault?.delayMs ?? 0)
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const scripted = fault === undefined ? undefined : this.scriptedReply(fault)
    if (fault?.kind === 'reset') this.breakOff(req, res)
    else if (scripted !== undefined && !fault?.carriedOut) this.send(req, res, scripted)
    else this.admit(req, res, next, passage)
  }

  handle(endpoint: ApiEndpoint, req: Request, res: Response): void {
    const call = readCall(req)
    const passage = this.passage(req)
    const text = typeof req.body === 'string' ? req.body : ''
    const mentioned = this.options.faults.takeMentioned(req.method, passage.path, text)
    // What is in the body decides what happens, also where the line breaks afterwards.
    const breaksAfter = passage.fault?.kind === 'reset-after' && mentioned?.status !== undefined
    passage.fault = mentioned ?? passage.fault
    const { fault } = passage
    if (breaksAfter) {
      this.breakOff(req, res, endpoint, call)
      return
    }
    const scripted = fault === undefined ? undefined : this.scriptedReply(fault)
    const isKept = fault?.carriedOut !== true && scripted !== undefined
    if (fault?.kind === 'reset') {
      this.breakOff(req, res, endpoint, call)
      return
    }
    const reply = isKept ? scripted : this.perform(endpoint, req, call)
    if (fault?.kind === 'reset-after') this.breakOff(req, res, endpoint, call)
    else this.send(req, res, scripted ?? reply, endpoint, call)
  }

  unknown(req: Request, res: Response): void {
    const html =
      '<html><head><title>Error 404 Not Found</title></head><body>Not found</body></html>'
    this.send(req, res, { status: 404, body: html })
  }

  fail(error: unknown, req: Request, res: Response): void {
    const status = isObject(error) && error['status'] === 413 ? 413 : 500
    const known = error instanceof HubspotError ? error : undefined
    const failure =
      known ?? new HubspotError(status, 'INTERNAL_ERROR', `internal error: ${String(error)}`)
    this.send(req, res, this.errorReply(failure, req))
  }

  private admit(req: Request, res: Response, next: NextFunction, passage: Passage): void {
    if (req.originalUrl.length > MAX_URL) {
      const body = '<html><head><title>414 Request-URI Too Large</title></head><body></body></html>'
      this.send(req, res, { status: 414, body })
      return
    }
    if (isOpenPath(passage.path)) {
      next()
      return
    }
    const refusal = this.accessRefusal(req)
    if (refusal !== undefined) {
      this.send(req, res, this.errorReply(refusal, req))
      return
    }
    const hold = this.options.holds.look(passage.path, this.options.now())
    if (hold !== undefined) {
      this.send(req, res, { ...this.errorReply(hold.error, req), headers: hold.headers })
      return
    }
    const admission = this.options.limits.admit(limitedKind(req), this.options.now())
    passage.headers = admission.headers
    if (admission.refusal === undefined) {
      next()
      return
    }
    const { correlationId } = passage
    this.send(req, res, { status: 429, body: { ...admission.refusal.body, correlationId } })
  }

  private accessRefusal(req: Request): HubspotError | undefined {
    try {
      const { scopes } = this.options.access.letIn(req.headers.authorization)
      requireScope(scopes, req.method, req.path)
      return undefined
    } catch (error) {
      if (error instanceof HubspotError) return error
      throw error
    }
  }

  private perform(endpoint: ApiEndpoint, req: Request, call: ApiCall | HubspotError): ApiReply {
    try {
      if (call instanceof HubspotError) throw call
      return endpoint.handle(call)
    } catch (error) {
      if (error instanceof HubspotError) return this.errorReply(error, req)
      throw error
    }
  }

  private errorReply(error: HubspotError, req: Request): ApiReply {
    return { status: error.status, body: error.toBody(this.passage(req).correlationId) }
  }

  private scriptedReply(fault: FaultRule): ApiReply | undefined {
    if (fault.kind === 'empty-2xx') {
      const time = new Date(this.options.now()).toISOString()
      const body = { status: 'COMPLETE', results: [], startedAt: time, completedAt: time }
      return { status: 200, body }
    }
    if (fault.status === undefined) return undefined
    const { status, body, headers = {} } = fault
    return { status, headers, ...(body === undefined ? {} : { body }) }
  }

  private send(
    req: Request,
    res: Response,
    reply: ApiReply,
    endpoint?: ApiEndpoint,
    call?: ApiCall | HubspotError,
  ): void {
    const { correlationId, headers, fault } = this.passage(req)
    this.log(req, reply.status, endpoint, call)
    const own = {
      'X-HubSpot-Correlation-Id': correlationId,
      Date: new Date(this.options.now()).toUTCString(),
    }
    sendReply(res, reply, { ...headers, ...own }, fault?.kind)
  }

  private breakOff(
    req: Request,
    res: Response,
    endpoint?: ApiEndpoint,
    call?: ApiCall | HubspotError,
  ): void {
    this.log(req, 0, endpoint, call)
    res.destroy()
  }

  private log(
    req: Request,
    status: number,
    endpoint: ApiEndpoint | undefined,
    call: ApiCall | HubspotError | undefined,
  ): void {
    const { path } = this.passage(req)
    const inputs = call === undefined || call instanceof HubspotError ? 1 : countInputs(call)
    const kind = endpoint?.kind ?? (req.method === 'GET' ? 'read' : 'write')
    const route = endpoint?.path ?? path
    this.options.calls.add({
      method: req.method,
      route,
      path,
      status,
      kind,
      inputs,
      at: this.options.now(),
    })
  }

  private passage(req: Request): Passage {
    const passage = this.passages.get(req)
    if (passage === undefined) throw new Error('the request did not come through the gate')
    return passage
  }

  private nextId(): string {
    return `5a4d0000-0000-4000-8000-${String(++this.count).padStart(12, '0')}`
  }
}

function limitedKind(req: Request): LimitedKind {
  if (req.method === 'POST' && req.path.endsWith('/search')) return 'search'
  return req.path.startsWith('/crm/v4/associations/') ? 'association' : 'object'
}

function pathOf(req: Request): string {
  return req.originalUrl.split('?')[0] ?? ''
}

function readCall(req: Request): ApiCall | HubspotError {
  const text = typeof req.body === 'string' ? req.body : ''
  const query = new URLSearchParams(req.url.split('?')[1] ?? '')
  const params = Object.fromEntries(
    Object.entries(req.params).map(([name, value]) => [name, String(value)]),
  )
  try {
    const body: unknown = text === '' ? undefined : parseBody(req, text)
    return { params, query, body, bodyLength: text.length }
  } catch {
    return invalidJson('the body is not valid JSON')
  }
}

function parseBody(req: Request, text: string): unknown {
  if (!req.is('application/x-www-form-urlencoded')) return JSON.parse(text)
  return Object.fromEntries(new URLSearchParams(text))
}

function countInputs(call: ApiCall): number {
  if (!isObject(call.body)) return 1
  const { inputs } = call.body
  return Array.isArray(inputs) ? inputs.length : 1
}
