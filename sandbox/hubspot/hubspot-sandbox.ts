import express, { type Router } from 'express'
import { CallLog } from '../call-log.ts'
import { type FaultRule, FaultScript } from '../fault-script.ts'
import { AccessGrants, type OAuthAppOptions } from './access-grants.ts'
import { accountEndpoints } from './account-endpoints.ts'
import { AccountHolds, type UpsertLock } from './account-holds.ts'
import type { ApiEndpoint } from './api-endpoint.ts'
import { apiRouter } from './api-gate.ts'
import { associationBatchEndpoints } from './association-batch-endpoints.ts'
import { associationEndpoints } from './association-endpoints.ts'
import type { Association } from './association-graph.ts'
import { batchWriteEndpoints } from './batch-write-endpoints.ts'
import { controlRouter } from './control-router.ts'
import { pipelineEndpoints } from './deal-pipelines.ts'
import { defineProperty } from './define-property.ts'
import { CustomEvents, eventEndpoints } from './event-endpoints.ts'
import { groupEndpoints } from './group-endpoints.ts'
import { listEndpoints, PortalLists } from './list-endpoints.ts'
import { oauthEndpoints, oauthPages } from './oauth-endpoints.ts'
import { readObjectType } from './object-types.ts'
import { pageRouter } from './page-router.ts'
import { type PeopleAtWork, peopleAtWork } from './people-at-work.ts'
import { PortalState } from './portal-state.ts'
import type { PropertyDefinition } from './property-definition.ts'
import { propertyEndpoints } from './property-endpoints.ts'
import { type LimitOptions, RateLimits } from './rate-limits.ts'
import { readEndpoints } from './read-endpoints.ts'
import { binRecord, editRecord, eraseContact, privacyEndpoint } from './record-fate.ts'
import { mergeRecords } from './record-merge.ts'
import type { SandboxCall } from './sandbox-call.ts'
import { type SearchOptions, searchEndpoint } from './search-endpoint.ts'
import { type SeedData, type SeedIds, seedPortal } from './seed.ts'
import { singleWriteEndpoints } from './single-write-endpoints.ts'
import type { PropertyChange, StoredRecord } from './stored-record.ts'
import type { ValidationRule } from './validation-rules.ts'
import { WebhookFeed } from './webhook-feed.ts'
import { WebhookSender } from './webhook-sender.ts'
import type { WriteOptions } from './write-commit.ts'

export interface HubspotSandboxOptions {
  /** Folder that keeps the records; absent = memory only. */
  readonly dataDir?: string
  /** The static bearer token, besides those that an app is given. Default `sandbox-token`. */
  readonly token?: string
  /** Scopes of the static token. Default: all, and HubSpot does not list them. */
  readonly scopes?: readonly string[]
  /** The app that people may connect. */
  readonly app?: OAuthAppOptions
  readonly limits?: LimitOptions
  /** Heavy bursts of upserts are locked out (423). Default: never. */
  readonly upsertLock?: UpsertLock
  /** HubSpot's own creation of a company from a contact's e-mail domain. Default false. */
  readonly autoCreateCompanies?: boolean
  /** A merge leaves the primary record its id; else both become a new one. Default false. */
  readonly mergeKeepsId?: boolean
  /** Updates and upserts whose inputs all have trace ids are taken one by one (207), as creates are. Default false. */
  readonly partialBatches?: boolean
  /** New and changed records appear in search only after this. Default 0. */
  readonly searchLagMs?: number
  /** Gives records that sort alike in no order that a caller could rely on. Default false. */
  readonly scrambleTies?: boolean
  /** Added to every API call. Default 0. */
  readonly latencyMs?: number
  readonly now?: () => number
}

/** A record as tests look at it. Times are milliseconds since 1970. */
export interface SandboxRecord {
  readonly id: string
  readonly properties: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly updatedAt: number
  readonly archived: boolean
  /** Changes of each property, oldest first. */
  readonly history: Readonly<Record<string, readonly PropertyChange[]>>
}

export interface HubspotSandbox {
  /** To be mounted at `/`. */
  readonly router: Router
  /** Faults that are played before the normal behaviour, first match first. */
  readonly faults: {
    push(rule: FaultRule): void
    clear(): void
    readonly pending: number
  }
  calls(): readonly SandboxCall[]
  resetCalls(): void
  /** Every record of a type, archived ones included. */
  records(object: string): SandboxRecord[]
  /** Every association once, in the direction in which it was written. */
  associations(): Association[]
  /** Puts records and owners into the account without a call. */
  seed(data: SeedData): SeedIds
  /** Merges as a person would in HubSpot; returns the id that is left. */
  merge(object: string, primaryId: string, mergedId: string): string
  archive(object: string, id: string): void
  /** Moves the account to another data centre: every call is answered 477 meanwhile. */
  migrateFor(ms: number): void
  /** Takes a record out of the recycle bin. */
  restore(object: string, id: string): void
  /** Changes values as a person would in HubSpot. */
  edit(object: string, id: string, properties: Readonly<Record<string, string>>): void
  /** Deletes a contact for good, on her own demand. */
  erase(id: string): void
  /** What people of the account do by hand. */
  readonly people: PeopleAtWork
  /** Lists, as people made them. */
  readonly lists: PortalLists
  /** Custom events: which are defined, and which came. */
  readonly events: CustomEvents
  /** Tells an app of every change; `configure` subscribes it. */
  readonly webhooks: WebhookSender
  /** Who is let in. */
  readonly access: AccessGrants
  /** Sets the rules of a property's values, as an administrator would; an empty list takes them off. */
  setRules(object: string, property: string, rules: readonly ValidationRule[]): void
  /** Defines a property, or changes one in ways that the API does not allow: read-only, moved, archived. */
  defineProperty(
    object: string,
    change: Partial<PropertyDefinition> & { readonly name: string },
  ): void
  /** A property as it is defined; undefined when there is none. */
  property(object: string, name: string): PropertyDefinition | undefined
  close(): Promise<void>
}

/** A stand-in for one HubSpot account, to be mounted on a server. */
export async function createHubspotSandbox(
  options: HubspotSandboxOptions = {},
): Promise<HubspotSandbox> {
  const { token = 'sandbox-token', latencyMs = 0, now = Date.now } = options
  const { autoCreateCompanies = false, partialBatches = false } = options
  const state = new PortalState({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    searchLagMs: options.searchLagMs ?? 0,
    mergeKeepsId: options.mergeKeepsId ?? false,
    now,
  })
  const faults = new FaultScript()
  const calls = new CallLog<SandboxCall>()
  const limits = new RateLimits(options.limits)
  const access = new AccessGrants({
    token,
    scopes: options.scopes ?? null,
    app: options.app ?? {},
    now,
  })
  const holds = new AccountHolds(options.upsertLock)
  const search = { now, scrambleTies: options.scrambleTies ?? false }
  const lists = new PortalLists()
  const events = new CustomEvents()
  const endpoints = [
    ...oauthEndpoints(access),
    ...listEndpoints(state, lists),
    ...eventEndpoints(events, now),
    ...allEndpoints(state, limits, { autoCreateCompanies, partialBatches, now }, search),
  ]
  const webhooks = new WebhookSender(now)
  const feed = new WebhookFeed(state, now, (event) => webhooks.add(event))
  state.watch = (change) => feed.watch(change)
  const router = express.Router()
  router.use('/sandbox', controlRouter({ state, calls, faults, webhooks }))
  router.use(oauthPages(access))
  router.use(apiRouter(endpoints, { access, latencyMs, now, limits, holds, faults, calls }))
  router.use(pageRouter(state, calls))
  return {
    router,
    faults,
    calls: () => calls.list(),
    resetCalls: () => calls.clear(),
    records: (object) => [...state.table(readObjectType(object)).records.values()].map(publicView),
    associations: () => [...state.associations.all()],
    seed: (data) => seedPortal(state, data, autoCreateCompanies),
    merge: (object, primaryId, mergedId) =>
      mergeRecords(state, readObjectType(object), primaryId, mergedId),
    archive: (object, id) => binRecord(state, readObjectType(object), id, 'archive'),
    migrateFor: (ms) => holds.migrateUntil(now() + ms),
    restore: (object, id) => binRecord(state, readObjectType(object), id, 'unarchive'),
    edit: (object, id, properties) => editRecord(state, readObjectType(object), id, properties),
    erase: (id) => eraseContact(state, id),
    people: peopleAtWork(state),
    lists,
    events,
    access,
    setRules: (object, property, rules) => state.rules.set(readObjectType(object), property, rules),
    defineProperty: (object, change) => defineProperty(state, readObjectType(object), change),
    property: (object, name) => state.properties(readObjectType(object)).get(name),
    webhooks,
    close: async () => {
      webhooks.close()
      state.close()
    },
  }
}

/** In the order in which they are tried: fixed paths before those with ids. */
function allEndpoints(
  state: PortalState,
  limits: RateLimits,
  options: WriteOptions,
  search: SearchOptions,
): ApiEndpoint[] {
  const { now } = options
  return [
    ...groupEndpoints(state),
    ...propertyEndpoints(state, now),
    ...accountEndpoints(state, limits, now),
    ...pipelineEndpoints(),
    searchEndpoint(state, search),
    ...batchWriteEndpoints(state, options),
    privacyEndpoint(state),
    ...singleWriteEndpoints(state, options),
    ...readEndpoints(state, now),
    ...associationEndpoints(state),
    ...associationBatchEndpoints(state, now),
  ]
}

function publicView(record: StoredRecord): SandboxRecord {
  const { id, properties, createdAt, updatedAt, archivedAt, history } = record
  const archived = archivedAt !== null
  return {
    id,
    properties: { ...properties },
    createdAt,
    updatedAt,
    archived,
    history: { ...history },
  }
}
