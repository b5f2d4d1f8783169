import {
  type OrderByClause,
  parseQuery,
  type Query,
  type Subquery,
} from '@jetstreamapp/soql-parser-js'
import type { Value } from '../field-definition.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import type { StoredRow } from '../stored-row.ts'
import { aggregate, isAggregate, isBareCount } from './aggregate.ts'
import { findCandidates } from './candidates.ts'
import { type RowView, readColumns } from './columns.ts'
import { type Comparison, malformed, readWhere } from './condition.ts'
import { type FieldPath, findPath } from './field-path.ts'
import { compileCondition, type MatchContext, type RowTest } from './match.ts'
import { compareValues } from './order.ts'

/** What a query found, before it is cut into pages. */
export interface QueryResult {
  readonly totalSize: number
  /** The nth record, shown when it is asked for. */
  readonly count: number
  view(place: number): RowView
}

export interface QueryOptions {
  /** queryAll: deleted and archived records too. */
  readonly all: boolean
  readonly apiVersion: string
}

/** Answers a query. @throws {SalesforceError} MALFORMED_QUERY, INVALID_FIELD and the like. */
export function runQuery(state: OrgState, soql: string, options: QueryOptions): QueryResult {
  const query = parsed(soql)
  const table = tableOf(state, query.sObject ?? '')
  const rows = selectRows(state, table, query, options)
  if (isBareCount(query)) return { totalSize: rows.length, count: 0, view: () => ({}) }
  if (isAggregate(query)) {
    const views = aggregate(state, table, query, rows)
    return { totalSize: views.length, count: views.length, view: (place) => views[place] ?? {} }
  }
  const show = readColumns(state, table, withoutAlias(query), {
    apiVersion: options.apiVersion,
    askChildren: (subquery, parent) => askChildren(state, table, subquery, parent, options),
  })
  return {
    totalSize: rows.length,
    count: rows.length,
    view: (place) => {
      const row = rows[place]
      return row === undefined ? {} : show(row)
    },
  }
}

/** The object that a query is about. */
export function queriedObject(soql: string): string {
  return parsed(soql).sObject ?? ''
}

function parsed(soql: string): Query {
  if (soql.trim() === '') throw malformed('SOQL statement cannot be empty')
  try {
    return parseQuery(soql)
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : '').split('\n')
    throw malformed(`unexpected token in ${soql.slice(0, 200)}: ${reason}`)
  }
}

function tableOf(state: OrgState, name: string): ObjectTable {
  if (state.hasObject(name)) return state.table(name)
  throw badRequest(
    'INVALID_TYPE',
    `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
  )
}

type AnyQuery = Pick<Query, 'where' | 'orderBy' | 'limit' | 'offset' | 'sObjectAlias'>

function selectRows(
  state: OrgState,
  table: ObjectTable,
  query: AnyQuery,
  options: QueryOptions,
  within?: Iterable<StoredRow>,
): StoredRow[] {
  const context: MatchContext = {
    state,
    table,
    ask: (comparison) => semiJoin(state, comparison, options),
    known: new Map(),
  }
  const condition = query.where === undefined ? null : readWhere(query.where)
  const test: RowTest = condition === null ? () => true : compileCondition(condition, context)
  const order = readOrder(state, table, query.orderBy)
  const end = query.limit === undefined ? Infinity : query.limit + (query.offset ?? 0)
  const [first] = order
  const wantsStampOrder =
    first?.path.field.name === 'SystemModstamp' && !first.descending && end < Infinity
  const found = within ?? findCandidates(condition, context, wantsStampOrder)
  const isOrdered = 'byStamp' in found && found.byStamp && wantsStampOrder
  const candidates = 'byStamp' in found ? found.rows : found
  const rows: StoredRow[] = []
  for (const row of candidates) {
    const isHidden = row.values['IsDeleted'] === true || row.values['IsArchived'] === true
    if (isHidden && !options.all) continue
    const isEnough = isOrdered && rows.length >= end
    if (isEnough && stampOf(rows.at(-1)) !== stampOf(row)) break
    if (test(row)) rows.push(row)
  }
  if (order.length > 0) rows.sort((a, b) => compareRows(order, a, b))
  return rows.slice(query.offset ?? 0, end)
}

function stampOf(row: StoredRow | undefined): Value {
  return row?.values['SystemModstamp'] ?? null
}

interface OrderKey {
  readonly path: FieldPath
  readonly descending: boolean
  readonly nullsLast: boolean
}

function readOrder(
  state: OrgState,
  table: ObjectTable,
  orderBy: OrderByClause | OrderByClause[] | undefined,
): OrderKey[] {
  return [orderBy ?? []].flat().map((clause) => {
    if (!('field' in clause)) throw malformed('ORDER BY takes fields here')
    const path = findPath(state, table, clause.field)
    if (!path.field.sortable) {
      throw malformed(`field '${clause.field}' can not be sorted in a query call`)
    }
    return { path, descending: clause.order === 'DESC', nullsLast: clause.nulls === 'LAST' }
  })
}

function compareRows(order: readonly OrderKey[], a: StoredRow, b: StoredRow): number {
  for (const { path, descending, nullsLast } of order) {
    const sign = compareValues(path.field, path.read(a), path.read(b), { descending, nullsLast })
    if (sign !== 0) return sign
  }
  return 0
}

function semiJoin(state: OrgState, comparison: Comparison, options: QueryOptions): Value[] {
  const { subquery } = comparison
  if (subquery === null) return []
  const table = tableOf(state, subquery.sObject ?? '')
  const [field, ...rest] = subquery.fields ?? []
  if (field?.type !== 'Field' || rest.length > 0) {
    throw malformed('a semi join selects exactly one field')
  }
  const path = findPath(state, table, field.field)
  return selectRows(state, table, subquery, options).map((row) => path.read(row))
}

function askChildren(
  state: OrgState,
  table: ObjectTable,
  subquery: Subquery,
  parent: StoredRow,
  options: QueryOptions,
): unknown {
  const name = subquery.relationshipName
  const link = childLink(state, table, name)
  const rows = selectRows(
    state,
    link.table,
    subquery,
    options,
    link.table.find(link.field, parent.id),
  )
  if (rows.length === 0) return null
  const show = readColumns(state, link.table, subquery.fields ?? [], {
    apiVersion: options.apiVersion,
    askChildren: () => null,
  })
  return { totalSize: rows.length, done: true, records: rows.map(show) }
}

/** The object and reference behind a child relationship's name. */
function childLink(
  state: OrgState,
  table: ObjectTable,
  name: string,
): { readonly table: ObjectTable; readonly field: string } {
  const parent = table.definition.name
  for (const child of state.allTables()) {
    for (const field of child.definition.fields.values()) {
      const isIt = field.childName?.toLowerCase() === name.toLowerCase()
      if (isIt && field.referenceTo.includes(parent)) return { table: child, field: field.name }
    }
  }
  throw badRequest(
    'INVALID_TYPE',
    `Didn't understand relationship '${name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`,
  )
}

function withoutAlias(query: Query): NonNullable<Query['fields']> {
  const alias = query.sObjectAlias?.toLowerCase()
  return (query.fields ?? []).map((field) => {
    if (alias === undefined || field.type !== 'FieldRelationship') return field
    const [first = '', ...rest] = field.relationships
    if (first.toLowerCase() !== alias) return field
    return rest.length === 0
      ? { type: 'Field' as const, field: field.field }
      : { ...field, relationships: rest }
  })
}
