import type { ApiCall, JsonObject } from './api-endpoint.ts'
import { bodyObject, isObject, stringList } from './api-endpoint.ts'
import { invalid } from './hubspot-error.ts'
import type { PropertyDefinition } from './property-definition.ts'

const MAX_BODY = 3000
const MAX_PAGE = 200
const MAX_RESULTS = 10_000
const MAX_GROUPS = 5
const MAX_FILTERS_IN_GROUP = 6
const MAX_FILTERS = 18

const operators: ReadonlySet<string> = new Set([
  'EQ',
  'NEQ',
  'LT',
  'LTE',
  'GT',
  'GTE',
  'BETWEEN',
  'IN',
  'NOT_IN',
  'HAS_PROPERTY',
  'NOT_HAS_PROPERTY',
  'CONTAINS_TOKEN',
  'NOT_CONTAINS_TOKEN',
])

export interface SearchFilter {
  readonly property: PropertyDefinition
  readonly operator: string
  readonly value: string
  readonly highValue: string
  readonly values: readonly string[]
}

export interface SearchRequest {
  /** A record matches when every filter of one group does. */
  readonly groups: readonly (readonly SearchFilter[])[]
  readonly sort: { readonly property: PropertyDefinition; readonly descending: boolean } | undefined
  readonly query: string
  readonly properties: readonly string[]
  readonly start: number
  readonly limit: number
}

/** Reads a search body and refuses what HubSpot refuses. */
export function readSearchRequest(
  call: ApiCall,
  definitions: ReadonlyMap<string, PropertyDefinition>,
): SearchRequest {
  if (call.bodyLength > MAX_BODY) {
    throw invalid(`Request body is too long: the maximum is ${MAX_BODY} characters`)
  }
  const body = bodyObject(call)
  const { start, limit } = readPage(body)
  return {
    groups: readGroups(body, definitions),
    sort: readSort(body['sorts'], definitions),
    query: typeof body['query'] === 'string' ? body['query'] : '',
    properties: stringList(body['properties']),
    start,
    limit,
  }
}

function readPage(body: JsonObject): { start: number; limit: number } {
  const limit = body['limit'] ?? 10
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > MAX_PAGE) {
    throw invalid(`limit must be an integer between 0 and ${MAX_PAGE}`)
  }
  const after = body['after'] ?? '0'
  const start = typeof after === 'string' && after === '' ? 0 : Number(after)
  if (!Number.isInteger(start) || start < 0) throw invalid('after must be an integer')
  if (start + limit > MAX_RESULTS) {
    throw invalid(`Paging beyond ${MAX_RESULTS} results is not possible for a search`)
  }
  return { start, limit }
}

function readGroups(
  body: JsonObject,
  definitions: ReadonlyMap<string, PropertyDefinition>,
): SearchFilter[][] {
  const given = Array.isArray(body['filterGroups']) ? body['filterGroups'] : []
  const loose = Array.isArray(body['filters']) ? [{ filters: body['filters'] }] : []
  const groups = [...given, ...loose].map((group: unknown) => {
    const filters = isObject(group) && Array.isArray(group['filters']) ? group['filters'] : []
    return filters.map((filter: unknown) => readFilter(isObject(filter) ? filter : {}, definitions))
  })
  const most = Math.max(0, ...groups.map((group) => group.length))
  if (groups.length > MAX_GROUPS) throw invalid(`At most ${MAX_GROUPS} filterGroups are allowed`)
  if (most > MAX_FILTERS_IN_GROUP || groups.flat().length > MAX_FILTERS) {
    throw invalid(
      `At most ${MAX_FILTERS_IN_GROUP} filters in a group and ${MAX_FILTERS} in all are allowed`,
    )
  }
  return groups.filter((group) => group.length > 0)
}

function readFilter(
  filter: JsonObject,
  definitions: ReadonlyMap<string, PropertyDefinition>,
): SearchFilter {
  const property = known(filter['propertyName'], definitions)
  const operator = filter['operator']
  if (typeof operator !== 'string' || !operators.has(operator)) {
    throw invalid(`Unknown filter operator: ${String(operator)}`)
  }
  const values = stringList(filter['values'])
  const value = textOf(filter['value'])
  const highValue = textOf(filter['highValue'])
  const isList = operator === 'IN' || operator === 'NOT_IN'
  if (isList && values.length === 0) throw invalid(`${operator} needs values`)
  if (!isList && !operator.endsWith('HAS_PROPERTY') && value === '') {
    throw invalid(`${operator} on ${property.name} needs a value`)
  }
  if (operator === 'BETWEEN' && highValue === '') throw invalid('BETWEEN needs a highValue')
  return { property, operator, value, highValue, values }
}

/** A sort is a name, a name with a minus, or an object; it may also come as JSON text. */
function readSort(
  sorts: unknown,
  definitions: ReadonlyMap<string, PropertyDefinition>,
): SearchRequest['sort'] {
  if (!Array.isArray(sorts) || sorts.length === 0) return undefined
  if (sorts.length > 1) throw invalid('Only one sort is allowed')
  const sort = parsed(sorts[0])
  if (typeof sort === 'string') {
    const descending = sort.startsWith('-')
    return { property: known(descending ? sort.slice(1) : sort, definitions), descending }
  }
  if (!isObject(sort)) throw invalid('A sort must be a property name or an object')
  const property = known(sort['propertyName'], definitions)
  return { property, descending: sort['direction'] === 'DESCENDING' }
}

function parsed(sort: unknown): unknown {
  if (typeof sort !== 'string' || !sort.startsWith('{')) return sort
  try {
    return JSON.parse(sort)
  } catch {
    throw invalid('A sort is not valid JSON')
  }
}

function known(
  name: unknown,
  definitions: ReadonlyMap<string, PropertyDefinition>,
): PropertyDefinition {
  const property = typeof name === 'string' ? definitions.get(name) : undefined
  if (property !== undefined && !property.archived) return property
  throw invalid(`There was a problem with the request. Property ${String(name)} does not exist`)
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : ''
}
