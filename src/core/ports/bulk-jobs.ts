/** A job of a CRM that works through many records by itself, for minutes or hours. */
export interface BulkJob {
  /** The CRM's id of it. */
  readonly id: string
  /** What its records are, in the CRM's words. */
  readonly object: string
  readonly records: number
}

/**
 * Jobs that were begun and are not known to be over: noted before they are let go, so that whoever comes
 * after a process that died waits for them instead of writing beside them.
 */
export interface BulkJobs {
  begun(job: BulkJob): Promise<void>
  over(id: string): Promise<void>
  open(): Promise<readonly BulkJob[]>
}

/** Remembers nothing: for what runs without a database. */
export const NO_BULK_JOBS: BulkJobs = {
  begun: async () => {},
  over: async () => {},
  open: async () => [],
}
