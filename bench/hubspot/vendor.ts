import express from 'express'
import { createRandom } from '../../sandbox/company/random.ts'
import { createHubspotSandbox, type HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { listen } from '../../sandbox/listen.ts'
import { type CallReport, reportCalls } from './calls.ts'
import {
  companyRef,
  contactRef,
  domain,
  email,
  isNewCompany,
  isNewContact,
  isPoison,
  REFUSED_TEXT,
  type Size,
  STRANGERS,
  score,
} from './population.ts'

/** What the portal looks like after a sync, and which calls brought it about. */
export interface PortalReport {
  /** Records that do not say what they should. */
  readonly wrongContacts: number
  readonly wrongCompanies: number
  /** Live records beyond those that there should be. */
  readonly surplus: number
  /** Keys or addresses that two live records have. */
  readonly duplicates: number
  readonly merges: number
  readonly calls: CallReport
}

const MERGE_EVERY_MS = 12_000
const LATENCY_MS = 100

/** The process that plays HubSpot: 100 ms away, with its limits, failing as a vendor fails. */
const size = JSON.parse(process.argv[2] ?? '') as Size
const portal = await createHubspotSandbox({ latencyMs: LATENCY_MS })
const { contacts: ids } = seedPortal(portal)
let merges = 0
let merging: NodeJS.Timeout | null = null
playFaults()

const app = express()
app.get('/bench/report/:sync', (request, response) => {
  response.json(report(Number(request.params.sync)))
})
app.post('/bench/merges/:what', (request, response) => {
  if (merging) clearInterval(merging)
  merging = request.params.what === 'start' ? setInterval(mergeOne, MERGE_EVERY_MS) : null
  response.end()
})
app.post('/bench/calls/forget', (_request, response) => {
  portal.resetCalls()
  response.end()
})
app.use(portal.router)
const server = await listen(app)
process.send?.({ baseUrl: server.baseUrl })
process.once('disconnect', () => process.exit())

function seedPortal(sandbox: HubspotSandbox) {
  const companies = range(size.companies).filter((i) => !isNewCompany(i))
  const known = range(size.contacts).filter((i) => !isNewContact(i))
  return sandbox.seed({
    companies: companies.map((i) => ({ domain: domain(i), name: `Company ${i}` })),
    contacts: [
      ...known.map((i) => ({ email: email(i, size) })),
      ...range(STRANGERS).map((i) => ({ email: `s${i}@stranger.example` })),
    ],
  })
}

/** 1 % of all calls end in 502, and six in a thousand break off, before or after they were carried out. */
function playFaults(): void {
  portal.faults.push({ chance: 0.01, status: 502, body: '<html>Bad gateway</html>' })
  portal.faults.push({ chance: 0.003, kind: 'reset' })
  portal.faults.push({ chance: 0.003, kind: 'reset-after' })
  const problem = { isValid: false, error: 'VALIDATION_RULE', name: 'pql_reason_1', message: 'no' }
  portal.faults.push({
    mentions: REFUSED_TEXT,
    path: /\/batch\/(update|upsert)$/,
    times: Number.MAX_SAFE_INTEGER,
    status: 400,
    body: {
      status: 'error',
      category: 'VALIDATION_ERROR',
      message: `Property values were not valid: ${JSON.stringify([problem])}`,
      errors: [{ message: 'no', code: problem.error, context: { propertyName: [problem.name] } }],
    },
  })
}

/** A contact of ours and a stranger become one, as a person would merge them. */
function mergeOne(): void {
  if (merges >= STRANGERS) return
  const random = createRandom(merges + 1)
  const known = ids.length - STRANGERS
  const ours = ids[random.int(0, known - 1)] ?? ''
  const stranger = ids[known + merges] ?? ''
  const pair = merges % 2 === 0 ? ([ours, stranger] as const) : ([stranger, ours] as const)
  merges += 1
  portal.merge('contacts', ...pair)
}

function report(sync: number): PortalReport {
  const contacts = live('contacts')
  const companies = live('companies')
  const right = (records: ReturnType<typeof live>, key: string, value: string) =>
    new Map(records.map(({ properties: p }) => [p[key] ?? '', p[value]]))
  const scores = right(contacts, 'pql_person_id', 'pql_score')
  const companyScores = right(companies, 'pqa_account_id', 'pqa_score')
  const good = range(size.contacts).filter((i) => !isPoison(i))
  const created = good.filter(isNewContact).length
  const wanted = ids.length - merges + created + size.companies
  return {
    wrongContacts: good.filter((i) => scores.get(contactRef(i)) !== String(score(i, sync))).length,
    wrongCompanies: range(size.companies).filter(
      (i) => companyScores.get(companyRef(i)) !== String(score(i, sync)),
    ).length,
    surplus: contacts.length + companies.length - wanted,
    duplicates:
      repeats(contacts, 'pql_person_id') +
      repeats(contacts, 'email') +
      repeats(companies, 'pqa_account_id') +
      repeats(companies, 'domain'),
    merges,
    calls: reportCalls(portal.calls()),
  }
}

function live(object: string) {
  return portal.records(object).filter((record) => !record.archived)
}

function repeats(records: ReturnType<typeof live>, property: string): number {
  const values = records.flatMap(({ properties }) => properties[property] || [])
  return values.length - new Set(values).size
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}
