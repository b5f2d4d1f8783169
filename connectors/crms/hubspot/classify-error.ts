import {
  ConfigError,
  RateLimitedError,
  RetryableError,
  type SyncFailure,
} from '../../../src/core/errors.ts'
import { isCertificateCode, systemCause, systemError } from '../system-error.ts'
import { askedPause } from './limits-said.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { type Answer, parseErrorBody } from './wire-shapes.ts'

/** How a call ended that did not succeed. */
export type CallFailure =
  /** HubSpot read the call and refused what is in it: one input may be to blame. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
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
  /** Such as `POST contacts/batch/update`. */
  readonly endpoint: string
  /** Host (and port) of HUBSPOT_BASE_URL. */
  readonly host: string
  /** What the call was let in with, as a person set it up; HUBSPOT_ACCESS_TOKEN by default. */
  readonly credential?: string
}

/** The call broke without an answer: a dead line, a deadline, a caller that gave up. */
export interface Broken {
  readonly broken: unknown
}

/** The variable that holds a service key or the token of a project app. */
export const STATIC_TOKEN = 'HUBSPOT_ACCESS_TOKEN'

const REFUSALS = new Set([400, 404, 409, 413, 414, 422])

/** Turns an answer that is no success, or the lack of one, into what the caller must know. Pure. */
export function classifyError(ended: Answer | Broken, place: CallPlace): CallFailure {
  if ('broken' in ended) return classifyBroken(ended.broken, place)
  const { status } = ended
  if (status === 401) return failed(new ConfigError(wrongToken(ended, place)))
  if (status === 403) {
    return { ...failed(new ConfigError(missingScopes(ended, place))), forbidden: true }
  }
  const pause = askedPause(ended)
  if (pause) {
    const message = `HubSpot asks for a pause (${pause.why}): ${facts(ended, place)}.`
    return failed(new RateLimitedError(message, pause.pauseMs))
  }
  if (status === 408 || status >= 500) {
    const error = new RetryableError(`HubSpot could not answer ${facts(ended, place)}.`)
    return failed(error, { mayHaveHappened: true })
  }
  if (REFUSALS.has(status) && speaksHubspot(ended)) {
    return { kind: 'refused', refusal: refusalOf(ended) }
  }
  return failed(new ConfigError(wrongAddress(ended, place)))
}

function classifyBroken(cause: unknown, place: CallPlace): CallFailure {
  const { code, syscall } = systemError(cause)
  if (syscall === 'connect' || syscall === 'getaddrinfo' || isCertificateCode(code)) {
    const message =
      `The CRM cannot be reached at ${place.host} (${code}). ` +
      'Check HUBSPOT_BASE_URL and the network; nothing was sent.'
    return failed(new RetryableError(message, systemCause(cause)))
  }
  const message = `No answer from ${place.host} to ${place.endpoint} (${code}).`
  return failed(new RetryableError(message, systemCause(cause)), { mayHaveHappened: true })
}

function wrongToken(answer: Answer, place: CallPlace): string {
  const { credential = STATIC_TOKEN } = place
  const mend = credential === STATIC_TOKEN ? 'Set a valid one.' : 'Run ripen connect --crm hubspot.'
  return `HubSpot does not accept ${credential}: ${facts(answer, place)}. ${mend}`
}

function missingScopes(answer: Answer, place: CallPlace): string {
  const details = parseErrorBody(answer.body).errors ?? []
  const scopes = details
    .flatMap((detail) => detail.context?.['requiredGranularScopes'] ?? [])
    .filter((scope) => /^[a-z0-9._-]{1,80}$/i.test(scope))
  const wanted = scopes.length > 0 ? `one of ${[...new Set(scopes)].join(', ')}` : 'more scopes'
  return `${place.credential ?? STATIC_TOKEN} needs ${wanted}: ${facts(answer, place)}.`
}

function wrongAddress(answer: Answer, place: CallPlace): string {
  return (
    `Unexpected answer from ${place.host}: ${facts(answer, place)}. ` +
    'Check that HUBSPOT_BASE_URL is the address of the HubSpot API.'
  )
}

/** Status, category, code and correlation id; never the vendor's message, which may hold values. */
function facts(answer: Answer, place: CallPlace): string {
  const { category, code, correlationId } = refusalOf(answer)
  const parts = [
    `HTTP ${answer.status}`,
    category,
    code,
    correlationId && `correlation id ${correlationId}`,
  ]
  return `${place.endpoint} (${parts.filter(Boolean).join(', ')})`
}

/** A 404 of a proxy says nothing about a record; HubSpot's own answers are JSON with a message. */
function speaksHubspot(answer: Answer): boolean {
  if (answer.status === 413 || answer.status === 414) return true
  const { status, category, message } = parseErrorBody(answer.body)
  return (status ?? category ?? message) !== undefined
}

function failed(error: SyncFailure, { mayHaveHappened = false } = {}) {
  return { kind: 'failed', error, mayHaveHappened } as const
}
