import type { OrgState } from '../org-state.ts'
import { badRequest, notFound } from '../salesforce-error.ts'
import { readLongId } from '../salesforce-id.ts'
import { showDateTime } from '../salesforce-time.ts'
import { type QueryResult, queriedObject, runQuery } from '../soql/run-query.ts'
import type { Actor } from '../stored-row.ts'
import type { BulkJobs } from './bulk-jobs.ts'
import { type CsvFormat, quotedLine, readFormat } from './csv-text.ts'
import { isEnded, type JobState } from './ingest-job.ts'

const DEFAULT_ROWS = 50_000

/** A job that asks for many records. */
export interface QueryJob {
  readonly id: string
  readonly operation: 'query' | 'queryAll'
  readonly query: string
  readonly format: CsvFormat
  readonly actor: Actor
  readonly createdAt: number
  state: JobState
  result: QueryResult | null
}

/** One page of a query job's results. */
export interface ResultPage {
  readonly csv: string
  readonly rows: number
  /** Null on the last page. */
  readonly locator: string | null
}

/** Query jobs of the Bulk API 2.0. */
export class QueryJobs {
  private readonly state: OrgState
  private readonly bulk: BulkJobs
  private readonly pageRows: number
  private readonly jobs = new Map<string, QueryJob>()

  constructor(state: OrgState, bulk: BulkJobs, pageRows = DEFAULT_ROWS) {
    this.state = state
    this.bulk = bulk
    this.pageRows = pageRows
  }

  create(body: Readonly<Record<string, unknown>>, actor: Actor): QueryJob {
    const { operation, query } = body
    if ((operation !== 'query' && operation !== 'queryAll') || typeof query !== 'string') {
      throw badRequest('INVALIDJOB', 'operation and query are required')
    }
    const job: QueryJob = {
      id: this.bulk.nextId(),
      operation,
      query,
      format: readFormat(body['columnDelimiter'], body['lineEnding']),
      actor,
      createdAt: this.state.now(),
      state: 'UploadComplete',
      result: null,
    }
    // A query that is wrong is refused at once.
    const options = { all: operation === 'queryAll', apiVersion: actor.apiVersion }
    runQuery(this.state, query, options)
    this.jobs.set(job.id, job)
    this.bulk.later(() => {
      if (job.state !== 'UploadComplete') return
      job.state = 'InProgress'
      this.bulk.later(() => {
        if (job.state !== 'InProgress') return
        job.result = runQuery(this.state, query, options)
        job.state = 'JobComplete'
      })
    })
    return job
  }

  get(id: string): QueryJob {
    const job = this.jobs.get(readLongId(id) ?? '')
    if (job === undefined) throw notFound()
    return job
  }

  abort(id: string): QueryJob {
    const job = this.get(id)
    if (isEnded(job.state)) {
      throw badRequest('INVALIDJOBSTATE', 'Aborting already Completed Job not allowed')
    }
    job.state = 'Aborted'
    return job
  }

  remove(id: string): void {
    const job = this.get(id)
    if (!isEnded(job.state)) {
      throw badRequest(
        'API_ERROR',
        'Error encountered when deleting the job because the job is not terminated',
      )
    }
    this.jobs.delete(job.id)
  }

  page(id: string, locator: string | null, maxRecords: number | null): ResultPage {
    const { result, format } = this.completed(id)
    const start = locator === null ? 0 : readLocator(locator)
    if (start > result.count) throw badRequest('INVALID_QUERY_LOCATOR', 'invalid locator')
    const end = Math.min(start + this.rowsOf(maxRecords), result.count)
    const views = Array.from({ length: end - start }, (_, place) =>
      flat(result.view(start + place)),
    )
    const header = Object.keys(views[0] ?? {})
    const lines = [header, ...views.map((view) => header.map((name) => view[name] ?? ''))]
    return {
      csv: lines.map((cells) => quotedLine(cells, format)).join(''),
      rows: views.length,
      locator: end < result.count ? makeLocator(end) : null,
    }
  }

  /** Where the pages begin, for who wants them at once. */
  locators(id: string, maxRecords: number | null): readonly string[] {
    const { result } = this.completed(id)
    const rows = this.rowsOf(maxRecords)
    return Array.from({ length: Math.ceil(result.count / rows) }, (_, place) =>
      makeLocator(place * rows),
    )
  }

  private rowsOf(maxRecords: number | null): number {
    return Math.max(1, Math.min(maxRecords ?? this.pageRows, this.pageRows))
  }

  private completed(id: string): { readonly result: QueryResult; readonly format: CsvFormat } {
    const { result, format, state } = this.get(id)
    if (result !== null && state === 'JobComplete') return { result, format }
    throw badRequest(
      'API_ERROR',
      'Error encountered when getting the results because the job is not complete',
    )
  }
}

export function showQueryJob(state: OrgState, job: QueryJob): Record<string, unknown> {
  return {
    id: job.id,
    operation: job.operation,
    object: state.table(queriedObject(job.query)).definition.name,
    createdById: job.actor.userId,
    createdDate: showDateTime(job.createdAt),
    systemModstamp: showDateTime(job.createdAt),
    state: job.state,
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(job.actor.apiVersion),
    lineEnding: job.format.lineEnding,
    columnDelimiter: job.format.columnDelimiter,
    ...(job.result === null
      ? {}
      : { jobType: 'V2Query', numberRecordsProcessed: job.result.count, retries: 0 }),
  }
}

function makeLocator(start: number): string {
  return Buffer.from(`rows:${start}`).toString('base64url')
}

function readLocator(locator: string): number {
  const start = /^rows:(\d+)$/.exec(Buffer.from(locator, 'base64url').toString('utf8'))?.[1]
  if (start === undefined) throw badRequest('INVALID_QUERY_LOCATOR', 'invalid locator')
  return Number(start)
}

/** `Owner.Name` is a column of its own in a CSV. */
function flat(view: Readonly<Record<string, unknown>>, prefix = ''): Record<string, string> {
  const cells: Record<string, string> = {}
  for (const [name, value] of Object.entries(view)) {
    if (name === 'attributes') continue
    if (typeof value === 'object' && value !== null) {
      Object.assign(cells, flat(value as Record<string, unknown>, `${prefix}${name}.`))
    } else cells[prefix + name] = value === null ? '' : String(value)
  }
  return cells
}
