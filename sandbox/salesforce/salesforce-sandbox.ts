import express, { type Router } from 'express'
import { CallLog } from '../call-log.ts'
import { type FaultRule, FaultScript } from '../fault-script.ts'
import type { ApiEndpoint } from './api/api-endpoint.ts'
import { apiRouter } from './api/api-gate.ts'
import type { VersionRange } from './api/api-versions.ts'
import { type CollectionOptions, collectionEndpoints } from './api/collection-endpoints.ts'
import { compositeEndpoints } from './api/composite-endpoints.ts'
import { type LimitOptions, OrgLimits } from './api/daily-usage.ts'
import { metadataEndpoints } from './api/metadata-endpoints.ts'
import { queryEndpoints } from './api/query-endpoints.ts'
import { replicationEndpoints } from './api/replication-endpoints.ts'
import { rowEndpoints } from './api/row-endpoints.ts'
import type { SandboxCall } from './api/sandbox-call.ts'
import { bulkEndpoints } from './bulk/bulk-endpoints.ts'
import { BulkJobs, type BulkOptions } from './bulk/bulk-jobs.ts'
import { QueryJobs } from './bulk/query-jobs.ts'
import { controlRouter } from './control/control-router.ts'
import type { ConvertMapping } from './control/lead-conversion.ts'
import { pageRouter } from './control/page-router.ts'
import { type PeopleAtWork, peopleAtWork } from './control/people-at-work.ts'
import { type SeedData, type SeedIds, seedOrg } from './control/seed.ts'
import { defineField, type FieldChange } from './define-field.ts'
import type { Value } from './field-definition.ts'
import { AccessGrants, TOKEN_PREFIX } from './oauth/access-grants.ts'
import type { ClientAppOptions } from './oauth/client-app.ts'
import { oauthEndpoints } from './oauth/oauth-endpoints.ts'
import { type FirstUsers, setUpOrg } from './org-setup.ts'
import { OrgState } from './org-state.ts'
import { type PubSubOptions, PubSubServer } from './pubsub/pub-sub-server.ts'
import { RecordWriter } from './record-writer.ts'
import { createOrgRules, type OrgRules } from './rules/org-rules.ts'
import { wholeSecond } from './salesforce-time.ts'
import type { RowVersion, StoredRow } from './stored-row.ts'

/** A bearer token that never ends; no secret, since the server listens on loopback only. */
export const SANDBOX_TOKEN = `${TOKEN_PREFIX}sandbox-token`

export interface SalesforceSandboxOptions {
  /** The bearer token that never ends. */
  readonly token?: string
  /** The app that may be let in. */
  readonly app?: ClientAppOptions
  readonly limits?: LimitOptions
  readonly bulk?: BulkOptions
  /** Change Data Capture over the Pub/Sub API. */
  readonly pubsub?: PubSubOptions
  /** Default 31 to 67. */
  readonly apiVersions?: VersionRange
  /** People can be accounts, and a lead needs no company. Default false. */
  readonly personAccounts?: boolean
  /** Default: the call is refused. */
  readonly unknownFieldInCollections?: CollectionOptions['unknownField']
  /** What a lead's custom fields become when it is converted. */
  readonly convertMapping?: readonly ConvertMapping[]
  /** Added to every API call. Default 0. */
  readonly latencyMs?: number
  readonly now?: () => number
}

/** A record as tests look at it. */
export interface SandboxRecord {
  readonly id: string
  readonly values: Readonly<Record<string, Value>>
  readonly deleted: boolean
  /** Its changes, oldest first. */
  readonly history: readonly RowVersion[]
}

/** The org's own time: what it was started with, plus what it was moved on. */
export interface SandboxClock {
  now(): number
  advance(ms: number): void
}

export interface SalesforceSandbox {
  /** To be mounted at `/`. */
  readonly router: Router
  readonly clock: SandboxClock
  /** Faults that are played before the normal behaviour, first match first. */
  readonly faults: {
    push(rule: FaultRule): void
    clear(): void
    readonly pending: number
  }
  calls(): readonly SandboxCall[]
  resetCalls(): void
  /** Every record of an object, deleted ones included. */
  records(object: string): SandboxRecord[]
  /** How many there are of them. */
  count(object: string): number
  /** One record by its id. */
  record(id: string): SandboxRecord | undefined
  /** Puts records into the org without a call. */
  seed(data: SeedData): SeedIds
  /** Ids of the users that the org starts with. */
  readonly users: FirstUsers
  /** What people of the org do by hand. */
  readonly people: PeopleAtWork
  /** Locks, duplicate rules, validation rules and assignment rules, as an administrator sets them. */
  readonly rules: OrgRules
  /** Who is let in. */
  readonly access: AccessGrants
  /** Jobs of the Bulk API: to be held up, or to fail. */
  readonly bulk: BulkJobs
  /** The stream of changes; `listen` starts its gRPC server. */
  readonly pubsub: PubSubServer
  /** Defines a custom field, or changes how one is set up; `Activity` stands for Task and Event. */
  defineField(object: string, change: FieldChange): void
  /** Other clients of the org use up so many of the day's calls. */
  useCalls(count: number): void
  /** getDeleted forgets what was deleted so far. */
  purgeDeleteLog(): void
  close(): Promise<void>
}

/** A stand-in for one Salesforce org, to be mounted on a server. */
export async function createSalesforceSandbox(
  options: SalesforceSandboxOptions = {},
): Promise<SalesforceSandbox> {
  const org = buildOrg(options)
  const { clock, state, users, rules, access, limits, bulk, pubsub } = org
  const { now } = clock
  const faults = new FaultScript()
  const calls = new CallLog<SandboxCall>()
  const people = peopleAtWork({ ...org, userId: users.rep, mappings: options.convertMapping ?? [] })
  const { latencyMs = 0, apiVersions: versions = DEFAULT_VERSIONS } = options
  const router = express.Router()
  const gate = { access, limits, versions, latencyMs, now, faults, calls }
  router.use(apiRouter(allEndpoints(org, versions, options), gate))
  const sandbox: SalesforceSandbox = {
    router,
    clock,
    faults,
    calls: () => calls.list(),
    resetCalls: () => calls.clear(),
    ...recordViews(state),
    seed: (data) => seedOrg(people, data),
    people,
    users,
    rules,
    access,
    bulk,
    pubsub,
    defineField: (object, change) => defineField(state, object, change),
    useCalls: (count) => limits.calls.add(now(), count),
    purgeDeleteLog: () => {
      state.deletedSince = wholeSecond(now())
    },
    close: async () => {
      bulk.stop()
      pubsub.close()
    },
  }
  router.use('/sandbox', pageRouter(sandbox), controlRouter(sandbox))
  return sandbox
}

const DEFAULT_VERSIONS: VersionRange = { oldest: 31, newest: 67 }

/** The parts of an org, put together. */
function buildOrg(options: SalesforceSandboxOptions) {
  const clock = movableClock(options.now ?? Date.now)
  const state = new OrgState({
    now: clock.now,
    personAccounts: options.personAccounts ?? false,
  })
  const users = setUpOrg(state)
  const rules = createOrgRules(state)
  const writer = new RecordWriter(state, rules)
  const limits = new OrgLimits(options.limits)
  const access = new AccessGrants({
    state,
    token: options.token ?? SANDBOX_TOKEN,
    integrationUserId: users.integration,
    app: options.app ?? {},
  })
  const bulk = new BulkJobs({ state, writer, limits }, options.bulk ?? {})
  const pubsub = new PubSubServer(state, access, options.pubsub)
  return { clock, state, users, rules, writer, limits, access, bulk, pubsub }
}

/** In the order in which they are tried: fixed paths before those with names in them. */
function allEndpoints(
  { state, writer, limits, access, bulk }: ReturnType<typeof buildOrg>,
  versions: VersionRange,
  options: SalesforceSandboxOptions,
): ApiEndpoint[] {
  const endpoints = [
    ...oauthEndpoints(state, access),
    ...metadataEndpoints(state, limits, versions),
    ...queryEndpoints(state),
    ...collectionEndpoints(state, writer, {
      unknownField: options.unknownFieldInCollections ?? 'call',
    }),
    ...bulkEndpoints(state, bulk, new QueryJobs(state, bulk, options.bulk?.pageRows)),
    ...replicationEndpoints(state),
    ...rowEndpoints(state, writer),
  ]
  return [...endpoints, ...compositeEndpoints(state, endpoints)]
}

function recordViews(state: OrgState): Pick<SalesforceSandbox, 'records' | 'count' | 'record'> {
  return {
    records: (object) => [...state.table(object).rows.values()].map(publicView),
    count: (object) => state.table(object).rows.size,
    record: (id) => {
      const row = state.record(id)
      return row === undefined ? undefined : publicView(row)
    },
  }
}

function movableClock(base: () => number): SandboxClock {
  let moved = 0
  return {
    now: () => base() + moved,
    advance: (ms) => {
      moved += ms
    },
  }
}

function publicView({ id, values, history }: StoredRow): SandboxRecord {
  return {
    id,
    values: { ...values },
    deleted: values['IsDeleted'] === true,
    history: [...history],
  }
}
