import type { FieldDefinition, Value } from '../field-definition.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { fieldNamed } from '../record-input.ts'
import { badRequest } from '../salesforce-error.ts'
import type { StoredRow } from '../stored-row.ts'

/** A field that a query names, over relationships or not. */
export interface FieldPath {
  readonly field: FieldDefinition
  /** The references to follow, outermost first. */
  readonly steps: readonly FieldDefinition[]
  /** Null where a reference on the way is empty. */
  read(row: StoredRow): Value
}

/** What can be asked of a reference that leads to several objects. */
const ANYONE = new Set([
  'Id',
  'Name',
  'Type',
  'FirstName',
  'LastName',
  'Email',
  'Phone',
  'Title',
  'Username',
  'Alias',
  'IsActive',
  'ProfileId',
  'UserRoleId',
])

/** Finds a field by its path. @throws {SalesforceError} INVALID_FIELD. */
export function findPath(state: OrgState, table: ObjectTable, path: string): FieldPath {
  const parts = path.split('.')
  const name = parts.pop() ?? ''
  // The object may stand before its own fields.
  if (parts[0]?.toLowerCase() === table.definition.name.toLowerCase()) parts.shift()
  const steps: FieldDefinition[] = []
  let tables: readonly ObjectTable[] = [table]
  for (const relation of parts) {
    const step = stepNamed(tables, relation)
    if (step === undefined) throw noRelation(relation)
    steps.push(step)
    tables = step.referenceTo.flatMap((object) =>
      state.hasObject(object) ? [state.table(object)] : [],
    )
  }
  const field = fieldAmong(tables, name)
  if (field === undefined) throw noColumn(name, tables)
  return { field, steps, read: reader(state, steps, field) }
}

/** The record at the end of references; undefined where one is empty. */
export function follow(
  state: OrgState,
  row: StoredRow,
  steps: readonly FieldDefinition[],
): StoredRow | undefined {
  let at: StoredRow | undefined = row
  for (const step of steps) {
    const id: Value | undefined = at?.values[step.name]
    at = typeof id === 'string' ? state.tableOfId(id)?.rows.get(id) : undefined
  }
  return at
}

/** A field's value; a checkbox that was never set is false. */
export function fieldValue(row: StoredRow, field: FieldDefinition): Value {
  if (field.name === 'Type' && field.label === TYPE_LABEL) {
    return row.object === 'Group' ? (row.values['Type'] ?? null) : row.object
  }
  return row.values[field.name] ?? (field.type === 'boolean' ? false : null)
}

const TYPE_LABEL = 'Object Type'

function reader(
  state: OrgState,
  steps: readonly FieldDefinition[],
  field: FieldDefinition,
): (row: StoredRow) => Value {
  if (steps.length === 0) return (row) => fieldValue(row, field)
  return (row) => {
    const target = follow(state, row, steps)
    return target === undefined ? null : fieldValue(target, field)
  }
}

function stepNamed(tables: readonly ObjectTable[], relation: string): FieldDefinition | undefined {
  const lower = relation.toLowerCase()
  for (const table of tables) {
    for (const field of table.definition.fields.values()) {
      if (field.visible && field.relationshipName?.toLowerCase() === lower) return field
    }
  }
  return undefined
}

function fieldAmong(tables: readonly ObjectTable[], name: string): FieldDefinition | undefined {
  const [first] = tables
  if (tables.length === 1 && first !== undefined) {
    const field = fieldNamed(first, name)
    return field?.visible ? field : undefined
  }
  const known = [...ANYONE].find((one) => one.toLowerCase() === name.toLowerCase())
  const found = known === undefined ? [] : tables.flatMap((table) => table.field(known) ?? [])
  const [field] = found
  if (known === 'Type') return field && { ...field, name: 'Type', label: TYPE_LABEL }
  return field
}

function noColumn(name: string, tables: readonly ObjectTable[]): Error {
  const entity = tables.length === 1 ? tables[0]?.definition.name : 'Name'
  return badRequest(
    'INVALID_FIELD',
    `No such column '${name}' on entity '${entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
  )
}

function noRelation(relation: string): Error {
  return badRequest(
    'INVALID_FIELD',
    `Didn't understand relationship '${relation}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
  )
}
