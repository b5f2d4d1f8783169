import express, { type Request, type Response, type Router } from 'express'
import type { CallLog } from '../call-log.ts'
import { summarize } from './call-summary.ts'
import { listPage } from './list-page.ts'
import { OBJECT_TYPE_NAMES, OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { recordPage } from './record-page.ts'
import type { SandboxCall } from './sandbox-call.ts'
import type { StoredRecord } from './stored-record.ts'

const DEFAULT_ROWS = 1000

/** Pages for people, and the same as JSON. None of them needs a token. */
export function pageRouter(state: PortalState, calls: CallLog<SandboxCall>): Router {
  const router = express.Router()
  router.get('/', (req, res) => {
    const type = readType(textOf(req.query['object'])) ?? 'contacts'
    const sort = textOf(req.query['sort']) || firstSort(state, type)
    const view = {
      type,
      query: textOf(req.query['q']),
      sort,
      descending: req.query['sort'] === undefined || req.query['dir'] === 'desc',
      page: Math.max(1, Math.trunc(Number(req.query['page'])) || 1),
    }
    sendPage(res, listPage(state, calls, view))
  })
  router.get('/records/:object/:id', (req, res) => showRecord(state, req, res))
  router.get('/_sandbox/state.json', (req, res) => void res.json(stateView(state, req)))
  router.get('/_sandbox/calls.json', (req, res) => {
    const list = calls.list()
    res.json({ total: list.length, summary: summarize(list), calls: list.slice(-rows(req)) })
  })
  return router
}

function showRecord(state: PortalState, req: Request, res: Response): void {
  const type = readType(textOf(req.params['object']))
  const id = textOf(req.params['id'])
  const record = type && (state.table(type).records.get(id) ?? state.table(type).resolve(id))
  if (type === undefined || record === undefined)
    res.status(404).type('text').send('No such record.')
  else if (record.id !== id) res.redirect(`/records/${type}/${record.id}`)
  else sendPage(res, recordPage(state, type, record))
}

/** `?object=` narrows it to one type, `?limit=` lifts the bound of 1,000 rows of each kind. */
function stateView(state: PortalState, req: Request): Record<string, unknown> {
  const only = readType(textOf(req.query['object']))
  const types = only === undefined ? OBJECT_TYPE_NAMES : [only]
  const limit = rows(req)
  const records = types.map((type) => [
    type,
    [...state.table(type).records.values()].slice(0, limit).map(withoutIndexState),
  ])
  const counts = OBJECT_TYPE_NAMES.map((type) => [type, state.table(type).records.size])
  const associations = [...state.associations.all()].slice(0, limit)
  return {
    counts: Object.fromEntries(counts),
    ...Object.fromEntries(records),
    associations,
    owners: [...state.owners.values()],
  }
}

function withoutIndexState({ stale: _stale, ...record }: StoredRecord): StoredRecord {
  return record
}

function rows(req: Request): number {
  const limit = Number(req.query['limit'] ?? DEFAULT_ROWS)
  return Number.isInteger(limit) && limit > 0 ? limit : DEFAULT_ROWS
}

function readType(name: string): ObjectType | undefined {
  return OBJECT_TYPE_NAMES.find((type) => type === name)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function sendPage(res: Response, page: string): void {
  res.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  res.setHeader('x-content-type-options', 'nosniff')
  res.type('html').send(page)
}

/** By score where there is one, since that is what one looks for; else what changed last. */
function firstSort(state: PortalState, type: ObjectType): string {
  const score = ['pql_score', 'pqa_score'].find((name) => state.properties(type).has(name))
  return score ?? OBJECT_TYPES[type].modifiedProperty
}
