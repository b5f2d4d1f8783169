import express, { type Router } from 'express'
import { z } from 'zod'
import { dropAbsent } from '../../drop-absent.ts'
import type { SalesforceSandbox } from '../salesforce-sandbox.ts'

const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
const mergeBody = z.strictObject({ into: z.string() })
const convertBody = z.strictObject({
  accountId: z.string().optional(),
  contactId: z.string().optional(),
  opportunityName: z.string().optional(),
  status: z.string().optional(),
  ownerId: z.string().optional(),
})
const opportunityBody = z.strictObject({
  values: values.default({}),
  contactIds: z.array(z.string()).default([]),
})
const logBody = z.strictObject({ kind: z.enum(['call', 'email', 'meeting']), values })
const queueBody = z.strictObject({ name: z.string(), objects: z.array(z.string()) })

/** What people of the org do by hand, over HTTP. */
export function peopleRoutes(sandbox: SalesforceSandbox): Router {
  const router = express.Router()
  const { people } = sandbox
  router.post('/records/:object', (req, res) => {
    const object = String(req.params['object'])
    res.status(201).json({ id: people.create(object, values.parse(req.body)) })
  })
  router.post('/records/:object/:id/:what', (req, res) => {
    const { object = '', id = '', what = '' } = req.params
    const done = changeRecord(sandbox, { object, id, what }, req.body ?? {})
    if (done === null) res.status(404).json({ message: `there is no way to ${what} a ${object}` })
    else res.json(done)
  })
  router.post('/opportunities', (req, res) => {
    const body = opportunityBody.parse(req.body ?? {})
    res.status(201).json({ id: people.openOpportunity(body.values, body.contactIds) })
  })
  router.post('/log', (req, res) => {
    const body = logBody.parse(req.body)
    res.status(201).json({ id: people.log(body.kind, body.values) })
  })
  router.post('/users', (req, res) => {
    res.status(201).json({ id: people.addUser(values.parse(req.body)) })
  })
  router.post('/queues', (req, res) => {
    const { name, objects } = queueBody.parse(req.body)
    res.status(201).json({ id: people.addQueue(name, objects) })
  })
  return router
}

function changeRecord(
  { people }: SalesforceSandbox,
  { object, id, what }: { readonly object: string; readonly id: string; readonly what: string },
  body: unknown,
): unknown {
  const actions: Readonly<Record<string, () => unknown>> = {
    edit: () => people.edit(object, id, values.parse(body)),
    delete: () => people.delete(object, id),
    undelete: () => people.undelete(object, id),
    merge: () => people.merge(object, mergeBody.parse(body).into, [id]),
    convert: () => people.convertLead(id, dropAbsent(convertBody.parse(body))),
    win: () => people.closeOpportunity(id, 'won'),
    lose: () => people.closeOpportunity(id, 'lost'),
    complete: () => people.completeTask(id),
    archive: () => people.archiveTask(id),
    deactivate: () => people.deactivateUser(id),
  }
  const action = actions[what]
  if (action === undefined) return null
  return action() ?? { id }
}
