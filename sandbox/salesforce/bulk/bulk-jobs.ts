import type { OrgLimits } from '../api/daily-usage.ts'
import type { OrgState } from '../org-state.ts'
import type { RecordWriter } from '../record-writer.ts'
import { badRequest, notFound } from '../salesforce-error.ts'
import { makeId, readLongId } from '../salesforce-id.ts'
import type { Actor } from '../stored-row.ts'
import { parseCsv, readFormat } from './csv-text.ts'
import { type IngestJob, type IngestOperation, isEnded } from './ingest-job.ts'
import { saveChunk, unknownColumn } from './ingest-rows.ts'

const OPERATIONS: readonly IngestOperation[] = ['insert', 'update', 'upsert', 'delete']
const CHUNK = 200
const BATCH = 10_000
const KEPT_MS = 7 * 86_400_000
const MAX_CHARACTERS = 150_000_000

/** How jobs go on. */
export interface BulkOptions {
  /** Milliseconds from one state of a job to the next. Default 10. */
  readonly stepMs?: number
  /** Rows on one page of a query job's results, unless the caller wants fewer. Default 50,000. */
  readonly pageRows?: number
}

export interface BulkTools {
  readonly state: OrgState
  readonly writer: RecordWriter
  readonly limits: OrgLimits
}

/** Jobs of the Bulk API 2.0 that bring records. */
export class BulkJobs {
  private readonly tools: BulkTools
  private readonly stepMs: number
  private readonly jobs = new Map<string, IngestJob>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private count = 0
  private held = false
  private readonly waiting: (() => void)[] = []
  private failure: { readonly afterRows: number; readonly message: string } | null = null

  constructor(tools: BulkTools, options: BulkOptions) {
    this.tools = tools
    this.stepMs = options.stepMs ?? 10
  }

  /** Jobs wait in the state that they are in, until they are let go. */
  hold(): void {
    this.held = true
  }

  letGo(): void {
    this.held = false
    for (const body of this.waiting.splice(0)) this.later(body)
  }

  /** The next job fails after so many rows; what came before stays saved. */
  failNext(afterRows: number, message: string): void {
    this.failure = { afterRows, message }
  }

  /** Nothing more happens to any job. */
  stop(): void {
    this.held = true
    this.waiting.length = 0
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
  }

  create(body: Readonly<Record<string, unknown>>, actor: Actor): IngestJob {
    const { state } = this.tools
    const operation = OPERATIONS.find((one) => one === body['operation'])
    if (operation === undefined) throw badRequest('INVALIDJOB', 'InvalidJob : operation is unknown')
    const object = String(body['object'] ?? '')
    if (!state.hasObject(object)) {
      throw badRequest('INVALIDENTITY', `Entity '${object}' is not supported by the Bulk API.`)
    }
    const key = body['externalIdFieldName']
    if (operation === 'upsert' && typeof key !== 'string') {
      throw badRequest('INVALIDJOB', 'InvalidJob : externalIdFieldName is required for upsert')
    }
    const rule = body['assignmentRuleId']
    const now = state.now()
    const job: IngestJob = {
      id: this.nextId(),
      operation,
      object: state.table(object).definition.name,
      externalIdFieldName: typeof key === 'string' ? key : null,
      assignmentRuleId: typeof rule === 'string' ? rule : null,
      format: readFormat(body['columnDelimiter'], body['lineEnding']),
      actor,
      createdAt: now,
      changedAt: now,
      state: 'Open',
      content: null,
      header: [],
      outcomes: [],
      unprocessed: [],
      errorMessage: null,
    }
    if (job.externalIdFieldName !== null) this.checkKey(job)
    this.jobs.set(job.id, job)
    return job
  }

  /** @throws {SalesforceError} NOT_FOUND, also for one that is older than a week. */
  get(id: string): IngestJob {
    const job = this.jobs.get(readLongId(id) ?? '')
    if (job === undefined || job.createdAt + KEPT_MS < this.tools.state.now()) throw notFound()
    return job
  }

  list(): readonly IngestJob[] {
    return [...this.jobs.values()]
  }

  upload(id: string, content: string): void {
    const job = this.get(id)
    if (job.state !== 'Open') {
      throw badRequest('INVALIDJOBSTATE', `Upload is not allowed in the state ${job.state}`)
    }
    if (job.content !== null) {
      throw badRequest(
        'API_ERROR',
        `Found multiple contents for job: <${job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.`,
      )
    }
    if (content.length > MAX_CHARACTERS) {
      throw badRequest('API_ERROR', 'the content is larger than 150 MB')
    }
    job.content = content
  }

  close(id: string): IngestJob {
    const job = this.get(id)
    if (job.state !== 'Open') {
      throw badRequest('INVALIDJOBSTATE', 'Closing already Completed Job not allowed')
    }
    this.move(job, 'UploadComplete')
    this.begin(job)
    return job
  }

  abort(id: string): IngestJob {
    const job = this.get(id)
    if (isEnded(job.state)) {
      throw badRequest('INVALIDJOBSTATE', 'Aborting already Completed Job not allowed')
    }
    this.move(job, 'Aborted')
    return job
  }

  remove(id: string): void {
    const job = this.get(id)
    if (job.state === 'Open' || job.state === 'InProgress') {
      throw badRequest(
        'API_ERROR',
        'Error encountered when deleting the job because the job is not terminated',
      )
    }
    this.jobs.delete(job.id)
    this.move(job, 'Aborted')
  }

  nextId(): string {
    return makeId('750', ++this.count)
  }

  /** Runs something after the time of one step, or when the jobs are let go. */
  later(body: () => void, waitMs = this.stepMs): void {
    if (this.held) {
      this.waiting.push(body)
      return
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      body()
    }, waitMs)
    this.timers.add(timer)
  }

  private checkKey(job: IngestJob): void {
    const field = this.tools.state.table(job.object).field(job.externalIdFieldName ?? '')
    if (field?.visible && (field.externalId || field.idLookup)) return
    throw badRequest(
      'INVALIDJOB',
      `InvalidJob : Field name provided, ${job.externalIdFieldName} does not match an External ID, Salesforce Id, or indexed field for ${job.object}`,
    )
  }

  private begin(job: IngestJob): void {
    this.later(() => {
      if (job.state !== 'UploadComplete') return
      this.move(job, 'InProgress')
      this.later(() => this.run(job))
    })
  }

  private run(job: IngestJob): void {
    const { state } = this.tools
    const content = job.content ?? ''
    if (job.format.lineEnding === 'LF' && content.includes('\r\n')) {
      this.fail(
        job,
        'ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF',
      )
      return
    }
    let rows: string[][]
    try {
      rows = parseCsv(content, job.format)
    } catch {
      this.fail(job, 'InvalidBatch : the content is no CSV')
      return
    }
    const [header = [], ...data] = rows
    job.header = header
    job.unprocessed = data
    const wrong = unknownColumn(state, state.table(job.object), header)
    if (wrong !== undefined) this.fail(job, `InvalidBatch : Field name not found : ${wrong}`)
    else this.work(job, data, 0)
  }

  /** One chunk at a time, so that a large job does not hold up every other call. */
  private work(job: IngestJob, rows: readonly (readonly string[])[], start: number): void {
    const { state, writer, limits } = this.tools
    if (job.state !== 'InProgress') return
    if (start >= rows.length) {
      this.move(job, 'JobComplete')
      return
    }
    const stop = this.failure
    if (stop !== null && start >= stop.afterRows) {
      this.failure = null
      this.fail(job, stop.message)
      return
    }
    if (start % BATCH === 0) {
      if (limits.batches.used(state.now()) >= limits.dailyBulkBatches) {
        // Beyond the allocation of the day rows are left out, and no list of the job names them.
        job.unprocessed = []
        this.later(() => this.work(job, rows, rows.length), 0)
        return
      }
      limits.batches.add(state.now())
    }
    const end = Math.min(
      start + CHUNK,
      stop === null ? Infinity : Math.max(stop.afterRows, start + 1),
    )
    job.outcomes.push(...saveChunk(state, writer, job, rows.slice(start, end)))
    job.unprocessed = rows.slice(end)
    this.later(() => this.work(job, rows, end), 0)
  }

  private fail(job: IngestJob, message: string): void {
    job.errorMessage = message
    this.move(job, 'Failed')
  }

  private move(job: IngestJob, state: IngestJob['state']): void {
    job.state = state
    job.changedAt = this.tools.state.now()
  }
}
