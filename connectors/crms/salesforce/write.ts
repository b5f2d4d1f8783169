import { setTimeout as sleep } from 'node:timers/promises'
import type { CrmObject, CrmWrite, WriteOutcome } from '../../../src/core/ports/crm.ts'
import { hasBulkRoom } from './bulk-room.ts'
import { writeInBulk } from './bulk-write.ts'
import { type Collected, errorsIn, MAX_BATCH, updateRecords, upsertRecords } from './collections.ts'
import { describe, type ObjectDescription } from './describe.ts'
import { matchedDuplicates } from './duplicates.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { heirsOf } from './lost-records.ts'
import { createdAs, OBJECTS, type RecordObject } from './objects.ts'
import {
  LOCKED_AFTER_MS,
  LOCKED_ROUNDS,
  limitAmong,
  type RowOutcome,
  type Settling,
  toOutcome,
} from './row-outcome.ts'
import { chunks, type Session } from './session.ts'
import type { WireError } from './wire-errors.ts'
import { toWriteInputs, type WriteInput } from './write-inputs.ts'

const UNKNOWN: WriteOutcome = { kind: 'unknown' }

/**
 * Writes every record once and reports on each. Records are updated by id, and created by upsert on our own
 * key. Throws only while nothing was sent; what was not sent after that is `unknown` like what was doubtful.
 * A limit that single rows tell is in the outcomes of those rows.
 */
export async function writeRecords(
  session: Session,
  object: CrmObject,
  writes: readonly CrmWrite[],
  signal: AbortSignal,
): Promise<WriteOutcome[]> {
  const described = await describeAll(session, object, signal)
  const createAs = createdAs(object, session.rules)
  const { inputs, unsendable } = toWriteInputs(writes, {
    keyField: session.keyField[object],
    createAs,
    describe: (one) => described.get(one) ?? missingDescription(one),
  })
  const outcomes: WriteOutcome[] = writes.map(() => UNKNOWN)
  for (const { position, code, reason } of unsendable) {
    outcomes[position] = { kind: 'rejected', reason, code, correlationId: null }
  }
  const state: Settling = { settled: new Map(), unsent: null, isUnderWay: false }
  await sendAll(session, object, inputs, state, signal)
  if (state.unsent !== null && !state.isUnderWay) throw state.unsent
  const without = await sendWithoutAccount(session, object, inputs, state, signal)
  await lookInto(session, object, state, signal)
  for (const input of inputs) {
    const sent = without.get(input) ?? input
    const outcome = final(state.settled.get(sent) ?? UNKNOWN)
    const isUnder = sent.isUnder && outcome.kind === 'written'
    const told = isUnder ? { ...outcome, isUnder } : outcome
    for (const position of input.positions) outcomes[position] = told
  }
  return outcomes
}

/**
 * A contact that is refused with its account may be refused for it: it is sent once more, and left where it is.
 * @returns what was sent in place of what.
 */
async function sendWithoutAccount(
  session: Session,
  object: CrmObject,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<ReadonlyMap<WriteInput, WriteInput>> {
  const refused = inputs.filter((input) => {
    const kind = state.settled.get(input)?.kind
    return input.isUnder && hasId(input) && (kind === 'rejected' || kind === 'absent')
  })
  const without = new Map(refused.map((input) => [input, withoutAccount(input)]))
  if (state.unsent !== null || refused.length === 0) return new Map()
  for (const input of refused) state.settled.delete(input)
  await sendBatches(session, object, chunks([...without.values()], MAX_BATCH), state, signal)
  return without
}

function withoutAccount(input: WriteInput): WriteInput {
  const { AccountId: _, ...fields } = input.fields
  return { ...input, fields, isUnder: false }
}

async function describeAll(session: Session, object: CrmObject, signal: AbortSignal) {
  const described = new Map<RecordObject, ObjectDescription>()
  for (const one of OBJECTS[object]) described.set(one, await describe(session, one, signal))
  return described
}

/** Updates before creates, each object by itself; more than some at once as a job of the Bulk API. */
async function sendAll(
  session: Session,
  object: CrmObject,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  for (const isUpdate of [true, false]) {
    for (const one of [...OBJECTS[object]]) {
      const some = inputs.filter((input) => input.object === one && isUpdate === hasId(input))
      await sendSome(session, object, some, state, signal)
      if (state.unsent !== null) return
      await repeatLocked(session, object, some, state, signal)
      if (state.unsent !== null) return
    }
  }
}

/** As a job where there are many. */
async function sendSome(
  session: Session,
  object: CrmObject,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  const { bulkFrom } = session.rules
  // What a duplicate rule says of a new record, a job tells without the record that is there.
  const isMany = bulkFrom !== null && inputs.length >= bulkFrom
  const inBulk = isMany && (await hasBulkRoom(session, inputs.length, signal))
  if (inBulk) await writeInBulk(session, session.keyField[object], inputs, state, signal)
  else await sendBatches(session, object, chunks(inputs, MAX_BATCH), state, signal)
}

/** Sends batches in turn; a batch that is refused as a whole is halved until the culprit is alone. */
async function sendBatches(
  session: Session,
  object: CrmObject,
  batches: readonly (readonly WriteInput[])[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  const queue = batches.map((batch) => [...batch])
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const [first, ...others] = batch
    if (first === undefined) continue
    const answer = await sendBatch(session, object, batch, signal)
    if (answer.ok) {
      state.isUnderWay = true
      batch.forEach(
        (input, index) => void state.settled.set(input, toOutcome(input, answer.saved[index])),
      )
      state.unsent = limitAmong(errorsIn(answer.saved))
      if (state.unsent !== null) return
      continue
    }
    const { failure } = answer
    if (failure.kind === 'refused') {
      if (others.length === 0) state.settled.set(first, refusedAlone(first, failure.errors))
      else queue.unshift(...chunks(batch, Math.ceil(batch.length / 2)))
      continue
    }
    if (!failure.mayHaveHappened) {
      state.unsent = failure.error
      return
    }
    state.isUnderWay = true
    for (const input of batch) state.settled.set(input, UNKNOWN)
  }
}

function sendBatch(
  session: Session,
  object: CrmObject,
  batch: readonly WriteInput[],
  signal: AbortSignal,
): Promise<Collected> {
  const target = batch[0]?.object ?? 'Account'
  if (batch.some(({ crmId }) => crmId === null)) {
    const allowDuplicates = session.rules.duplicates === 'save'
    const records = batch.map(({ fields }) => fields)
    const key = session.keyField[object]
    return upsertRecords(session, target, key, records, { allowDuplicates }, signal)
  }
  const records = batch.map(({ crmId, fields }) => ({ id: crmId ?? '', fields }))
  // Nothing becomes a duplicate by a score: where a rule only warns, the update goes through.
  return updateRecords(session, target, records, { allowDuplicates: true }, signal)
}

/** Only the rows that somebody else held, by themselves, and not at once. */
async function repeatLocked(
  session: Session,
  object: CrmObject,
  inputs: readonly WriteInput[],
  state: Settling,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; round < LOCKED_ROUNDS; round++) {
    const locked = inputs.filter((input) => state.settled.get(input)?.kind === 'locked')
    if (locked.length === 0 || signal.aborted) return
    const waitMs = LOCKED_AFTER_MS * 2 ** round
    await sleep(waitMs, undefined, { signal }).catch(() => undefined)
    const goesByCall = (input: WriteInput) => isBeyondJobs(state.settled.get(input))
    await sendSome(
      session,
      object,
      locked.filter((input) => !goesByCall(input)),
      state,
      signal,
    )
    if (state.unsent !== null) return
    const calls = chunks(locked.filter(goesByCall), MAX_BATCH)
    await sendBatches(session, object, calls, state, signal)
    if (state.unsent !== null) return
  }
}

/** Where the record is now that could not be written, and which one a duplicate rule meant. */
async function lookInto(
  session: Session,
  object: CrmObject,
  { settled }: Settling,
  signal: AbortSignal,
): Promise<void> {
  const open = (kind: RowOutcome['kind']) =>
    [...settled].flatMap(([input, outcome]) => (outcome.kind === kind ? [input] : []))
  const lost = [...open('absent'), ...open('converted')]
  const ids = lost.flatMap(({ crmId }) => crmId ?? [])
  const heirs = await heirsOf(session, ids, signal)
  for (const input of lost) {
    const heir = input.crmId === null ? undefined : heirs?.get(input.crmId)
    // Not refused: nobody could be asked where it is.
    if (heirs === null) settled.set(input, UNKNOWN)
    else if (heir === null) settled.set(input, { kind: 'missing' })
    else if (heir !== undefined) settled.set(input, { kind: 'moved', crmId: heir })
  }
  if (session.rules.duplicates === 'park') return
  const doubles = open('duplicate').filter(({ crmId }) => crmId === null)
  const matched = await matchedDuplicates(session, session.keyField[object], doubles, signal)
  for (const [input, outcome] of matched) settled.set(input, outcome)
}

/** A call about one record that was refused as a whole. */
function refusedAlone(input: WriteInput, errors: readonly WireError[]): RowOutcome {
  const [error] = errors
  return error ? toOutcome(input, { kind: 'error', error }) : UNKNOWN
}

/** What was left open to the end: held all the time, without room, or refused for good. */
function final(outcome: RowOutcome): WriteOutcome {
  if (outcome.kind === 'locked') return { kind: 'busy' }
  if (outcome.kind === 'limit') {
    const pause = limitAmong([outcome.error])
    return pause ? { kind: 'busy', pause } : { kind: 'busy' }
  }
  if (!('error' in outcome)) return outcome
  const reason = describeRowError(outcome.error, [])
  return { kind: 'rejected', reason, code: outcome.error.code || null, correlationId: null }
}

/** Whom a rule only warns about no job lets pass; and what one job did not come to, another may not either. */
const isBeyondJobs = (outcome: RowOutcome | undefined): boolean =>
  outcome?.kind === 'locked' && rowErrorKind(outcome.error) !== 'locked'
const hasId = ({ crmId }: WriteInput): boolean => crmId !== null

function missingDescription(object: string): never {
  throw new Error(`${object} was not described`)
}
