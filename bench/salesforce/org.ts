import express from 'express'
import { installPackage } from '../../sandbox/company/salesforce-package.ts'
import { listen } from '../../sandbox/listen.ts'
import { createSalesforceSandbox } from '../../sandbox/salesforce/salesforce-sandbox.ts'
import { watchJobs } from './events.ts'
import { LOCKED_SHARE, REFUSED_TEXT, type Size } from './population.ts'
import { reportOrg } from './report.ts'
import { seedOrg } from './seed-org.ts'

const LATENCY_MS = 20
const JOB_STEP_MS = 200
/** Tokens are renewed after two thirds of it. */
const TOKEN_MS = 120_000

/** The process that plays Salesforce: rows that are held, leads that are converted, tokens that end. */
const size = JSON.parse(process.argv[2] ?? '') as Size
const org = await createSalesforceSandbox({
  latencyMs: LATENCY_MS,
  bulk: { stepMs: JOB_STEP_MS },
  app: { requirePkce: true, rotateRefreshTokens: true, accessTokenMs: TOKEN_MS },
})
installPackage(org)
const seeded = seedOrg(org, size)
for (const object of ['Contact', 'Lead']) {
  org.rules.validations.set({
    ...{ object, name: 'Wording', message: 'this is not to be said', field: 'PQL_Reason_1__c' },
    when: [{ field: 'PQL_Reason_1__c', is: 'equal', value: REFUSED_TEXT }],
  })
}
const events = watchJobs(org, size, seeded)

const app = express()
app.post('/bench/begin', (_request, response) => {
  org.resetCalls()
  org.rules.locks.clear()
  org.rules.locks.add({ share: LOCKED_SHARE, times: 1 })
  events.begin()
  response.end()
})
/** The next job of leads stops in its middle; answers once it has. */
app.post('/bench/hold', async (_request, response) => {
  await events.holdNext()
  response.end()
})
app.post('/bench/let-go', (_request, response) => {
  org.bulk.letGo()
  response.end()
})
app.get('/bench/report/:sync', (request, response) => {
  response.json(reportOrg(org, size, seeded, events, Number(request.params.sync)))
})
app.use(org.router)
const server = await listen(app)
process.send?.({ baseUrl: server.baseUrl })
process.once('disconnect', () => process.exit())
