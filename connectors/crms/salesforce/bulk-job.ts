import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { RetryableError } from '../../../src/core/errors.ts'
import { readCsv, readRowError } from './bulk-csv.ts'
import type { CallFailure } from './classify-error.ts'
import type { Answer } from './http-exchange.ts'
import { pauseInRows } from './limits-said.ts'
import {
  type DataCall,
  failureToThrow,
  parsed,
  type Session,
  sendOrThrow,
  sendSettled,
} from './session.ts'
import { parseJson } from './wire-errors.ts'
import { readInstant } from './wire-instant.ts'

const jobShape = z.object({
  id: z.string(),
  state: z.string(),
  numberRecordsProcessed: z.number().optional().catch(undefined),
  numberRecordsFailed: z.number().optional().catch(undefined),
  createdDate: z.string().optional().catch(undefined),
  systemModstamp: z.string().optional().catch(undefined),
})
export type JobState = z.output<typeof jobShape>

export interface JobRequest {
  readonly object: string
  readonly operation: 'update' | 'upsert'
  readonly externalIdFieldName?: string
}

const JOBS = '/jobs/ingest'
const OVER = new Set(['JobComplete', 'Failed', 'Aborted'])
const LONGEST_WAIT_MS = 60_000
/** Until a job has been seen: the time between two questions for so many rows. */
const ROWS_A_POLL = 1_000
/** A little more than the last one took, since a question too early is one in vain. */
const ROOM = 1.1
const LONGEST_EXPECTED_MS = 5 * 60_000
/** A job that cannot be asked about so often in a row is left to whoever comes after. */
const MOST_FAILED_POLLS = 20

const isOver = ({ state }: JobState): boolean => OVER.has(state)

/** Opens a job; what it is told then is not carried out before `letGo`. */
export async function openJob(
  session: Session,
  request: JobRequest,
  signal: AbortSignal,
): Promise<{ readonly id: string } | { readonly failure: CallFailure }> {
  const json = { ...request, contentType: 'CSV', lineEnding: 'LF', columnDelimiter: 'COMMA' }
  const call = write('POST', JOBS, `POST jobs/ingest`, { json })
  const result = await sendSettled(session, call, signal)
  if (!result.ok) return { failure: result.failure }
  return { id: parsed(result.answer, jobShape, call.endpoint).id }
}

/** Uploads the rows in one call, which is never repeated: a second one would be another upload. */
export async function upload(
  session: Session,
  id: string,
  csv: string,
  signal: AbortSignal,
): Promise<CallFailure | null> {
  const body = { type: 'text/csv', text: csv }
  const call = write('PUT', `${JOBS}/${id}/batches`, 'PUT jobs/ingest/{id}/batches', { body })
  const result = await sendSettled(session, call, signal)
  return result.ok ? null : result.failure
}

/** Whether Salesforce works on a job now; a job that is not going may be dropped, for the reason given. */
export type LetGo =
  | { readonly kind: 'going' | 'unknown' }
  | { readonly kind: 'not-going'; readonly failure: CallFailure }

/** Lets a job go. Without a certain answer the job itself tells whether it has heard it. */
export async function letGo(session: Session, id: string, signal: AbortSignal): Promise<LetGo> {
  const result = await setState(session, id, 'UploadComplete', signal)
  if (result.ok) return { kind: 'going' }
  const { failure } = result
  const job = await jobOrNull(session, id, signal)
  if (job?.state === 'Open') return { kind: 'not-going', failure }
  if (job !== null) return { kind: 'going' }
  const isSure = failure.kind === 'failed' && !failure.mayHaveHappened
  return isSure ? { kind: 'not-going', failure } : { kind: 'unknown' }
}

/**
 * Takes back a job that was not let go. @returns whether it is surely over: whatever was said to it before
 * and is still on its way finds it so. What is not sure must stay noted.
 */
export async function takeBack(
  session: Session,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await setState(session, id, 'Aborted', signal)).ok) return true
  const job = await jobOrNull(session, id, signal)
  return job !== null && isOver(job)
}

function setState(session: Session, id: string, state: string, signal: AbortSignal) {
  const endpoint = 'PATCH jobs/ingest/{id}'
  const call = write('PATCH', `${JOBS}/${id}`, endpoint, { json: { state } })
  return sendSettled(session, call, signal)
}

/**
 * Waits until a job is over, however long that takes, or is found never to have been let go: nobody but its
 * caller would. Each question is a call of the org's quota: the first is asked when the job should be over, the
 * others after ever longer. Null when it cannot be asked about any more, or the caller gives up: the job goes on
 * all the same, and is never deleted for that.
 * @param expectedMs how long it should take; 0 for who does not know.
 */
export async function awaitJob(
  session: Session,
  id: string,
  signal: AbortSignal,
  expectedMs = 0,
): Promise<JobState | null> {
  let failed = 0
  await pauseFor(expectedMs, signal)
  const firstMs = Math.max(session.bulkPollMs, expectedMs / 4)
  for (let waitMs = firstMs; !signal.aborted; waitMs *= 1.5) {
    const job = await jobOrNull(session, id, signal)
    if (job && (isOver(job) || job.state === 'Open')) return job
    failed = job ? 0 : failed + 1
    if (failed >= MOST_FAILED_POLLS) return null
    await pauseFor(Math.min(waitMs, Math.max(LONGEST_WAIT_MS, session.bulkPollMs)), signal)
  }
  return null
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
}

/** How long a job of so many rows should take, in milliseconds: as the last one, or a first guess. */
export function expectedMs({ memory, bulkPollMs }: Session, rows: number): number {
  const perRow = memory.bulkMsPerRow ?? bulkPollMs / ROWS_A_POLL
  return Math.max(bulkPollMs, Math.min(rows * perRow * ROOM, LONGEST_EXPECTED_MS))
}

/** Keeps how long a job took, by Salesforce's own clock. */
export function noteDuration({ memory }: Session, job: JobState, rows: number): void {
  const [from, to] = [readInstant(job.createdDate), readInstant(job.systemModstamp)]
  if (job.state !== 'JobComplete' || from === null || to === null) return
  // Told in whole seconds.
  const tookMs = Math.max(0, Date.parse(to) - Date.parse(from)) + 1_000
  memory.bulkMsPerRow = tookMs / Math.max(1, rows)
}

async function jobOrNull(
  session: Session,
  id: string,
  signal: AbortSignal,
): Promise<JobState | null> {
  const endpoint = 'GET jobs/ingest/{id}'
  const call = { kind: 'read', method: 'GET', path: `${JOBS}/${id}`, endpoint } as const
  const result = await sendSettled(session, call, signal)
  if (result.ok) return jobShape.safeParse(parseJson(result.answer.text)).data ?? null
  const isGone = result.failure.kind === 'refused' && result.failure.status === 404
  return isGone ? { id, state: 'Aborted' } : null
}

export type ResultKind = 'successfulResults' | 'failedResults' | 'unprocessedrecords'

/** One of the three lists of a job that is over. */
export async function jobResult(
  session: Session,
  id: string,
  kind: ResultKind,
  signal: AbortSignal,
): Promise<string> {
  const endpoint = `GET jobs/ingest/{id}/${kind}`
  const path = `${JOBS}/${id}/${kind}/`
  const limitIn = kind === 'failedResults' ? { limitIn: limitInResult } : {}
  const call = { kind: 'read', method: 'GET', path, endpoint, ...limitIn } as const
  const result = await sendSettled(session, call, signal)
  if (result.ok) return result.answer.text
  throw failureToThrow(result.failure, endpoint)
}

const limitInResult = ({ text }: Answer) =>
  pauseInRows(readCsv(text).map((row) => readRowError(row['sf__Error'] ?? '')))

/**
 * Sees to the jobs that an earlier process has begun, so that nobody writes beside them: those that it let go
 * are waited for, those that it did not are taken back.
 */
export async function settleJobs(session: Session, signal: AbortSignal): Promise<number> {
  const open = await session.bulkJobs.open()
  for (const { id } of open) {
    const job = await awaitJob(session, id, signal)
    const isSettled = job !== null && (isOver(job) || (await takeBack(session, id, signal)))
    if (!isSettled) await throwWhy(session, id, signal)
    await session.bulkJobs.over(id)
  }
  return open.length
}

/** Asked once more, so that the failure is thrown that stands in the way. */
async function throwWhy(session: Session, id: string, signal: AbortSignal): Promise<never> {
  const endpoint = 'GET jobs/ingest/{id}'
  await sendOrThrow(
    session,
    { kind: 'read', method: 'GET', path: `${JOBS}/${id}`, endpoint },
    signal,
  )
  throw new RetryableError('An earlier Bulk job of Salesforce is not over yet; it is asked again.')
}

function write(
  method: 'POST' | 'PATCH' | 'PUT',
  path: string,
  endpoint: string,
  more: Pick<DataCall, 'json' | 'body'>,
): DataCall {
  return { kind: 'write', method, path, endpoint, ...more }
}
