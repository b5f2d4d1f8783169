import type fc from 'fast-check'
import type {
  Crm,
  CrmAbout,
  CrmCall,
  CrmEngagementKind,
  CrmObject,
  CrmPropertyType,
  CrmValue,
  Pace,
  ProvisionPlan,
} from '../../src/core/ports/crm.ts'

/** What a test may change when it connects. */
export interface ConnectOptions {
  readonly baseUrl?: string
  readonly accessToken?: string
  readonly timeoutMs?: number
  readonly pace?: Pace
  readonly onCall?: (call: CrmCall) => void
}

/** What the vendor's server does to the next call of the named sort. */
export type VendorFault =
  /** Asks for a pause. */
  | 'rate-limit'
  /** Carries the call out and breaks the connection. */
  | 'reset-after'
  /** Breaks the connection and does nothing. */
  | 'reset'
  /** Answers a success that holds nothing, and does nothing. */
  | 'empty-success'
  /** Answers after the connector's deadline. */
  | 'too-late'
  | 'server-error'

export type FaultyCall =
  | 'create-record'
  | 'update-record'
  | 'create-task'
  | 'close-task'
  | 'create-note'
  | 'add-member'
  | 'read'

/** A record of the customer's, in words that every CRM has. */
export interface SeedRecord {
  readonly email?: string
  readonly domain?: string
  /** Value of our own unique property. */
  readonly key?: string
  readonly ownerId?: string
}

/** What people of the account do in it by hand. */
export interface CrmPeople {
  completeTask(taskId: string): void
  /** Begins to work on a task without being done. */
  beginTask(taskId: string): void
  /** Puts a task off to another day. */
  postponeTask(taskId: string): void
  deleteTask(taskId: string): void
  /** Opens a deal in its first stage; returns its id. */
  openDeal(about: CrmAbout, deal: { readonly name: string; readonly amount: number }): string
  /** Moves an open deal to a later stage that is open too. */
  advanceDeal(dealId: string): void
  closeDeal(dealId: string, outcome: 'won' | 'lost'): void
  log(
    kind: CrmEngagementKind,
    about: CrmAbout,
    engagement: { readonly at: string; readonly incoming?: boolean; readonly ownerId?: string },
  ): string
}

/**
 * Where CRMs differ by their nature, so that one promise cannot be kept in the same way by all. Each is as
 * in HubSpot when it is left out.
 */
export interface CrmNature {
  /** Properties are created by an admin and not through the API; they are put in place without a call. */
  readonly install?: (plan: ProvisionPlan) => void
  /** What a new record cannot be without, besides what the suite gives it. */
  readonly newRecord?: Readonly<Record<CrmObject, Readonly<Record<string, CrmValue>>>>
  /** Refusals have no id by which the vendor finds them again. */
  readonly hasNoCorrelation?: true
  /** Every record belongs to somebody: the owner of one that nobody was given. */
  readonly defaultOwnerId?: string
  /** Owners are users: records carry the user's own id. */
  readonly ownersAreUsers?: true
  /** A task is due on a day, at no hour. */
  readonly tasksAreDueOnDays?: true
  /** A task's text is plain, and shown as it is. */
  readonly taskTextIsPlain?: true
  /** A queue owns a task in place of a person, and not beside one. */
  readonly queuesAreOwners?: true
  /** A task stands under one deal or one company, and not under both. */
  readonly tasksHaveOneParent?: true
  /** What fields hold is less than what a property may be given. */
  readonly values?: Partial<Readonly<Record<CrmPropertyType, fc.Arbitrary<CrmValue>>>>
  /** Changes are shown when their minute is over: lets it pass. */
  readonly letTimePass?: () => void
  /** Texts are stored without the blanks around them, so that one of blanks alone is none. */
  readonly trimsTexts?: true
}

/** One CRM account that stands ready, and the vendor's side of it. */
export interface CrmSubject extends CrmNature {
  readonly keyProperty: Readonly<Record<CrmObject, string>>
  /** The CRM's names of the properties that the suite writes. */
  readonly names: { readonly email: string; readonly score: string; readonly note: string }
  /** Secrets that no failure may show. */
  readonly secrets: readonly string[]
  /** A deadline that `too-late` is sure to miss, in milliseconds. */
  readonly shortTimeoutMs: number
  /** The property of each type that the plan of contacts holds; enumerations have the options a, b and c. */
  readonly typed: Readonly<Record<CrmPropertyType, string>>
  /** Properties of ours that the suite creates: the key, the score (a number) and the note (a text). */
  plan(object: CrmObject): ProvisionPlan
  connect(options?: ConnectOptions): Crm
  playFault(fault: VendorFault, call: FaultyCall): void
  /** Puts a record into the account without a call; returns its id. */
  seed(object: CrmObject, record: SeedRecord): string
  /** Puts many records into the account at one instant; returns their ids. */
  seedMany(object: CrmObject, records: readonly SeedRecord[]): readonly string[]
  /** Merges as a person would; returns the id that is left. */
  merge(object: CrmObject, primaryId: string, mergedId: string): string
  remove(object: CrmObject, id: string): void
  /** Gets a removed record back, as a person would. */
  restore(object: CrmObject, id: string): void
  /** Properties of all records that are there. */
  records(object: CrmObject | 'task'): readonly Readonly<Record<string, string>>[]
  /** Pairs of ids that are associated, contact first. */
  companyContacts(): readonly (readonly [contactId: string, companyId: string])[]
  /** Records that a task is about. */
  taskTargets(taskId: string): readonly string[]
  /** What a person reads on a deal: the texts of its notes, subjects first. */
  notesOn(dealId: string): readonly string[]
  /** Deletes every note of a deal, as a person would. */
  deleteNotes(dealId: string): void
  /** Makes a static list of people, or a campaign; returns its id. */
  makeGroup(name: string): string
  /** The id of one that there is not. */
  lostGroupId(): string
  membersOf(groupId: string): readonly string[]
  /** An owner's id. */
  ownerId(): string
  /** A queue's id. */
  queueId(): string
  /** An owner who has left. */
  formerOwnerId(): string
  readonly people: CrmPeople
  close(): Promise<void>
}

/** Keeps the subject of the running test. */
export interface SubjectHolder {
  readonly subject: CrmSubject
}

/** A signal that never comes. */
export function noSignal(): AbortSignal {
  return new AbortController().signal
}

/** Connects and creates the properties that the suite writes. */
export async function connectProvisioned(
  subject: CrmSubject,
  options: ConnectOptions = {},
): Promise<Crm> {
  const crm = subject.connect()
  for (const object of ['contact', 'company'] as const) {
    if (subject.install) subject.install(subject.plan(object))
    else await crm.provision(subject.plan(object), noSignal())
  }
  return subject.connect(options)
}
