import { ConfigError } from '../../../src/core/errors.ts'
import { type AccessTokens, fixedToken } from '../../../src/core/ports/access-tokens.ts'
import type { Crm, CrmCall, CrmObject, Pace } from '../../../src/core/ports/crm.ts'
import { readAccountId } from './account-id.ts'
import { amendTasks } from './amend-tasks.ts'
import { archiveRecords } from './archive.ts'
import { associatePairs } from './associate.ts'
import { changedSince } from './changed-since.ts'
import { STATIC_TOKEN } from './classify-error.ts'
import { closeTasks } from './close-tasks.ts'
import { readCompaniesOf } from './companies-of.ts'
import { createTasks } from './create-tasks.ts'
import { readDealsOf } from './deals.ts'
import { readEngagementsOf } from './engagements.ts'
import { type AdditionalDomains, findRecords } from './find.ts'
import { findTasks } from './find-tasks.ts'
import { openHubspotApis } from './hubspot-apis.ts'
import { inspect } from './inspect.ts'
import { setMemberships } from './memberships.ts'
import { amendNotes, createNotes, findNotes } from './notes.ts'
import { readOneOwner, readOwners } from './owners.ts'
import { readDefinitions } from './property-definitions.ts'
import { provision } from './provision.ts'
import { readTasks } from './read-tasks.ts'
import { MAX_BATCH, readSetAt, readValues } from './records.ts'
import { sendEvents } from './send-events.ts'
import type { Session } from './session.ts'
import { heldValues } from './to-wire.ts'
import { checkToken, createTransport } from './transport.ts'
import { writeRecords } from './write.ts'

export interface HubspotCrmOptions {
  /** Address of the API, such as `https://api.hubapi.com`. */
  readonly baseUrl: string
  /** A service key or the token of a project app, or where the token of each call comes from. */
  readonly accessToken: string | AccessTokens
  /** Name of our own unique property on each object, such as `pql_person_id`. */
  readonly keyProperty: Readonly<Record<CrmObject, string>>
  /** Asked for permission before every call. */
  readonly pace: Pace
  /** Told about every call, answered or not. */
  readonly onCall?: (call: CrmCall) => void
  /** Deadline of every call, in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number
  /**
   * Whether to search for contacts that have an address as an additional one only; true by default.
   * It costs one search for five addresses that were not found directly.
   */
  readonly searchAdditionalEmails?: boolean
  /** How to look for companies that have a domain as an additional one only; `in` by default. */
  readonly additionalDomains?: AdditionalDomains
  /** A dated version of the API such as `2026-03`; absent = the numbered paths (v3, v4) of the client. */
  readonly apiVersion?: string
  /**
   * How often one call is made in all when surely nothing happened: a read, a call that HubSpot asks to
   * make a little later. 1 by default.
   */
  readonly attempts?: number
}

const DEFAULT_TIMEOUT_MS = 30_000

/**
 * HubSpot as a CRM. Calls are made by the official client with its retries and its limiter off:
 * pacing is `pace`'s, repeating is the caller's.
 * @throws {ConfigError} when HUBSPOT_BASE_URL or HUBSPOT_ACCESS_TOKEN cannot be used at all.
 */
export function createHubspotCrm(options: HubspotCrmOptions): Crm {
  const baseUrl = parseBaseUrl(options.baseUrl)
  const { pace, onCall, timeoutMs = DEFAULT_TIMEOUT_MS, apiVersion, attempts } = options
  const tokens = tokensOf(options.accessToken)
  const transport = createTransport({
    baseUrl,
    tokens,
    pace,
    onCall,
    timeoutMs,
    apiVersion,
    attempts,
  })
  const session: Session = {
    apis: openHubspotApis(baseUrl),
    send: transport.send,
    keyProperty: options.keyProperty,
  }
  const { searchAdditionalEmails = true, additionalDomains = 'in' } = options
  const finding = { searchAdditionalEmails, additionalDomains }
  return {
    name: 'hubspot',
    maxBatch: MAX_BATCH,
    ownerProperty: 'hubspot_owner_id',
    check: (signal) => readOneOwner(session, signal),
    inspect: (needs, signal) => inspect(session, tokens, needs, signal),
    provision: (plan, signal, how) => provision(session, plan, signal, how),
    propertyNames: async (object, signal) =>
      new Set((await readDefinitions(session, object, signal)).keys()),
    find: (object, lookups, signal) => findRecords(session, object, lookups, finding, signal),
    read: (object, crmIds, properties, signal) =>
      readValues(session, object, crmIds, properties, signal),
    setAt: (object, crmIds, properties, signal) =>
      readSetAt(session, object, crmIds, properties, signal),
    changedSince: (object, query, signal) => changedSince(session, object, query, signal),
    accountId: (signal) => readAccountId(session, signal),
    fitting: async (object) => (_crmId, values) => heldValues(object, values),
    write: (object, records, signal, options) =>
      writeRecords(session, object, records, signal, options),
    archive: (object, crmIds, signal) => archiveRecords(session, object, crmIds, signal),
    associate: (pairs, signal) => associatePairs(session, pairs, signal),
    companiesOf: (contactIds, signal) => readCompaniesOf(session, contactIds, signal),
    owners: (signal) => readOwners(session, signal),
    createTasks: (tasks, signal, options) => createTasks(session, tasks, signal, options),
    findTasks: (wanted, signal) => findTasks(session, wanted, signal),
    readTasks: (taskIds, signal) => readTasks(session, taskIds, signal),
    closeTasks: (closings, signal) => closeTasks(session, closings, signal),
    amendTasks: (amendments, signal) => amendTasks(session, amendments, signal),
    groups: 'list',
    setMemberships: (memberships, signal) => setMemberships(session, memberships, signal),
    sendEvents: (events, signal) => sendEvents(session, events, signal),
    createNotes: (notes, signal, options) => createNotes(session, notes, signal, options),
    findNotes: (wanted, signal) => findNotes(session, wanted, signal),
    amendNotes: (amendments, signal) => amendNotes(session, amendments, signal),
    dealsOf: (about, signal) => readDealsOf(session, about, signal),
    engagementsOf: (about, wanted, signal) => readEngagementsOf(session, about, wanted, signal),
  }
}

/** @throws {ConfigError} naming the variable. */
export function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new ConfigError('HUBSPOT_BASE_URL is not an http(s) address.')
}

function tokensOf(given: string | AccessTokens): AccessTokens {
  return typeof given === 'string'
    ? fixedToken(STATIC_TOKEN, checkToken(given, STATIC_TOKEN))
    : given
}
