import { showDateTime } from '../salesforce-time.ts'
import type { Actor } from '../stored-row.ts'
import type { CsvFormat } from './csv-text.ts'

export type IngestOperation = 'insert' | 'update' | 'upsert' | 'delete'
export type JobState =
  | 'Open'
  | 'UploadComplete'
  | 'InProgress'
  | 'JobComplete'
  | 'Failed'
  | 'Aborted'

/** One row's outcome; its cells are those of the file. */
export interface RowOutcome {
  readonly cells: readonly string[]
  readonly id: string
  /** Null for a row that was saved. */
  readonly error: string | null
  readonly created: boolean
}

/** A job that brings records. */
export interface IngestJob {
  readonly id: string
  readonly operation: IngestOperation
  readonly object: string
  readonly externalIdFieldName: string | null
  readonly assignmentRuleId: string | null
  readonly format: CsvFormat
  readonly actor: Actor
  readonly createdAt: number
  state: JobState
  changedAt: number
  /** Null until the file came. */
  content: string | null
  header: readonly string[]
  readonly outcomes: RowOutcome[]
  unprocessed: readonly (readonly string[])[]
  errorMessage: string | null
}

export function isEnded(state: JobState): boolean {
  return state === 'JobComplete' || state === 'Failed' || state === 'Aborted'
}

/** What every answer about a job says. */
export function showJob(job: IngestJob): Record<string, unknown> {
  return {
    id: job.id,
    operation: job.operation,
    object: job.object,
    createdById: job.actor.userId,
    createdDate: showDateTime(job.createdAt),
    systemModstamp: showDateTime(job.changedAt),
    state: job.state,
    ...(job.externalIdFieldName === null ? {} : { externalIdFieldName: job.externalIdFieldName }),
    ...(job.assignmentRuleId === null ? {} : { assignmentRuleId: job.assignmentRuleId }),
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(job.actor.apiVersion),
  }
}

/** What a question after a job's state is answered. */
export function showJobInfo(job: IngestJob): Record<string, unknown> {
  const failed = job.outcomes.filter(({ error }) => error !== null).length
  return {
    ...showJob(job),
    jobType: 'V2Ingest',
    lineEnding: job.format.lineEnding,
    columnDelimiter: job.format.columnDelimiter,
    numberRecordsProcessed: job.outcomes.length,
    numberRecordsFailed: failed,
    retries: 0,
    totalProcessingTime: job.outcomes.length,
    apiActiveProcessingTime: job.outcomes.length,
    apexProcessingTime: 0,
    ...(job.errorMessage === null ? {} : { errorMessage: job.errorMessage }),
  }
}
