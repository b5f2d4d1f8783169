import type { FieldType, Query } from '@jetstreamapp/soql-parser-js'
import type { Value } from '../field-definition.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import type { StoredRow } from '../stored-row.ts'
import type { RowView } from './columns.ts'
import { malformed } from './condition.ts'
import { type FieldPath, findPath } from './field-path.ts'
import { compare } from './match.ts'

interface Output {
  readonly name: string
  of(rows: readonly StoredRow[]): Value
}

/** Whether a query asks for sums and counts in place of records. */
export function isAggregate(query: Query): boolean {
  return (
    query.groupBy !== undefined ||
    (query.fields ?? []).some(
      (field) => field.type === 'FieldFunctionExpression' && field.isAggregateFn === true,
    )
  )
}

/** `SELECT COUNT() FROM …`, which answers by totalSize alone. */
export function isBareCount(query: Query): boolean {
  const [field, ...rest] = query.fields ?? []
  return (
    rest.length === 0 &&
    field?.type === 'FieldFunctionExpression' &&
    field.functionName.toUpperCase() === 'COUNT' &&
    field.parameters.length === 0
  )
}

/** The AggregateResult records of a query. */
export function aggregate(
  state: OrgState,
  table: ObjectTable,
  query: Query,
  rows: readonly StoredRow[],
): RowView[] {
  if (query.having !== undefined) throw malformed('HAVING is not known here')
  const groupBy = [query.groupBy ?? []].flat().map((group) => {
    if (!('field' in group)) throw malformed('GROUP BY takes fields here')
    return findPath(state, table, group.field)
  })
  const outputs = readOutputs(state, table, query.fields ?? [], groupBy)
  const groups = new Map<string, StoredRow[]>()
  if (groupBy.length === 0) groups.set('', [...rows])
  else {
    for (const row of rows) {
      const key = JSON.stringify(groupBy.map((path) => path.read(row)))
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [row])
      else group.push(row)
    }
  }
  return [...groups.values()].map((group) => ({
    attributes: { type: 'AggregateResult' },
    ...Object.fromEntries(outputs.map((output) => [output.name, output.of(group)])),
  }))
}

function readOutputs(
  state: OrgState,
  table: ObjectTable,
  fields: readonly FieldType[],
  groupBy: readonly FieldPath[],
): Output[] {
  let unnamed = 0
  return fields.map((field): Output => {
    if (field.type === 'FieldFunctionExpression') {
      const [parameter] = field.parameters
      const path = typeof parameter === 'string' ? findPath(state, table, parameter) : undefined
      const name = field.alias ?? `expr${unnamed++}`
      return { name, of: (rows) => measure(field.functionName.toUpperCase(), path, rows) }
    }
    if (field.type !== 'Field' && field.type !== 'FieldRelationship') {
      throw malformed('only grouped fields and functions can be selected')
    }
    const text =
      field.type === 'Field' ? field.field : [...field.relationships, field.field].join('.')
    const path = findPath(state, table, text)
    const isGrouped = groupBy.some((group) => group.field === path.field)
    if (!isGrouped) throw malformed(`Field must be grouped or aggregated: ${text}`)
    const alias = 'alias' in field ? field.alias : undefined
    return {
      name: alias ?? path.field.name,
      of: ([first]) => (first === undefined ? null : path.read(first)),
    }
  })
}

function measure(name: string, path: FieldPath | undefined, rows: readonly StoredRow[]): Value {
  const values = rows.flatMap((row) => {
    const value = path === undefined ? true : path.read(row)
    return value === null ? [] : [value]
  })
  const numbers = values.map(Number)
  const sum = numbers.reduce((total, value) => total + value, 0)
  switch (name) {
    case 'COUNT':
      return values.length
    case 'COUNT_DISTINCT':
      return new Set(values).size
    case 'SUM':
      return values.length === 0 ? null : sum
    case 'AVG':
      return values.length === 0 ? null : sum / values.length
    case 'MIN':
    case 'MAX': {
      if (path === undefined) return null
      const sign = name === 'MIN' ? 1 : -1
      const sorted = values.sort((a, b) => sign * compare(path.field, a, b))
      return sorted[0] ?? null
    }
    default:
      throw malformed(`${name} is not known here`)
  }
}
