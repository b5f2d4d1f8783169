import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import { type SyncResult, sinceNow, syncOnce } from '../../src/app/cli/commands/sync.ts'
import type { App } from '../../src/app/compose.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { openThread, type Thread, type ThreadOptions } from './thread.ts'

/** The whole thread with both CRMs, each with an engine's queue of its own. */
export interface BothThread extends Thread {
  readonly salesforce: RunningSalesforce
  syncTo(crm: 'hubspot' | 'salesforce'): Promise<SyncResult>
}

const CRMS = ['hubspot', 'salesforce'] as const

/** Opens it over an org with the package in it; `closeThreads` and `closeSalesforce` take it down. */
export async function openBoth(options: ThreadOptions = {}): Promise<BothThread> {
  const salesforce = await startSalesforceSandbox()
  running.push(salesforce)
  installPackage(salesforce.sandbox)
  const environment = {
    SALESFORCE_BASE_URL: salesforce.baseUrl,
    SALESFORCE_ACCESS_TOKEN: salesforce.token,
    ...options.environment,
  }
  const thread = await openThread({ ...options, environment, working: false })
  thread.app.engine.start(STEPS, [...CRMS])
  return { ...thread, salesforce, syncTo: await syncs(thread.app) }
}

/** Scores wake their syncs by themselves: each result tells what happened since the last time. */
async function syncs(app: App) {
  const first = await sinceNow(app)
  const since = new Map(CRMS.map((crm) => [crm, first]))
  return async (crm: (typeof CRMS)[number]) => {
    const result = await syncOnce(app, crm, since.get(crm))
    since.set(crm, await sinceNow(app))
    return result
  }
}

const running: RunningSalesforce[] = []

export async function closeSalesforce(): Promise<void> {
  for (const one of running.splice(0)) await one.close()
}
