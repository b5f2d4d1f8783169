import type { FieldType, Subquery } from '@jetstreamapp/soql-parser-js'
import type { FieldDefinition } from '../field-definition.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { attributesOf, showField } from '../row-view.ts'
import { badRequest } from '../salesforce-error.ts'
import type { StoredRow } from '../stored-row.ts'
import { malformed } from './condition.ts'
import { findPath, follow } from './field-path.ts'

/** A record as an answer shows it. */
export type RowView = Record<string, unknown>

/** Answers a subquery for one parent. */
export type AskChildren = (subquery: Subquery, parent: StoredRow) => unknown

interface Column {
  put(view: RowView, row: StoredRow): void
}

/** What a SELECT shows of each record. */
export function readColumns(
  state: OrgState,
  table: ObjectTable,
  fields: readonly FieldType[],
  { apiVersion, askChildren }: { readonly apiVersion: string; readonly askChildren: AskChildren },
): (row: StoredRow) => RowView {
  const columns = fields.flatMap((field): Column[] => {
    switch (field.type) {
      case 'Field':
        return [ownColumn(state, table, field.field)]
      case 'FieldRelationship':
        return [farColumn(state, table, [...field.relationships, field.field], apiVersion)]
      case 'FieldSubquery': {
        const { subquery } = field
        const name = subquery.relationshipName
        return [
          {
            put: (view, row) => {
              view[name] = askChildren(subquery, row)
            },
          },
        ]
      }
      case 'FieldFunctionExpression':
        return functionColumns(state, table, field.functionName, field.parameters)
      default:
        throw malformed('TYPEOF is not known here')
    }
  })
  return (row) => {
    const view: RowView = { attributes: attributesOf(row, apiVersion) }
    for (const column of columns) column.put(view, row)
    return view
  }
}

function ownColumn(state: OrgState, table: ObjectTable, name: string): Column {
  return columnOf(findPath(state, table, name).field)
}

function columnOf(field: FieldDefinition): Column {
  return {
    put: (view, row) => {
      view[field.name] = showField(row, field)
    },
  }
}

/** `Owner.Name` becomes a record within the record; several fields of one share it. */
function farColumn(
  state: OrgState,
  table: ObjectTable,
  parts: readonly string[],
  apiVersion: string,
): Column {
  const { field, steps } = findPath(state, table, parts.join('.'))
  if (steps.length === 0) return columnOf(field)
  return {
    put: (view, row) => {
      let inner = view
      for (const [place, step] of steps.entries()) {
        const name = step.relationshipName ?? step.name
        const target = follow(state, row, steps.slice(0, place + 1))
        if (target === undefined) {
          inner[name] = null
          return
        }
        const there = (inner[name] ?? { attributes: attributesOf(target, apiVersion) }) as RowView
        inner[name] = there
        inner = there
        if (place === steps.length - 1) inner[field.name] = showField(target, field)
      }
    },
  }
}

function functionColumns(
  state: OrgState,
  table: ObjectTable,
  name: string,
  parameters: readonly unknown[],
): Column[] {
  const [parameter] = parameters
  if (typeof parameter !== 'string') throw malformed(`${name} is not known here`)
  if (name.toLowerCase() === 'tolabel') return [ownColumn(state, table, parameter)]
  if (name.toUpperCase() !== 'FIELDS') throw malformed(`${name} is not known here`)
  const which = parameter.toUpperCase()
  if (!['ALL', 'STANDARD', 'CUSTOM'].includes(which)) {
    throw badRequest('INVALID_FIELD', `FIELDS(${which}) is not known`)
  }
  return [...table.definition.fields.values()]
    .filter(({ visible }) => visible)
    .filter(({ custom }) => which === 'ALL' || custom === (which === 'CUSTOM'))
    .map(columnOf)
}
