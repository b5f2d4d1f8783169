import { ConfigError } from '../../../core/errors.ts'
import { crmSetup } from '../../../core/sync/crm-setup.ts'
import { readWork } from '../../../infra/postgres/work.ts'
import type { App } from '../../compose.ts'
import { createProgressFeed } from '../progress.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface SyncOptions extends CommonOptions {
  readonly crm: string
}

/** What one pass over a CRM did. */
export interface SyncResult {
  /** Contacts and companies that were created or updated. */
  readonly recordsWritten: number
  readonly created: number
  readonly associations: number
  readonly tasks: number
  readonly unlinked: number
  readonly parked: number
  readonly readCalls: number
  readonly writeCalls: number
  readonly seconds: number
  /** What a person should know about the account, such as rules that refuse values. */
  readonly findings: readonly string[]
}

/** `ripen sync`: makes a CRM say what the scores say. */
export async function syncCommand(options: SyncOptions): Promise<void> {
  const feed = createProgressFeed()
  await withApp({ ...options, onProgress: feed.onProgress }, async (app) => {
    const known = [...app.context.crms.keys()]
    if (!known.includes(options.crm)) {
      throw new ConfigError(`--crm ${options.crm} is not known; take one of ${known.join(', ')}`)
    }
    const connected = app.context.crms.get(options.crm)
    if (!connected?.connect) {
      throw new ConfigError(`${options.crm} is not connected; set ${connected?.variables}`)
    }
    // Even when there is nothing to write, a wrong token or address is told.
    await connected.connect(crmSetup(null)).check(AbortSignal.timeout(connected.callTimeoutMs))
    app.engine.start(['score', 'desire', 'reconcile'], [options.crm])
    let result: SyncResult | null = null
    const line = {
      title: `Sync ${options.crm}`,
      steps: ['reconcile'] as const,
      run: async () => {
        result = await syncOnce(app, options.crm)
        return describeSync(result)
      },
    }
    await feed.show([line], options.json === true)
    if (options.json) return printJson(result)
    for (const finding of (result as SyncResult | null)?.findings ?? []) print(`! ${finding}`)
    print('Next: ripen status, or ripen explain <email|domain>')
  })
}

/** A moment from which on runs and calls are counted. */
export interface Since {
  readonly run: number
  readonly calls: { readonly reads: number; readonly writes: number }
  readonly at: number
}

export async function sinceNow(app: App): Promise<Since> {
  const last = await app.context.db
    .selectFrom('run')
    .select((e) => e.fn.max('id').as('id'))
    .executeTakeFirst()
  return { run: Number(last?.id ?? 0), calls: app.metrics.crmCalls(), at: performance.now() }
}

/**
 * Runs desire and reconcile to the end, and once more after the scores of those of whom the CRM said
 * something new. The engine must have been started for all three.
 */
export async function syncOnce(app: App, crm: string, since?: Since): Promise<SyncResult> {
  const from = since ?? (await sinceNow(app))
  await finishScores(app)
  await app.engine.request('desire', 'all')
  await app.engine.idle(['desire'])
  await app.engine.idle(['reconcile'], [crm])
  if ((await countsSince(app, crm, from))('fieldsChanged') > 0) {
    await app.engine.idle(['score'])
    await app.engine.wake(['desire'])
    await app.engine.idle(['desire'])
    await app.engine.idle(['reconcile'], [crm])
  }
  return syncResult(app, crm, from)
}

/** What was done to a CRM since then. */
export async function syncResult(app: App, crm: string, from: Since): Promise<SyncResult> {
  const sum = await countsSince(app, crm, from)
  const after = app.metrics.crmCalls()
  return {
    recordsWritten: sum('written') + sum('created'),
    created: sum('created'),
    associations: sum('linked'),
    tasks: sum('tasks'),
    unlinked: sum('unlinked'),
    parked: sum('parked'),
    readCalls: after.reads - from.calls.reads,
    writeCalls: after.writes - from.calls.writes,
    seconds: Math.round(performance.now() - from.at) / 1000,
    findings: await findingsSince(app, crm, from),
  }
}

async function findingsSince(app: App, crm: string, from: Since): Promise<string[]> {
  const rows = await app.context.db
    .selectFrom('run_record')
    .innerJoin('run', 'run.id', 'run_record.run_id')
    .select('reason')
    .distinct()
    .where('run.step', '=', 'reconcile')
    .where('run.key', '=', crm)
    .where('run.id', '>', from.run)
    .where('run_record.outcome', '=', 'finding')
    .orderBy('reason')
    .execute()
  return rows.flatMap(({ reason }) => reason ?? [])
}

/** What a killed process read of sales, say, and did not score any more. What failed for good waits for a person. */
async function finishScores({ context, engine }: App): Promise<void> {
  const rows = await readWork(context.db, 'score')
  if (!rows.some((row) => row.requested > row.done && row.failed < row.requested)) return
  await engine.wake(['score'])
  await engine.idle(['score'])
}

/** What the runs since then did with a CRM: a count by name. */
async function countsSince(app: App, crm: string, from: Since): Promise<(name: string) => number> {
  const runs = await app.context.db
    .selectFrom('run')
    .select('counts')
    .where('step', '=', 'reconcile')
    .where('key', '=', crm)
    .where('id', '>', from.run)
    .execute()
  return (name) =>
    runs.reduce((n, run) => n + ((run.counts as Record<string, number>)[name] ?? 0), 0)
}

export function describeSync(r: SyncResult): string {
  return `${r.recordsWritten} records written (${r.created} new), ${r.associations} associations, ${r.tasks} tasks, ${r.parked} parked; ${r.writeCalls} write and ${r.readCalls} read calls`
}
