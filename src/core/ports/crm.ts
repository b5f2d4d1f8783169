import type { CrmInspection, CrmNeeds, Finding } from './crm-check.ts'

/** The two CRM objects that Ripen writes today; names are HubSpot's and Salesforce's nearest common words. */
export type CrmObject = 'contact' | 'company'

/** A property value before it is put on the wire. Instants are ISO 8601 UTC strings, days `YYYY-MM-DD`. */
export type CrmValue = string | number | boolean | null

export type CrmPropertyType =
  | 'string'
  | 'text'
  | 'number'
  | 'bool'
  | 'date'
  | 'datetime'
  | 'enumeration'

export interface CrmProperty {
  readonly name: string
  readonly label: string
  readonly description?: string
  readonly type: CrmPropertyType
  /** Only for `enumeration`: the values that may be written, in the order of display. */
  readonly options?: readonly { readonly value: string; readonly label: string }[]
  /** True for the one property that identifies our record; the CRM refuses a second record with its value. */
  readonly unique?: boolean
  /** What may be written, so that it can be held against the CRM's own rules; absent = anything. */
  readonly values?: CrmValueBounds
}

/** The range of the values of one property. */
export interface CrmValueBounds {
  /** Least and greatest number; null where there is no bound. */
  readonly numbers?: { readonly least: number | null; readonly greatest: number | null }
  /** Longest text in characters. */
  readonly longest?: number
}

/** Properties of our own that must exist on one object, in one group. */
export interface ProvisionPlan {
  readonly object: CrmObject
  readonly group: { readonly name: string; readonly label: string }
  readonly properties: readonly CrmProperty[]
}

/** A property that is ours by name, but not as we need it: a person must mend it. */
export interface PropertyDrift {
  readonly property: string
  readonly expected: string
  readonly found: string
  /** What to do about it. */
  readonly mend: string
}

export interface ProvisionResult {
  readonly groupCreated: boolean
  readonly created: readonly string[]
  readonly existing: readonly string[]
  /** Options that were added to enumerations of ours. */
  readonly optionsAdded: readonly {
    readonly property: string
    readonly values: readonly string[]
  }[]
  readonly drift: readonly PropertyDrift[]
  /** What will do, but should be known: rules of the account, properties that were moved. */
  readonly findings: readonly Finding[]
}

export interface ProvisionOptions {
  /** Change nothing, and tell what would be done. */
  readonly dryRun?: boolean
}

/** How one record of ours may be recognised in the CRM. */
export interface CrmLookup {
  /** The caller's name for the record; outcomes repeat it. */
  readonly ref: string
  /** Value of our own unique property. */
  readonly key: string
  /** Lower-case e-mail addresses (contacts), best first. */
  readonly emails: readonly string[]
  /** Registrable domains (companies), best first. */
  readonly domains: readonly string[]
  /** Look where it costs a search for few records too: before a record is created. Default true. */
  readonly thorough?: boolean
}

export interface CrmFound {
  readonly crmId: string
  /** By what it was recognised. */
  readonly by: 'key' | 'email' | 'domain'
  /** Value of our own unique property on the record, if it has one. */
  readonly key: string | null
  readonly ownerId: string | null
  /** ISO 8601 UTC. */
  readonly createdAt: string
}

export interface CrmWrite {
  readonly ref: string
  /** Value of our own unique property: every write sets it. */
  readonly key: string
  /** The record to update; null creates it (idempotent: by our own unique property). */
  readonly crmId: string | null
  readonly properties: Readonly<Record<string, CrmValue>>
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly crmId: string; readonly created: boolean }
  /** The CRM refuses this record; `reason` holds its own words without any value of ours. */
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  /** The record was merged into another one. */
  | { readonly kind: 'moved'; readonly crmId: string }
  /** No such record any more. */
  | { readonly kind: 'missing' }
  /** A record with one of our natural keys exists already. */
  | { readonly kind: 'exists'; readonly crmId: string }
  /** The answer does not say; settle it by reading. */
  | { readonly kind: 'unknown' }

export interface CrmContactCompany {
  readonly companyId: string
  /** As the CRM has it; null where it has none. */
  readonly domain: string | null
}

export interface CrmOwner {
  readonly id: string
  readonly email: string | null
  readonly name: string
  readonly active: boolean
}

export interface CrmTask {
  /** Names the episode; part of the body, so that the task can be found again. */
  readonly marker: string
  readonly subject: string
  /** Plain text with line breaks; the connector turns it into what the CRM shows. */
  readonly body: string
  /** ISO 8601 UTC. */
  readonly dueAt: string
  readonly priority: 'low' | 'medium' | 'high'
  /** An owner's id; null leaves the task unassigned. */
  readonly ownerId: string | null
  readonly companyId: string | null
  readonly contactIds: readonly string[]
}

export type TaskOutcome =
  | { readonly kind: 'created'; readonly taskId: string }
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  | { readonly kind: 'unknown' }

/** One call that was answered by the CRM, or was not: for pacing, metrics and the demo's count. */
export interface CrmCall {
  readonly kind: 'read' | 'write'
  /** The endpoint without ids, such as `POST contacts/batch/update`. */
  readonly endpoint: string
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  readonly ms: number
}

/**
 * One CRM. Batches of any size are accepted and cut to the vendor's limits inside.
 * Every method throws only a `SyncFailure`:
 * @throws {ConfigError} when credentials or scopes are wrong.
 * @throws {RateLimitedError} when the vendor asks for a pause.
 * @throws {RetryableError} when the call failed and nothing can have happened, or when a read failed.
 */
export interface Crm {
  readonly name: string
  /** Largest number of records in one write call. */
  readonly maxBatch: number
  /** Proves that the credentials work, with one cheap read. */
  check(signal: AbortSignal): Promise<void>
  /** Looks at the account as far as the mapping needs it; changes nothing. */
  inspect(needs: CrmNeeds, signal: AbortSignal): Promise<CrmInspection>
  /**
   * Creates what is missing: the group, properties, options of our own enumerations. It never removes,
   * renames or retypes, and changes nothing at all while there is drift.
   * @throws {ConfigError} when the account has no room for what is missing.
   */
  provision(
    plan: ProvisionPlan,
    signal: AbortSignal,
    options?: ProvisionOptions,
  ): Promise<ProvisionResult>
  /** Names of all properties that an object has, of our own and of others. */
  propertyNames(object: CrmObject, signal: AbortSignal): Promise<ReadonlySet<string>>
  /** `result[i]` holds the candidates for `lookups[i]`, best first: by key, then e-mail or domain. */
  find(
    object: CrmObject,
    lookups: readonly CrmLookup[],
    signal: AbortSignal,
  ): Promise<readonly (readonly CrmFound[])[]>
  /** Current values by record id; a record that is gone is absent from the map. */
  read(
    object: CrmObject,
    crmIds: readonly string[],
    properties: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Readonly<Record<string, string | null>>>>
  /** Writes every record once and reports on each: `outcomes[i]` answers `records[i]`. */
  write(
    object: CrmObject,
    records: readonly CrmWrite[],
    signal: AbortSignal,
  ): Promise<readonly WriteOutcome[]>
  /** Associates contacts with their company; idempotent. `result[i]` is null, or why pair i was refused. */
  associate(
    pairs: readonly { readonly contactId: string; readonly companyId: string }[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]>
  /** The company that each contact is under (the primary one of several), by contact id; absent without one. */
  companiesOf(
    contactIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, CrmContactCompany>>
  owners(signal: AbortSignal): Promise<readonly CrmOwner[]>
  /** Creates each task once, never repeats a doubtful call: `outcomes[i]` answers `tasks[i]`. */
  createTasks(tasks: readonly CrmTask[], signal: AbortSignal): Promise<readonly TaskOutcome[]>
  /** Looks for our markers among the tasks of the given records (not by search, which lags): marker → task id. */
  findTasks(
    wanted: readonly {
      readonly marker: string
      readonly companyId: string | null
      readonly contactIds: readonly string[]
    }[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>
}

/**
 * Waits for the permission to make one call. `search` has its own, smaller allowance.
 * @throws {RateLimitedError} when the wait would be longer than the caller should hold its lease.
 */
export type Pace = (bucket: 'general' | 'search', signal: AbortSignal) => Promise<void>
