import { connectedCrms, type JobContext } from '../../../../jobs/context.ts'
import { readSourceLedgers, type SourceLedger } from '../../../../jobs/source-ledger.ts'
import { type AlertRow, readAlerts } from '../../../infra/postgres/alert-store.ts'
import { type CrmFreshness, readFreshness } from '../../../infra/postgres/freshness-report.ts'
import { type Notice, readNotices } from '../../../infra/postgres/notices.ts'
import { readSchemaChanges, type SchemaChange } from '../../../infra/postgres/schema-store.ts'
import { readStatus, type SourceStatus, type Status } from '../../status.ts'
import { describeStatus } from '../status-text.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** Everything that `ripen status` tells. */
export interface FullStatus extends Omit<Status, 'sources'> {
  readonly sources: Readonly<Record<string, Partial<SourceStatus> & SourceLedger>>
  /** How soon what happens is in each CRM, see `RIPEN_FRESHNESS_SLO`. */
  readonly freshness: Readonly<Record<string, CrmFreshness>>
  /** What is wrong now, and since when; ripen alerts lists all that is watched. */
  readonly alerts: readonly AlertRow[]
  readonly notices: readonly Notice[]
  readonly schemaChanges: readonly SchemaChange[]
}

/** `ripen status`: what is there, and what waits for a person. */
export async function statusCommand(options: CommonOptions): Promise<void> {
  const status = await withApp({ ...options, publish: false }, ({ context }) =>
    readFullStatus(context),
  )
  if (options.json) return printJson(status)
  print(describeStatus(status, new Date()))
}

async function readFullStatus(context: JobContext): Promise<FullStatus> {
  const status = await readStatus(context.db)
  // Nothing is due before the first mapping says what is looked at.
  const ledgers = status.mapping ? await readSourceLedgers(context) : {}
  const sources = Object.entries(ledgers).map(
    ([name, ledger]) => [name, { ...status.sources[name], ...ledger }] as const,
  )
  return {
    ...status,
    sources: Object.fromEntries(sources),
    freshness: await readFreshness(context.db, context.freshnessObjective, connectedCrms(context)),
    alerts: (await readAlerts(context.db)).filter(({ isFiring }) => isFiring),
    notices: await readNotices(context.db),
    schemaChanges: await readSchemaChanges(context.db),
  }
}
