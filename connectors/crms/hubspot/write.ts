import type {
  CrmObject,
  CrmWrite,
  WriteOptions,
  WriteOutcome,
} from '../../../src/core/ports/crm.ts'
import type { CallFailure } from './classify-error.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import { type MatchedOutcome, matchOutcomes, refusedOutcome } from './match-outcomes.ts'
import { MAX_BATCH } from './records.ts'
import { NON_UNIQUE_PROPERTY, type Refusal } from './refusal.ts'
import { chunks, failureToThrow, type Session, sendSettled } from './session.ts'
import type { Call } from './transport.ts'
import { parseRecord } from './wire-shapes.ts'
import { toWriteInputs, type UnsendableWrite, type WriteInput } from './write-inputs.ts'

/** Refused for every record alike: who carries such a property is known without trying each. */
const REFUSED_FOR_ALL = 'PROPERTY_DOESNT_EXIST'
/** So many records that are refused alike may mean that all will be. */
const ALIKE = 3

/**
 * Updates by record id, upserts by our own key, at most 100 a call.
 * Throws only while nothing is settled. Afterwards a failure leaves the rest `unknown`, sent or not:
 * a throw would lose what was written, and reading settles both.
 */
export async function writeRecords(
  session: Session,
  object: CrmObject,
  writes: readonly CrmWrite[],
  signal: AbortSignal,
  options: WriteOptions = {},
): Promise<WriteOutcome[]> {
  const { inputs, unsendable } = toWriteInputs(writes, session.keyProperty[object])
  const settled = await sendAll(session, object, inputs, options, signal)
  await lookIntoAbsent(session, object, settled, signal)
  const outcomes = writes.map((): WriteOutcome => ({ kind: 'unknown' }))
  for (const [input, outcome] of settled) {
    if (outcome.kind === 'absent') continue
    for (const position of input.positions) outcomes[position] = outcome
  }
  for (const write of unsendable) outcomes[write.position] = noValue(write)
  return outcomes
}

async function sendAll(
  session: Session,
  object: CrmObject,
  inputs: readonly WriteInput[],
  { refusedAlike }: WriteOptions,
  signal: AbortSignal,
): Promise<Map<WriteInput, MatchedOutcome>> {
  const settled = new Map<WriteInput, MatchedOutcome>()
  const told = new Set<string>()
  const queue = [
    ...chunks(inputs.filter(isUpdate), MAX_BATCH),
    ...chunks(
      inputs.filter((input) => !isUpdate(input)),
      MAX_BATCH,
    ),
  ]
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const call = isUpdate(batch[0])
      ? updateCall(session, object, batch)
      : upsertCall(session, object, batch)
    const result = await sendSettled(session, call, signal)
    if (result.ok) {
      const matched = matchOutcomes(batch, result.answer, session.keyProperty[object])
      for (const [input, outcome] of matched.outcomes) settled.set(input, outcome)
      queue.unshift(...halves(matched.doubted))
    } else if (isAboutBatch(result.failure)) {
      queue.unshift(...divide(batch, result.failure.refusal, settled))
    } else if (settled.size > 0 || mayHaveHappened(result.failure)) {
      return settled
    } else {
      throw failureToThrow(result.failure, call.endpoint)
    }
    for (const reason of alike(settled.values(), told)) {
      if (refusedAlike && !(await refusedAlike(reason))) return settled
    }
  }
  return settled
}

/** For what several records were refused, of one property and in one way; each such reason once. */
function alike(outcomes: Iterable<MatchedOutcome>, told: Set<string>): string[] {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) {
    if (outcome.kind !== 'rejected' || !outcome.property) continue
    const reason = `${outcome.code} ${outcome.property}`
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const news = [...counts].flatMap(([reason, n]) => (n < ALIKE || told.has(reason) ? [] : [reason]))
  for (const reason of news) told.add(reason)
  return news
}

/** False when no record can pass: our own key is not unique in this account. */
function isAboutBatch(failure: CallFailure): failure is CallFailure & { kind: 'refused' } {
  return failure.kind === 'refused' && failure.refusal.code !== NON_UNIQUE_PROPERTY
}

function mayHaveHappened(failure: CallFailure): boolean {
  return failure.kind === 'failed' && failure.mayHaveHappened
}

/** Settles those that the refusal is about, and returns the batches to send instead. */
function divide(
  batch: readonly WriteInput[],
  refusal: Refusal,
  settled: Map<WriteInput, MatchedOutcome>,
): WriteInput[][] {
  const { property } = refusal
  const culprits =
    refusal.code === REFUSED_FOR_ALL && property !== null
      ? batch.filter((input) => Object.hasOwn(input.properties, property))
      : []
  if (batch.length > 1 && culprits.length === 0) return halves(batch)
  for (const input of culprits.length > 0 ? culprits : batch) {
    const isAbsent = refusal.status === 404 && isUpdate(input)
    settled.set(input, isAbsent ? { kind: 'absent' } : refusedOutcome(input, refusal))
  }
  const rest = batch.filter((input) => !settled.has(input))
  return rest.length > 0 ? [rest] : []
}

function halves(batch: readonly WriteInput[]): WriteInput[][] {
  return chunks(batch, Math.max(1, Math.ceil(batch.length / 2)))
}

/** Asks for each record that was not found by itself: this read follows merges, the batch calls do not. */
async function lookIntoAbsent(
  session: Session,
  object: CrmObject,
  settled: Map<WriteInput, MatchedOutcome>,
  signal: AbortSignal,
): Promise<void> {
  const path = OBJECT_PATHS[object]
  for (const [input, { kind }] of settled) {
    const { crmId } = input
    if (kind !== 'absent' || crmId === null) continue
    const call: Call = {
      kind: 'read',
      endpoint: `GET ${path}/{id}`,
      invoke: (options) =>
        session.apis.record.getById(path, crmId, [], [], [], false, undefined, options),
    }
    const result = await sendSettled(session, call, signal)
    if (!result.ok && result.failure.kind === 'failed') return
    if (!result.ok && result.failure.kind === 'refused') {
      if (result.failure.refusal.status === 404) settled.set(input, { kind: 'missing' })
      continue
    }
    const id = result.ok ? parseRecord(result.answer.body)?.id : undefined
    if (id !== undefined && id !== crmId) settled.set(input, { kind: 'moved', crmId: id })
  }
}

function updateCall(session: Session, object: CrmObject, batch: readonly WriteInput[]): Call {
  const path = OBJECT_PATHS[object]
  const inputs = batch.map(({ crmId, traceId, properties }) => ({
    id: crmId ?? '',
    objectWriteTraceId: traceId,
    properties: { ...properties },
  }))
  return {
    kind: 'write',
    endpoint: `POST ${path}/batch/update`,
    invoke: (options) => session.apis.records.update(path, { inputs }, options),
  }
}

function upsertCall(session: Session, object: CrmObject, batch: readonly WriteInput[]): Call {
  const path = OBJECT_PATHS[object]
  const inputs = batch.map(({ key, traceId, properties }) => ({
    id: key,
    idProperty: session.keyProperty[object],
    objectWriteTraceId: traceId,
    properties: { ...properties },
  }))
  return {
    kind: 'write',
    endpoint: `POST ${path}/batch/upsert`,
    invoke: (options) => session.apis.records.upsert(path, { inputs }, options),
  }
}

function isUpdate(input: WriteInput | undefined): boolean {
  return input !== undefined && input.crmId !== null
}

function noValue({ property }: UnsendableWrite): WriteOutcome {
  const reason = `Property ${property} is neither a finite number nor another value that HubSpot has; nothing was sent.`
  return { kind: 'rejected', reason, code: 'NO_VALUE', correlationId: null }
}
