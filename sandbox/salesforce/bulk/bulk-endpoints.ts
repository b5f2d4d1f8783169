import type { ApiReply } from '../../reply-sender.ts'
import { type ApiCall, type ApiEndpoint, dataEndpoint, jsonBody } from '../api/api-endpoint.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import type { BulkJobs } from './bulk-jobs.ts'
import { plainLine, quotedLine } from './csv-text.ts'
import { type IngestJob, isEnded, showJob, showJobInfo } from './ingest-job.ts'
import { type QueryJobs, showQueryJob } from './query-jobs.ts'

const CSV = { 'content-type': 'text/csv; charset=UTF-8' }

/** The Bulk API 2.0. */
export function bulkEndpoints(state: OrgState, jobs: BulkJobs, queries: QueryJobs): ApiEndpoint[] {
  return [...ingestEndpoints(jobs), ...queryJobEndpoints(state, queries)]
}

function ingestEndpoints(jobs: BulkJobs): ApiEndpoint[] {
  const endpoint = (
    method: ApiEndpoint['method'],
    path: string,
    handle: (call: ApiCall) => ApiReply,
  ) => dataEndpoint(method, `/jobs/ingest${path}`, 'bulk', handle)
  const idOf = (call: ApiCall) => call.params['id'] ?? ''
  const file = (path: string, show: (job: IngestJob) => string) =>
    endpoint('get', `/:id/${path}`, (call) => {
      const job = jobs.get(idOf(call))
      if (!isEnded(job.state)) {
        throw badRequest('INVALIDJOBSTATE', 'The job has no results before it has ended')
      }
      return { status: 200, headers: CSV, body: show(job) }
    })
  return [
    endpoint('post', '', (call) => {
      const job = jobs.create(jsonBody(call), call.actor)
      const { apiVersion } = call
      const contentUrl = `services/data/v${apiVersion}/jobs/ingest/${job.id}/batches`
      const { lineEnding, columnDelimiter } = job.format
      return { status: 200, body: { ...showJob(job), contentUrl, lineEnding, columnDelimiter } }
    }),
    endpoint('get', '', () => ({
      status: 200,
      body: {
        done: true,
        nextRecordsUrl: null,
        records: jobs.list().map((job) => ({ ...showJob(job), jobType: 'V2Ingest' })),
      },
    })),
    endpoint('put', '/:id/batches', (call) => {
      jobs.upload(idOf(call), call.text)
      return { status: 201 }
    }),
    endpoint('patch', '/:id', (call) => {
      const { state } = jsonBody(call)
      if (state === 'UploadComplete') return { status: 200, body: showJob(jobs.close(idOf(call))) }
      if (state === 'Aborted') return { status: 200, body: showJob(jobs.abort(idOf(call))) }
      throw badRequest('INVALIDJOBSTATE', `the state ${String(state)} cannot be set`)
    }),
    endpoint('get', '/:id', (call) => ({ status: 200, body: showJobInfo(jobs.get(idOf(call))) })),
    endpoint('delete', '/:id', (call) => {
      jobs.remove(idOf(call))
      return { status: 204 }
    }),
    file('successfulResults', successes),
    file('failedResults', failures),
    file('unprocessedrecords', (job) =>
      [job.header, ...job.unprocessed].map((cells) => plainLine(cells, job.format)).join(''),
    ),
  ]
}

/** Results come in no order that a client could rely on: here the last row stands first. */
function successes(job: IngestJob): string {
  const rows = job.outcomes
    .filter(({ error }) => error === null)
    .map(({ id, created, cells }) => [id, String(created), ...cells])
    .reverse()
  return [['sf__Id', 'sf__Created', ...job.header], ...rows]
    .map((cells) => quotedLine(cells, job.format))
    .join('')
}

function failures(job: IngestJob): string {
  const rows = job.outcomes
    .filter(({ error }) => error !== null)
    .map(({ id, error, cells }) => [id, error ?? '', ...cells])
    .reverse()
  return [['sf__Id', 'sf__Error', ...job.header], ...rows]
    .map((cells) => quotedLine(cells, job.format))
    .join('')
}

function queryJobEndpoints(state: OrgState, queries: QueryJobs): ApiEndpoint[] {
  const endpoint = (
    method: ApiEndpoint['method'],
    path: string,
    handle: (call: ApiCall) => ApiReply,
  ) => dataEndpoint(method, `/jobs/query${path}`, 'bulk', handle)
  const idOf = (call: ApiCall) => call.params['id'] ?? ''
  const wish = (call: ApiCall) => {
    const max = call.query.get('maxRecords')
    return max === null ? null : Number(max)
  }
  return [
    endpoint('post', '', (call) => ({
      status: 200,
      body: showQueryJob(state, queries.create(jsonBody(call), call.actor)),
    })),
    endpoint('get', '/:id', (call) => ({
      status: 200,
      body: showQueryJob(state, queries.get(idOf(call))),
    })),
    endpoint('patch', '/:id', (call) => {
      if (jsonBody(call)['state'] !== 'Aborted') {
        throw badRequest('INVALIDJOBSTATE', 'a query job can only be aborted')
      }
      return { status: 200, body: showQueryJob(state, queries.abort(idOf(call))) }
    }),
    endpoint('delete', '/:id', (call) => {
      queries.remove(idOf(call))
      return { status: 204 }
    }),
    endpoint('get', '/:id/results', (call) => {
      const page = queries.page(idOf(call), call.query.get('locator'), wish(call))
      const headers = {
        ...CSV,
        // The text `null` ends the pages.
        'Sforce-Locator': page.locator ?? 'null',
        'Sforce-NumberOfRecords': String(page.rows),
      }
      return { status: 200, headers, body: page.csv }
    }),
    endpoint('get', '/:id/resultPages', (call) => ({
      status: 200,
      body: {
        resultPages: queries.locators(idOf(call), wish(call)).map((locator) => ({
          resultLink: `/jobs/query/${idOf(call)}/results?locator=${locator}`,
        })),
        nextRecordsUrl: null,
        done: true,
      },
    })),
  ]
}
