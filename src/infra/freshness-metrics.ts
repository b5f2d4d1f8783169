import { Gauge, Histogram, type Registry } from 'prom-client'
import { BOUNDS_SECONDS } from '../core/freshness/bounds.ts'
import type { Objective } from '../core/freshness/objective.ts'
import { readAlerts } from './postgres/alert-store.ts'
import type { Db } from './postgres/database.ts'
import { readFreshness } from './postgres/freshness-report.ts'
import { type Counted, readCounted } from './postgres/freshness-store.ts'

const NAME = 'ripen_freshness_seconds'
const HELP =
  'Time to the field or task in the CRM, since the event in the product or its arrival here.'
const LABELS = ['crm', 'object', 'status', 'since'] as const

/** How fresh the CRMs are, for the whole installation: read from PostgreSQL when asked for. */
export function addFreshnessMetrics(
  registry: Registry,
  db: Db,
  objective: Objective,
  connected: () => ReadonlySet<string>,
): void {
  registry.registerMetric(new StoredHistogram(db))
  new Gauge({
    name: 'ripen_freshness_kept_ratio',
    help: 'Share of what is qualified that was in the CRM as soon as the objective says; absent when nothing was due.',
    labelNames: ['crm'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      const all = await readFreshness(db, objective, connected())
      for (const [crm, { standing }] of Object.entries(all)) {
        if (standing.share !== null) this.set({ crm }, standing.share)
      }
    },
  })
  new Gauge({
    name: 'ripen_freshness_oldest_seconds',
    help: 'How long the oldest change that is not in the CRM yet has been here.',
    labelNames: ['crm', 'object', 'status'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      const all = Object.values(await readFreshness(db, objective, connected()))
      for (const { crm, object, qualified, oldestSince } of all.flatMap(({ open }) => open)) {
        const seconds = (Date.now() - oldestSince.getTime()) / 1000
        this.set({ crm, object, status: statusOf(qualified) }, Math.max(0, seconds))
      }
    },
  })
}

/** What fires, one series for each. */
export function addAlertMetric(registry: Registry, db: Db): void {
  new Gauge({
    name: 'ripen_alerts_firing',
    help: 'Alerts that fire, each as 1.',
    labelNames: ['kind', 'about'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      for (const { kind, about, isFiring } of await readAlerts(db)) {
        if (isFiring) this.set({ kind, about }, 1)
      }
    },
  })
}

const statusOf = (qualified: boolean): string => (qualified ? 'qualified' : 'other')

/** A histogram whose counts are kept elsewhere: every process tells the same. */
class StoredHistogram extends Histogram<(typeof LABELS)[number]> {
  readonly #db: Db

  constructor(db: Db) {
    super({
      name: NAME,
      help: HELP,
      labelNames: LABELS,
      buckets: [...BOUNDS_SECONDS],
      registers: [],
    })
    this.#db = db
  }

  /** What the registry prints, and what `get` gives. */
  async getForPromString() {
    const counted = await readCounted(this.#db, null)
    const values = counted.flatMap(samplesOf)
    return { name: NAME, help: HELP, type: 'histogram', values, aggregator: 'sum' }
  }
}

function samplesOf({ crm, object, qualified, since, spread }: Counted) {
  const labels = { crm, object, status: statusOf(qualified), since }
  let sum = 0
  const buckets = spread.counts.map((n, i) => {
    sum += n
    const le = BOUNDS_SECONDS[i] ?? '+Inf'
    return { metricName: `${NAME}_bucket`, labels: { ...labels, le }, value: sum, exemplar: null }
  })
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: spread.seconds },
    { metricName: `${NAME}_count`, labels, value: sum },
  ]
}
