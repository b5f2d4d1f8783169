import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import type { CallLog } from '../call-log.ts'
import { dropAbsent } from '../drop-absent.ts'
import type { FaultScript } from '../fault-script.ts'
import { loopbackOnly } from '../loopback-only.ts'
import { summarize } from './call-summary.ts'
import { HubspotError } from './hubspot-error.ts'
import { readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { binRecord, editRecord, eraseContact } from './record-fate.ts'
import { recordHistory } from './record-history.ts'
import { mergeRecords } from './record-merge.ts'
import type { SandboxCall } from './sandbox-call.ts'
import type { WebhookSender } from './webhook-sender.ts'

const DEFAULT_CALLS = 1_000
const positive = z.number().int().min(1)

const faultBody = z.strictObject({
  method: z.string().optional(),
  /** A regular expression, tested against the path. */
  path: z.string().optional(),
  nth: positive.optional(),
  times: positive.optional(),
  delayMs: z.number().int().min(0).max(600_000).optional(),
  kind: z.enum(['half-body', 'reset', 'reset-after', 'empty-2xx']).optional(),
  status: z.number().int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  carriedOut: z.boolean().optional(),
})
const webhookBody = z.strictObject({
  targetUrl: z.url(),
  clientSecret: z.string().min(1),
  publicUrl: z.url().optional(),
  subscriptions: z.array(z.string()).optional(),
  typeField: z.enum(['subscriptionType', 'eventType']).optional(),
  portalId: z.number().int().optional(),
  automatic: z.boolean().default(true),
})
const flushBody = z.strictObject({
  shuffle: z.number().int().optional(),
  repeat: z.number().int().min(0).max(10).optional(),
})
const mergeBody = z.strictObject({ into: z.string() })

export interface Controls {
  readonly state: PortalState
  readonly calls: CallLog<SandboxCall>
  readonly faults: FaultScript
  readonly webhooks: WebhookSender
}

/**
 * `/sandbox/…`: what a test or a person does to the stand-in from outside, and what she wants to see of it as
 * JSON. From this machine only: there is no token.
 */
export function controlRouter(controls: Controls): Router {
  const router = express.Router()
  router.use(loopbackOnly, express.json({ limit: '1mb', type: () => true }))
  addCalls(router, controls)
  addFaults(router, controls)
  addRecords(router, controls)
  addWebhooks(router, controls)
  router.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (error instanceof HubspotError) res.status(error.status).json({ message: error.message })
    else if (error instanceof z.ZodError) res.status(400).json({ message: z.prettifyError(error) })
    else if (error instanceof SyntaxError) res.status(400).json({ message: 'the body is no JSON' })
    else next(error)
  })
  return router
}

function addCalls(router: Router, { calls }: Controls): void {
  router.get('/calls', (req, res) => {
    const list = calls.list()
    const count = (isOne: (call: (typeof list)[number]) => boolean) => list.filter(isOne).length
    const isSearch = ({ route }: { route: string }) => route.endsWith('/search')
    const limit = Number(req.query['limit'] ?? DEFAULT_CALLS)
    res.json({
      total: list.length,
      kinds: {
        read: count((call) => call.kind === 'read' && !isSearch(call)),
        search: count(isSearch),
        write: count(({ kind }) => kind === 'write'),
      },
      refused: count(({ status }) => status >= 400),
      brokenOff: count(({ status }) => status === 0),
      summary: summarize(list),
      calls: Number.isInteger(limit) && limit > 0 ? list.slice(-limit) : [],
    })
  })
  router.delete('/calls', (_req, res) => {
    calls.clear()
    res.status(204).end()
  })
}

function addFaults(router: Router, { faults }: Controls): void {
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

function addRecords(router: Router, { state }: Controls): void {
  const typeOf = (req: Request) => readObjectType(String(req.params['type']))
  const idOf = (req: Request) => String(req.params['id'])
  router.get('/records/:type/:id/history', (req, res) => {
    const [type, id] = [typeOf(req), idOf(req)]
    const table = state.table(type)
    const record = table.records.get(id) ?? table.resolve(id)
    if (record === undefined) {
      res.status(404).json({ message: 'no such record' })
      return
    }
    const { archivedAt } = record
    res.json({
      type,
      id: record.id,
      createdAt: new Date(record.createdAt).toISOString(),
      archivedAt: archivedAt === null ? null : new Date(archivedAt).toISOString(),
      mergedIds: [...table.mergedInto].flatMap(([old, into]) => (into === record.id ? [old] : [])),
      properties: record.properties,
      versions: recordHistory(record),
    })
  })
  router.post('/records/:type/:id/:what', (req, res) => {
    const [type, id] = [typeOf(req), idOf(req)]
    const done = change(state, { type, id, what: String(req.params['what']) }, req.body)
    if (done) res.json(done)
    else res.status(404).json({ message: 'take edit, archive, restore, merge or erase' })
  })
}

function change(
  state: PortalState,
  { type, id, what }: { type: ReturnType<typeof readObjectType>; id: string; what: string },
  body: unknown,
): Record<string, unknown> | null {
  if (what === 'edit') editRecord(state, type, id, body)
  else if (what === 'archive') binRecord(state, type, id, 'archive')
  else if (what === 'restore') binRecord(state, type, id, 'unarchive')
  else if (what === 'erase' && type === 'contacts') eraseContact(state, id)
  else if (what === 'merge')
    return { id: mergeRecords(state, type, mergeBody.parse(body).into, id) }
  else return null
  return { id }
}

function addWebhooks(router: Router, { webhooks }: Controls): void {
  router.put('/webhooks', (req, res) => {
    webhooks.configure(dropAbsent(webhookBody.parse(req.body)))
    res.status(204).end()
  })
  router.delete('/webhooks', (_req, res) => {
    webhooks.configure(null)
    res.status(204).end()
  })
  router.get('/webhooks', (_req, res) => {
    res.json({ pending: webhooks.pending, deliveries: webhooks.deliveries.slice(-DEFAULT_CALLS) })
  })
  router.post('/webhooks/flush', async (req, res) => {
    const options = dropAbsent(flushBody.parse(req.body ?? {}))
    res.json({ deliveries: await webhooks.flush(options), pending: webhooks.pending })
  })
}
