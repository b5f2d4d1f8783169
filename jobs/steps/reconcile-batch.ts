import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm, CrmObject, CrmWrite, WriteOutcome } from '../../src/core/ports/crm.ts'
import { changesToWrite, type Properties } from '../../src/core/sync/desired-record.ts'
import { knownFromRead } from '../../src/core/sync/from-crm.ts'
import {
  type CrmRecordRow,
  type RecordUpdate,
  storeOutcomes,
} from '../../src/infra/postgres/crm-record-store.ts'
import type { JobContext, RunNotes } from '../context.ts'

export interface ReconcileScope {
  readonly context: JobContext
  readonly crm: Crm
  readonly object: CrmObject
  readonly rules: ObjectMapping
  readonly signal: AbortSignal
  readonly run: RunNotes
}

/** A record on its way: which CRM record it is, and what we know that to say. */
interface Located {
  readonly row: CrmRecordRow
  readonly crmId: string | null
  readonly ownerId: string | null
  readonly written: Properties | null
}

/**
 * Brings some records of one object where they should be: find, read what is in doubt, write what
 * differs, note each outcome.
 * @returns how many are in doubt.
 */
export async function reconcileBatch(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
): Promise<number> {
  const located = await readDoubtful(scope, await locate(scope, rows))
  const writes: { at: Located; properties: Properties }[] = []
  const settled: RecordUpdate[] = []
  for (const at of located) {
    if (at.crmId === null && !at.row.mayCreate) {
      scope.run.count('unlinked')
      settled.push(update(at, 'unlinked', { reason: `no such ${scope.object} in the CRM` }))
      continue
    }
    const desired = at.crmId === null ? { ...at.row.onCreate, ...at.row.desired } : at.row.desired
    const properties = changesToWrite(desired, at.written)
    if (properties) writes.push({ at, properties })
    else settled.push(update({ ...at, written: at.row.desired }, 'in-sync'))
  }
  await storeOutcomes(scope.context.db, scope.crm.name, settled)
  let unknown = 0
  for (let from = 0; from < writes.length; from += scope.crm.maxBatch) {
    unknown += await writeSome(scope, writes.slice(from, from + scope.crm.maxBatch))
  }
  return unknown
}

/** Finds the CRM records of those that have none yet. */
async function locate(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
): Promise<readonly Located[]> {
  const lost = rows.filter((row) => row.crmId === null && isFindable(row))
  const found = await scope.crm.find(
    scope.object,
    lost.map((row) => ({
      ref: row.ref,
      key: row.ref,
      ...row.lookup,
      thorough: row.lookup.thorough,
    })),
    scope.signal,
  )
  const candidates = new Map(lost.map((row, index) => [row.ref, found[index] ?? []]))
  const known = rows.flatMap((row) => (row.crmId === null ? [] : [row.crmId]))
  const seen = [...candidates.values()].flat().map((found) => found.crmId)
  const owners = await ownersOf(scope, [...known, ...seen])
  const taken = new Map<string, string>()
  const located: Located[] = []
  const clashes: RecordUpdate[] = []
  for (const row of rows) {
    const best = (candidates.get(row.ref) ?? [])[0]
    const crmId = row.crmId ?? best?.crmId ?? null
    const at = { row, crmId, ownerId: best?.ownerId ?? row.ownerId, written: row.written }
    const rival = crmId === null ? undefined : (taken.get(crmId) ?? owners.get(crmId))
    if (crmId !== null && rival !== undefined && rival !== row.ref) {
      const reason = `is the same ${scope.object} in the CRM as ${rival}; merge the two or part their addresses`
      clashes.push(update({ ...at, crmId: null }, 'parked', { reason }))
      scope.run.note({ ref: row.ref, outcome: 'parked', reason, correlationId: null })
      scope.run.count('parked')
      continue
    }
    if (crmId !== null) taken.set(crmId, row.ref)
    located.push(at)
  }
  await storeOutcomes(scope.context.db, scope.crm.name, clashes)
  return located
}

/** Somebody without an address was never in the CRM, and cannot be found there. */
function isFindable(row: CrmRecordRow): boolean {
  return row.mayCreate || row.lookup.emails.length > 0 || row.lookup.domains.length > 0
}

/** Which of these CRM records a record of ours was written to already. */
async function ownersOf(
  scope: ReconcileScope,
  crmIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (crmIds.length === 0) return new Map()
  const rows = await scope.context.db
    .selectFrom('crm_record')
    .select(['crm_id', 'ref'])
    .where('crm', '=', scope.crm.name)
    .where('object', '=', scope.object)
    .where('crm_id', 'in', [...new Set(crmIds)])
    .where('written', 'is not', null)
    .orderBy('ref', 'desc')
    .execute()
  return new Map(rows.flatMap((row) => (row.crm_id === null ? [] : [[row.crm_id, row.ref]])))
}

/** Reads the records of which we do not know what they say: new to us, or left in the middle of a write. */
async function readDoubtful(
  scope: ReconcileScope,
  located: readonly Located[],
): Promise<readonly Located[]> {
  const doubtful = located.filter(
    (at) => at.crmId !== null && (at.written === null || at.row.state === 'writing'),
  )
  if (doubtful.length === 0) return located
  const ids = doubtful.flatMap((at) => (at.crmId === null ? [] : [at.crmId]))
  const names = [scope.rules.key.property, ...Object.keys(scope.rules.properties)]
  const read = await scope.crm.read(scope.object, ids, names, scope.signal)
  const doubted = new Set(doubtful)
  return located.map((at) => {
    if (!doubted.has(at) || at.crmId === null) return at
    const values = read.get(at.crmId)
    if (!values) return { ...at, written: null }
    const ours = values[scope.rules.key.property] === at.row.ref
    const known = knownFromRead(at.row.desired, values)
    // Without our key on it, the record is written even if all else agrees.
    return { ...at, written: ours ? known : {} }
  })
}

async function writeSome(
  scope: ReconcileScope,
  batch: readonly { readonly at: Located; readonly properties: Properties }[],
): Promise<number> {
  const { db } = scope.context
  // Noted before the call: who dies now finds records in doubt, and reads them.
  await storeOutcomes(
    db,
    scope.crm.name,
    batch.map(({ at }) => update(at, 'writing')),
  )
  const writes: CrmWrite[] = batch.map(({ at, properties }) => ({
    ref: at.row.ref,
    key: at.row.ref,
    crmId: at.crmId,
    properties,
  }))
  const outcomes = await scope.crm.write(scope.object, writes, scope.signal)
  const updates = batch.map(({ at }, index) => settle(scope, at, outcomes[index]))
  await storeOutcomes(db, scope.crm.name, updates)
  return updates.filter((u) => u.state === 'writing').length
}

function settle(
  scope: ReconcileScope,
  at: Located,
  outcome: WriteOutcome | undefined,
): RecordUpdate {
  switch (outcome?.kind) {
    case 'written':
      scope.run.count(outcome.created ? 'created' : 'written')
      return update({ ...at, crmId: outcome.crmId, written: at.row.desired }, 'in-sync')
    case 'rejected': {
      scope.run.count('parked')
      const { reason, code, correlationId } = outcome
      scope.run.note({ ref: at.row.ref, outcome: 'parked', reason, correlationId })
      return update(at, 'parked', { reason, code, correlationId })
    }
    case 'moved':
    case 'exists':
      return update({ ...at, crmId: outcome.crmId, written: null }, 'pending')
    case 'missing':
      return update({ ...at, crmId: null, written: null }, 'pending')
    case 'unknown':
    case undefined:
      return update(at, 'writing')
  }
}

function update(
  at: Located,
  state: RecordUpdate['state'],
  why: Partial<Pick<RecordUpdate, 'reason' | 'code' | 'correlationId'>> = {},
): RecordUpdate {
  return {
    ref: at.row.ref,
    desired: at.row.desired,
    state,
    crmId: at.crmId,
    ownerId: at.ownerId,
    written: at.written,
    reason: why.reason ?? null,
    code: why.code ?? null,
    correlationId: why.correlationId ?? null,
  }
}
