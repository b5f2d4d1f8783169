import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { bodyObject, readId } from './api-endpoint.ts'
import { notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { findOne } from './record-lookup.ts'
import { mergeRecords } from './record-merge.ts'
import { viewWritten } from './record-view.ts'
import { commitWrites, viewPlanned, type WriteOptions } from './write-commit.ts'
import { WritePlan } from './write-plan.ts'

/** Creates, changes, merges and archives one record. To be mounted after the batches. */
export function singleWriteEndpoints(state: PortalState, options: WriteOptions): ApiEndpoint[] {
  const writes = new SingleWrites(state, options)
  const write = (
    method: ApiEndpoint['method'],
    suffix: string,
    handle: (type: ObjectType, call: ApiCall) => ApiReply,
  ): ApiEndpoint => ({
    method,
    path: `/crm/v3/objects/:objectType${suffix}`,
    kind: 'write',
    handle: (call) => handle(readObjectType(call.params['objectType']), call),
  })
  return [
    write('post', '/merge', (type, call) => writes.merge(type, call)),
    write('post', '', (type, call) => writes.create(type, call)),
    write('patch', '/:objectId', (type, call) => writes.update(type, call)),
    write('delete', '/:objectId', (type, call) => writes.archive(type, call)),
  ]
}

class SingleWrites {
  private readonly state: PortalState
  private readonly options: WriteOptions

  constructor(state: PortalState, options: WriteOptions) {
    this.state = state
    this.options = options
  }

  create(type: ObjectType, call: ApiCall): ApiReply {
    const body = bodyObject(call)
    const planned = new WritePlan(this.state, type).create(body['properties'], body['associations'])
    commitWrites(this.state, this.options, type, [planned])
    return { status: 201, body: viewPlanned(this.state, type, planned) }
  }

  update(type: ObjectType, call: ApiCall): ApiReply {
    const id = call.params['objectId'] ?? ''
    const record = findOne(this.state, type, id, call.query.get('idProperty'))
    if (record === undefined) throw notFound('resource not found')
    const planned = new WritePlan(this.state, type).update(record, bodyObject(call)['properties'])
    commitWrites(this.state, this.options, type, [planned])
    return { status: 200, body: viewPlanned(this.state, type, planned) }
  }

  archive(type: ObjectType, call: ApiCall): ApiReply {
    const record = this.state.table(type).resolve(call.params['objectId'] ?? '')
    if (record !== undefined) {
      this.state.transact(() => this.state.apply({ op: 'archive', object: type, id: record.id }))
    }
    return { status: 204 }
  }

  merge(type: ObjectType, call: ApiCall): ApiReply {
    const body = bodyObject(call)
    const primaryId = readId(body['primaryObjectId'])
    const id = mergeRecords(this.state, type, primaryId, readId(body['objectIdToMerge']))
    const record = this.state.table(type).live(id)
    if (record === undefined) throw notFound('resource not found')
    return { status: 200, body: viewWritten(type, record, Object.keys(record.properties)) }
  }
}
