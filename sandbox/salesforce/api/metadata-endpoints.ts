import { describeAll, describeObject } from '../describe-view.ts'
import type { OrgState } from '../org-state.ts'
import { attributesOf } from '../row-view.ts'
import { type ApiEndpoint, dataEndpoint } from './api-endpoint.ts'
import { listVersions, type VersionRange } from './api-versions.ts'
import type { OrgLimits } from './daily-usage.ts'

const RESOURCES = [
  'sobjects',
  'query',
  'queryAll',
  'composite',
  'jobs',
  'limits',
  'tooling',
  'search',
] as const

/** What the org offers: versions, resources, limits, objects and their fields. */
export function metadataEndpoints(
  state: OrgState,
  limits: OrgLimits,
  versions: VersionRange,
): ApiEndpoint[] {
  return [
    {
      method: 'get',
      path: '/services/data',
      kind: 'versions',
      isOpen: true,
      handle: () => ({ status: 200, body: listVersions(versions) }),
    },
    dataEndpoint('get', '', 'describe', ({ apiVersion }) => ({
      status: 200,
      body: Object.fromEntries(
        RESOURCES.map((name) => [name, `/services/data/v${apiVersion}/${name}`]),
      ),
    })),
    dataEndpoint('get', '/limits', 'limits', () => ({
      status: 200,
      body: limitsView(limits, state.now()),
    })),
    dataEndpoint('get', '/sobjects', 'describe', ({ apiVersion }) => ({
      status: 200,
      body: describeAll(state, apiVersion),
    })),
    dataEndpoint('get', '/sobjects/:object', 'describe', ({ params, apiVersion }) => {
      const table = state.table(params['object'] ?? '')
      const recent = [...table.rows.values()].slice(-10).map((row) => ({
        attributes: attributesOf(row, apiVersion),
        Id: row.id,
      }))
      const description = describeAll(state, apiVersion) as { sobjects: { name: string }[] }
      const objectDescribe = description.sobjects.find(({ name }) => name === table.definition.name)
      return { status: 200, body: { objectDescribe, recentItems: recent } }
    }),
    dataEndpoint('get', '/sobjects/:object/describe', 'describe', ({ params, apiVersion }) => {
      const { definition } = state.table(params['object'] ?? '')
      return { status: 200, body: describeObject(state, definition, apiVersion) }
    }),
  ]
}

/** Allowances that nothing here uses up, as a plain org has them. */
const UNTOUCHED: Readonly<Record<string, number>> = {
  ActiveScratchOrgs: 3,
  ConcurrentAsyncGetReportInstances: 200,
  ConcurrentSyncReportRuns: 20,
  DailyAsyncApexExecutions: 250_000,
  DailyBulkV2QueryFileStorageMB: 976_562,
  DailyBulkV2QueryJobs: 10_000,
  DailyDeliveredPlatformEvents: 25_000,
  DailyDurableStreamingApiEvents: 200_000,
  DailyStandardVolumePlatformEvents: 25_000,
  DailyStreamingApiEvents: 200_000,
  DailyWorkflowEmails: 1_000,
  DataStorageMB: 10_240,
  FileStorageMB: 10_240,
  HourlyPublishedPlatformEvents: 250_000,
  HourlyTimeBasedWorkflow: 1_000,
  MassEmail: 5_000,
  SingleEmail: 5_000,
  StreamingApiConcurrentClients: 1_000,
}

function limitsView(limits: OrgLimits, now: number): Record<string, unknown> {
  const { dailyCalls, dailyBulkBatches } = limits
  const left = (max: number, used: number) => ({ Max: max, Remaining: Math.max(0, max - used) })
  return {
    ...Object.fromEntries(
      Object.entries(UNTOUCHED).map(([name, max]) => [name, { Max: max, Remaining: max }]),
    ),
    DailyApiRequests: left(dailyCalls, limits.calls.used(now)),
    DailyBulkApiBatches: left(dailyBulkBatches, limits.batches.used(now)),
  }
}
