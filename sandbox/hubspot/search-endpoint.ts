import type { ApiReply } from '../reply-sender.ts'
import type { ApiEndpoint } from './api-endpoint.ts'
import { OBJECT_TYPES, type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { RecordTable } from './record-table.ts'
import { viewRecord } from './record-view.ts'
import { matches, sortKey } from './search-match.ts'
import { readSearchRequest, type SearchFilter, type SearchRequest } from './search-request.ts'
import { type StoredRecord, searchView } from './stored-record.ts'

interface Hit {
  readonly record: StoredRecord
  readonly properties: Readonly<Record<string, string>>
}

/** What search knows at this moment. */
interface IndexState {
  /** Records that search may still show as they were. */
  readonly lagging: readonly string[]
  readonly now: number
  /** Another one is another order of ties; 0 keeps that of creation. */
  readonly scramble: number
}

interface CachedSearch {
  readonly key: string
  readonly hits: readonly Hit[]
}

export interface SearchOptions {
  readonly now: () => number
  /** Records that sort alike come in another order after every change of the account. */
  readonly scrambleTies: boolean
}

/** `POST /crm/v3/objects/{type}/search`. */
export function searchEndpoint(
  state: PortalState,
  { now, scrambleTies }: SearchOptions,
): ApiEndpoint {
  let cached: CachedSearch | undefined
  return {
    method: 'post',
    path: '/crm/v3/objects/:objectType/search',
    kind: 'read',
    handle: (call) => {
      const type = readObjectType(call.params['objectType'])
      const request = readSearchRequest(call, state.properties(type))
      const table = state.table(type)
      const key = JSON.stringify([type, table.version, request.groups, request.sort, request.query])
      const lagging = laggingIds(table, now())
      if (cached?.key === key && lagging.length === 0) return answer(type, request, cached.hits)
      const scramble = scrambleTies ? table.version + 1 : 0
      const hits = findHits(table, type, request, { lagging, now: now(), scramble })
      cached = lagging.length === 0 ? { key, hits } : undefined
      return answer(type, request, hits)
    },
  }
}

function answer(type: ObjectType, request: SearchRequest, hits: readonly Hit[]): ApiReply {
  const end = request.start + request.limit
  const results = hits
    .slice(request.start, end)
    .map(({ record, properties }) => viewRecord(type, record, request, properties))
  const paging =
    request.limit > 0 && end < hits.length ? { paging: { next: { after: String(end) } } } : {}
  return { status: 200, body: { total: hits.length, results, ...paging } }
}

function findHits(
  table: RecordTable,
  type: ObjectType,
  request: SearchRequest,
  index: IndexState,
): Hit[] {
  const hits: Hit[] = []
  for (const record of candidates(table, request, index.lagging)) {
    const properties = searchView(record, index.now)
    if (properties !== undefined && isHit(type, request, properties))
      hits.push({ record, properties })
  }
  return sorted(hits, request.sort, index.scramble)
}

function isHit(
  type: ObjectType,
  { groups, query }: SearchRequest,
  properties: Readonly<Record<string, string>>,
): boolean {
  if (query !== '' && !matchesQuery(type, query, properties)) return false
  return groups.length === 0 || groups.some((group) => group.every((f) => matches(f, properties)))
}

function matchesQuery(
  type: ObjectType,
  query: string,
  properties: Readonly<Record<string, string>>,
): boolean {
  const text = query.toLowerCase()
  return OBJECT_TYPES[type].searchedByQuery.some((name) =>
    properties[name]?.toLowerCase().includes(text),
  )
}

/** The records worth looking at: by index when every group names a value, else all of them. */
function candidates(
  table: RecordTable,
  request: SearchRequest,
  lagging: readonly string[],
): Iterable<StoredRecord> {
  const keys = request.groups.map((group) => group.find(isIndexed))
  if (keys.length === 0 || keys.includes(undefined)) return table.records.values()
  const ids = new Set(lagging)
  for (const key of keys) {
    const values = key === undefined ? [] : key.operator === 'EQ' ? [key.value] : key.values
    for (const value of values) {
      for (const id of table.byValue(key?.property.name ?? '', value)) ids.add(id)
    }
  }
  return [...ids].sort((a, b) => Number(a) - Number(b)).flatMap((id) => table.records.get(id) ?? [])
}

/** Only texts and plain options: a number or a check box can be written in several ways. */
function isIndexed({ property, operator }: SearchFilter): boolean {
  if (operator !== 'EQ' && operator !== 'IN') return false
  if (property.name === 'hs_object_id') return true
  if (property.type === 'string') return true
  return (
    property.type === 'enumeration' &&
    property.options.length > 0 &&
    property.fieldType !== 'checkbox'
  )
}

function laggingIds(table: RecordTable, now: number): string[] {
  const ids: string[] = []
  for (const id of table.lagging) {
    const record = table.records.get(id)
    const stale = record?.stale?.at(-1)
    if (stale === undefined || stale.until <= now) table.lagging.delete(id)
    else ids.push(id)
  }
  return ids
}

function sorted(hits: Hit[], sort: SearchRequest['sort'], scramble: number): Hit[] {
  if (sort === undefined) return hits
  const sign = sort.descending ? -1 : 1
  const { property } = sort
  return hits
    .map((hit) => ({
      hit,
      key: sortKey(property, hit.properties[property.name]),
      tie: scramble === 0 ? 0 : scrambled(hit.record.id, scramble),
    }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : a.tie - b.tie))
    .map(({ hit }) => hit)
}

/** A place that an id has under one scramble and nobody could tell beforehand. */
function scrambled(id: string, scramble: number): number {
  let mixed = scramble
  for (let at = 0; at < id.length; at++) {
    mixed = Math.imul(mixed ^ id.charCodeAt(at), 0x01000193) >>> 0
  }
  return mixed
}
