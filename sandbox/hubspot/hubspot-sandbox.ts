import express, { type Router } from 'express'
import { AccessGrants, type OAuthAppOptions } from './access-grants.ts'
import { accountEndpoints } from './account-endpoints.ts'
import type { ApiEndpoint } from './api-endpoint.ts'
import { apiRouter } from './api-gate.ts'
import { associationBatchEndpoints } from './association-batch-endpoints.ts'
import { associationEndpoints } from './association-endpoints.ts'
import type { Association } from './association-graph.ts'
import { batchWriteEndpoints } from './batch-write-endpoints.ts'
import { CallLog, type SandboxCall } from './call-log.ts'
import { defineProperty } from './define-property.ts'
import { type FaultRule, FaultScript } from './fault-script.ts'
import { groupEndpoints } from './group-endpoints.ts'
import { oauthEndpoints, oauthPages } from './oauth-endpoints.ts'
import { readObjectType } from './object-types.ts'
import { pageRouter } from './page-router.ts'
import { PortalState } from './portal-state.ts'
import type { PropertyDefinition } from './property-definition.ts'
import { propertyEndpoints } from './property-endpoints.ts'
import { type LimitOptions, RateLimits } from './rate-limits.ts'
import { readEndpoints } from './read-endpoints.ts'
import { mergeRecords } from './record-merge.ts'
import { searchEndpoint } from './search-endpoint.ts'
import { type SeedData, type SeedIds, seedPortal } from './seed.ts'
import { singleWriteEndpoints } from './single-write-endpoints.ts'
import type { PropertyChange, StoredRecord } from './stored-record.ts'
import type { ValidationRule } from './validation-rules.ts'
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
  /** HubSpot's own creation of a company from a contact's e-mail domain. Default false. */
  readonly autoCreateCompanies?: boolean
  /** New and changed records appear in search only after this. Default 0. */
  readonly searchLagMs?: number
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
  /** Merges as a person would in HubSpot; returns the new id. */
  merge(object: string, primaryId: string, mergedId: string): string
  archive(object: string, id: string): void
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
  const autoCreateCompanies = options.autoCreateCompanies ?? false
  const state = new PortalState({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    searchLagMs: options.searchLagMs ?? 0,
    now,
  })
  const faults = new FaultScript()
  const calls = new CallLog()
  const limits = new RateLimits(options.limits)
  const access = new AccessGrants({
    token,
    scopes: options.scopes ?? null,
    app: options.app ?? {},
    now,
  })
  const endpoints = [
    ...oauthEndpoints(access),
    ...allEndpoints(state, limits, { autoCreateCompanies, now }),
  ]
  const router = express.Router()
  router.use(oauthPages(access))
  router.use(apiRouter(endpoints, { access, latencyMs, now, limits, faults, calls }))
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
    archive: (object, id) =>
      state.transact(() => state.apply({ op: 'archive', object: readObjectType(object), id })),
    access,
    setRules: (object, property, rules) => state.rules.set(readObjectType(object), property, rules),
    defineProperty: (object, change) => defineProperty(state, readObjectType(object), change),
    property: (object, name) => state.properties(readObjectType(object)).get(name),
    close: async () => state.close(),
  }
}

/** In the order in which they are tried: fixed paths before those with ids. */
function allEndpoints(
  state: PortalState,
  limits: RateLimits,
  options: WriteOptions,
): ApiEndpoint[] {
  const { now } = options
  return [
    ...groupEndpoints(state),
    ...propertyEndpoints(state, now),
    ...accountEndpoints(state, limits, now),
    searchEndpoint(state, now),
    ...batchWriteEndpoints(state, options),
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
