import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { readId } from './api-endpoint.ts'
import { invalid, notFound } from './hubspot-error.ts'
import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'

/** A list of the account; HubSpot's pages call them segments. */
export interface PortalList {
  readonly id: string
  readonly name: string
  readonly object: ObjectType
  /** Only `MANUAL` and `SNAPSHOT` ones are changed by hand or call. */
  readonly processingType: 'MANUAL' | 'DYNAMIC' | 'SNAPSHOT'
  readonly members: Set<string>
}

/** The lists of the account; they are made by people and are not kept in the journal. */
export class PortalLists {
  private readonly byId = new Map<string, PortalList>()

  add(
    list: Pick<PortalList, 'name' | 'object'> & Partial<Pick<PortalList, 'processingType'>>,
  ): string {
    const id = String(31 + this.byId.size)
    const { name, object, processingType = 'MANUAL' } = list
    this.byId.set(id, { id, name, object, processingType, members: new Set() })
    return id
  }

  get(id: string): PortalList | undefined {
    return this.byId.get(id)
  }
}

const SINCE = '2026-01-02T03:04:05.678Z'

export function listEndpoints(state: PortalState, lists: PortalLists): ApiEndpoint[] {
  const path = '/crm/v3/lists/:listId'
  const found = ({ params }: ApiCall): PortalList => {
    const id = params['listId'] ?? ''
    const list = lists.get(id)
    if (list === undefined) throw notFound(`List does not exist with ID ${id}.`)
    return list
  }
  const change = (act: 'add' | 'remove'): ApiEndpoint => ({
    method: 'put',
    path: `${path}/memberships/${act}`,
    kind: 'write',
    handle: (call) => changed(state, found(call), act, call),
  })
  return [
    { method: 'get', path, kind: 'read', handle: (call) => view(found(call)) },
    change('add'),
    change('remove'),
  ]
}

function view({ id, name, object, processingType, members }: PortalList): ApiReply {
  const list = {
    ...{ listId: id, name, processingType, objectTypeId: OBJECT_TYPES[object].typeId },
    ...{ processingStatus: 'COMPLETE', listVersion: 1, size: members.size },
    ...{ createdAt: SINCE, updatedAt: SINCE },
  }
  return { status: 200, body: { list } }
}

function changed(
  state: PortalState,
  list: PortalList,
  act: 'add' | 'remove',
  { body }: ApiCall,
): ApiReply {
  if (list.processingType === 'DYNAMIC') {
    throw invalid(`List with ID ${list.id} is DYNAMIC: its members cannot be changed.`)
  }
  if (!Array.isArray(body)) throw invalid('Invalid request body: a list of record ids is expected')
  const ids = body.map(readId)
  const isThere = (id: string) => state.table(list.object).live(id) !== undefined
  const missing = ids.filter((id) => !isThere(id))
  const touched = ids.filter((id) => isThere(id) && list.members.has(id) === (act === 'remove'))
  for (const id of touched) {
    if (act === 'add') list.members.add(id)
    else list.members.delete(id)
  }
  return {
    status: 200,
    body: {
      recordsIdsAdded: act === 'add' ? touched : [],
      recordIdsRemoved: act === 'remove' ? touched : [],
      recordIdsMissing: missing,
    },
  }
}
