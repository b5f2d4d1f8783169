import type { ApiCall, ApiEndpoint, ApiReply, JsonObject } from './api-endpoint.ts'
import { bodyObject, readId } from './api-endpoint.ts'
import { batchAnswer, batchInputs, emptyBatch } from './batch-answer.ts'
import { createCompanyOf } from './company-auto-create.ts'
import { HubspotError, invalid, notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import {
  findByUnique,
  findOne,
  missingObjects,
  refuseRepeated,
  requireUnique,
} from './record-lookup.ts'
import { mergeRecords } from './record-merge.ts'
import { viewWritten } from './record-view.ts'
import type { StoredRecord } from './stored-record.ts'
import { applyPlanned, type PlannedWrite, WritePlan } from './write-plan.ts'

const BATCH_LIMIT = 100

interface WriteOptions {
  readonly autoCreateCompanies: boolean
  readonly now: () => number
}

/** Everything that creates, changes, merges or archives records. */
export function writeEndpoints(state: PortalState, options: WriteOptions): ApiEndpoint[] {
  const writes = new RecordWrites(state, options)
  const path = '/crm/v3/objects/:objectType'
  const write = (
    method: ApiEndpoint['method'],
    suffix: string,
    handle: (type: ObjectType, call: ApiCall) => ApiReply,
  ): ApiEndpoint => ({
    method,
    path: `${path}${suffix}`,
    kind: 'write',
    handle: (call) => handle(readObjectType(call.params['objectType']), call),
  })
  return [
    write('post', '/batch/create', (type, call) => writes.batchCreate(type, call)),
    write('post', '/batch/update', (type, call) => writes.batchUpdate(type, call)),
    write('post', '/batch/upsert', (type, call) => writes.batchUpsert(type, call)),
    write('post', '/batch/archive', (type, call) => writes.batchArchive(type, call)),
    write('post', '/merge', (type, call) => writes.merge(type, call)),
    write('post', '', (type, call) => writes.create(type, call)),
    write('patch', '/:objectId', (type, call) => writes.update(type, call)),
    write('delete', '/:objectId', (type, call) => writes.archive(type, call)),
  ]
}

class RecordWrites {
  private readonly state: PortalState
  private readonly options: WriteOptions

  constructor(state: PortalState, options: WriteOptions) {
    this.state = state
    this.options = options
  }

  create(type: ObjectType, call: ApiCall): ApiReply {
    const body = bodyObject(call)
    const planned = new WritePlan(this.state, type).create(body['properties'], body['associations'])
    this.commit(type, [planned])
    return { status: 201, body: this.view(type, planned) }
  }

  update(type: ObjectType, call: ApiCall): ApiReply {
    const id = call.params['objectId'] ?? ''
    const record = findOne(this.state, type, id, call.query.get('idProperty'))
    if (record === undefined) throw notFound('resource not found')
    const planned = new WritePlan(this.state, type).update(record, bodyObject(call)['properties'])
    this.commit(type, [planned])
    return { status: 200, body: this.view(type, planned) }
  }

  archive(type: ObjectType, call: ApiCall): ApiReply {
    const record = this.state.table(type).resolve(call.params['objectId'] ?? '')
    if (record)
      this.state.transact(() => this.state.apply({ op: 'archive', object: type, id: record.id }))
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

  /** Each input on its own when every one carries a trace id, otherwise all or nothing. */
  batchCreate(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.options.now())
    const onTheirOwn = hasTraceIds(inputs)
    const plan = new WritePlan(this.state, type)
    const planned: PlannedWrite[] = []
    const errors: Record<string, unknown>[] = []
    for (const input of inputs) {
      try {
        planned.push(plan.create(input['properties'], input['associations']))
      } catch (error) {
        if (!onTheirOwn || !(error instanceof HubspotError)) throw error
        errors.push(error.toEntry({ objectWriteTraceId: [readId(input['objectWriteTraceId'])] }))
      }
    }
    this.commit(type, planned)
    return this.answer(201, type, planned, errors)
  }

  batchUpdate(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.options.now())
    const missing: string[] = []
    const found: { record: StoredRecord; input: JsonObject }[] = []
    for (const input of inputs) {
      const id = readId(input['id'])
      const record = this.findForUpdate(type, id, input['idProperty'])
      if (record !== undefined) found.push({ record, input })
      else if (input['idProperty'] !== undefined || /^\d+$/.test(id)) missing.push(id)
    }
    refuseRepeated(found.map(({ record }) => record.id))
    const plan = new WritePlan(this.state, type)
    const planned = found.map(({ record, input }) => plan.update(record, input['properties']))
    this.commit(type, planned)
    return this.answer(
      200,
      type,
      planned,
      missing.length === 0 ? [] : [missingObjects(type, missing)],
    )
  }

  batchUpsert(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.options.now())
    const targets = inputs.map((input) => this.upsertTarget(type, input))
    refuseRepeated(targets.map(({ key }) => key))
    const plan = new WritePlan(this.state, type)
    const planned = targets.map(({ record, properties, idProperty }) => ({
      ...(record === undefined ? plan.create(properties) : plan.update(record, properties)),
      echo: [idProperty],
    }))
    this.commit(type, planned)
    return this.answer(200, type, planned, [], (write) => ({ new: write.isNew }))
  }

  batchArchive(type: ObjectType, call: ApiCall): ApiReply {
    const ids = batchInputs(call, BATCH_LIMIT).map((input) => readId(input['id']))
    this.state.transact(() => {
      for (const id of ids) {
        const record = this.state.table(type).live(id)
        if (record) this.state.apply({ op: 'archive', object: type, id })
      }
    })
    return { status: 204 }
  }

  private findForUpdate(
    type: ObjectType,
    id: string,
    idProperty: unknown,
  ): StoredRecord | undefined {
    if (typeof idProperty !== 'string') return this.state.table(type).live(id)
    return findByUnique(this.state, type, id, requireUnique(this.state, type, idProperty, false))
  }

  private upsertTarget(type: ObjectType, input: JsonObject) {
    const id = readId(input['id'])
    const idProperty = input['idProperty']
    if (typeof idProperty !== 'string') throw invalid('idProperty is required for an upsert')
    if (id.trim() === '') throw invalid('id is required for an upsert')
    requireUnique(this.state, type, idProperty, true)
    const given = (input['properties'] ?? {}) as JsonObject
    const record = findByUnique(this.state, type, id, idProperty)
    const isEmail = idProperty === 'email'
    const key = record?.id ?? `${idProperty}\n${isEmail ? id.trim().toLowerCase() : id}`
    const properties = record === undefined ? { [idProperty]: id, ...given } : given
    return { record, key, properties, idProperty }
  }

  private commit(type: ObjectType, planned: readonly PlannedWrite[]): void {
    this.state.transact(() => {
      for (const write of planned) applyPlanned(this.state, type, write)
      if (type !== 'contacts' || !this.options.autoCreateCompanies) return
      for (const { id, set } of planned) if (set['email']) createCompanyOf(this.state, id)
    })
  }

  /** HubSpot does not keep the order of the inputs; the recorded answers came back reversed. */
  private answer(
    status: 200 | 201,
    type: ObjectType,
    planned: readonly PlannedWrite[],
    errors: readonly Record<string, unknown>[],
    extra: (write: PlannedWrite) => Record<string, unknown> = () => ({}),
  ): ApiReply {
    const results = planned
      .map((write) => ({ ...this.view(type, write), ...extra(write) }))
      .reverse()
    return batchAnswer(status, results, this.options.now(), errors)
  }

  private view(type: ObjectType, planned: PlannedWrite): Record<string, unknown> {
    const record = this.state.table(type).live(planned.id)
    if (record === undefined) throw notFound('resource not found')
    return viewWritten(type, record, [
      ...Object.keys(planned.set),
      ...Object.keys(planned.system),
      ...(planned.echo ?? []),
    ])
  }
}

function hasTraceIds(inputs: readonly JsonObject[]): boolean {
  const ids = inputs.map((input) => input['objectWriteTraceId'])
  return ids.every((id) => typeof id === 'string' && id !== '') && new Set(ids).size === ids.length
}
