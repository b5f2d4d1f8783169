import { at, mix, uuidOf } from '../../sandbox/company/random.ts'

/** A kind of event: its name at the vendor, and the action of mappings/usage.yaml it counts for. */
export interface Kind {
  readonly name: string
  /** Null: it counts as use, but for no action of its own. */
  readonly action: string | null
  readonly core: boolean
  readonly properties: (seq: number) => Readonly<Record<string, unknown>>
}

const ENGINES = ['postgres', 'bigquery', 'snowflake', 'redshift', 'clickhouse']
const FORMATS = ['csv', 'xlsx', 'pdf', 'png']
const TOPICS = ['revenue', 'retention', 'signups', 'churn', 'pipeline', 'latency', 'spend']

/** The first are the most frequent. What they count for must agree with mappings/usage.yaml. */
export const KINDS: readonly Kind[] = [
  {
    name: 'Query Run',
    action: 'query_run',
    core: true,
    properties: (seq) => ({
      query_id: uuidOf(seq, 31),
      engine: pick(ENGINES, seq, 1),
      rows: mix(seq, 32) % 54_000,
      duration_ms: mix(seq, 33) % 9_000,
      cached: mix(seq, 34) % 3 === 0,
    }),
  },
  {
    name: 'Dashboard Viewed',
    action: null,
    core: false,
    properties: (seq) => ({ ...dashboard(seq), tiles: mix(seq, 35) % 24, refresh: 'manual' }),
  },
  {
    name: 'Report Exported',
    action: 'report_exported',
    core: true,
    properties: (seq) => ({
      report: `${pick(TOPICS, seq, 2)} by week ${mix(seq, 36) % 5000}`,
      format: pick(FORMATS, seq, 3),
      bytes: mix(seq, 37) % 4_000_000,
    }),
  },
  {
    name: 'Dashboard Created',
    action: 'dashboard_built',
    core: true,
    properties: (seq) => ({ ...dashboard(seq), template: mix(seq, 38) % 2 === 0 }),
  },
  {
    name: 'Limit Status',
    action: 'limit_80',
    core: false,
    properties: (seq) => ({ limit: 'queries', percent_used: 80 + (mix(seq, 39) % 41) }),
  },
  {
    name: 'page_viewed',
    action: 'pricing_viewed',
    core: false,
    properties: (seq) => ({
      path: '/pricing',
      referrer: `https://search.example/?q=${uuidOf(seq, 40)}`,
    }),
  },
  {
    name: 'API Key Created',
    action: 'api_key_created',
    core: true,
    properties: (seq) => ({ key_id: uuidOf(seq, 41), scopes: ['read', pick(ENGINES, seq, 5)] }),
  },
]

const pick = (items: readonly string[], seq: number, salt: number): string =>
  at(items, mix(seq, salt) % items.length)

const dashboard = (seq: number) => ({
  dashboard_id: uuidOf(seq % 9001, 42),
  dashboard_name: `${pick(TOPICS, seq, 6)} ${mix(seq, 43) % 100_000}`,
})
