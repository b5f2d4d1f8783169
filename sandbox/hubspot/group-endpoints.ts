import type { ApiCall, ApiEndpoint, ApiReply } from './api-endpoint.ts'
import { bodyObject } from './api-endpoint.ts'
import { HubspotError, invalidJson, notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyGroup } from './property-definition.ts'

/** Property groups. To be mounted before the endpoints of single properties. */
export function groupEndpoints(state: PortalState): ApiEndpoint[] {
  const path = '/crm/v3/properties/:objectType/groups'
  const one = `${path}/:groupName`
  const type = (call: ApiCall) => readObjectType(call.params['objectType'])
  const put = (object: ObjectType, group: PropertyGroup) =>
    state.transact(() => state.apply({ op: 'group', object, group }))
  return [
    { method: 'get', path, kind: 'read', handle: (call) => list(state, type(call)) },
    {
      method: 'post',
      path,
      kind: 'write',
      handle: (call) => {
        const group = newGroup(state, type(call), call)
        put(type(call), group)
        return { status: 201, body: group }
      },
    },
    {
      method: 'get',
      path: one,
      kind: 'read',
      handle: (call) => ({ status: 200, body: requireGroup(state, type(call), call) }),
    },
    {
      method: 'patch',
      path: one,
      kind: 'write',
      handle: (call) => {
        const current = requireGroup(state, type(call), call)
        const { label } = bodyObject(call)
        const group = typeof label === 'string' ? { ...current, label } : current
        put(type(call), group)
        return { status: 200, body: group }
      },
    },
    {
      method: 'delete',
      path: one,
      kind: 'write',
      handle: (call) => {
        put(type(call), { ...requireGroup(state, type(call), call), archived: true })
        return { status: 204 }
      },
    },
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
