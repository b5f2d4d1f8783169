import {
  ConfigError,
  RateLimitedError,
  RetryableError,
  type SyncFailure,
} from '../../../src/core/errors.ts'
import { isCertificateCode, systemCause, systemError } from '../system-error.ts'
import { describeRowError } from './error-codes.ts'
import type { Answer } from './http-exchange.ts'
import { askedPause } from './limits-said.ts'
import { errorsOf, parseJson, type WireError } from './wire-errors.ts'

/** How a call ended that did not succeed. */
export type CallFailure =
  /** Salesforce read the call and refused what is in it: one record may be to blame. */
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly errors: readonly WireError[]
      /** The body as it came, for what single errors hold besides. */
      readonly details: readonly unknown[]
    }
  /** The call as a whole failed; `mayHaveHappened` when a write could have been carried out all the same. */
  | {
      readonly kind: 'failed'
      readonly error: SyncFailure
      readonly mayHaveHappened: boolean
      /** Of an answer that forbids the call. */
      readonly forbidden?: true
    }

/** What is known about a call for its error message; never anything that was sent in it. */
export interface CallPlace {
  /** Without ids, such as `PATCH composite/sobjects`. */
  readonly endpoint: string
  /** Host (and port) of SALESFORCE_BASE_URL. */
  readonly host: string
  /** What the call was let in with, as a person set it up. */
  readonly credential: string
}

/** The call broke without an answer: a dead line, a deadline, a caller that gave up. */
export interface Broken {
  readonly broken: unknown
}

/** The variable that holds a session of its own. */
export const STATIC_TOKEN = 'SALESFORCE_ACCESS_TOKEN'

/** The org does not let a user or an app in; a new token does not help. */
const CLOSED = new Set([
  'API_DISABLED_FOR_ORG',
  'API_CURRENTLY_DISABLED',
  'INSUFFICIENT_ACCESS',
  'INSUFFICIENT_ACCESS_OR_READONLY',
  'FUNCTIONALITY_NOT_ENABLED',
])
const BUSY = new Set(['UNABLE_TO_LOCK_ROW', 'REQUEST_RUNNING_TOO_LONG', 'QUERY_TIMEOUT'])
const REFUSALS = new Set([300, 400, 404, 405, 409, 412, 413, 414, 415, 431])

/** Turns an answer that is no success, or the lack of one, into what the caller must know. Pure. */
export function classifyError(ended: Answer | Broken, place: CallPlace): CallFailure {
  if ('broken' in ended) return classifyBroken(ended.broken, place)
  const { status } = ended
  const errors = errorsOf(ended)
  const pause = askedPause(ended)
  if (pause) {
    const message = `Salesforce asks for a pause (${pause.why}): ${facts(ended, errors, place)}.`
    return failed(new RateLimitedError(message, pause.pauseMs))
  }
  if (status === 401) return failed(new ConfigError(wrongToken(ended, errors, place)))
  if (status === 403 || errors.some(({ code }) => CLOSED.has(code))) {
    return { ...failed(new ConfigError(forbidden(ended, errors, place))), forbidden: true }
  }
  const isBusy = errors.some(({ code }) => BUSY.has(code))
  if (status === 408 || status >= 500 || isBusy) {
    const error = new RetryableError(`Salesforce could not answer ${facts(ended, errors, place)}.`)
    return failed(error, { mayHaveHappened: !isBusy })
  }
  if (REFUSALS.has(status) && (errors.length > 0 || status === 300 || status >= 413)) {
    return { kind: 'refused', status, errors, details: [parseJson(ended.text)].flat() }
  }
  return failed(new ConfigError(wrongAddress(ended, errors, place)))
}

/** A refusal of a whole read or set-up call: a matter of configuration. */
export function refusedCall(
  { status, errors }: { readonly status: number; readonly errors: readonly WireError[] },
  endpoint: string,
): ConfigError {
  const [first] = errors
  const words = first
    ? describeRowError({ ...first, message: named(first) }, [])
    : 'no reason given'
  return new ConfigError(
    `Salesforce refused ${endpoint} (HTTP ${status}, ${words}). Check that the fields of the ` +
      'mapping exist in this org and that the user of Ripen may see them (ripen check --crm salesforce).',
  )
}

/** Of Salesforce's words only the name of a field or object is told: the rest may repeat a query. */
function named({ message }: WireError): string {
  return /No such column '[\w.]+'|sObject type '\w+' is not supported/.exec(message)?.[0] ?? ''
}

function classifyBroken(cause: unknown, place: CallPlace): CallFailure {
  const { code, syscall } = systemError(cause)
  if (syscall === 'connect' || syscall === 'getaddrinfo' || isCertificateCode(code)) {
    const message =
      `The CRM cannot be reached at ${place.host} (${code}). ` +
      'Check SALESFORCE_BASE_URL and the network; nothing was sent.'
    return failed(new RetryableError(message, systemCause(cause)))
  }
  const message = `No answer from ${place.host} to ${place.endpoint} (${code}).`
  return failed(new RetryableError(message, systemCause(cause)), { mayHaveHappened: true })
}

function wrongToken(answer: Answer, errors: readonly WireError[], place: CallPlace): string {
  if (isNotMendedByToken(answer)) {
    return (
      `Salesforce lets the session in, but not to its REST API: ${facts(answer, errors, place)}. ` +
      'Check the IP ranges and the policies of the External Client App; a new login does not help.'
    )
  }
  const { credential } = place
  const mend =
    credential === STATIC_TOKEN ? 'Set a valid one.' : 'Run ripen connect --crm salesforce.'
  return `Salesforce does not accept ${credential}: ${facts(answer, errors, place)}. ${mend}`
}

/** A policy of the app or the network: whatever token is sent, the answer stays the same. */
export function isNotMendedByToken({ text }: Answer): boolean {
  return /not valid for use with the REST API|not attached to Agent/i.test(text)
}

function forbidden(answer: Answer, errors: readonly WireError[], place: CallPlace): string {
  return (
    `The user of Ripen may not do this in Salesforce: ${facts(answer, errors, place)}. ` +
    'Assign the permission set Ripen Integration to that user, and see ripen check --crm salesforce.'
  )
}

function wrongAddress(answer: Answer, errors: readonly WireError[], place: CallPlace): string {
  return (
    `Unexpected answer from ${place.host}: ${facts(answer, errors, place)}. Check that ` +
    'SALESFORCE_BASE_URL is the My Domain address of the org, such as https://acme.my.salesforce.com.'
  )
}

/** Status and codes; never Salesforce's words, which may hold values. */
function facts(answer: Answer, errors: readonly WireError[], { endpoint }: CallPlace): string {
  const codes = errors.map(({ code }) => code).filter((code) => /^[\w-]{1,80}$/.test(code))
  return `${endpoint} (${[`HTTP ${answer.status}`, ...new Set(codes)].join(', ')})`
}

function failed(error: SyncFailure, { mayHaveHappened = false } = {}) {
  return { kind: 'failed', error, mayHaveHappened } as const
}
