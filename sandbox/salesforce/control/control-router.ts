import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { dropAbsent } from '../../drop-absent.ts'
import { loopbackOnly } from '../../loopback-only.ts'
import type { SandboxCall } from '../api/sandbox-call.ts'
import { RowError, SalesforceError } from '../salesforce-error.ts'
import type { SalesforceSandbox } from '../salesforce-sandbox.ts'
import { summarizeCalls } from './call-summary.ts'
import { peopleRoutes } from './people-routes.ts'
import { setupRoutes } from './setup-routes.ts'

const DEFAULT_ROWS = 1_000
const positive = z.number().int().min(1)

const faultBody = z.strictObject({
  method: z.string().optional(),
  /** A regular expression, tested against the path. */
  path: z.string().optional(),
  mentions: z.string().optional(),
  nth: positive.optional(),
  times: positive.optional(),
  chance: z.number().min(0).max(1).optional(),
  delayMs: z.number().int().min(0).max(600_000).optional(),
  kind: z.enum(['half-body', 'reset', 'reset-after', 'empty-2xx']).optional(),
  status: z.number().int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  carriedOut: z.boolean().optional(),
})

/**
 * `/sandbox/…`: what a test or a person does to the stand-in from outside, and what she wants to see of
 * it as JSON. From this machine only: there is no token.
 */
export function controlRouter(sandbox: SalesforceSandbox): Router {
  const router = express.Router()
  router.use(loopbackOnly, express.json({ limit: '10mb', type: () => true }))
  addCalls(router, sandbox)
  addFaults(router, sandbox)
  addRecords(router, sandbox)
  router.use(peopleRoutes(sandbox))
  router.use(setupRoutes(sandbox))
  router.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (error instanceof SalesforceError) res.status(error.status).json(error.toBody())
    else if (error instanceof RowError) res.status(400).json([error.toItem()])
    else if (error instanceof z.ZodError) res.status(400).json({ message: z.prettifyError(error) })
    else if (error instanceof SyntaxError) res.status(400).json({ message: 'the body is no JSON' })
    else if (error instanceof Error) res.status(400).json({ message: error.message })
    else next(error)
  })
  return router
}

function addCalls(router: Router, sandbox: SalesforceSandbox): void {
  router.get('/calls', (req, res) => {
    const list = sandbox.calls()
    const kinds: Record<string, number> = {}
    for (const { kind } of list) kinds[kind] = (kinds[kind] ?? 0) + 1
    const count = (isOne: (call: SandboxCall) => boolean) => list.filter(isOne).length
    res.json({
      total: list.length,
      kinds,
      refused: count(({ status }) => status >= 400),
      brokenOff: count(({ status }) => status === 0),
      summary: summarizeCalls(list),
      calls: list.slice(-rows(req)),
    })
  })
  router.delete('/calls', (_req, res) => {
    sandbox.resetCalls()
    res.status(204).end()
  })
}

function addFaults(router: Router, { faults }: SalesforceSandbox): void {
  router.post('/faults', (req, res) => {
    const { path, ...rule } = faultBody.parse(req.body)
    faults.push({ ...dropAbsent(rule), ...(path === undefined ? {} : { path: new RegExp(path) }) })
    res.status(201).json({ pending: faults.pending })
  })
  router.get('/faults', (_req, res) => void res.json({ pending: faults.pending }))
  router.delete('/faults', (_req, res) => {
    faults.clear()
    res.status(204).end()
  })
}

function addRecords(router: Router, sandbox: SalesforceSandbox): void {
  router.get('/records/:object', (req, res) => {
    const all = sandbox.records(String(req.params['object']))
    const shown = all.slice(0, rows(req)).map(({ values, deleted }) => ({ ...values, deleted }))
    res.json({ total: all.length, records: shown })
  })
  router.get('/records/:object/:id/history', (req, res) => {
    const record = sandbox.record(String(req.params['id']))
    if (record === undefined) res.status(404).json({ message: 'no such record' })
    else res.json({ ...record, versions: record.history })
  })
  router.get('/events', (req, res) => {
    const all = sandbox.pubsub.log()
    res.json({ total: all.length, events: all.slice(-rows(req)) })
  })
}

function rows(req: Request): number {
  const limit = Number(req.query['limit'] ?? DEFAULT_ROWS)
  return Number.isInteger(limit) && limit > 0 ? limit : DEFAULT_ROWS
}
