import {
  ConfigError,
  isSyncFailure,
  RetryableError,
  type SyncFailure,
} from '../../../src/core/errors.ts'
import type { BulkJobs } from '../../../src/core/ports/bulk-jobs.ts'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { type CallFailure, refusedCall } from './classify-error.ts'
import type { Answer } from './http-exchange.ts'
import type { SalesforceMemory } from './memory.ts'
import type { SalesforceRules } from './rules.ts'
import type { Call, CallResult, Transport } from './transport.ts'
import { parseJson } from './wire-errors.ts'

/** What every operation of the connector works with. */
export interface Session {
  readonly send: Transport['send']
  readonly place: Transport['place']
  readonly keyField: Readonly<Record<CrmObject, string>>
  readonly rules: SalesforceRules
  readonly memory: SalesforceMemory
  /** Version of the API to use where the org offers it, such as `67.0`. */
  readonly preferredVersion: string
  readonly bulkJobs: BulkJobs
  /** Share of the org's Bulk batches of 24 hours that may be gone before a job is begun, from 0 to 1. */
  readonly bulkShare: number
  /** How long to wait before a job is asked about for the first time, in milliseconds. */
  readonly bulkPollMs: number
  readonly now: () => Date
}

/** A call below `/services/data/vN`. */
export interface DataCall extends Omit<Call, 'path'> {
  /** Such as `/composite/sobjects`. */
  readonly path: string
}

/** Makes a call of the data API in the version that was settled on with this org. */
export async function sendData(
  session: Session,
  call: DataCall,
  signal: AbortSignal,
): Promise<CallResult> {
  const version = await apiVersion(session, signal)
  return session.send({ ...call, path: `/services/data/v${version}${call.path}` }, signal)
}

/** Makes a call that must succeed; returns the body. Throws a `SyncFailure` otherwise. */
export async function sendOrThrow(
  session: Session,
  call: DataCall,
  signal: AbortSignal,
): Promise<Answer> {
  const result = await sendData(session, call, signal)
  if (result.ok) return result.answer
  throw failureToThrow(result.failure, call.endpoint)
}

/** The body of an answer as a schema has it; what it does not fit is a failed call, never an empty one. */
export function parsed<T>(
  answer: Answer,
  schema: { safeParse(body: unknown): { data?: T | undefined } },
  endpoint: string,
): T {
  const { data } = schema.safeParse(parseJson(answer.text))
  if (data !== undefined) return data
  throw unreadable(endpoint)
}

export function unreadable(endpoint: string): RetryableError {
  return new RetryableError(`Salesforce's answer to ${endpoint} could not be read.`)
}

/** A failure as the port throws it; a refusal of a whole read or set-up call is a matter of configuration. */
export function failureToThrow(failure: CallFailure, endpoint: string): SyncFailure {
  return failure.kind === 'failed' ? failure.error : refusedCall(failure, endpoint)
}

/** Sends, and turns what `pace` throws into a result, so that finished work is not lost with it. */
export async function sendSettled(
  session: Session,
  call: DataCall,
  signal: AbortSignal,
): Promise<CallResult> {
  try {
    return await sendData(session, call, signal)
  } catch (error) {
    if (!isSyncFailure(error)) throw error
    return { ok: false, failure: { kind: 'failed', error, mayHaveHappened: false } }
  }
}

/** Cuts a list into pieces of at most `size`. */
export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size))
}

/** What cannot be seen by this user, or is not there in this org, is null. */
export async function unlessRefused<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (isSyncFailure(error) && error.kind === 'config') return null
    throw error
  }
}

/**
 * The version of the API to use: the preferred one, else the newest that the org offers. The list is open
 * to everybody and counts towards no limit.
 */
export async function apiVersion(session: Session, signal: AbortSignal): Promise<string> {
  const { memory, preferredVersion } = session
  if (memory.version !== null) return memory.version
  const endpoint = 'GET versions'
  const call = {
    kind: 'read',
    method: 'GET',
    path: '/services/data/',
    endpoint,
    open: true,
  } as const
  const result = await session.send(call, signal)
  if (!result.ok) throw failureToThrow(result.failure, endpoint)
  const list = parseJson(result.answer.text)
  const offered = (Array.isArray(list) ? list : []).flatMap((one: unknown) => versionOf(one) ?? [])
  const newest = offered.toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) {
    throw new ConfigError(
      'The answer to GET versions lists none. Check that SALESFORCE_BASE_URL is the My Domain address of the org.',
    )
  }
  memory.version = offered.includes(preferredVersion) ? preferredVersion : newest
  return memory.version
}

function versionOf(one: unknown): string | null {
  if (typeof one !== 'object' || one === null || !('version' in one)) return null
  const { version } = one
  return typeof version === 'string' && /^\d{2,3}\.\d$/.test(version) ? version : null
}
