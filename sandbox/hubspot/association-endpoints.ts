import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint, JsonObject } from './api-endpoint.ts'
import { isObject } from './api-endpoint.ts'
import type { AssociationEnd, AssociationLink } from './association-graph.ts'
import { invalid, invalidJson, notFound } from './hubspot-error.ts'
import { associationKinds, OBJECT_TYPES, type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { kindBetween, link, unlink } from './record-linking.ts'

/** Associations of one record: v3 to read, v4 to read and write. */
export function associationEndpoints(state: PortalState): ApiEndpoint[] {
  const v3 = '/crm/v3/objects/:objectType/:objectId/associations/:toObjectType'
  const v4 = '/crm/v4/objects/:objectType/:objectId/associations/:toObjectType'
  const one = `${v4}/:toObjectId`
  const preset =
    '/crm/v4/objects/:objectType/:objectId/associations/default/:toObjectType/:toObjectId'
  return [
    { method: 'get', path: v3, kind: 'read', handle: (call) => listV3(state, call) },
    { method: 'get', path: v4, kind: 'read', handle: (call) => listV4(state, call) },
    { method: 'put', path: preset, kind: 'write', handle: (call) => putDefault(state, call) },
    { method: 'put', path: one, kind: 'write', handle: (call) => putTypes(state, call) },
    { method: 'delete', path: one, kind: 'write', handle: (call) => remove(state, call) },
  ]
}

/** The v3 name of an association kind, such as `task_to_contact`. */
export function associationType(from: ObjectType, to: ObjectType, typeId: number): string {
  const name = `${OBJECT_TYPES[from].singular}_to_${OBJECT_TYPES[to].singular}`
  const kinds = associationKinds(from, to)
  return kinds.length > 1 && kinds[0]?.typeId === typeId ? `${name}_unlabeled` : name
}

/** The records of one type associated with another, as v4 shows them. */
export function associatedObjects(state: PortalState, from: AssociationEnd, to: ObjectType) {
  return state.associations
    .neighbours(from, to)
    .filter(({ id }) => state.table(to).live(id) !== undefined)
    .map(({ id, links }) => ({
      toObjectId: Number(id),
      associationTypes: links.map((held) => linkView(from.type, to, held)),
    }))
}

function linkView(from: ObjectType, to: ObjectType, { typeId, category }: AssociationLink) {
  const kind = associationKinds(from, to).find((candidate) => candidate.typeId === typeId)
  return { category, typeId, label: kind?.label ?? null }
}

/** The live record an association call names; refuses one that does not exist. */
export function requireEnd(state: PortalState, type: ObjectType, id: string): AssociationEnd {
  const record = state.table(type).resolve(id)
  if (record === undefined) {
    throw notFound(`No ${OBJECT_TYPES[type].singular} with ID ${id} exists`)
  }
  return { type, id: record.id }
}

function fromEnd(state: PortalState, call: ApiCall): AssociationEnd {
  const type = readObjectType(call.params['objectType'])
  return requireEnd(state, type, call.params['objectId'] ?? '')
}

function toEnd(state: PortalState, call: ApiCall): AssociationEnd {
  const type = readObjectType(call.params['toObjectType'])
  return requireEnd(state, type, call.params['toObjectId'] ?? '')
}

function page(call: ApiCall): { start: number; limit: number } {
  const start = Number(call.query.get('after') ?? '0')
  const limit = Number(call.query.get('limit') ?? '500')
  if (!Number.isInteger(start) || !Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw invalid('limit must be between 1 and 500')
  }
  return { start, limit }
}

function paged(results: readonly unknown[], call: ApiCall): ApiReply {
  const { start, limit } = page(call)
  const end = start + limit
  const paging = end < results.length ? { paging: { next: { after: String(end) } } } : {}
  return { status: 200, body: { results: results.slice(start, end), ...paging } }
}

function listV3(state: PortalState, call: ApiCall): ApiReply {
  const from = fromEnd(state, call)
  const to = readObjectType(call.params['toObjectType'])
  const results = state.associations
    .neighbours(from, to)
    .filter(({ id }) => state.table(to).live(id) !== undefined)
    .flatMap(({ id, links }) =>
      links.map(({ typeId }) => ({ id, type: associationType(from.type, to, typeId) })),
    )
  return paged(results, call)
}

function listV4(state: PortalState, call: ApiCall): ApiReply {
  const to = readObjectType(call.params['toObjectType'])
  return paged(associatedObjects(state, fromEnd(state, call), to), call)
}

function putDefault(state: PortalState, call: ApiCall): ApiReply {
  const from = fromEnd(state, call)
  const to = toEnd(state, call)
  const typeId = defaultTypeId(from.type, to.type)
  state.transact(() => link(state, from, to, typeId))
  return {
    status: 200,
    body: {
      status: 'COMPLETE',
      results: [
        {
          from: { id: from.id },
          to: { id: to.id },
          associationSpec: { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: typeId },
        },
      ],
    },
  }
}

/** The kind of association that carries no label. */
export function defaultTypeId(from: ObjectType, to: ObjectType): number {
  const typeId = associationKinds(from, to)[0]?.typeId
  if (typeId === undefined) throw invalid(`No default association from ${from} to ${to}`)
  return typeId
}

/** The type ids of a list of association specs. */
export function readTypeIds(from: ObjectType, to: ObjectType, specs: unknown): number[] {
  if (!Array.isArray(specs) || specs.length === 0)
    throw invalidJson('association types are missing')
  return specs.map((spec: unknown) => {
    const { associationTypeId }: JsonObject = isObject(spec) ? spec : {}
    return kindBetween(from, to, associationTypeId).typeId
  })
}

function putTypes(state: PortalState, call: ApiCall): ApiReply {
  const from = fromEnd(state, call)
  const to = toEnd(state, call)
  const typeIds = readTypeIds(from.type, to.type, call.body)
  state.transact(() => {
    for (const typeId of typeIds) link(state, from, to, typeId)
  })
  return { status: 201, body: pairView(state, from, to) }
}

/** A pair of records with the labels of what associates them. */
export function pairView(state: PortalState, from: AssociationEnd, to: AssociationEnd) {
  const labels = state.associations
    .links(from, to)
    .map((held) => linkView(from.type, to.type, held).label)
    .filter((label) => label !== null)
  return {
    fromObjectTypeId: OBJECT_TYPES[from.type].typeId,
    fromObjectId: from.id,
    toObjectTypeId: OBJECT_TYPES[to.type].typeId,
    toObjectId: to.id,
    labels,
  }
}

function remove(state: PortalState, call: ApiCall): ApiReply {
  const from = fromEnd(state, call)
  const to = toEnd(state, call)
  state.transact(() => unlink(state, from, to))
  return { status: 204 }
}
