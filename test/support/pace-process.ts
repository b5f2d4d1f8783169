import { createHubspotCrm } from '../../connectors/crms/hubspot/hubspot-crm.ts'
import { createHubspotGovernor } from '../../src/app/hubspot-governor.ts'
import { readConfig } from '../../src/infra/config.ts'
import { openDatabase } from '../../src/infra/postgres/database.ts'

/** A process that makes calls to HubSpot's stand-in, as fast as it may, until it is told to stop. */
const config = readConfig()
const database = await openDatabase(config.DATABASE_URL ?? '')
const accessToken = config.HUBSPOT_ACCESS_TOKEN ?? ''
const governor = createHubspotGovernor(config, database.db, accessToken)
const crm = createHubspotCrm({
  baseUrl: config.HUBSPOT_BASE_URL,
  accessToken,
  keyProperty: { contact: 'pql_person_id', company: 'pqa_account_id' },
  pace: governor.take,
})
const stop = new AbortController()
process.once('disconnect', () => stop.abort())
process.send?.('ready')

async function work(): Promise<void> {
  while (!stop.signal.aborted) await crm.check(stop.signal).catch(() => undefined)
}
await Promise.all([1, 2, 3, 4, 5, 6].map(work))
await database.close()
