import type { RateLimitedError } from '../errors.ts'
import type { CrmActions } from './crm-actions.ts'
import type { CrmInspection, CrmNeeds, Finding } from './crm-check.ts'
import type { CrmNotes } from './crm-notes.ts'

/** The two CRM objects that Ripen writes today; names are HubSpot's and Salesforce's nearest common words. */
export type CrmObject = 'contact' | 'company'

/**
 * A property value before it is put on the wire. Instants are ISO 8601 UTC strings, days `YYYY-MM-DD`;
 * a list holds the chosen options of a `multi-enumeration`, in any order.
 */
export type CrmValue = string | number | boolean | null | readonly string[]

export type CrmPropertyType =
  | 'string'
  | 'text'
  | 'number'
  | 'bool'
  | 'date'
  | 'datetime'
  | 'enumeration'
  /** Any number of the options. */
  | 'multi-enumeration'
  /** A number to call, as text. */
  | 'phone'

export interface CrmProperty {
  readonly name: string
  readonly label: string
  readonly description?: string
  readonly type: CrmPropertyType
  /** Only for enumerations: the values that may be written, in the order of display. */
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
  /** What it says now, of the properties that were asked for; absent where a look-up does not tell. */
  readonly values?: Readonly<Record<string, string | null>>
  /** The company that a contact is under, null without one; absent where a look-up does not tell. */
  readonly company?: CrmContactCompany | null
}

export interface CrmWrite {
  readonly ref: string
  /** Value of our own unique property: every write sets it. */
  readonly key: string
  /** The record to update; null creates it (idempotent: by our own unique property). */
  readonly crmId: string | null
  /** The company that a contact is under, for CRMs in which a new one cannot be without. */
  readonly companyId?: string | null
  /** True for a contact that was found under no company: its write puts it under `companyId`. */
  readonly putUnder?: boolean
  readonly properties: Readonly<Record<string, CrmValue>>
}

/**
 * What a record will hold of values that it is given: texts are cut and numbers rounded where its fields are smaller.
 * What is fitted already stays as it is.
 * @param crmId null for a record that is made.
 */
export type FitValues = (
  crmId: string | null,
  values: Readonly<Record<string, CrmValue>>,
) => Readonly<Record<string, CrmValue>>

export type WriteOutcome =
  | {
      readonly kind: 'written'
      readonly crmId: string
      readonly created: boolean
      /** True where the write has put a contact under its company. */
      readonly isUnder?: boolean
    }
  /** The CRM refuses this record; `reason` holds its own words without any value of ours. */
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
      /** The property that is to blame, where the CRM says so. */
      readonly property?: string | null
    }
  /** The record was merged into another one. */
  | { readonly kind: 'moved'; readonly crmId: string }
  /** No such record any more. */
  | { readonly kind: 'missing' }
  /** A record with one of our natural keys exists already. */
  | { readonly kind: 'exists'; readonly crmId: string }
  /**
   * Surely nothing was written: somebody else holds the record, or the account takes no more. Worth another try
   * later, and nothing has to be read before; with `pause`, no other record is worth one until then either.
   */
  | { readonly kind: 'busy'; readonly pause?: RateLimitedError }
  /** The answer does not say; settle it by reading. */
  | { readonly kind: 'unknown' }

export interface WriteOptions {
  /**
   * Called when a few records are refused for one property in one way: perhaps all will be. Answers false when
   * nothing more is to be sent; what was not is `unknown` then.
   */
  readonly refusedAlike?: (reason: string) => Promise<boolean>
}

export interface CrmContactCompany {
  readonly companyId: string
  /** As the CRM has it; null where it has none. */
  readonly domain: string | null
}

export interface CrmOwner {
  readonly id: string
  readonly email: string | null
  readonly name: string
  /** False for who has left; records may still be theirs. */
  readonly active: boolean
  /** Id of the person as a user of the CRM; never what a record is assigned to. */
  readonly userId?: string | null
  /** IANA time zone, where the CRM tells it; HubSpot does not. */
  readonly timeZone?: string | null
}

/** What a task asks for. */
export type CrmTaskType = 'to-do' | 'call' | 'email'

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
  /** `to-do` when left out. */
  readonly type?: CrmTaskType
  /** The deal that it is about, besides the records above. */
  readonly dealId?: string | null
  /** Id of a queue, as the CRM has it; none when left out. */
  readonly queueId?: string | null
  /** When the owner is reminded, ISO 8601 UTC; never when left out. */
  readonly reminderAt?: string | null
  /** IANA time zone of the owner: in it falls the day on which it is due. UTC when left out. */
  readonly timeZone?: string | null
}

export type CrmTaskStatus = 'not-started' | 'in-progress' | 'waiting' | 'deferred' | 'done'

/** A task as the CRM has it now. */
export interface CrmTaskState {
  readonly status: CrmTaskStatus
  /** When it was done, ISO 8601 UTC; null for one that is not, or where the CRM does not say. */
  readonly completedAt: string | null
  readonly ownerId: string | null
  /** True where its owner is the user who made it, as a CRM has it that knows no task without an owner. */
  readonly ownedByMaker?: boolean
  readonly subject: string
  /** ISO 8601 UTC; the midnight of its day where tasks are due on days. */
  readonly dueAt: string | null
  readonly priority: CrmTask['priority'] | null
  readonly type: CrmTaskType | null
  readonly queueIds: readonly string[]
  /** ISO 8601 UTC. */
  readonly reminderAt: string | null
  /** Names all that a person may change of it, the text among that; another one after any change. */
  readonly fingerprint: string
  /** True when somebody has deleted it. */
  readonly archived: boolean
}

/** A task to be closed, if nobody has touched it. */
export interface CrmTaskClosing {
  readonly taskId: string
  /** One line that the reader of the task finds above its text. */
  readonly note: string
  /** As it was read last; a task that is otherwise by now is left alone. */
  readonly fingerprint: string
}

export type TaskCloseOutcome =
  | { readonly kind: 'closed' }
  /** It is not as it was; nothing was done. */
  | { readonly kind: 'changed' }
  /** There is no such task any more. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  /** The answer does not say. Asking again with the same note is safe: a task has it once. */
  | { readonly kind: 'unknown' }

/** What is to be added to a task that is open: what a person wrote stays. */
export interface CrmTaskAmendment {
  readonly taskId: string
  /** One line that the reader of the task finds above its text; a task has it once. */
  readonly note: string
  /** Contacts that it is about too, where the CRM has room for more than one. */
  readonly contactIds: readonly string[]
  /** Whose it becomes; absent leaves it whose it is. A task that a person has touched since it was read is left alone. */
  readonly ownerId?: string | null
  /** Like the owner. */
  readonly priority?: CrmTask['priority'] | null
  /** As it was read last: tells whether a person has touched it since. */
  readonly fingerprint: string
}

export type TaskAmendOutcome =
  /** `touched`: it was not as it was read last, by a person or by an earlier try that nobody knew the end of. */
  | { readonly kind: 'amended'; readonly fingerprint: string; readonly touched: boolean }
  /** It is done already; nothing was added. */
  | { readonly kind: 'done' }
  /** It was to become somebody else's or more urgent, and is not as it was; nothing was done. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  /** The answer does not say. Asking again with the same note is safe. */
  | { readonly kind: 'unknown' }

export type CrmDealState = 'open' | 'won' | 'lost'

/** A stage that a deal has been in. */
export interface CrmDealStage {
  readonly pipeline: string
  readonly stage: string
  /** As people read it. */
  readonly label: string
  readonly state: CrmDealState
  /** Since when, ISO 8601 UTC. */
  readonly at: string
}

/** A deal with what it is associated with among the records that were asked about. */
export interface CrmDeal {
  readonly id: string
  readonly name: string
  readonly pipeline: string
  /** In the order of time; the last one is the stage of now. At least one. */
  readonly stages: readonly CrmDealStage[]
  readonly amount: number | null
  /** ISO 4217; null where the CRM does not say. */
  readonly currency: string | null
  readonly ownerId: string | null
  /** ISO 8601 UTC. */
  readonly createdAt: string
  /** When it was closed or is hoped to be, ISO 8601 UTC. */
  readonly closeAt: string | null
  readonly contactIds: readonly string[]
  readonly companyIds: readonly string[]
}

export type CrmEngagementKind = 'call' | 'email' | 'meeting'

/** Something that took place between the customer's people and ours, as it was logged. */
export interface CrmEngagement {
  readonly id: string
  readonly kind: CrmEngagementKind
  /** When it took place, ISO 8601 UTC. */
  readonly at: string
  /** True when it came from them, such as an e-mail that they sent. */
  readonly incoming: boolean
  readonly ownerId: string | null
  readonly contactIds: readonly string[]
  readonly companyIds: readonly string[]
}

/** Records that deals or engagements are asked about, by their ids. */
export interface CrmAbout {
  readonly contactIds: readonly string[]
  readonly companyIds: readonly string[]
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

export interface CreateTasksOptions {
  /** Called after all pacing, right before the task with this marker is sent: from then on it may be there. */
  readonly sending?: (marker: string) => Promise<void>
}

/** What changes can be followed of: the objects that Ripen writes, and those that it only reads. */
export type ChangedObject = CrmObject | 'deal' | 'task'

/** Which changes are asked for, and from where on. */
export interface ChangeQuery {
  /** Where the last page ended, as it was given; null begins now and yields nothing yet. */
  readonly cursor: string | null
  readonly properties: readonly string[]
  /** Only records on which this property has a value, such as our own key. */
  readonly having?: string
  /** Changes that the CRM may show so much later than they happened are asked for again. */
  readonly overlapMs: number
}

/** A record that was changed, by whomever: our own writes are among them. */
export interface CrmChange {
  readonly crmId: string
  /** ISO 8601 UTC. */
  readonly changedAt: string
  /** True where the CRM tells of deleted records; most only tell of those that are there. */
  readonly archived?: boolean
  /** As the CRM's index has them, which may be older than the record; null when they must be read. */
  readonly properties: Readonly<Record<string, string | null>> | null
}

export interface ChangePage {
  readonly changes: readonly CrmChange[]
  /** What to ask with next; worth keeping only once the changes of this page are dealt with. */
  readonly cursor: string
  /** False when this was everything for now. */
  readonly more: boolean
  /** Some of what was deleted cannot be told any more: every record must be looked at. */
  readonly lost?: true
}

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
export interface Crm extends CrmNotes, CrmActions {
  readonly name: string
  /** Largest number of records in one write call. */
  readonly maxBatch: number
  /**
   * From so many records on, one `write` is a job that the CRM works through by itself, for less than the
   * calls would cost: worth giving it all of them at once. Absent where there is no such thing.
   */
  readonly bulkFrom?: number
  /** Wants to know the company of each contact that it writes: new ones go under it, and those of one together. */
  readonly writesUnderCompany?: boolean
  /** True where `find` shows records as they are now, and no company is there that it does not find. */
  readonly findsFresh?: boolean
  /** Records that are worth reading together, where that is more than a few hundred. */
  readonly readsAtOnce?: number
  /** Names what kind of an object a record is, where kinds are written by different calls. */
  kindOf?(crmId: string): string
  /** True where a task may be about people alone, without a company. */
  readonly tasksOnPeople?: boolean
  /** True where a task is due on a day, at no hour. */
  readonly tasksAreDueOnDays?: boolean
  /** Waits for jobs that an earlier process has begun, so that nobody writes beside them; tells how many. */
  settleJobs?(signal: AbortSignal): Promise<number>
  /** The property that holds the owner of a record, as `read` gives it; absent where there is none. */
  readonly ownerProperty?: string
  /** Proves that the credentials work, with one cheap read. */
  check(signal: AbortSignal): Promise<void>
  /** Looks at the account as far as the mapping needs it; changes nothing. */
  inspect(needs: CrmNeeds, signal: AbortSignal): Promise<CrmInspection>
  /**
   * Creates what is missing: the group, properties, options of our own enumerations. It never removes,
   * renames or retypes, and changes nothing at all while there is drift. Where the CRM lets an admin alone
   * create properties, whatever is missing is drift, and its mend says how an admin gets it there.
   * @throws {ConfigError} when the account has no room for what is missing.
   */
  provision(
    plan: ProvisionPlan,
    signal: AbortSignal,
    options?: ProvisionOptions,
  ): Promise<ProvisionResult>
  /** Names of all properties that an object has, of our own and of others. */
  propertyNames(object: CrmObject, signal: AbortSignal): Promise<ReadonlySet<string>>
  /**
   * `result[i]` holds the candidates for `lookups[i]`, best first: by key, then e-mail or domain. Some CRMs tell
   * what a candidate says of these properties by the same calls.
   */
  find(
    object: CrmObject,
    lookups: readonly CrmLookup[],
    signal: AbortSignal,
    properties?: readonly string[],
  ): Promise<readonly (readonly CrmFound[])[]>
  /** Current values by record id; a record that is gone is absent from the map. */
  read(
    object: CrmObject,
    crmIds: readonly string[],
    properties: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Readonly<Record<string, string | null>>>>
  /**
   * When the values of now were set or emptied, by record id and property, ISO 8601 UTC; what the CRM does not
   * tell of is absent. Absent where the CRM keeps no such times: then it is known no better than by reading.
   */
  setAt?(
    object: CrmObject,
    crmIds: readonly string[],
    properties: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>
  /**
   * Where records that are gone lie now, by their old ids: merged into another one, or converted. Absent where the
   * CRM does not say; then our own key is looked for.
   */
  movedTo?(
    object: CrmObject,
    crmIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>
  /**
   * The next page of what changed since a cursor, oldest first. Every change is told at least once, however
   * many there are of one instant; a change may be told again. Merged and deleted records may be absent.
   */
  changedSince(object: ChangedObject, query: ChangeQuery, signal: AbortSignal): Promise<ChangePage>
  /** The CRM's id of the account that the credentials are of; webhooks name it. */
  accountId(signal: AbortSignal): Promise<string>
  /**
   * How values are fitted to the records of an object, so that what is read there is known for what was written.
   * Absent where records hold whatever they are given.
   */
  fitting?(object: CrmObject, signal: AbortSignal): Promise<FitValues>
  /** Writes every record once and reports on each: `outcomes[i]` answers `records[i]`. */
  write(
    object: CrmObject,
    records: readonly CrmWrite[],
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<readonly WriteOutcome[]>
  /**
   * Puts records away, so that a person can get them back for a while; idempotent, and one that is gone is
   * done. `result[i]` is null, or why record i was refused.
   */
  archive(
    object: CrmObject,
    crmIds: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (string | null)[]>
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
  createTasks(
    tasks: readonly CrmTask[],
    signal: AbortSignal,
    options?: CreateTasksOptions,
  ): Promise<readonly TaskOutcome[]>
  /** Looks for our markers among the tasks of the given records (not by search, which lags): marker → task id. */
  findTasks(
    wanted: readonly {
      readonly marker: string
      readonly companyId: string | null
      readonly contactIds: readonly string[]
    }[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>
  /** Tasks as they stand, also deleted ones, by id; one of which there is no trace is absent. */
  readTasks(
    taskIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, CrmTaskState>>
  /**
   * Marks tasks as done, each with its note, unless a person has changed them: `outcomes[i]` answers
   * `closings[i]`. Throws only while nothing was sent.
   */
  closeTasks(
    closings: readonly CrmTaskClosing[],
    signal: AbortSignal,
  ): Promise<readonly TaskCloseOutcome[]>
  /** Adds lines and people to open tasks: `outcomes[i]` answers `amendments[i]`. Throws only while nothing was sent. */
  amendTasks(
    amendments: readonly CrmTaskAmendment[],
    signal: AbortSignal,
  ): Promise<readonly TaskAmendOutcome[]>
  /** Deals of these records, read from the records and not by search, which lags. */
  dealsOf(about: CrmAbout, signal: AbortSignal): Promise<readonly CrmDeal[]>
  /**
   * What was logged with these records and took place at `since` or later, read from the records and not
   * by search.
   */
  engagementsOf(
    about: CrmAbout,
    wanted: { readonly kinds: readonly CrmEngagementKind[]; readonly since: Date },
    signal: AbortSignal,
  ): Promise<readonly CrmEngagement[]>
}

/** Calls with an allowance of their own. */
export type PaceBucket = 'general' | 'search' | 'association'

/** What the vendor said about its allowances beside an answer; what it did not say is absent. */
export interface LimitsSaid {
  /** Calls that it takes in any interval, and how many are left in the present one. */
  readonly window?: { readonly calls: number; readonly left: number; readonly intervalMs: number }
  /** The quota of the account for the day, which others use up too. */
  readonly day?: { readonly calls: number; readonly left: number }
  /** It refused the call: for which allowance (or for another reason), and how long to leave it alone. */
  readonly refused?: { readonly of: 'window' | 'day' | 'account'; readonly pauseMs: number }
}

/** The permission to make one call. */
export interface Turn {
  /** To be told once, when the call is over, answered or not. */
  over(said: LimitsSaid): void
}

/**
 * Waits for the permission to make one call.
 * @throws {RateLimitedError} when the wait would be longer than the caller should hold its lease.
 */
export type Pace =
  | ((bucket: PaceBucket, signal: AbortSignal) => Promise<Turn>)
  // Who paces nothing need not be told.
  | ((bucket: PaceBucket, signal: AbortSignal) => Promise<void>)
