import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Objective } from '../core/freshness/objective.ts'
import type { CrmCall } from '../core/ports/crm.ts'
import { addAlertMetric, addFreshnessMetrics } from './freshness-metrics.ts'
import type { Db } from './postgres/database.ts'
import { readDays, readWindows } from './postgres/pace-store.ts'

export interface Metrics {
  readonly registry: Registry
  /** Notes one call to a CRM. */
  crmCall(crm: string, call: CrmCall): void
  /** Calls that this process made since it started. */
  crmCalls(): { readonly reads: number; readonly writes: number }
}

/**
 * The figures of one process; those about the state are read from PostgreSQL when asked for.
 * @param connected names of the CRMs whose freshness is told.
 */
export function createMetrics(
  db: Db,
  objective: Objective,
  connected: () => ReadonlySet<string>,
): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'ripen_crm_calls_total',
    help: 'Calls to a CRM, by kind, endpoint and HTTP status (0: no answer).',
    labelNames: ['crm', 'kind', 'endpoint', 'status'] as const,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'ripen_crm_call_seconds',
    help: 'Time of a call to a CRM.',
    labelNames: ['crm', 'kind'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  addStateGauges(registry, db)
  addFreshnessMetrics(registry, db, objective, connected)
  addAlertMetric(registry, db)
  const total = { reads: 0, writes: 0 }
  return {
    registry,
    crmCall(crm, call) {
      calls.inc({ crm, kind: call.kind, endpoint: call.endpoint, status: String(call.status) })
      duration.observe({ crm, kind: call.kind }, call.ms / 1000)
      if (call.kind === 'read') total.reads += 1
      else total.writes += 1
    },
    crmCalls: () => ({ ...total }),
  }
}

function addStateGauges(registry: Registry, db: Db): void {
  addPaceGauges(registry, db)
  new Gauge({
    name: 'ripen_crm_records',
    help: 'Records of a CRM by state.',
    labelNames: ['crm', 'state'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      const rows = await db
        .selectFrom('crm_record')
        .select(['crm', 'state', (e) => e.fn.countAll<number>().as('n')])
        .groupBy(['crm', 'state'])
        .execute()
      for (const row of rows) this.set({ crm: row.crm, state: row.state }, Number(row.n))
    },
  })
  new Gauge({
    name: 'ripen_work_open',
    help: 'Steps that have something to do, by step; failed ones wait for a person.',
    labelNames: ['step', 'failed'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      const rows = await db
        .selectFrom('work')
        .selectAll()
        .whereRef('requested', '>', 'done')
        .execute()
      for (const row of rows) {
        this.inc({ step: row.step, failed: String(row.failed >= row.requested) })
      }
    },
  })
}

function addPaceGauges(registry: Registry, db: Db): void {
  new Gauge({
    name: 'ripen_quota_calls',
    help: "The day's quota of a vendor's account, and what was left of it when the vendor last told it.",
    labelNames: ['account', 'of'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, calls, callsLeft } of await readDays(db)) {
        if (calls === null || callsLeft === null) continue
        this.set({ account: name, of: 'day' }, calls)
        this.set({ account: name, of: 'left' }, callsLeft)
      }
    },
  })
  new Gauge({
    name: 'ripen_pace_calls_per_second',
    help: 'Calls that a vendor allows, as it last told it.',
    labelNames: ['allowance'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, calls, intervalMs } of await readWindows(db)) {
        if (calls === null || intervalMs === null) continue
        this.set({ allowance: name }, (calls * 1000) / intervalMs)
      }
    },
  })
  new Gauge({
    name: 'ripen_pause_seconds',
    help: 'Seconds until calls go on, of allowances and accounts that are paused.',
    labelNames: ['paused'] as const,
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, pausedUntil } of [...(await readDays(db)), ...(await readWindows(db))]) {
        if (pausedUntil === null) continue
        this.set({ paused: name }, Math.max(0, (pausedUntil.getTime() - Date.now()) / 1000))
      }
    },
  })
}
