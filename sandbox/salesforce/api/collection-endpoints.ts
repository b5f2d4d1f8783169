import type { ApiReply } from '../../reply-sender.ts'
import type { ObjectTable } from '../object-table.ts'
import { keyOf } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { readJsonValue } from '../read-value.ts'
import { fieldNamed, noSuchColumn, type RecordInput, readJsonRecord } from '../record-input.ts'
import { type RecordWriter, repeatedKeys } from '../record-writer.ts'
import { viewRow } from '../row-view.ts'
import { badRequest, RowError, SalesforceError } from '../salesforce-error.ts'
import { readLongId } from '../salesforce-id.ts'
import type { StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'
import {
  type ApiCall,
  type ApiEndpoint,
  dataEndpoint,
  isObject,
  type JsonObject,
  jsonBody,
} from './api-endpoint.ts'
import { keyField } from './row-endpoints.ts'
import { saveOptions } from './save-options.ts'

const MAX_RECORDS = 200
const MAX_CHUNKS = 10

export interface CollectionOptions {
  /**
   * What an unknown field does to a call about many records: it refuses the `call`, or fails its
   * `row`. Which of both Salesforce does was not seen, so that clients should stand either.
   */
  readonly unknownField: 'call' | 'row'
}

interface SavedRow {
  readonly id: string
  readonly created?: boolean
}

/** Up to 200 records in one call, each answered in its place. */
export function collectionEndpoints(
  state: OrgState,
  writer: RecordWriter,
  options: CollectionOptions,
): ApiEndpoint[] {
  const path = '/composite/sobjects'
  const collections = new Collections(state, writer, options)
  return [
    dataEndpoint('post', path, 'write', (call) => collections.create(call)),
    dataEndpoint('patch', path, 'write', (call) => collections.update(call)),
    dataEndpoint('delete', path, 'write', (call) => collections.remove(call)),
    dataEndpoint('patch', `${path}/:object/:field`, 'write', (call) => collections.upsert(call)),
    dataEndpoint('post', `${path}/:object`, 'read', (call) => {
      const body = jsonBody(call)
      return retrieve(state, call, listOf(body['ids']), listOf(body['fields']))
    }),
    dataEndpoint('get', `${path}/:object`, 'read', (call) => {
      const list = (name: string) => (call.query.get(name) ?? '').split(',').filter(Boolean)
      return retrieve(state, call, list('ids'), list('fields'))
    }),
  ]
}

class Collections {
  private readonly state: OrgState
  private readonly writer: RecordWriter
  private readonly options: CollectionOptions

  constructor(state: OrgState, writer: RecordWriter, options: CollectionOptions) {
    this.state = state
    this.writer = writer
    this.options = options
  }

  create(call: ApiCall): ApiReply {
    const { records, allOrNone } = readRecords(call)
    const types = records.map(typeOf)
    const chunks = types.filter((type, place) => type !== types[place - 1]).length
    if (chunks > MAX_CHUNKS) {
      throw badRequest(
        'LIMIT_EXCEEDED',
        'Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.',
      )
    }
    const inputs = records.map((record, place) => this.read(types[place] ?? '', record))
    const save = saveOptions(call, true)
    return this.each(call, allOrNone, records.length, (tx, place) => ({
      id: this.writer.create(tx, types[place] ?? '', valid(inputs[place]), save).id,
    }))
  }

  update(call: ApiCall): ApiReply {
    const { records, allOrNone } = readRecords(call)
    const inputs = records.map((record) => this.read(typeOf(record), record))
    const save = saveOptions(call, true)
    return this.each(call, allOrNone, records.length, (tx, place) => {
      const record = records[place] ?? {}
      const row = this.rowOf(typeOf(record), String(record['id'] ?? record['Id'] ?? ''))
      this.writer.update(tx, row, valid(inputs[place]), save)
      return { id: row.id }
    })
  }

  upsert(call: ApiCall): ApiReply {
    const { records, allOrNone } = readRecords(call)
    const object = call.params['object'] ?? ''
    const field = keyField(this.state.table(object), call.params['field'] ?? '')
    for (const record of records) {
      if (typeOf(record).toLowerCase() === object.toLowerCase()) continue
      throw badRequest('INVALID_TYPE', `all records must be of type ${object}`)
    }
    const inputs = records.map((record) => this.read(object, record))
    const keys = inputs.map((input, place) =>
      field.name === 'Id'
        ? readJsonValue(field, records[place]?.['id'] ?? records[place]?.['Id'])
        : input instanceof RowError
          ? null
          : (input.get(field) ?? null),
    )
    const repeated = repeatedKeys(field, keys)
    const save = saveOptions(call, true)
    return this.each(call, allOrNone, records.length, (tx, place) => {
      const value = keys[place] ?? null
      const input = valid(inputs[place])
      if (value === null) {
        throw new RowError('MISSING_ARGUMENT', `${field.name} not specified`)
      }
      if (repeated.has(keyOf(field, value))) {
        throw new RowError('DUPLICATE_VALUE', `Duplicate external id specified: ${value}`, [
          field.name,
        ])
      }
      const rest = new Map([...input].filter(([one]) => one !== field))
      const { row, created } = this.writer.upsert(tx, object, { field, value }, rest, save)
      return { id: row.id, created }
    })
  }

  remove(call: ApiCall): ApiReply {
    const ids = (call.query.get('ids') ?? '').split(',').filter(Boolean)
    limitRecords(ids.length)
    return this.each(call, call.query.get('allOrNone') === 'true', ids.length, (tx, place) => {
      const id = ids[place] ?? ''
      const object = this.state.tableOfId(id)?.definition.name ?? ''
      const row = this.rowOf(object, id)
      this.writer.remove(tx, row)
      return { id: row.id }
    })
  }

  /** Saves one after the other; one that fails leaves the others alone, unless all must go. */
  private each(
    call: ApiCall,
    allOrNone: boolean,
    count: number,
    save: (tx: Transaction, place: number) => SavedRow,
  ): ApiReply {
    const results = this.state.transact(call.actor, (tx) => {
      const start = tx.mark()
      const outcomes = Array.from({ length: count }, (_, place) => attempt(tx, place, save))
      if (!allOrNone || !outcomes.some((outcome) => outcome instanceof RowError)) return outcomes
      tx.rollback(start)
      return outcomes.map((outcome) => (outcome instanceof RowError ? outcome : rolledBack()))
    })
    return { status: 200, body: results.map(showOutcome) }
  }

  private read(object: string, record: JsonObject): RecordInput | RowError {
    try {
      return readJsonRecord(this.state, this.state.table(object), record)
    } catch (error) {
      if (error instanceof RowError) return error
      const isRow = this.options.unknownField === 'row' && error instanceof SalesforceError
      const [item] = error instanceof SalesforceError ? error.items : []
      if (isRow && item?.errorCode === 'INVALID_FIELD') {
        return new RowError(item.errorCode, item.message)
      }
      throw error
    }
  }

  private rowOf(object: string, given: string): StoredRow {
    const id = readLongId(given)
    const table = this.state.hasObject(object) ? this.state.table(object) : undefined
    if (id === undefined || table === undefined || this.state.tableOfId(id) !== table) {
      const label = table?.definition.label ?? 'Record'
      throw new RowError('MALFORMED_ID', `${label} ID: id value of incorrect type: ${given}`, [
        'Id',
      ])
    }
    const row = table.rows.get(id)
    if (row === undefined) {
      throw new RowError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id')
    }
    return row
  }
}

function attempt(
  tx: Transaction,
  place: number,
  save: (tx: Transaction, place: number) => SavedRow,
): SavedRow | RowError {
  const mark = tx.mark()
  try {
    return save(tx, place)
  } catch (error) {
    tx.rollback(mark)
    if (error instanceof RowError) return error
    throw error
  }
}

function valid(input: RecordInput | RowError | undefined): RecordInput {
  if (input instanceof RowError) throw input
  return input ?? new Map()
}

function rolledBack(): RowError {
  return new RowError(
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'Record rolled back because not all records were valid and the request was using AllOrNone header',
  )
}

function showOutcome(outcome: SavedRow | RowError): unknown {
  if (!(outcome instanceof RowError)) {
    const { id, created } = outcome
    return { id, success: true, errors: [], ...(created === undefined ? {} : { created }) }
  }
  const { errorCode, message, fields } = outcome
  // A lock is about no field, and its error has no list of them.
  const named = errorCode === 'UNABLE_TO_LOCK_ROW' ? {} : { fields }
  return { success: false, errors: [{ statusCode: errorCode, message, ...named }] }
}

function readRecords(call: ApiCall): {
  readonly records: readonly JsonObject[]
  readonly allOrNone: boolean
} {
  const body = jsonBody(call)
  const { records } = body
  if (!Array.isArray(records) || records.length === 0 || !records.every(isObject)) {
    throw badRequest('INVALID_INPUT', 'The records property must be a list of records.')
  }
  limitRecords(records.length)
  return { records, allOrNone: body['allOrNone'] === true }
}

function limitRecords(count: number): void {
  if (count <= MAX_RECORDS) return
  throw badRequest(
    'EXCEEDED_ID_LIMIT',
    'record limit reached. cannot submit more than 200 records into this call',
  )
}

function typeOf(record: JsonObject): string {
  const { attributes } = record
  const type = isObject(attributes) ? attributes['type'] : undefined
  if (typeof type === 'string') return type
  throw badRequest('INVALID_INPUT', 'The type attribute of a record is missing.')
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function retrieve(
  state: OrgState,
  call: ApiCall,
  ids: readonly string[],
  names: readonly string[],
): ApiReply {
  const table: ObjectTable = state.table(call.params['object'] ?? '')
  if (ids.length > 2000) limitRecords(ids.length)
  const fields = names.map((name) => {
    const field = fieldNamed(table, name)
    if (!field?.visible) throw noSuchColumn(table, name)
    return field
  })
  const body = ids.map((given) => {
    const row = table.live(readLongId(given) ?? '')
    return row === undefined ? null : viewRow(table, row, call.apiVersion, fields)
  })
  return { status: 200, body }
}
