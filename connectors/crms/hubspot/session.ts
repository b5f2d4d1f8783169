import {
  ConfigError,
  isSyncFailure,
  RetryableError,
  type SyncFailure,
} from '../../../src/core/errors.ts'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import type { CallFailure } from './classify-error.ts'
import type { HubspotApis } from './hubspot-apis.ts'
import type { Refusal } from './refusal.ts'
import type { Call, CallResult, Transport } from './transport.ts'
import { type HubspotErrorBody, type Listing, parseListing } from './wire-shapes.ts'

/** What every operation of the connector works with. */
export interface Session {
  readonly apis: HubspotApis
  readonly send: Transport['send']
  readonly keyProperty: Readonly<Record<CrmObject, string>>
}

/** Makes a call that must succeed; returns the body. Throws a `SyncFailure` otherwise. */
export async function sendOrThrow(session: Session, call: Call, signal: AbortSignal) {
  const result = await session.send(call, signal)
  if (result.ok) return result.answer.body
  throw failureToThrow(result.failure, call.endpoint)
}

/** Makes a call that reads a list. An answer without a list is a failed read, never an empty one. */
export async function sendForListing<Item>(
  session: Session,
  call: Call,
  parseItem: (item: unknown) => Item | null,
  signal: AbortSignal,
): Promise<Listing<Item>> {
  const listing = parseListing(await sendOrThrow(session, call, signal), parseItem)
  if (listing) return listing
  throw new RetryableError(`HubSpot's answer to ${call.endpoint} could not be read.`)
}

/** Throws unless every error of a 207 only says that something is not there. */
export function assertOnlyAbsences(errors: readonly HubspotErrorBody[], endpoint: string): void {
  const other = errors.find((error) => !isAbsence(error))
  if (!other) return
  throw new RetryableError(`HubSpot could not answer all of ${endpoint}.`)
}

/** True when an error of a 207 says that a record, or an association of it, does not exist. */
export function isAbsence({ category, subCategory }: HubspotErrorBody): boolean {
  return /NOT_FOUND|NO_ASSOCIATIONS/.test(`${category ?? ''} ${subCategory ?? ''}`)
}

/** A failure as the port throws it; a refusal of a whole read or set-up call is a matter of configuration. */
export function failureToThrow(failure: CallFailure, endpoint: string): SyncFailure {
  return failure.kind === 'failed' ? failure.error : refusedCall(failure.refusal, endpoint)
}

/** Sends, and turns what `pace` throws into a result, so that finished work is not lost with it. */
export async function sendSettled(
  session: Session,
  call: Call,
  signal: AbortSignal,
): Promise<CallResult> {
  try {
    return await session.send(call, signal)
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

function refusedCall(refusal: Refusal, endpoint: string): ConfigError {
  const facts = [
    `HTTP ${refusal.status}`,
    refusal.category,
    refusal.code,
    refusal.property && `property ${refusal.property}`,
    refusal.correlationId && `correlation id ${refusal.correlationId}`,
  ]
  return new ConfigError(
    `HubSpot refused ${endpoint} (${facts.filter(Boolean).join(', ')}). ` +
      'Check that the properties of the mapping exist in this HubSpot account.',
  )
}
