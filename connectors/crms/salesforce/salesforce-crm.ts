import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import { type BulkJobs, NO_BULK_JOBS } from '../../../src/core/ports/bulk-jobs.ts'
import type { Crm, CrmCall, CrmObject, Pace } from '../../../src/core/ports/crm.ts'
import { amendTasks } from './amend-tasks.ts'
import { archiveRecords } from './archive.ts'
import { associatePairs } from './associate.ts'
import { parseBaseUrl } from './base-url.ts'
import { settleJobs } from './bulk-job.ts'
import { changedSince } from './changed-since.ts'
import { closeTasks } from './close-tasks.ts'
import { MAX_BATCH } from './collections.ts'
import { readCompaniesOf } from './companies-of.ts'
import { createTasks } from './create-tasks.ts'
import { readDealsOf } from './deals.ts'
import { describe } from './describe.ts'
import { readEngagementsOf } from './engagements.ts'
import { findRecords } from './find.ts'
import { findTasks } from './find-tasks.ts'
import { fitting } from './fitting.ts'
import { inspect } from './inspect.ts'
import { findHeirs } from './lost-records.ts'
import { setMemberships } from './memberships.ts'
import { createSalesforceMemory, type SalesforceMemory } from './memory.ts'
import { amendNotes, createNotes } from './notes.ts'
import { OBJECTS, objectOf } from './objects.ts'
import { readOrganization } from './organization.ts'
import { readOwners } from './owners.ts'
import { provision } from './provision.ts'
import { readValues } from './read.ts'
import { readTasks } from './read-tasks.ts'
import { DEFAULT_RULES, type SalesforceRules } from './rules.ts'
import type { Session } from './session.ts'
import { tokensOf } from './tokens-of.ts'
import { createTransport } from './transport.ts'
import { writeRecords } from './write.ts'

export interface SalesforceCrmOptions {
  /** Address of the org (My Domain), such as `https://acme.my.salesforce.com`. */
  readonly baseUrl: string
  /** A session, or where the token of each call comes from. */
  readonly accessToken: string | AccessTokens
  /** Name of our own external-id field on each object; leads and contacts have one name. */
  readonly keyField: Readonly<Record<CrmObject, string>>
  /** Asked for permission before every call. */
  readonly pace: Pace
  readonly rules?: Partial<SalesforceRules>
  /** Told about every call, answered or not. */
  readonly onCall?: (call: CrmCall) => void
  /** Deadline of every call, in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number
  /** Version of the API where the org offers it; `67.0` by default. */
  readonly apiVersion?: string
  /** How often one call is made in all when surely nothing happened; 1 by default. */
  readonly attempts?: number
  /** What connectors of the same org have learned of it. */
  readonly memory?: SalesforceMemory
  /** Remembers jobs of the Bulk API across processes. */
  readonly bulkJobs?: BulkJobs
  /** No job is begun once others and Ripen have used this share of the org's batches; 1 by default. */
  readonly bulkShare?: number
  /** How long to wait before a job is asked about for the first time, in milliseconds; 1,000 by default. */
  readonly bulkPollMs?: number
  readonly now?: () => Date
}

/** Some 600 ids are a query, and five queries a call: few of them are half empty then. */
const READS_AT_ONCE = 50_000
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_VERSION = '67.0'

/**
 * Salesforce as a CRM: accounts, and people who are contacts, else leads. Calls are made through jsforce
 * with its retries and its refreshing of sessions off: pacing is `pace`'s, repeating is the caller's.
 * @throws {ConfigError} when SALESFORCE_BASE_URL or SALESFORCE_ACCESS_TOKEN cannot be used at all.
 */
export function createSalesforceCrm(options: SalesforceCrmOptions): Crm {
  const tokens = tokensOf(options.accessToken)
  const session = openSession(options, tokens)
  const { bulkFrom } = session.rules
  return {
    name: 'salesforce',
    maxBatch: MAX_BATCH,
    ...(bulkFrom === null ? {} : { bulkFrom }),
    tasksOnPeople: true,
    tasksAreDueOnDays: true,
    writesUnderCompany: true,
    findsFresh: true,
    readsAtOnce: READS_AT_ONCE,
    kindOf: (crmId) => objectOf(crmId) ?? '',
    settleJobs: (signal) => settleJobs(session, signal),
    check: async (signal) => void (await readOrganization(session, signal)),
    inspect: (needs, signal) => inspect(session, tokens, needs, signal),
    provision: (plan, signal) => provision(session, plan, signal),
    propertyNames: (object, signal) => propertyNames(session, object, signal),
    find: (object, lookups, signal, properties) =>
      findRecords(session, object, { lookups, properties }, signal),
    read: (object, crmIds, properties, signal) =>
      readValues(session, object, crmIds, properties, signal),
    movedTo: (_object, crmIds, signal) => movedTo(session, crmIds, signal),
    changedSince: (object, query, signal) => changedSince(session, object, query, signal),
    accountId: async (signal) => (await readOrganization(session, signal)).id,
    fitting: (object, signal) => fitting(session, object, signal),
    write: (object, records, signal) => writeRecords(session, object, records, signal),
    archive: (_object, crmIds, signal) => archiveRecords(session, crmIds, signal),
    associate: (pairs, signal) => associatePairs(session, pairs, signal),
    companiesOf: (contactIds, signal) => readCompaniesOf(session, contactIds, signal),
    owners: (signal) => readOwners(session, signal),
    createTasks: (tasks, signal, options) => createTasks(session, tasks, signal, options),
    findTasks: (wanted, signal) => findTasks(session, wanted, signal),
    readTasks: (taskIds, signal) => readTasks(session, taskIds, signal),
    closeTasks: (closings, signal) => closeTasks(session, closings, signal),
    amendTasks: (amendments, signal) => amendTasks(session, amendments, signal),
    groups: 'campaign',
    setMemberships: (memberships, signal) => setMemberships(session, memberships, signal),
    createNotes: (notes, signal) => createNotes(session, notes, signal),
    findNotes: (wanted, signal) => findTasks(session, wanted, signal),
    amendNotes: (amendments, signal) => amendNotes(session, amendments, signal),
    dealsOf: (about, signal) => readDealsOf(session, about, signal),
    engagementsOf: (about, wanted, signal) => readEngagementsOf(session, about, wanted, signal),
  }
}

function openSession(options: SalesforceCrmOptions, tokens: AccessTokens): Session {
  const { pace, onCall, timeoutMs = DEFAULT_TIMEOUT_MS, attempts } = options
  const baseUrl = parseBaseUrl(options.baseUrl)
  const transport = createTransport({ baseUrl, tokens, pace, onCall, timeoutMs, attempts })
  return {
    send: transport.send,
    place: transport.place,
    keyField: options.keyField,
    rules: { ...DEFAULT_RULES, ...options.rules },
    memory: options.memory ?? createSalesforceMemory(),
    preferredVersion: options.apiVersion ?? DEFAULT_VERSION,
    bulkJobs: options.bulkJobs ?? NO_BULK_JOBS,
    bulkShare: options.bulkShare ?? 1,
    bulkPollMs: options.bulkPollMs ?? 1_000,
    now: options.now ?? (() => new Date()),
  }
}

async function movedTo(
  session: Session,
  crmIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const heirs = await findHeirs(session, crmIds, signal)
  return new Map([...heirs].flatMap(([id, heir]) => (heir === null ? [] : [[id, heir]])))
}

/** Of persons, the fields that leads or contacts have. */
async function propertyNames(
  session: Session,
  object: CrmObject,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const one of OBJECTS[object]) {
    for (const field of (await describe(session, one, signal)).fields.keys()) names.add(field)
  }
  return names
}
