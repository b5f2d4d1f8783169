import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { bodyObject, queryList, readId, stringList } from './api-endpoint.ts'
import { associationType } from './association-endpoints.ts'
import { batchAnswer, batchInputs, emptyBatch } from './batch-answer.ts'
import { invalid, notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import {
  findByUnique,
  findOne,
  missingObjects,
  refuseRepeated,
  requireUnique,
} from './record-lookup.ts'
import { viewRecord } from './record-view.ts'
import type { StoredRecord } from './stored-record.ts'

const BATCH_LIMIT = 100
const HISTORY_LIMIT = 50
const PAGE_LIMIT = 100
const DEFAULT_PAGE = 10

/** Everything that reads records by id. */
export function readEndpoints(state: PortalState, now: () => number): ApiEndpoint[] {
  const path = '/crm/v3/objects/:objectType'
  const type = (call: ApiCall) => readObjectType(call.params['objectType'])
  return [
    {
      method: 'get',
      path,
      kind: 'read',
      handle: (call) => list(state, type(call), call),
    },
    {
      method: 'get',
      path: `${path}/:objectId`,
      kind: 'read',
      handle: (call) => getOne(state, type(call), call),
    },
    {
      method: 'post',
      path: `${path}/batch/read`,
      kind: 'read',
      handle: (call) => batchRead(state, type(call), call, now()),
    },
  ]
}

function getOne(state: PortalState, type: ObjectType, call: ApiCall): ApiReply {
  const id = call.params['objectId'] ?? ''
  const archived = call.query.get('archived') === 'true'
  const record = archived
    ? state.table(type).records.get(id)
    : findOne(state, type, id, call.query.get('idProperty'))
  if (record === undefined || (record.archivedAt !== null) !== archived) {
    throw notFound('resource not found')
  }
  return { status: 200, body: viewWithAssociations(state, type, record, call) }
}

function list(state: PortalState, type: ObjectType, call: ApiCall): ApiReply {
  const withHistory = call.query.has('propertiesWithHistory')
  const limit = Number(call.query.get('limit') ?? DEFAULT_PAGE)
  const most = withHistory ? HISTORY_LIMIT : PAGE_LIMIT
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw invalid(`limit must be between 1 and ${most}`)
  }
  const archived = call.query.get('archived') === 'true'
  const after = Number(call.query.get('after') ?? '0')
  const page: StoredRecord[] = []
  let more = false
  for (const record of state.table(type).records.values()) {
    if ((record.archivedAt !== null) !== archived || Number(record.id) <= after) continue
    more = page.length === limit
    if (more) break
    page.push(record)
  }
  const last = page.at(-1)?.id
  return {
    status: 200,
    body: {
      results: page.map((record) => viewWithAssociations(state, type, record, call)),
      ...(more && last !== undefined ? { paging: nextPage(type, last) } : {}),
    },
  }
}

function nextPage(type: ObjectType, after: string) {
  return { next: { after, link: `https://api.hubapi.com/crm/v3/objects/${type}?after=${after}` } }
}

function viewWithAssociations(
  state: PortalState,
  type: ObjectType,
  record: StoredRecord,
  call: ApiCall,
): Record<string, unknown> {
  const view = viewRecord(type, record, {
    properties: queryList(call, 'properties'),
    withHistory: queryList(call, 'propertiesWithHistory'),
  })
  const asked = queryList(call, 'associations').map((name) => readObjectType(name))
  const associations: Record<string, unknown> = {}
  for (const to of asked) {
    const results = state.associations
      .neighbours({ type, id: record.id }, to)
      .filter(({ id }) => state.table(to).live(id) !== undefined)
      .flatMap(({ id, links }) =>
        links.map(({ typeId }) => ({ id, type: associationType(type, to, typeId) })),
      )
    if (results.length > 0) associations[to] = { results }
  }
  return Object.keys(associations).length === 0 ? view : { ...view, associations }
}

/** Batch reads know no associations, and no ids of merged records. */
function batchRead(state: PortalState, type: ObjectType, call: ApiCall, now: number): ApiReply {
  const body = bodyObject(call)
  const withHistory = stringList(body['propertiesWithHistory'])
  const inputs = batchInputs(call, BATCH_LIMIT)
  if (inputs.length === 0) return emptyBatch(now)
  if (withHistory.length > 0 && inputs.length > HISTORY_LIMIT) {
    throw invalid(
      `The maximum number of inputs supported in a batch request for property histories is ${HISTORY_LIMIT}. Please reduce the number of items and try again`,
    )
  }
  const idProperty = typeof body['idProperty'] === 'string' ? body['idProperty'] : undefined
  const property = idProperty === 'hs_object_id' ? undefined : idProperty
  if (property !== undefined) requireUnique(state, type, property, true)
  const archived = call.query.get('archived') === 'true'
  const ids = inputs.map((input) => readId(input['id']))
  refuseRepeated(ids)
  const find = (id: string): StoredRecord | undefined => {
    if (property !== undefined) return findByUnique(state, type, id, property)
    const record = state.table(type).records.get(id)
    return record !== undefined && (record.archivedAt !== null) === archived ? record : undefined
  }
  const found = ids.map((id) => ({ id, record: find(id) }))
  const missing = found.filter(({ record }) => record === undefined).map(({ id }) => id)
  const records = new Set(found.flatMap(({ record }) => record ?? []))
  const view = { properties: stringList(body['properties']), withHistory }
  const results = [...records].map((record) => viewRecord(type, record, view)).reverse()
  return batchAnswer(200, results, now, missing.length === 0 ? [] : [missingObjects(type, missing)])
}
