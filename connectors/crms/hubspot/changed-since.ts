import { FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/Filter.js'
import { RetryableError } from '../../../src/core/errors.ts'
import type { ChangedObject, ChangePage, ChangeQuery } from '../../../src/core/ports/crm.ts'
import { type Changed, nextStep, type Place, parsePlace, placeText } from './change-cursor.ts'
import { failureToThrow, type Session } from './session.ts'
import type { Call } from './transport.ts'
import { type Answer, type HubspotRecord, parseListing, parseRecord } from './wire-shapes.ts'

const PAGE_SIZE = 200
const MAX_BODY_CHARACTERS = 3_000
const ID = 'hs_object_id'
const PATHS = { contact: 'contacts', company: 'companies', deal: 'deals', task: 'tasks' } as const

/** Contacts are the one object whose time of change has a name of its own. */
const modifiedOf = (object: ChangedObject): string =>
  object === 'contact' ? 'lastmodifieddate' : 'hs_lastmodifieddate'

interface Found extends Changed {
  readonly record: HubspotRecord
}

interface Searched {
  readonly found: readonly Found[]
  readonly full: boolean
  /** HubSpot's clock, in milliseconds; null when it does not tell. */
  readonly answeredAt: number | null
  readonly withValues: boolean
}

/**
 * The changes after a place, by search. Every query asks for one page from a place on and none for a later
 * page: results shift while records change, and HubSpot gives no more than 10,000 of one query.
 */
export async function changedSince(
  session: Session,
  object: ChangedObject,
  query: ChangeQuery,
  signal: AbortSignal,
): Promise<ChangePage> {
  const { cursor, overlapMs } = query
  if (cursor === null) return { changes: [], cursor: await startNow(), more: false }
  let place = parsePlace(cursor)
  for (;;) {
    const searched = await search(session, object, requestFor(object, query, place), signal)
    const { found, full, answeredAt: beganAt, withValues } = searched
    const step = nextStep(place, found, { full, beganAt, overlapMs })
    place = step.place
    // A page that only tells that its instant is a large one is no page yet.
    if (step.changes.length === 0 && step.more) continue
    const changes = step.changes.map(({ id, at, record }) => ({
      crmId: id,
      changedAt: new Date(at).toISOString(),
      properties: withValues ? valuesOf(record, query.properties) : null,
    }))
    return { changes, cursor: placeText(place), more: step.more }
  }

  /** The newest change, or HubSpot's clock: ours may go wrong by more than the overlap. */
  async function startNow(): Promise<string> {
    const modified = modifiedOf(object)
    const newest = {
      filterGroups: [],
      sorts: [`-${modified}`],
      properties: [modified],
      limit: 1,
    }
    const { found, answeredAt } = await search(session, object, newest, signal)
    const now = answeredAt ?? found[0]?.at
    if (now === undefined) {
      throw new RetryableError(`HubSpot does not tell its time and has no ${object} yet.`)
    }
    return placeText({ at: now - overlapMs, id: null, began: null })
  }
}

interface SearchBody {
  readonly filterGroups: { filters: SearchFilter[] }[]
  readonly sorts: string[]
  readonly properties: string[]
  readonly limit: number
}

interface SearchFilter {
  readonly propertyName: string
  readonly operator: FilterOperatorEnum
  readonly value?: string
}

function requestFor(object: ChangedObject, query: ChangeQuery, place: Place): SearchBody {
  const modified = modifiedOf(object)
  const { Gte, Lte, Gt, HasProperty } = FilterOperatorEnum
  const at = String(place.at)
  const filters: SearchFilter[] = [{ propertyName: modified, operator: Gte, value: at }]
  if (place.id !== null) {
    filters.push({ propertyName: modified, operator: Lte, value: at })
    filters.push({ propertyName: ID, operator: Gt, value: place.id })
  }
  if (query.having !== undefined) {
    filters.push({ propertyName: query.having, operator: HasProperty })
  }
  const body = {
    filterGroups: [{ filters }],
    sorts: [place.id === null ? modified : ID],
    properties: [...new Set([modified, ...query.properties])],
    limit: PAGE_SIZE,
  }
  const isLong = JSON.stringify(body).length > MAX_BODY_CHARACTERS
  return isLong ? { ...body, properties: [modified] } : body
}

async function search(
  session: Session,
  object: ChangedObject,
  body: SearchBody,
  signal: AbortSignal,
): Promise<Searched> {
  const path = PATHS[object]
  const endpoint = `POST ${path}/search`
  const call: Call = {
    kind: 'read',
    bucket: 'search',
    endpoint,
    invoke: (options) => session.apis.search.doSearch(path, body, options),
  }
  const result = await session.send(call, signal)
  if (!result.ok) throw failureToThrow(result.failure, endpoint)
  const listing = parseListing(result.answer.body, parseRecord)
  // No records without a count of 0 are an empty success: taken for the end, it would lose them all.
  const isEmpty = listing?.results.length === 0
  if (!listing || (isEmpty && listing.total !== 0)) {
    throw new RetryableError(`HubSpot's answer to ${endpoint} could not be read.`)
  }
  return {
    found: listing.results.map((record) => toFound(record, modifiedOf(object), endpoint)),
    full: listing.results.length >= body.limit || listing.after !== null,
    answeredAt: clockOf(result.answer),
    withValues: body.properties.length > 1,
  }
}

function toFound(record: HubspotRecord, modified: string, endpoint: string): Found {
  const text = record.properties[modified] ?? ''
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isNaN(at)) {
    throw new RetryableError(`HubSpot's answer to ${endpoint} lacks when a record was changed.`)
  }
  return { id: record.id, at, record }
}

function clockOf({ headers }: Answer): number | null {
  const at = Date.parse(headers['date'] ?? '')
  return Number.isNaN(at) ? null : at
}

function valuesOf(
  { properties }: HubspotRecord,
  names: readonly string[],
): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, properties[name] ?? null]))
}
