import express from 'express'
import { createHubspotSandbox, type HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { listen } from '../../sandbox/listen.ts'
import { ACCOUNTS, domain, email, PEOPLE } from './population.ts'

type PortalRecord = ReturnType<HubspotSandbox['records']>[number]

/** When the portal came to say what it says, in milliseconds since 1970. */
export interface PortalTimes {
  readonly contacts: readonly number[]
  readonly companies: readonly number[]
  readonly tasks: readonly number[]
  /** Of contacts that are not qualified: when their score changed. */
  readonly others: readonly number[]
}

const LATENCY_MS = 100

/** The process that plays HubSpot, 100 ms away and with its limits. */
const portal = await createHubspotSandbox({ latencyMs: LATENCY_MS })
const range = (length: number) => Array.from({ length }, (_, i) => i)
portal.seed({
  companies: range(ACCOUNTS).map((i) => ({ domain: domain(i), name: `Company ${i}` })),
  contacts: range(PEOPLE).map((i) => ({ email: email(i) })),
})

const app = express()
app.get('/bench/times/:since', (request, response) => {
  response.json(timesSince(Number(request.params.since)))
})
app.use(portal.router)
const server = await listen(app)
process.send?.({ baseUrl: server.baseUrl })
process.once('disconnect', () => process.exit())

function timesSince(since: number): PortalTimes {
  const contacts = portal.records('contacts')
  const isQualified = (record: PortalRecord) => record.properties['pql_usage_status'] === 'qualified'
  const became = (record: PortalRecord, name: string, value: string | null) =>
    (record.history[name] ?? [])
      .filter(({ at, to }) => at >= since && (value === null || to === value))
      .slice(0, 1)
      .map(({ at }) => at)
  return {
    contacts: contacts.flatMap((one) => became(one, 'pql_usage_status', 'qualified')),
    companies: portal
      .records('companies')
      .flatMap((one) => became(one, 'pqa_usage_status', 'qualified')),
    tasks: portal.records('tasks').map(({ createdAt }) => createdAt),
    others: contacts.flatMap((one) => (isQualified(one) ? [] : became(one, 'pql_score', null))),
  }
}
