import { sql } from 'kysely'
import type { CrmWrite, WriteOutcome } from '../../src/core/ports/crm.ts'
import { valueProblem } from '../../src/core/sync/check-values.ts'
import { changesToWrite, type Properties, saysNow } from '../../src/core/sync/desired-record.ts'
import { knownFromRead } from '../../src/core/sync/from-crm.ts'
import {
  BUSY,
  type CrmRecordRow,
  type RecordUpdate,
  storeOutcomes,
} from '../../src/infra/postgres/crm-record-store.ts'
import { eachInFlight } from '../in-flight.ts'
import { clashWith, keyHolder, type Located, locate, park, readKeyed, type Turn } from './locate.ts'
import { putAway } from './put-away.ts'
import { type ReconcileScope, recordUpdate } from './reconcile-scope.ts'

/** Write calls of one slice that are under way at a time. */
const WRITES_AT_ONCE = 3

export interface PlannedWrite {
  readonly at: Located
  readonly properties: Properties
}

/**
 * Brings some records of one object where they should be: find, read what is in doubt, write what
 * differs, note each outcome as it comes.
 */
export async function reconcileBatch(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
  turn: Turn,
): Promise<void> {
  // Whom somebody held just now is sent again by the next run, and not at once.
  const free = rows.filter(({ ref }) => !scope.busy.has(ref))
  const located = await readDoubtful(scope, await locate(scope, free, turn))
  const writes: PlannedWrite[] = []
  const leaving: Located[] = []
  const settled: RecordUpdate[] = []
  for (const at of located) {
    const next = nextOf(scope, at)
    if ('update' in next) settled.push(next.update)
    else if ('properties' in next) writes.push(next)
    else leaving.push(next.leaves)
  }
  await storeOutcomes(scope.context.db, scope.crm.name, settled)
  await turn.free
  await eachInFlight(lanesOf(scope, batchesOf(scope, writes)), WRITES_AT_ONCE, async (lane) => {
    for (const batch of lane) await writeSome(scope, batch)
  })
  if (leaving.length > 0) await putAway(scope, leaving)
}

export type Next = { readonly update: RecordUpdate } | PlannedWrite | { readonly leaves: Located }

/** What is to be done with one record. */
export function nextOf(scope: ReconcileScope, at: Located): Next {
  const { row, crmId } = at
  if (crmId === null && !row.mayCreate) {
    scope.run.count('unlinked')
    const reason = `no such ${scope.object} in the CRM`
    return { update: recordUpdate(at, 'unlinked', { reason }) }
  }
  if (crmId === null && row.deleted && scope.rules['on-delete'] === 'keep-away') {
    const reason = 'somebody deleted it in the CRM; it is not made again (on-delete: keep-away)'
    scope.run.note({ ref: row.ref, outcome: 'unlinked', reason, correlationId: null })
    scope.run.count('unlinked')
    return { update: recordUpdate(at, 'unlinked', { reason }) }
  }
  const desired = crmId === null ? { ...row.onCreate, ...row.desired } : row.desired
  const properties = changesToWrite(desired, at.written) ?? (at.unkeyed ? {} : null)
  if (!properties) {
    const same = { ...at, written: saysNow(scope.rules, row.desired, at.written) }
    return row.onLeave === 'archive' ? { leaves: same } : { update: recordUpdate(same, 'in-sync') }
  }
  const problem = valueProblem(scope.rules, properties)
  if (problem !== null) return parked(scope, at, problem, 'NO_VALUE')
  if (scope.doubts.batchSize(row.ref) === 0) {
    const reason = 'the CRM gave no certain answer whenever it was sent, even alone'
    return parked(scope, at, reason, 'NO_ANSWER')
  }
  return { at, properties }
}

function parked(scope: ReconcileScope, at: Located, reason: string, code: string): Next {
  park(scope, at.row.ref, reason)
  scope.doubts.dropped(at.row.ref)
  return { update: recordUpdate(at, 'parked', { reason, code }) }
}

/** Updates and creates are different calls; records in doubt go in smaller batches. */
function batchesOf(
  { doubts, crm }: ReconcileScope,
  writes: readonly PlannedWrite[],
): PlannedWrite[][] {
  const groups = new Map<string, PlannedWrite[]>()
  for (const write of writes) {
    const { row, crmId } = write.at
    const name = `${crmId === null ? 'create' : 'update'} ${doubts.batchSize(row.ref)}`
    groups.set(name, [...(groups.get(name) ?? []), write])
  }
  return [...groups.values()].flatMap((group) => {
    const size = doubts.batchSize(group[0]?.at.row.ref ?? '')
    const isJob =
      size === crm.maxBatch && group.length >= (crm.bulkFrom ?? Number.POSITIVE_INFINITY)
    if (isJob) return [group]
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

/** Reads the records of which we do not know what they say: new to us, or left in the middle of a write. */
async function readDoubtful(
  scope: ReconcileScope,
  located: readonly Located[],
): Promise<readonly Located[]> {
  const ids = located.flatMap(({ crmId, written, row }) =>
    crmId !== null && (written === null || row.state === 'writing') ? [crmId] : [],
  )
  if (ids.length === 0) return located
  const key = scope.rules.key.property
  const names = [key, ...Object.keys(scope.rules.properties)]
  const read = await scope.crm.read(scope.object, ids, names, scope.signal)
  const doubted = new Set(ids)
  const keys = [...read.values()].flatMap((values) => values[key] ?? [])
  const others = keys.filter((value) => value !== '')
  const keyed = await readKeyed(scope, others)
  const clashes: RecordUpdate[] = []
  const known = located.flatMap((at): Located[] => {
    if (at.crmId === null || !doubted.has(at.crmId)) return [at]
    const values = read.get(at.crmId)
    if (!values) return [{ ...at, written: null }]
    const holder = keyHolder(keyed, at.row.ref, at.crmId, values[key] ?? null)
    if (holder === null) {
      const written = knownFromRead(at.row.desired, values)
      return [{ ...at, written, unkeyed: values[key] !== at.row.ref }]
    }
    const reason = clashWith(scope.object, holder)
    const apart = { ...at, crmId: null, written: null, created: false }
    clashes.push(recordUpdate(apart, 'parked', { reason }))
    park(scope, at.row.ref, reason)
    return []
  })
  await storeOutcomes(scope.context.db, scope.crm.name, clashes)
  return known
}

async function writeSome(scope: ReconcileScope, batch: readonly PlannedWrite[]): Promise<void> {
  const { db } = scope.context
  if (scope.plan.problem) throw scope.plan.problem
  // Noted before the call: who dies now finds records in doubt, and reads them.
  await storeOutcomes(
    db,
    scope.crm.name,
    batch.map(({ at }) => recordUpdate(at, 'writing')),
  )
  const companies = await companiesFor(scope, batch)
  const writes: CrmWrite[] = batch.map(({ at, properties }) => ({
    ref: at.row.ref,
    key: at.row.ref,
    crmId: at.crmId,
    properties,
    ...(companies ? { companyId: companies.get(at.row.companyRef ?? '') ?? null } : {}),
  }))
  const outcomes = await scope.crm.write(scope.object, writes, scope.signal, {
    refusedAlike: scope.plan.refusedAlike,
  })
  const updates = batch.map(({ at }, index) => settle(scope, at, outcomes[index]))
  await storeOutcomes(db, scope.crm.name, updates)
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

function settle(
  scope: ReconcileScope,
  at: Located,
  outcome: WriteOutcome | undefined,
): RecordUpdate {
  switch (outcome?.kind) {
    case 'written': {
      scope.run.count(outcome.created ? 'created' : 'written')
      const written = saysNow(scope.rules, at.row.desired, at.written)
      const created = at.created || outcome.created
      // Who leaves for good is put away in the next round.
      const state = at.row.onLeave === 'archive' ? 'pending' : 'in-sync'
      return recordUpdate({ ...at, crmId: outcome.crmId, written, created }, state)
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
    case 'missing':
      return {
        ...recordUpdate({ ...at, crmId: null, written: null, created: false }, 'pending'),
        gone: true,
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
      return recordUpdate(at, 'writing')
  }
}
