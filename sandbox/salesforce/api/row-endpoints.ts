import type { ApiReply } from '../../reply-sender.ts'
import type { FieldDefinition } from '../field-definition.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { readJsonValue } from '../read-value.ts'
import { fieldNamed, noSuchColumn, readJsonRecord } from '../record-input.ts'
import type { RecordWriter } from '../record-writer.ts'
import { viewRow } from '../row-view.ts'
import { notFound, RowError, SalesforceError } from '../salesforce-error.ts'
import { readLongId } from '../salesforce-id.ts'
import type { StoredRow } from '../stored-row.ts'
import { type ApiCall, type ApiEndpoint, dataEndpoint, jsonBody } from './api-endpoint.ts'
import { saveOptions } from './save-options.ts'

/** One record at a time, by its id or by a key of the customer's own. */
export function rowEndpoints(state: OrgState, writer: RecordWriter): ApiEndpoint[] {
  const tableOf = (call: ApiCall) => state.table(call.params['object'] ?? '')
  return [
    dataEndpoint('post', '/sobjects/:object', 'write', (call) => {
      const table = tableOf(call)
      const input = readJsonRecord(state, table, jsonBody(call))
      const options = saveOptions(call, false)
      const row = state.transact(call.actor, (tx) =>
        writer.create(tx, table.definition.name, input, options),
      )
      return created(call, row)
    }),
    dataEndpoint('get', '/sobjects/:object/:id', 'read', (call) =>
      shown(call, tableOf(call), liveRow(tableOf(call), call.params['id'] ?? '')),
    ),
    dataEndpoint('patch', '/sobjects/:object/:id', 'write', (call) => {
      const table = tableOf(call)
      const input = readJsonRecord(state, table, jsonBody(call))
      const row = storedRow(table, call.params['id'] ?? '')
      state.transact(call.actor, (tx) => writer.update(tx, row, input, saveOptions(call, false)))
      return { status: 204 }
    }),
    dataEndpoint('delete', '/sobjects/:object/:id', 'write', (call) => {
      const row = storedRow(tableOf(call), call.params['id'] ?? '')
      state.transact(call.actor, (tx) => writer.remove(tx, row))
      return { status: 204 }
    }),
    ...keyEndpoints(state, writer, tableOf),
  ]
}

function keyEndpoints(
  state: OrgState,
  writer: RecordWriter,
  tableOf: (call: ApiCall) => ObjectTable,
): ApiEndpoint[] {
  const path = '/sobjects/:object/:field/:value'
  const found = (call: ApiCall) => {
    const table = tableOf(call)
    const field = keyField(table, call.params['field'] ?? '')
    const value = readJsonValue(field, call.params['value'] ?? '')
    const rows = writer.keyed(table.definition.name, { field, value })
    return { table, field, value, rows }
  }
  return [
    dataEndpoint('get', path, 'read', (call) => {
      const { table, rows } = found(call)
      const [row] = rows
      if (row === undefined) throw notFound()
      return rows.length > 1 ? choices(call, rows) : shown(call, table, row)
    }),
    dataEndpoint('patch', path, 'write', (call) => {
      const { table, field, value, rows } = found(call)
      const input = readJsonRecord(state, table, jsonBody(call))
      if (field.name !== 'Id' && input.has(field)) {
        throw new RowError(
          'INVALID_FIELD',
          `The ${field.name} field should not be specified in the sobject data.`,
          [field.name],
        )
      }
      if (rows.length > 1) return choices(call, rows)
      const updateOnly = call.query.get('updateOnly') === 'true'
      const options = { ...saveOptions(call, false), updateOnly }
      const result = state.transact(call.actor, (tx) =>
        writer.upsert(tx, table.definition.name, { field, value }, input, options),
      )
      const body = { id: result.row.id, success: true, errors: [], created: result.created }
      return { status: result.created ? 201 : 200, body }
    }),
    dataEndpoint('delete', path, 'write', (call) => {
      const { rows } = found(call)
      const [row] = rows
      if (row === undefined) throw notFound()
      if (rows.length > 1) return choices(call, rows)
      state.transact(call.actor, (tx) => writer.remove(tx, row))
      return { status: 204 }
    }),
  ]
}

/** A field that records can be looked up by. @throws {SalesforceError} NOT_FOUND, also for a hidden one. */
export function keyField(table: ObjectTable, name: string): FieldDefinition {
  const field = fieldNamed(table, name)
  if (field?.visible && (field.externalId || field.idLookup)) return field
  throw noKey(name)
}

function noKey(name: string): SalesforceError {
  return notFound(`Provided external ID field does not exist or is not accessible: ${name}`)
}

function storedRow(table: ObjectTable, given: string): StoredRow {
  const row = table.rows.get(readLongId(given) ?? '')
  if (row === undefined) throw noKey(given)
  return row
}

function liveRow(table: ObjectTable, given: string): StoredRow {
  const row = storedRow(table, given)
  if (row.values['IsDeleted'] !== true) return row
  throw new SalesforceError(404, 'ENTITY_IS_DELETED', 'entity is deleted', [])
}

function created(call: ApiCall, row: StoredRow): ApiReply {
  const location = `/services/data/v${call.apiVersion}/sobjects/${row.object}/${row.id}`
  return { status: 201, headers: { location }, body: { id: row.id, success: true, errors: [] } }
}

function shown(call: ApiCall, table: ObjectTable, row: StoredRow): ApiReply {
  const names = call.query.get('fields')?.split(',')
  const fields = names?.map((name) => {
    const field = fieldNamed(table, name.trim())
    if (!field?.visible) throw noSuchColumn(table, name)
    return field
  })
  return { status: 200, body: viewRow(table, row, call.apiVersion, fields) }
}

/** Several records have the key; nothing is done, and the caller is told where they are. */
function choices(call: ApiCall, rows: readonly StoredRow[]): ApiReply {
  const base = `/services/data/v${call.apiVersion}/sobjects`
  return { status: 300, body: rows.map((row) => `${base}/${row.object}/${row.id}`) }
}
