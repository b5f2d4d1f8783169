import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import type { CallLog } from '../../call-log.ts'
import type { FaultRule, FaultScript } from '../../fault-script.ts'
import { type ApiReply, sendReply } from '../../reply-sender.ts'
import type { AccessGrants } from '../oauth/access-grants.ts'
import { badRequest, RowError, SalesforceError } from '../salesforce-error.ts'
import type { Actor } from '../stored-row.ts'
import { type ApiCall, type ApiEndpoint, headerOptions } from './api-endpoint.ts'
import { readVersion, type VersionRange } from './api-versions.ts'
import type { OrgLimits } from './daily-usage.ts'
import type { SandboxCall } from './sandbox-call.ts'

/** A job of the bulk API may bring 150 MB. */
const MAX_BODY = '160mb'
const MAX_URL = 16_384
const JSON_TYPE = 'application/json;charset=UTF-8'

export interface GateOptions {
  readonly access: AccessGrants
  readonly limits: OrgLimits
  readonly versions: VersionRange
  readonly latencyMs: number
  readonly now: () => number
  readonly faults: FaultScript
  readonly calls: CallLog<SandboxCall>
}

/** What the gate knows of the request under way. */
interface Passage {
  readonly path: string
  fault: FaultRule | undefined
  isCounted: boolean
}

/**
 * The way into the API: scripted faults, then the body, the token and the day's limit, then the
 * endpoint. Everything that is answered here is logged.
 */
export function apiRouter(endpoints: readonly ApiEndpoint[], options: GateOptions): Router {
  const gate = new ApiGate(options)
  const api = express.Router({ caseSensitive: false })
  api.use((req, res, next) => void gate.enter(req, res, next).catch(next))
  api.use(express.text({ type: () => true, limit: MAX_BODY }))
  for (const endpoint of endpoints) {
    api[endpoint.method](endpoint.path, (req, res) => gate.handle(endpoint, req, res))
  }
  api.use((req, res) => gate.unknown(req, res))
  api.use((error: unknown, req: Request, res: Response, _next: NextFunction) =>
    gate.fail(error, req, res),
  )
  const router = express.Router()
  router.use((req, res, next) => {
    if (/^\/(services|id)\//.test(req.url)) api(req, res, next)
    else next()
  })
  return router
}

class ApiGate {
  private readonly options: GateOptions
  private readonly passages = new WeakMap<Request, Passage>()

  constructor(options: GateOptions) {
    this.options = options
  }

  async enter(req: Request, res: Response, next: NextFunction): Promise<void> {
    const { options } = this
    const path = req.originalUrl.split('?')[0] ?? ''
    const fault = options.faults.take(req.method, path)
    this.passages.set(req, { path, fault, isCounted: false })
    const waitMs = options.latencyMs + (fault?.delayMs ?? 0)
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const scripted = fault === undefined ? undefined : scriptedReply(fault, req)
    if (fault?.kind === 'reset') this.breakOff(req, res)
    else if (scripted !== undefined && !fault?.carriedOut) this.send(req, res, scripted)
    else if (req.originalUrl.length > MAX_URL) {
      this.send(req, res, { status: 414, body: '<html><body>URI Too Long</body></html>' })
    } else next()
  }

  handle(endpoint: ApiEndpoint, req: Request, res: Response): void {
    const passage = this.passage(req)
    const text = typeof req.body === 'string' ? req.body : ''
    const mentioned = this.options.faults.takeMentioned(req.method, passage.path, text)
    // What is in the body decides what happens, also where the line breaks afterwards.
    const breaksAfter = passage.fault?.kind === 'reset-after'
    passage.fault = mentioned ?? passage.fault
    const { fault } = passage
    if (fault?.kind === 'reset' || (breaksAfter && mentioned?.status !== undefined)) {
      this.breakOff(req, res, endpoint)
      return
    }
    const scripted = fault === undefined ? undefined : scriptedReply(fault, req)
    const isKept = scripted !== undefined && fault?.carriedOut !== true
    const reply = isKept ? scripted : this.perform(endpoint, req, text)
    if (fault?.kind === 'reset-after') this.breakOff(req, res, endpoint)
    else this.send(req, res, scripted ?? reply, endpoint)
  }

  unknown(req: Request, res: Response): void {
    const error = new SalesforceError(404, 'NOT_FOUND', 'The requested resource does not exist')
    this.send(req, res, { status: error.status, body: error.toBody() })
  }

  fail(error: unknown, req: Request, res: Response): void {
    const message = error instanceof Error ? error.message : 'unknown'
    const body = [{ message, errorCode: 'UNKNOWN_EXCEPTION' }]
    this.send(req, res, { status: 500, body })
  }

  private perform(endpoint: ApiEndpoint, req: Request, text: string): ApiReply {
    try {
      return endpoint.handle(this.admitted(endpoint, req, text))
    } catch (error) {
      if (error instanceof SalesforceError) return { status: error.status, body: error.toBody() }
      if (error instanceof RowError) return { status: statusOf(error), body: [error.toItem()] }
      throw error
    }
  }

  private admitted(endpoint: ApiEndpoint, req: Request, text: string): ApiCall {
    const { access, limits, now, versions } = this.options
    const base = {
      method: req.method,
      params: Object.fromEntries(
        Object.entries(req.params).map(([name, value]) => [name, String(value)]),
      ),
      query: new URLSearchParams(req.originalUrl.split('?')[1] ?? ''),
      headers: req.headers,
      text,
      origin: `${req.protocol}://${req.headers.host ?? ''}`,
    }
    if (endpoint.isOpen) return { ...base, apiVersion: '', actor: NOBODY }
    const grant = access.letIn(req.headers.authorization)
    this.passage(req).isCounted = true
    if (!limits.admit(now())) {
      throw new SalesforceError(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.')
    }
    const apiVersion = readVersion(base.params['version'] ?? '', versions)
    const client = headerOptions(req.headers['sforce-call-options']).get('client') ?? null
    const channel = endpoint.kind === 'bulk' ? 'bulkapi' : 'rest'
    const actor: Actor = { userId: grant.userId, channel, client, apiVersion }
    return { ...base, apiVersion, actor }
  }

  private send(req: Request, res: Response, reply: ApiReply, endpoint?: ApiEndpoint): void {
    const { fault, isCounted } = this.passage(req)
    const now = this.options.now()
    this.log(req, reply.status, endpoint)
    const isText = typeof reply.body === 'string'
    const own = {
      Date: new Date(now).toUTCString(),
      ...(isText || reply.body === undefined ? {} : { 'content-type': JSON_TYPE }),
      ...(isCounted ? { 'Sforce-Limit-Info': this.options.limits.header(now) } : {}),
    }
    sendReply(res, reply, own, fault?.kind)
  }

  private breakOff(req: Request, res: Response, endpoint?: ApiEndpoint): void {
    this.log(req, 0, endpoint)
    res.destroy()
  }

  private log(req: Request, status: number, endpoint: ApiEndpoint | undefined): void {
    const { path } = this.passage(req)
    this.options.calls.add({
      method: req.method,
      route: endpoint?.path ?? path,
      path,
      status,
      kind: endpoint?.kind ?? (req.method === 'GET' ? 'read' : 'write'),
      inputs: countInputs(req),
      at: this.options.now(),
    })
  }

  private passage(req: Request): Passage {
    const passage = this.passages.get(req)
    if (passage === undefined) throw new Error('the request did not come through the gate')
    return passage
  }
}

const NOBODY: Actor = { userId: '', channel: 'rest', client: null, apiVersion: '' }

/** Of a call about a single record. */
function statusOf({ errorCode }: RowError): number {
  return errorCode === 'ENTITY_IS_DELETED' || errorCode === 'NOT_FOUND' ? 404 : 400
}

/** What a fault answers in place of the endpoint. */
function scriptedReply(fault: FaultRule, req: Request): ApiReply | undefined {
  const headers = fault.headers === undefined ? {} : { headers: fault.headers }
  if (fault.kind === 'empty-2xx') {
    const isMany = req.path.includes('/composite/')
    return isMany ? { status: 200, body: [], ...headers } : { status: 204, ...headers }
  }
  if (fault.status === undefined) return undefined
  return { status: fault.status, body: fault.body ?? defaultBody(fault.status), ...headers }
}

function defaultBody(status: number): unknown {
  if (status === 401) {
    return new SalesforceError(401, 'INVALID_SESSION_ID', 'Session expired or invalid').toBody()
  }
  if (status === 403) {
    return badRequest('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.').toBody()
  }
  if (status === 503) return badRequest('SERVER_UNAVAILABLE', 'Server is unavailable').toBody()
  return badRequest('UNKNOWN_EXCEPTION', 'An unexpected error occurred').toBody()
}

function countInputs(req: Request): number {
  const ids = new URLSearchParams(req.originalUrl.split('?')[1] ?? '').get('ids')
  if (ids !== null) return ids.split(',').length
  if (!req.originalUrl.includes('/composite/') || typeof req.body !== 'string') return 1
  const records = req.body.match(/"attributes"\s*:/g)?.length ?? 0
  return records > 0 ? records : (req.body.match(/"[a-zA-Z0-9]{15,18}"/g)?.length ?? 1)
}
