import type { FieldDefinition, Value } from './field-definition.ts'
import type { ObjectTable } from './object-table.ts'
import type { OrgState } from './org-state.ts'
import { readCsvValue, readJsonValue } from './read-value.ts'
import { badRequest, RowError, type SalesforceError } from './salesforce-error.ts'

/** What a caller wants a record to say, before any rule has looked at it. */
export type RecordInput = ReadonlyMap<FieldDefinition, Value>

/** Names that are no fields of the record. */
const ENVELOPE = new Set(['attributes', 'id', 'Id', 'type'])

/**
 * Reads a record of a JSON body.
 *
 * @throws {SalesforceError} for a field that does not exist or is hidden, or a value of another kind.
 */
export function readJsonRecord(
  state: OrgState,
  table: ObjectTable,
  body: Readonly<Record<string, unknown>>,
): RecordInput {
  const input = new Map<FieldDefinition, Value>()
  for (const [name, given] of Object.entries(body)) {
    if (ENVELOPE.has(name)) continue
    const field = fieldNamed(table, name)
    if (field?.visible) input.set(field, readJsonValue(field, given))
    else {
      const [reference, id] = readForeignKey(state, table, name, given)
      input.set(reference, id)
    }
  }
  return input
}

/** Reads a row of a CSV file: an empty cell says nothing, `#N/A` empties the field. */
export function readCsvRecord(
  state: OrgState,
  table: ObjectTable,
  header: readonly string[],
  cells: readonly string[],
): RecordInput {
  const input = new Map<FieldDefinition, Value>()
  for (const [place, name] of header.entries()) {
    const cell = cells[place] ?? ''
    if (cell === '' || ENVELOPE.has(name)) continue
    const field = fieldNamed(table, name)
    if (field?.visible) input.set(field, readCsvValue(field, cell))
    else {
      const [relation = '', key = ''] = name.split('.')
      const [reference, id] = readForeignKey(state, table, relation, { [key]: cell })
      input.set(reference, id)
    }
  }
  return input
}

/** A field by its name in any case. */
export function fieldNamed(table: ObjectTable, name: string): FieldDefinition | undefined {
  const exact = table.field(name)
  if (exact !== undefined) return exact
  const lower = name.toLowerCase()
  for (const field of table.definition.fields.values()) {
    if (field.name.toLowerCase() === lower) return field
  }
  return undefined
}

export function noSuchColumn(table: ObjectTable, name: string): SalesforceError {
  return badRequest(
    'INVALID_FIELD',
    `No such column '${name}' on sobject of type ${table.definition.name}`,
  )
}

/** `Account: { Key__c: 'x' }` stands for the id of the account with that key. */
function readForeignKey(
  state: OrgState,
  table: ObjectTable,
  relation: string,
  given: unknown,
): [FieldDefinition, Value] {
  const reference = [...table.definition.fields.values()].find(
    (field) => field.visible && field.relationshipName?.toLowerCase() === relation.toLowerCase(),
  )
  const keys =
    typeof given === 'object' && given !== null
      ? Object.entries(given).filter(([name]) => name !== 'attributes')
      : []
  const [key] = keys
  const target = reference?.referenceTo[0]
  if (reference === undefined || target === undefined || key === undefined || keys.length > 1) {
    throw noSuchColumn(table, relation)
  }
  const parents = state.table(target)
  const field = fieldNamed(parents, key[0])
  if (field === undefined || !(field.externalId || field.idLookup)) {
    throw noSuchColumn(parents, key[0])
  }
  const [parent] = [...parents.find(field.name, String(key[1]))].filter(
    (row) => row.values['IsDeleted'] !== true,
  )
  if (parent !== undefined) return [reference, parent.id]
  throw new RowError(
    'INVALID_FIELD',
    `Foreign key external ID: ${String(key[1])} not found for field ${field.name} in entity ${target}`,
  )
}
