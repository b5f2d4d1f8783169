import { isSyncFailure, RetryableError } from '../../../src/core/errors.ts'
import { readCsv, readRowError, toCsv } from './bulk-csv.ts'
import {
  awaitJob,
  expectedMs,
  type JobState,
  jobResult,
  letGo,
  noteDuration,
  openJob,
  takeBack,
  upload,
} from './bulk-job.ts'
import { type CallFailure, refusedCall } from './classify-error.ts'
import { rowErrorKind } from './error-codes.ts'
import { limitAmong, type Settling, toOutcome } from './row-outcome.ts'
import type { Session } from './session.ts'
import type { WriteInput } from './write-inputs.ts'

/** Salesforce takes 150 MB of a job; a file must be uploaded within the deadline of one call. */
const MOST_BYTES = 20_000_000

/**
 * Writes many records of one object as jobs of the Bulk API, sorted by account, one job after the other.
 * Every row is answered from one of the three lists of its job; a row in none of them is in doubt.
 */
export async function writeInBulk(
  session: Session,
  keyField: string,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  for (const some of filesOf(inputs)) {
    await runJob(session, keyField, some, state, signal)
    if (state.unsent !== null) return
  }
}

/** As many rows in one file as may be. */
function filesOf(inputs: readonly WriteInput[]): WriteInput[][] {
  const files: WriteInput[][] = []
  let used = MOST_BYTES
  for (const input of inputs) {
    const bytes = Buffer.byteLength(JSON.stringify(Object.values(input.fields)))
    used += bytes
    if (used > MOST_BYTES) {
      files.push([])
      used = bytes
    }
    files.at(-1)?.push(input)
  }
  return files
}

async function runJob(
  session: Session,
  keyField: string,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  const [first] = inputs
  if (first === undefined) return
  const isUpdate = first.crmId !== null
  const { object } = first
  const request = isUpdate
    ? ({ object, operation: 'update' } as const)
    : ({ object, operation: 'upsert', externalIdFieldName: keyField } as const)
  const opened = await openJob(session, request, signal)
  if ('failure' in opened) return void notSent(state, opened.failure, 'POST jobs/ingest')
  const { id } = opened
  await session.bulkJobs.begun({ id, object, records: inputs.length })
  const drop = (failure: CallFailure, endpoint: string) =>
    dropJob(session, id, state, { failure, endpoint }, signal)
  const failure = await upload(session, id, toCsv(inputs, isUpdate), signal)
  // An upload without its end does nothing, whether it arrived or not.
  if (failure) return drop(failure, 'PUT jobs/ingest/{id}/batches')
  const sent = await letGo(session, id, signal)
  if (sent.kind === 'not-going') return drop(sent.failure, 'PATCH jobs/ingest/{id}')
  // Without a certain answer it may be open still, and is asked at once.
  const waitMs = sent.kind === 'going' ? expectedMs(session, inputs.length) : 0
  const job = await awaitJob(session, id, signal, waitMs)
  if (job?.state === 'Open') return drop(neverWent(), 'PATCH jobs/ingest/{id}')
  state.isUnderWay = true
  if (job === null) return
  noteDuration(session, job, inputs.length)
  await takeResults(session, keyField, job, inputs, state, signal)
  await session.bulkJobs.over(id)
}

function neverWent(): CallFailure {
  const message = 'Salesforce did not hear that a Bulk job was to go; nothing was done.'
  return { kind: 'failed', error: new RetryableError(message), mayHaveHappened: false }
}

/** A job that is not surely over stays noted: whoever comes next takes it back. */
async function dropJob(
  session: Session,
  id: string,
  state: Settling,
  { failure, endpoint }: { readonly failure: CallFailure; readonly endpoint: string },
  signal: AbortSignal,
): Promise<void> {
  if (await takeBack(session, id, signal)) await session.bulkJobs.over(id)
  notSent(state, failure, endpoint)
}

function notSent(state: Settling, failure: CallFailure, endpoint: string): void {
  state.unsent = failure.kind === 'failed' ? failure.error : refusedCall(failure, endpoint)
}

/** What cannot be read is left in doubt: the records themselves tell. */
async function takeResults(
  session: Session,
  keyField: string,
  { id }: JobState,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  const { settled } = state
  const byKey = new Map(inputs.map((input) => [input.key, input]))
  const inputOf = (row: Readonly<Record<string, string>>) => byKey.get(row[keyField] ?? '')
  try {
    for (const row of readCsv(await jobResult(session, id, 'successfulResults', signal))) {
      const input = inputOf(row)
      const crmId = row['sf__Id'] ?? ''
      if (!input || crmId === '') continue
      settled.set(input, { kind: 'written', crmId, created: row['sf__Created'] === 'true' })
    }
    for (const row of readCsv(await jobResult(session, id, 'failedResults', signal))) {
      const input = inputOf(row)
      if (!input) continue
      const error = readRowError(row['sf__Error'] ?? '')
      state.unsent ??= limitAmong([error])
      // A job knows no way past a rule that only warns: such a row goes by itself.
      const passes = input.crmId !== null || session.rules.duplicates === 'save'
      if (rowErrorKind(error) === 'duplicate' && passes)
        settled.set(input, { kind: 'locked', error })
      else settled.set(input, toOutcome(input, { kind: 'error', error }))
    }
    // Surely not written: sent again by themselves, as if somebody had held them.
    for (const row of readCsv(await jobResult(session, id, 'unprocessedrecords', signal))) {
      const input = inputOf(row)
      const error = { code: 'UNPROCESSED', message: '', fields: [] }
      if (input) settled.set(input, { kind: 'locked', error })
    }
  } catch (error) {
    if (!isSyncFailure(error)) throw error
  }
}
