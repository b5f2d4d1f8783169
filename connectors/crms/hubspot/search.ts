import { FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/Filter.js'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import { type Session, sendForListing } from './session.ts'
import { type HubspotRecord, parseRecord } from './wire-shapes.ts'

const PAGE_SIZE = 200
/** HubSpot returns no more results than this for one query. */
const MAX_RESULTS = 10_000
/** HubSpot's limit for the body of a search is 3,000 characters; the frame around the values is ours. */
const MAX_VALUES_CHARACTERS = 2_400
const MAX_IN_VALUES = 100
/** HubSpot takes five filter groups, one of which matches. */
const MAX_GROUPS = 5

interface SearchFilter {
  readonly propertyName: string
  readonly operator: FilterOperatorEnum
  readonly value?: string
  readonly values?: string[]
}

/** Records whose property has one of the values (lower case), oldest first. */
export async function searchOneOf(
  session: Session,
  object: CrmObject,
  wanted: { readonly property: string; readonly values: readonly string[] },
  properties: readonly string[],
  signal: AbortSignal,
): Promise<HubspotRecord[]> {
  const either = { properties: [wanted.property], values: wanted.values }
  return searchEither(session, object, either, properties, signal)
}

/** Records of which one of some properties has one of the values, oldest first. */
export async function searchEither(
  session: Session,
  object: CrmObject,
  wanted: { readonly properties: readonly string[]; readonly values: readonly string[] },
  properties: readonly string[],
  signal: AbortSignal,
): Promise<HubspotRecord[]> {
  const records: HubspotRecord[] = []
  const times = wanted.properties.length
  const groups = packValues(wanted.values, MAX_IN_VALUES, MAX_VALUES_CHARACTERS / times)
  for (let values = groups.shift(); values !== undefined; values = groups.shift()) {
    const filters = wanted.properties.map((propertyName) => ({
      propertyName,
      operator: FilterOperatorEnum.In,
      values: values ?? [],
    }))
    const found = await searchAll(session, object, filters, properties, signal)
    const middle = Math.ceil(values.length / 2)
    if (found.isWhole || values.length === 1) records.push(...found.records)
    else groups.unshift(values.slice(0, middle), values.slice(middle))
  }
  return records
}

/** Records whose `;`-separated property contains one of the values. */
export async function searchTokens(
  session: Session,
  object: CrmObject,
  wanted: { readonly property: string; readonly values: readonly string[] },
  properties: readonly string[],
  signal: AbortSignal,
): Promise<HubspotRecord[]> {
  const records: HubspotRecord[] = []
  for (const values of packValues(wanted.values, MAX_GROUPS)) {
    const filters = values.map((value) => ({
      propertyName: wanted.property,
      operator: FilterOperatorEnum.ContainsToken,
      value,
    }))
    const found = await searchAll(session, object, filters, properties, signal)
    records.push(...found.records)
  }
  return records
}

/** Groups of values that fit into one query, by count and by length. */
export function packValues(
  values: readonly string[],
  maxValues = MAX_IN_VALUES,
  maxCharacters = MAX_VALUES_CHARACTERS,
): string[][] {
  const groups: string[][] = []
  let group: string[] = []
  let characters = 0
  for (const value of new Set(values)) {
    const length = JSON.stringify(value).length + 1
    if (group.length === maxValues || characters + length > maxCharacters) {
      if (group.length > 0) groups.push(group)
      group = []
      characters = 0
    }
    group.push(value)
    characters += length
  }
  return group.length > 0 ? [...groups, group] : groups
}

interface Searched {
  readonly records: readonly HubspotRecord[]
  /** False when HubSpot would not give all of them; the records are then the oldest ones. */
  readonly isWhole: boolean
}

/** All pages of one query; any of the filters may match. */
async function searchAll(
  session: Session,
  object: CrmObject,
  filters: readonly SearchFilter[],
  properties: readonly string[],
  signal: AbortSignal,
): Promise<Searched> {
  const path = OBJECT_PATHS[object]
  const records: HubspotRecord[] = []
  let after: string | undefined
  do {
    const request = {
      filterGroups: filters.map((filter) => ({ filters: [filter] })),
      properties: [...properties],
      sorts: ['createdate'],
      limit: PAGE_SIZE,
      ...(after === undefined ? {} : { after }),
    }
    const page = await sendForListing(
      session,
      {
        kind: 'read',
        bucket: 'search',
        endpoint: `POST ${path}/search`,
        invoke: (options) => session.apis.search.doSearch(path, request, options),
      },
      parseRecord,
      signal,
    )
    if ((page.total ?? 0) > MAX_RESULTS) return { records: page.results, isWhole: false }
    records.push(...page.results)
    after = page.after ?? undefined
  } while (after !== undefined)
  return { records, isWhole: true }
}
