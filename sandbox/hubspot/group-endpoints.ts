import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { bodyObject } from './api-endpoint.ts'
import { HubspotError, invalidJson, notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyGroup } from './property-definition.ts'

/** Property groups. To be mounted before the endpoints of single properties. */
export function groupEndpoints(state: PortalState): ApiEndpoint[] {
  const path = '/crm/v3/properties/:objectType/groups'
  const one = `${path}/:groupName`
  const on = (
    method: ApiEndpoint['method'],
    at: string,
    handle: (type: ObjectType, call: ApiCall) => ApiReply,
  ): ApiEndpoint => ({
    method,
    path: at,
    kind: method === 'get' ? 'read' : 'write',
    handle: (call) => handle(readObjectType(call.params['objectType']), call),
  })
  const put = (status: 200 | 201, object: ObjectType, group: PropertyGroup): ApiReply => {
    state.transact(() => state.apply({ op: 'group', object, group }))
    return { status, body: group }
  }
  return [
    on('get', path, (type) => list(state, type)),
    on('post', path, (type, call) => put(201, type, newGroup(state, type, call))),
    on('get', one, (type, call) => ({ status: 200, body: requireGroup(state, type, call) })),
    on('patch', one, (type, call) => {
      const current = requireGroup(state, type, call)
      const { label } = bodyObject(call)
      return put(200, type, typeof label === 'string' ? { ...current, label } : current)
    }),
    on('delete', one, (type, call) => {
      put(200, type, { ...requireGroup(state, type, call), archived: true })
      return { status: 204 }
    }),
  ]
}

function list(state: PortalState, type: ObjectType): ApiReply {
  const results = [...state.groups(type).values()].filter(({ archived }) => !archived)
  return { status: 200, body: { results } }
}

function requireGroup(state: PortalState, type: ObjectType, call: ApiCall): PropertyGroup {
  const name = call.params['groupName'] ?? ''
  const group = state.groups(type).get(name)
  if (group === undefined || group.archived) {
    throw notFound(`Property group ${name} does not exist for object type ${type}`)
  }
  return group
}

function newGroup(state: PortalState, type: ObjectType, call: ApiCall): PropertyGroup {
  const { name, label, displayOrder } = bodyObject(call)
  if (typeof name !== 'string' || typeof label !== 'string' || name === '' || label === '') {
    throw invalidJson('Some required fields were not set: [name, label]')
  }
  const taken = state.groups(type).get(name)
  if (taken !== undefined && !taken.archived) {
    throw new HubspotError(409, 'OBJECT_ALREADY_EXISTS', `Property group ${name} already exists`)
  }
  return {
    name,
    label,
    displayOrder: typeof displayOrder === 'number' ? displayOrder : -1,
    archived: false,
  }
}
