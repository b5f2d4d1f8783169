import express, { type Router } from 'express'
import { z } from 'zod'
import { dropAbsent } from '../../drop-absent.ts'
import type { SalesforceSandbox } from '../salesforce-sandbox.ts'

const value = z.union([z.string(), z.number(), z.boolean(), z.null()])
const lockBody = z.strictObject({
  id: z.string().optional(),
  share: z.number().min(0).max(1).optional(),
  object: z.string().optional(),
  times: z.number().int().min(1).optional(),
})
const validationBody = z.strictObject({
  object: z.string(),
  name: z.string(),
  when: z.array(
    z.strictObject({
      field: z.string(),
      is: z.enum(['equal', 'not-equal', 'empty', 'filled', 'greater', 'less', 'changed']),
      value: value.optional(),
    }),
  ),
  message: z.string(),
  field: z.string().optional(),
})
const duplicateBody = z.strictObject({
  name: z.string(),
  object: z.string(),
  against: z.array(z.string()).optional(),
  fields: z.array(z.string()).min(1),
  action: z.enum(['alert', 'block']),
  on: z.enum(['create', 'create-and-update']).optional(),
})
const fieldBody = z.strictObject({
  object: z.string(),
  name: z.string(),
  label: z.string().optional(),
  type: z
    .enum([
      'string',
      'boolean',
      'int',
      'double',
      'currency',
      'percent',
      'date',
      'datetime',
      'email',
      'phone',
      'url',
      'textarea',
      'picklist',
      'multipicklist',
      'reference',
    ])
    .optional(),
  length: z.number().int().min(1).optional(),
  precision: z.number().int().min(1).max(18).optional(),
  scale: z.number().int().min(0).max(17).optional(),
  externalId: z.boolean().optional(),
  unique: z.boolean().optional(),
  caseSensitive: z.boolean().optional(),
  required: z.boolean().optional(),
  restricted: z.boolean().optional(),
  values: z.array(z.string()).optional(),
  referenceTo: z.array(z.string()).optional(),
  visible: z.boolean().optional(),
  editable: z.boolean().optional(),
})
const assignmentBody = z.strictObject({ object: z.string(), ownerId: z.string().nullable() })
const storageBody = z.strictObject({ room: z.number().int().min(0).nullable() })
const bulkBody = z.strictObject({
  hold: z.boolean().optional(),
  failNext: z.strictObject({ afterRows: z.number().int().min(0), message: z.string() }).optional(),
})
const streamBody = z.strictObject({
  permitted: z.boolean().optional(),
  watch: z.array(z.string()).optional(),
  disconnect: z.literal(true).optional(),
  keepAlive: z.literal(true).optional(),
  forget: z.literal(true).optional(),
  gap: z
    .strictObject({
      object: z.string(),
      ids: z.array(z.string()).default([]),
      type: z
        .enum(['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE', 'GAP_OVERFLOW'])
        .default('GAP_UPDATE'),
    })
    .optional(),
})

/** What an administrator sets up, and what only the owner of a stand-in can do, over HTTP. */
export function setupRoutes(sandbox: SalesforceSandbox): Router {
  const router = express.Router()
  addRules(router, sandbox)
  addMachinery(router, sandbox)
  router.post('/fields', (req, res) => {
    const { object, ...change } = fieldBody.parse(req.body)
    sandbox.defineField(object, dropAbsent(change))
    res.status(204).end()
  })
  return router
}

function addRules(router: Router, { rules }: SalesforceSandbox): void {
  router.post('/locks', (req, res) => {
    rules.locks.add(dropAbsent(lockBody.parse(req.body)))
    res.status(204).end()
  })
  router.delete('/locks', (_req, res) => {
    rules.locks.clear()
    res.status(204).end()
  })
  router.put('/validation-rules', (req, res) => {
    const rule = validationBody.parse(req.body)
    rules.validations.set({ ...dropAbsent(rule), when: rule.when.map(dropAbsent) })
    res.status(204).end()
  })
  router.delete('/validation-rules/:object/:name', (req, res) => {
    rules.validations.remove(String(req.params['object']), String(req.params['name']))
    res.status(204).end()
  })
  router.put('/duplicate-rules', (req, res) => {
    rules.duplicates.set(dropAbsent(duplicateBody.parse(req.body)))
    res.status(204).end()
  })
  router.delete('/duplicate-rules/:name', (req, res) => {
    rules.duplicates.remove(String(req.params['name']))
    res.status(204).end()
  })
  router.put('/storage', (req, res) => {
    rules.storage.leave(storageBody.parse(req.body).room)
    res.status(204).end()
  })
  router.put('/assignment', (req, res) => {
    const { object, ownerId } = assignmentBody.parse(req.body)
    if (ownerId === null) rules.assignment.delete(object)
    else rules.assignment.set(object, ownerId)
    res.status(204).end()
  })
}

function addMachinery(router: Router, sandbox: SalesforceSandbox): void {
  router.post('/clock', (req, res) => {
    const { advanceMs } = z.strictObject({ advanceMs: z.number().int() }).parse(req.body)
    sandbox.clock.advance(advanceMs)
    res.json({ now: new Date(sandbox.clock.now()).toISOString() })
  })
  router.post('/usage', (req, res) => {
    sandbox.useCalls(z.strictObject({ calls: z.number().int() }).parse(req.body).calls)
    res.status(204).end()
  })
  router.post('/tokens/expire', (_req, res) => {
    sandbox.access.expireAccessTokens()
    res.status(204).end()
  })
  router.post('/tokens/revoke', (_req, res) => {
    sandbox.access.revokeAll()
    res.status(204).end()
  })
  router.post('/delete-log/purge', (_req, res) => {
    sandbox.purgeDeleteLog()
    res.status(204).end()
  })
  router.post('/bulk', (req, res) => {
    const { hold, failNext } = bulkBody.parse(req.body)
    if (failNext !== undefined) sandbox.bulk.failNext(failNext.afterRows, failNext.message)
    if (hold === true) sandbox.bulk.hold()
    if (hold === false) sandbox.bulk.letGo()
    res.status(204).end()
  })
  router.post('/stream', (req, res) => {
    const { permitted, watch, disconnect, keepAlive, forget, gap } = streamBody.parse(req.body)
    const { pubsub } = sandbox
    if (permitted !== undefined) pubsub.permit(permitted)
    if (watch !== undefined) pubsub.watch(watch)
    if (forget) pubsub.forget()
    if (gap !== undefined) pubsub.gap(gap.object, gap.ids, gap.type)
    if (keepAlive) pubsub.keepAlive()
    if (disconnect) pubsub.disconnect()
    res.status(204).end()
  })
}
