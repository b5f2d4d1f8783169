import type { WriteOutcome } from '../../../src/core/ports/crm.ts'
import { describeRefusal, type Refusal, refusalOfError } from './refusal.ts'
import { isAbsence } from './session.ts'
import {
  type Answer,
  type HubspotErrorBody,
  type HubspotRecord,
  parseListing,
  parseRecord,
} from './wire-shapes.ts'
import type { WriteInput } from './write-inputs.ts'

/** What an answer says of one input; `absent` must be looked into: merged, or gone. */
export type MatchedOutcome = WriteOutcome | { readonly kind: 'absent' }

export interface Matched {
  readonly outcomes: ReadonlyMap<WriteInput, MatchedOutcome>
  /** Inputs that the answer does not mention although it holds errors that name no input. */
  readonly doubted: readonly WriteInput[]
}

/**
 * Sets results and errors of a batch against its inputs: errors by trace id, results by trace id,
 * record id or our own key. An input that the answer does not mention is `unknown`, whatever the
 * status says: an empty success writes nothing.
 */
export function matchOutcomes(
  inputs: readonly WriteInput[],
  answer: Answer,
  keyProperty: string,
): Matched {
  const listing = parseListing(answer.body, parseRecord)
  const outcomes = new Map<WriteInput, MatchedOutcome>()
  const names = nameInputs(inputs)
  for (const record of listing?.results ?? []) {
    const input = inputOfRecord(record, names, keyProperty)
    if (input) outcomes.set(input, writtenOutcome(record))
  }
  let hasNamelessError = false
  for (const error of listing?.errors ?? []) {
    const named = inputsOfError(error, inputs, names)
    hasNamelessError ||= named.length === 0
    for (const input of named) outcomes.set(input, errorOutcome(input, error, answer))
  }
  const unmentioned = inputs.filter((input) => !outcomes.has(input))
  for (const input of unmentioned) outcomes.set(input, { kind: 'unknown' })
  return { outcomes, doubted: hasNamelessError ? unmentioned : [] }
}

/** The outcome of an input that HubSpot refuses by itself. */
export function refusedOutcome(input: WriteInput, refusal: Refusal): WriteOutcome {
  const { existingId, code, category, correlationId, property } = refusal
  if (existingId !== null && existingId !== input.crmId) {
    return { kind: 'exists', crmId: existingId }
  }
  const reason = describeRefusal(refusal, Object.values(input.properties))
  return { kind: 'rejected', reason, code: code ?? category, correlationId, property }
}

interface InputNames {
  readonly byTrace: ReadonlyMap<string, WriteInput>
  readonly byId: ReadonlyMap<string, WriteInput>
  readonly byKey: ReadonlyMap<string, WriteInput>
}

function nameInputs(inputs: readonly WriteInput[]): InputNames {
  return {
    byTrace: new Map(inputs.map((input) => [input.traceId, input])),
    byId: new Map(inputs.flatMap((input) => (input.crmId === null ? [] : [[input.crmId, input]]))),
    byKey: new Map(inputs.map((input) => [input.key, input])),
  }
}

function inputOfRecord(record: HubspotRecord, names: InputNames, keyProperty: string) {
  return (
    names.byTrace.get(record.objectWriteTraceId ?? '') ??
    names.byId.get(record.id) ??
    names.byKey.get(record.properties[keyProperty] ?? '')
  )
}

function inputsOfError(
  error: HubspotErrorBody,
  inputs: readonly WriteInput[],
  names: InputNames,
): readonly WriteInput[] {
  if (inputs.length === 1) return inputs
  const traceIds = error.context?.['objectWriteTraceId'] ?? []
  const ids = [...(error.context?.['ids'] ?? []), ...(error.context?.['id'] ?? [])]
  return [
    ...traceIds.map((traceId) => names.byTrace.get(traceId)),
    ...ids.map((id) => names.byId.get(id) ?? names.byKey.get(id)),
  ].filter((input) => input !== undefined)
}

function errorOutcome(input: WriteInput, error: HubspotErrorBody, answer: Answer): MatchedOutcome {
  if (input.crmId !== null && isAbsence(error)) return { kind: 'absent' }
  const correlationId = answer.headers['x-hubspot-correlation-id'] ?? null
  return refusedOutcome(input, refusalOfError(error, answer.status, correlationId))
}

function writtenOutcome(record: HubspotRecord): WriteOutcome {
  return { kind: 'written', crmId: record.id, created: record.new === true }
}
