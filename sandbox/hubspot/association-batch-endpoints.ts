import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint, JsonObject } from './api-endpoint.ts'
import { isObject, readId } from './api-endpoint.ts'
import {
  associatedObjects,
  defaultTypeId,
  pairView,
  readTypeIds,
  requireEnd,
} from './association-endpoints.ts'
import type { AssociationEnd } from './association-graph.ts'
import { batchAnswer, batchInputs, emptyBatch } from './batch-answer.ts'
import { HubspotError, notFound } from './hubspot-error.ts'
import { OBJECT_TYPES, type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { link, unlink } from './record-linking.ts'

const READ_LIMIT = 1000
const WRITE_LIMIT = 2000

/** Associations of many records: `/crm/v4/associations/{from}/{to}/batch/...`. */
export function associationBatchEndpoints(state: PortalState, now: () => number): ApiEndpoint[] {
  const path = '/crm/v4/associations/:fromObjectType/:toObjectType/batch'
  const batch = (
    suffix: string,
    kind: ApiEndpoint['kind'],
    handle: (batch: AssociationBatch) => ApiReply,
  ): ApiEndpoint => ({
    method: 'post',
    path: `${path}/${suffix}`,
    kind,
    handle: (call) => handle(new AssociationBatch(state, call, now())),
  })
  return [
    batch('create', 'write', (work) => work.create()),
    batch('associate/default', 'write', (work) => work.createDefault()),
    batch('read', 'read', (work) => work.read()),
    batch('archive', 'write', (work) => work.archive()),
    batch('labels/archive', 'write', (work) => work.archiveLabels()),
  ]
}

class AssociationBatch {
  private readonly state: PortalState
  private readonly call: ApiCall
  private readonly now: number
  private readonly from: ObjectType
  private readonly to: ObjectType

  constructor(state: PortalState, call: ApiCall, now: number) {
    this.state = state
    this.call = call
    this.now = now
    this.from = readObjectType(call.params['fromObjectType'])
    this.to = readObjectType(call.params['toObjectType'])
  }

  create(): ApiReply {
    for (const input of batchInputs(this.call, WRITE_LIMIT)) {
      readTypeIds(this.from, this.to, input['types'])
    }
    return this.eachPair(201, (from, to, input) => {
      const typeIds = readTypeIds(this.from, this.to, input['types'])
      for (const typeId of typeIds) link(this.state, from, to, typeId)
      return pairView(this.state, from, to)
    })
  }

  createDefault(): ApiReply {
    const typeId = defaultTypeId(this.from, this.to)
    return this.eachPair(200, (from, to) => {
      link(this.state, from, to, typeId)
      return {
        from: { id: from.id },
        to: { id: to.id },
        associationSpec: { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: typeId },
      }
    })
  }

  /** A record without associations is an error entry of a 207, as HubSpot has it. */
  read(): ApiReply {
    const results: unknown[] = []
    const errors: Record<string, unknown>[] = []
    for (const input of batchInputs(this.call, READ_LIMIT)) {
      const id = readId(input['id'])
      const to = associatedObjects(this.state, { type: this.from, id }, this.to)
      if (to.length > 0) results.push({ from: { id }, to })
      else errors.push(this.noneFound(id))
    }
    return batchAnswer(200, results, this.now, errors)
  }

  archive(): ApiReply {
    return this.removeEach((from, to) => unlink(this.state, from, to))
  }

  archiveLabels(): ApiReply {
    return this.removeEach((from, to, input) => {
      const typeIds = readTypeIds(this.from, this.to, input['types'])
      for (const typeId of typeIds) unlink(this.state, from, to, typeId)
    })
  }

  private noneFound(id: string): Record<string, unknown> {
    const from = OBJECT_TYPES[this.from].singular
    const to = OBJECT_TYPES[this.to].singular
    return notFound(`No ${to} is associated with ${from} ${id}.`, {
      subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
    }).toEntry({ fromObjectId: [id], fromObjectType: [from], toObjectType: [to] })
  }

  private eachPair(
    status: 200 | 201,
    work: (from: AssociationEnd, to: AssociationEnd, input: JsonObject) => unknown,
  ): ApiReply {
    const inputs = batchInputs(this.call, WRITE_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.now)
    const results: unknown[] = []
    const errors: Record<string, unknown>[] = []
    this.state.transact(() => {
      for (const input of inputs) {
        try {
          const from = requireEnd(this.state, this.from, idOf(input['from']))
          const to = requireEnd(this.state, this.to, idOf(input['to']))
          results.push(work(from, to, input))
        } catch (error) {
          if (!(error instanceof HubspotError) || error.status !== 404) throw error
          errors.push(error.toEntry({ ids: [idOf(input['from']), idOf(input['to'])] }))
        }
      }
    })
    return batchAnswer(status, results, this.now, errors)
  }

  private removeEach(
    work: (from: AssociationEnd, to: AssociationEnd, input: JsonObject) => void,
  ): ApiReply {
    const inputs = batchInputs(this.call, WRITE_LIMIT)
    this.state.transact(() => {
      for (const input of inputs) {
        const from = { type: this.from, id: idOf(input['from']) }
        const ends: unknown[] = Array.isArray(input['to']) ? input['to'] : [input['to']]
        for (const end of ends) work(from, { type: this.to, id: idOf(end) }, input)
      }
    })
    return { status: 204 }
  }
}

function idOf(end: unknown): string {
  return isObject(end) ? readId(end['id']) : ''
}
