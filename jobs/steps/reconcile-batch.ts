import { sql } from 'kysely'
import type { CrmWrite, WriteOutcome } from '../../src/core/ports/crm.ts'
import { afterWrite, beforeWrite, withParked } from '../../src/core/sync/seen-record.ts'
import {
  BUSY,
  type CrmRecordRow,
  type RecordUpdate,
  storeOutcomes,
} from '../../src/infra/postgres/crm-record-store.ts'
import { noteInCrm } from '../../src/infra/postgres/freshness-store.ts'
import { eachInFlight } from '../in-flight.ts'
import { hashOf } from './field-edits.ts'
import { noteFoundCompanies, noteUnder } from './found-companies.ts'
import { type Located, locate, park, type Turn } from './locate.ts'
import { knownOf, nextOf, type PlannedWrite } from './plan-write.ts'
import { putAway } from './put-away.ts'
import { readDoubtful, readGuarded } from './read-before-write.ts'
import { type ReconcileScope, recordUpdate, type WritingScope } from './reconcile-scope.ts'

/** Write calls of one slice that are under way at a time. */
const WRITES_AT_ONCE = 3

/**
 * Brings some records of one object where they should be: find, read what is in doubt, write what
 * differs, note each outcome as it comes.
 */
export async function reconcileBatch(
  scope: WritingScope,
  rows: readonly CrmRecordRow[],
  turn: Turn,
): Promise<void> {
  // Whom somebody held just now is sent again by the next run, and not at once.
  const free = rows.filter(({ ref }) => !scope.busy.has(ref))
  const found = await locate(scope, free, turn)
  await noteFoundCompanies(scope, found)
  const located = await readDoubtful(scope, found)
  const writes: PlannedWrite[] = []
  const leaving: Located[] = []
  const settled: RecordUpdate[] = []
  for (const at of await readGuarded(scope, located)) {
    const next = nextOf(scope, at)
    if ('update' in next) settled.push(next.update)
    else if ('properties' in next) writes.push(next)
    else leaving.push(next.leaves)
  }
  await storeOutcomes(scope.context.db, scope.crm.name, settled)
  await noteInCrm(scope.context.db, scope.crm.name, refsOf(settled))
  await turn.free
  await eachInFlight(lanesOf(scope, batchesOf(scope, writes)), WRITES_AT_ONCE, async (lane) => {
    for (const batch of lane) await writeSome(scope, batch)
  })
  if (leaving.length > 0) await putAway(scope, leaving)
}

const refsOf = (updates: readonly RecordUpdate[]): string[] => updates.map(({ ref }) => ref)

/** Updates and creates are different calls; records in doubt go in smaller batches. */
function batchesOf(
  { doubts, crm }: ReconcileScope,
  writes: readonly PlannedWrite[],
): PlannedWrite[][] {
  const groups = new Map<string, PlannedWrite[]>()
  for (const write of writes) {
    const { row, crmId } = write.at
    const kind = crmId === null ? 'create' : `update ${crm.kindOf?.(crmId) ?? ''}`
    const name = `${kind} ${doubts.batchSize(row.ref)}`
    const group = groups.get(name)
    if (group) group.push(write)
    else groups.set(name, [write])
  }
  return [...groups.values()].flatMap((group) => {
    const size = doubts.batchSize(group[0]?.at.row.ref ?? '')
    // Who works through many at once knows best how to cut them.
    if (size === crm.maxBatch && crm.bulkFrom !== undefined) return [group]
    const count = Math.ceil(group.length / size)
    return Array.from({ length: count }, (_, i) => group.slice(i * size, (i + 1) * size))
  })
}

/** True where records lie under companies, which the CRM locks as it writes them. */
export function isUnderCompany({ crm, object }: Pick<ReconcileScope, 'crm' | 'object'>): boolean {
  return crm.writesUnderCompany === true && object === 'contact'
}

/** Batches that share a company go one after the other, all others side by side. */
function lanesOf(
  scope: ReconcileScope,
  batches: readonly (readonly PlannedWrite[])[],
): (readonly PlannedWrite[])[][] {
  if (!isUnderCompany(scope)) return batches.map((batch) => [batch])
  const lanes: {
    readonly companies: Set<string>
    readonly batches: (readonly PlannedWrite[])[]
  }[] = []
  for (const batch of batches) {
    const lane = { companies: new Set(batch.flatMap(({ at }) => at.row.companyRef ?? [])) }
    const shared = lanes.filter((other) =>
      [...other.companies].some((one) => lane.companies.has(one)),
    )
    for (const other of shared) {
      lanes.splice(lanes.indexOf(other), 1)
      for (const company of other.companies) lane.companies.add(company)
    }
    lanes.push({ ...lane, batches: [...shared.flatMap((other) => other.batches), batch] })
  }
  return lanes.map((lane) => lane.batches)
}

async function writeSome(scope: ReconcileScope, planned: readonly PlannedWrite[]): Promise<void> {
  const { db } = scope.context
  if (scope.plan.problem) throw scope.plan.problem
  const begun = planned.map((write) => begin(scope, write))
  // Noted before the call: who dies now finds records in doubt, and reads them.
  const noted = await storeOutcomes(
    db,
    scope.crm.name,
    begun.map(({ at, ledger }) => recordUpdate({ ...at, ledger }, 'writing')),
  )
  // What was found to be otherwise since we looked is looked at again.
  const batch = begun
    .filter(({ at }) => noted.has(at.row.ref))
    .map((write) => ({ ...write, at: { ...write.at, turn: null } }))
  if (batch.length === 0) return
  const companies = await companiesFor(scope, batch)
  const writes: CrmWrite[] = batch.map(({ at, properties }) => ({
    ref: at.row.ref,
    key: at.row.ref,
    crmId: at.crmId,
    properties,
    ...(companies ? { companyId: companies.get(at.row.companyRef ?? '') ?? null } : {}),
    ...(at.company === null ? { putUnder: true } : {}),
  }))
  const outcomes = await scope.crm.write(scope.object, writes, scope.signal, {
    refusedAlike: scope.plan.refusedAlike,
  })
  const updates = batch.map((write, index) => settle(scope, write, outcomes[index]))
  await storeOutcomes(db, scope.crm.name, updates)
  await noteInCrm(db, scope.crm.name, refsOf(updates))
  await noteUnder(scope, writes, outcomes)
  if (scope.plan.problem) throw scope.plan.problem
  const paused = outcomes.find((outcome) => outcome.kind === 'busy' && outcome.pause)
  if (paused?.kind === 'busy' && paused.pause) throw paused.pause
  const refs = (isDoubtful: boolean) =>
    updates
      .filter(({ ref, state }) => (state === 'writing') === isDoubtful && !scope.busy.has(ref))
      .map(({ ref }) => ref)
  const [settled, doubtful] = [refs(false), refs(true)]
  if (settled.length + doubtful.length > 0) scope.doubts.answered(settled, doubtful)
}

/** The companies of contacts, by our id, for a CRM that wants to know; null for any other. */
async function companiesFor(
  { context, crm, object }: ReconcileScope,
  batch: readonly PlannedWrite[],
): Promise<ReadonlyMap<string, string | null> | null> {
  if (!isUnderCompany({ crm, object })) return null
  const refs = new Set(batch.flatMap(({ at }) => at.row.companyRef ?? []))
  if (refs.size === 0) return null
  const rows = await context.db
    .selectFrom('crm_record')
    .select(['ref', 'crm_id'])
    .where('crm', '=', crm.name)
    .where('object', '=', 'company')
    .where(sql<boolean>`ref = any(${[...refs]}::text[])`)
    .execute()
  return new Map(rows.map(({ ref, crm_id }) => [ref, crm_id]))
}

/** A write with what is remembered of it from its first moment on. */
interface BegunWrite extends PlannedWrite {
  readonly ledger: Located['ledger']
}

function begin(scope: ReconcileScope, write: PlannedWrite): BegunWrite {
  const { context, rules } = scope
  const now = context.clock().getTime()
  const { at, next } = write
  const known = { ...knownOf(scope, at), ledger: withParked(at.ledger, next.fields) }
  return { ...write, ledger: beforeWrite(rules, known, next, now, hashOf) }
}

function settle(
  scope: ReconcileScope,
  { at, ledger, properties, next }: BegunWrite,
  outcome: WriteOutcome | undefined,
): RecordUpdate {
  switch (outcome?.kind) {
    case 'written': {
      scope.run.count(outcome.created ? 'created' : 'written')
      const known = { ...knownOf(scope, at), ledger }
      const { seen: written, ledger: settled } = afterWrite(scope.rules, known, properties)
      const created = at.created || outcome.created
      // Who leaves for good is put away in the next round.
      const state = at.row.onLeave === 'archive' ? 'pending' : 'in-sync'
      const dueAt = next.wakeAt === null ? null : new Date(next.wakeAt)
      return recordUpdate(
        { ...at, crmId: outcome.crmId, written, created, ledger: settled },
        state,
        {
          dueAt,
        },
      )
    }
    case 'rejected': {
      const { reason, code, correlationId } = outcome
      park(scope, at.row.ref, reason, correlationId)
      return recordUpdate(at, 'parked', { reason, code, correlationId })
    }
    case 'moved':
    case 'exists':
      // Whatever it was, it is now somebody else's record too.
      return recordUpdate({ ...at, crmId: outcome.crmId, written: null, created: false }, 'pending')
    case 'missing': {
      const gone = { ...at, crmId: null, written: null, created: false, ledger: {} }
      return { ...recordUpdate(gone, 'pending'), gone: true }
    }
    case 'busy': {
      scope.run.count('busy')
      scope.busy.add(at.row.ref)
      const reason =
        'somebody else holds it in the CRM, or there is no room; it is sent again later'
      return recordUpdate(at, 'pending', { reason, code: BUSY })
    }
    case 'unknown':
    case undefined:
      return recordUpdate({ ...at, ledger }, 'writing')
  }
}
