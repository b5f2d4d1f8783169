import type { CrmFound, CrmLookup, CrmObject } from '../../../src/core/ports/crm.ts'
import { type BatchRead, readRecords } from './records.ts'
import { searchEither, searchOneOf, searchTokens } from './search.ts'
import type { Session } from './session.ts'
import type { HubspotRecord } from './wire-shapes.ts'

const OWNER = 'hubspot_owner_id'
const CREATED = 'createdate'
const EMAIL = 'email'
const ADDITIONAL_EMAILS = 'hs_additional_emails'
const DOMAIN = 'domain'
const ADDITIONAL_DOMAINS = 'hs_additional_domains'

/** Records by each value they were recognised by; several records may share a domain. */
type RecordsByValue = ReadonlyMap<string, readonly HubspotRecord[]>

export interface FindOptions {
  /** Whether to ask, by search, for contacts that have an address only as an additional one. */
  readonly searchAdditionalEmails: boolean
  readonly additionalDomains: AdditionalDomains
}

/**
 * How companies are found that have a domain as an additional one only. `in` asks for both in one search,
 * as HubSpot documents it for properties with several options; `token` searches for words, five domains
 * at a time; `off` does not look.
 */
export type AdditionalDomains = 'in' | 'token' | 'off'

/**
 * Candidates for each lookup: by our own key where a record has it (a direct read, which does not lag),
 * else by e-mail or domain.
 */
export async function findRecords(
  session: Session,
  object: CrmObject,
  lookups: readonly CrmLookup[],
  options: FindOptions,
  signal: AbortSignal,
): Promise<CrmFound[][]> {
  const keyProperty = session.keyProperty[object]
  const byKey = await readByKey(session, object, lookups, signal)
  const rest = lookups.filter((lookup) => !byKey.has(lookup.key))
  const by = object === 'contact' ? 'email' : 'domain'
  const byValue =
    object === 'contact'
      ? await contactsByEmail(session, rest, options, signal)
      : await companiesByDomain(session, rest, options, signal)
  return lookups.map((lookup) => {
    const own = byKey.get(lookup.key)
    if (own) return own.map((record) => toFound(record, 'key', keyProperty))
    const values = object === 'contact' ? lookup.emails : lookup.domains
    return inOrder(values, byValue).map((record) => toFound(record, by, keyProperty))
  })
}

async function readByKey(
  session: Session,
  object: CrmObject,
  lookups: readonly CrmLookup[],
  signal: AbortSignal,
): Promise<RecordsByValue> {
  const keyProperty = session.keyProperty[object]
  const read: BatchRead = {
    object,
    ids: lookups.map((lookup) => lookup.key),
    idProperty: keyProperty,
    properties: [keyProperty, OWNER, CREATED],
  }
  const records = await readRecords(session, read, signal)
  return groupBy(records, (record) => [record.properties[keyProperty] ?? ''])
}

async function contactsByEmail(
  session: Session,
  lookups: readonly CrmLookup[],
  options: FindOptions,
  signal: AbortSignal,
): Promise<RecordsByValue> {
  const properties = [session.keyProperty.contact, OWNER, CREATED, EMAIL, ADDITIONAL_EMAILS]
  const emails = lookups.flatMap((lookup) => lookup.emails.map(lowerCase))
  const read: BatchRead = { object: 'contact', ids: emails, idProperty: EMAIL, properties }
  const direct = groupBy(await readRecords(session, read, signal), emailsOf)
  const left = lookups
    .filter(
      ({ emails, thorough }) =>
        thorough !== false && !emails.some((email) => direct.has(lowerCase(email))),
    )
    .flatMap((lookup) => lookup.emails.map(lowerCase))
  if (left.length === 0 || !options.searchAdditionalEmails) return direct
  const wanted = { property: ADDITIONAL_EMAILS, values: left }
  const searched = await searchTokens(session, 'contact', wanted, properties, signal)
  return new Map([...groupBy(searched, emailsOf), ...direct])
}

async function companiesByDomain(
  session: Session,
  lookups: readonly CrmLookup[],
  { additionalDomains }: FindOptions,
  signal: AbortSignal,
): Promise<RecordsByValue> {
  const { company } = session.keyProperty
  const properties = [company, OWNER, CREATED, DOMAIN, ADDITIONAL_DOMAINS]
  const values = lookups.flatMap((lookup) => lookup.domains.map(lowerCase))
  if (additionalDomains === 'in') {
    const wanted = { properties: [DOMAIN, ADDITIONAL_DOMAINS], values }
    const records = await searchEither(session, 'company', wanted, properties, signal)
    return groupBy(records, domainsOf)
  }
  const primary = { property: DOMAIN, values }
  const direct = groupBy(
    await searchOneOf(session, 'company', primary, properties, signal),
    (record) => [lowerCase(record.properties[DOMAIN] ?? '')],
  )
  const left = lookups
    .filter(({ domains, thorough }) => {
      return thorough !== false && !domains.some((domain) => direct.has(lowerCase(domain)))
    })
    .flatMap((lookup) => lookup.domains.map(lowerCase))
  if (left.length === 0 || additionalDomains === 'off') return direct
  const additional = { property: ADDITIONAL_DOMAINS, values: left }
  const searched = await searchTokens(session, 'company', additional, properties, signal)
  return new Map([...groupBy(searched, domainsOf), ...direct])
}

/** The candidates of the best value first; of one value, the oldest record first; each record once. */
function inOrder(values: readonly string[], byValue: RecordsByValue): HubspotRecord[] {
  const candidates = values.flatMap((value) => {
    const records = byValue.get(lowerCase(value)) ?? []
    return records.toSorted((a, b) => compare(createdAt(a), createdAt(b)) || compareIds(a, b))
  })
  return [...new Map(candidates.map((record) => [record.id, record])).values()]
}

function groupBy(
  records: readonly HubspotRecord[],
  valuesOf: (record: HubspotRecord) => readonly string[],
): Map<string, HubspotRecord[]> {
  const groups = new Map<string, HubspotRecord[]>()
  for (const record of records) {
    for (const value of new Set(valuesOf(record))) {
      if (value === '') continue
      groups.set(value, [...(groups.get(value) ?? []), record])
    }
  }
  return groups
}

function emailsOf(record: HubspotRecord): string[] {
  const additional = (record.properties[ADDITIONAL_EMAILS] ?? '').split(';')
  return [record.properties[EMAIL] ?? '', ...additional].map((email) => lowerCase(email.trim()))
}

function domainsOf(record: HubspotRecord): string[] {
  const additional = (record.properties[ADDITIONAL_DOMAINS] ?? '').split(';')
  return [record.properties[DOMAIN] ?? '', ...additional].map((domain) => lowerCase(domain.trim()))
}

function toFound(record: HubspotRecord, by: CrmFound['by'], keyProperty: string): CrmFound {
  return {
    crmId: record.id,
    by,
    key: record.properties[keyProperty] || null,
    ownerId: record.properties[OWNER] || null,
    createdAt: createdAt(record),
  }
}

/** Some answers give the date in ISO, some in epoch milliseconds. */
function createdAt(record: HubspotRecord): string {
  const value = record.createdAt ?? record.properties[CREATED] ?? ''
  const date = new Date(/^\d+$/.test(value) ? Number(value) : value)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}

function compareIds(a: HubspotRecord, b: HubspotRecord): number {
  return a.id.length - b.id.length || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function lowerCase(value: string): string {
  return value.toLowerCase()
}
