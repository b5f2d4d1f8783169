import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint, JsonObject } from './api-endpoint.ts'
import { readId } from './api-endpoint.ts'
import { batchAnswer, batchInputs, emptyBatch } from './batch-answer.ts'
import { HubspotError, invalid } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { findByUnique, missingObjects, refuseRepeated, requireUnique } from './record-lookup.ts'
import type { StoredRecord } from './stored-record.ts'
import { commitWrites, viewPlanned, type WriteOptions } from './write-commit.ts'
import { type PlannedWrite, WritePlan } from './write-plan.ts'

const BATCH_LIMIT = 100

/** Creates, changes, upserts and archives up to 100 records at once. */
export function batchWriteEndpoints(state: PortalState, options: WriteOptions): ApiEndpoint[] {
  const writes = new BatchWrites(state, options)
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
    write('post', '/batch/create', (type, call) => writes.create(type, call)),
    write('post', '/batch/update', (type, call) => writes.update(type, call)),
    write('post', '/batch/upsert', (type, call) => writes.upsert(type, call)),
    write('post', '/batch/archive', (type, call) => writes.archive(type, call)),
  ]
}

class BatchWrites {
  private readonly state: PortalState
  private readonly options: WriteOptions

  constructor(state: PortalState, options: WriteOptions) {
    this.state = state
    this.options = options
  }

  /** Each input on its own when every one carries a trace id, otherwise all or nothing. */
  create(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.options.now())
    const onTheirOwn = hasTraceIds(inputs)
    const plan = new WritePlan(this.state, type, onTheirOwn)
    const { planned, errors } = planAll(inputs, onTheirOwn, (input) => ({
      input,
      write: () => plan.create(input['properties'], input['associations']),
    }))
    commitWrites(this.state, this.options, type, planned)
    return this.answer(201, type, planned, errors)
  }

  update(type: ObjectType, call: ApiCall): ApiReply {
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
    const keys = found.map(({ record }) => record.id)
    const onTheirOwn = this.options.partialBatches === true && hasTraceIds(inputs)
    const plan = new WritePlan(this.state, type, onTheirOwn)
    const taken = found.slice(0, untilRepeated(keys))
    const { planned, errors } = planAll(taken, onTheirOwn, ({ record, input }) => ({
      input,
      write: () => plan.update(record, input['properties']),
    }))
    commitWrites(this.state, this.options, type, planned)
    refuseRepeated(keys)
    const absent = missing.length === 0 ? [] : [missingObjects(type, missing)]
    return this.answer(200, type, planned, [...errors, ...absent])
  }

  upsert(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.options.now())
    const targets = inputs.map((input) => ({ input, ...this.upsertTarget(type, input) }))
    const keys = targets.map(({ key }) => key)
    const onTheirOwn = this.options.partialBatches === true && hasTraceIds(inputs)
    const plan = new WritePlan(this.state, type, onTheirOwn)
    const taken = targets.slice(0, untilRepeated(keys))
    const { planned, errors } = planAll(taken, onTheirOwn, (target) => {
      const { input, record, properties, idProperty } = target
      const write = () => ({
        ...(record === undefined ? plan.create(properties) : plan.update(record, properties)),
        echo: [idProperty],
      })
      return { input, write }
    })
    commitWrites(this.state, this.options, type, planned)
    refuseRepeated(keys)
    return this.answer(200, type, planned, errors, (write) => ({ new: write.isNew }))
  }

  archive(type: ObjectType, call: ApiCall): ApiReply {
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

  /** HubSpot does not keep the order of the inputs; the recorded answers came back reversed. */
  private answer(
    status: 200 | 201,
    type: ObjectType,
    planned: readonly PlannedWrite[],
    errors: readonly Record<string, unknown>[],
    extra: (write: PlannedWrite) => Record<string, unknown> = () => ({}),
  ): ApiReply {
    const results = planned
      .map((write) => ({ ...viewPlanned(this.state, type, write), ...extra(write) }))
      .reverse()
    return batchAnswer(status, results, this.options.now(), errors)
  }
}

/** Checks inputs before any of them is carried out; the errors are those of inputs that stand on their own. */
function planAll<Item>(
  items: readonly Item[],
  onTheirOwn: boolean,
  planOf: (item: Item) => { readonly input: JsonObject; readonly write: () => PlannedWrite },
): { readonly planned: PlannedWrite[]; readonly errors: Record<string, unknown>[] } {
  const planned: PlannedWrite[] = []
  const errors: Record<string, unknown>[] = []
  for (const item of items) {
    const { input, write } = planOf(item)
    try {
      planned.push(write())
    } catch (error) {
      if (!onTheirOwn || !(error instanceof HubspotError)) throw error
      errors.push(error.toEntry({ objectWriteTraceId: [readId(input['objectWriteTraceId'])] }))
    }
  }
  return { planned, errors }
}

/** A record that stands twice is seen when it comes for the second time: what is before it is carried out. */
function untilRepeated(keys: readonly string[]): number {
  const second = keys.findIndex((key, index) => keys.indexOf(key) !== index)
  return second < 0 ? keys.length : second
}

function hasTraceIds(inputs: readonly JsonObject[]): boolean {
  const ids = inputs.map((input) => input['objectWriteTraceId'])
  return ids.every((id) => typeof id === 'string' && id !== '') && new Set(ids).size === ids.length
}
