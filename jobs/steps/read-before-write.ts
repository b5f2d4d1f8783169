import type { PropertyMapping } from '../../src/core/mapping/crm-mapping.ts'
import { protectsEdits } from '../../src/core/mapping/field-policy.ts'
import { nextWrite } from '../../src/core/sync/next-write.ts'
import { afterRead, type ReadValues } from '../../src/core/sync/seen-record.ts'
import { type NotedEdit, noteEdits } from '../../src/infra/postgres/crm-edit-store.ts'
import { type RecordUpdate, storeOutcomes } from '../../src/infra/postgres/crm-record-store.ts'
import { editsOf, hashOf } from './field-edits.ts'
import { clashWith, keyHolder, type Located, park, propertiesToRead, readKeyed } from './locate.ts'
import { knownOf } from './plan-write.ts'
import { type ReconcileScope, recordUpdate } from './reconcile-scope.ts'

/** Reads the records of which we do not know what they say: new to us, or left in the middle of a write. */
export async function readDoubtful(
  scope: ReconcileScope,
  located: readonly Located[],
): Promise<readonly Located[]> {
  const inDoubt = located.flatMap(({ crmId, written, row, said }) =>
    crmId !== null && (written === null || row.state === 'writing') ? [{ crmId, said }] : [],
  )
  const said = new Map(inDoubt.flatMap(({ crmId, said }) => (said ? [[crmId, said]] : [])))
  return readAnew(
    scope,
    located,
    inDoubt.map(({ crmId }) => crmId),
    said,
  )
}

/**
 * Reads what is about to be written over, where what somebody else wrote may stand: between two looks at a record
 * anybody may have changed it.
 */
export async function readGuarded(
  scope: ReconcileScope,
  located: readonly Located[],
): Promise<readonly Located[]> {
  const declared: Readonly<Record<string, PropertyMapping>> = scope.rules.properties
  const guarded = new Set(
    Object.keys(declared).filter((name) => declared[name] && protectsEdits(declared[name])),
  )
  if (guarded.size === 0) return located
  const now = scope.context.clock().getTime()
  const ids = located.flatMap((at) => {
    if (at.crmId === null || at.written === null || at.row.state === 'writing') return []
    const { properties } = nextWrite(scope.rules, knownOf(scope, at), now)
    return Object.keys(properties ?? {}).some((name) => guarded.has(name)) ? [at.crmId] : []
  })
  return readAnew(scope, located, ids)
}

/** @param said what some of them were found to say just now: these are not read again. */
async function readAnew(
  scope: ReconcileScope,
  located: readonly Located[],
  ids: readonly string[],
  said: ReadonlyMap<string, ReadValues> = new Map(),
): Promise<readonly Located[]> {
  if (ids.length === 0) return located
  const key = scope.rules.key.property
  const unread = ids.filter((id) => !said.has(id))
  const read = new Map([...said, ...(await readUnread(scope, unread))])
  const asked = new Set(ids)
  const keys = [...read.values()].flatMap((values) => values[key] ?? [])
  const keyed = await readKeyed(
    scope,
    keys.filter((value) => value !== ''),
  )
  const clashes: RecordUpdate[] = []
  const edits: NotedEdit[] = []
  const known = located.flatMap((at): Located[] => {
    if (at.crmId === null || !asked.has(at.crmId)) return [at]
    const values = read.get(at.crmId)
    if (!values) return [{ ...at, written: null }]
    const holder = keyHolder(keyed, at.row.ref, at.crmId, values[key] ?? null)
    if (holder === null) return [taken(scope, at, values, values[key] !== at.row.ref, edits)]
    const reason = clashWith(scope.object, holder)
    const apart = { ...at, crmId: null, written: null, created: false }
    clashes.push(recordUpdate(apart, 'parked', { reason }))
    park(scope, at.row.ref, reason)
    return []
  })
  await storeOutcomes(scope.context.db, scope.crm.name, clashes)
  await noteEdits(scope.context.db, scope.crm.name, edits, scope.context.clock())
  return known
}

async function readUnread(
  scope: ReconcileScope,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReadValues>> {
  if (ids.length === 0) return new Map()
  return scope.crm.read(scope.object, ids, propertiesToRead(scope), scope.signal)
}

function taken(
  scope: ReconcileScope,
  at: Located,
  values: ReadValues,
  unkeyed: boolean,
  edits: NotedEdit[],
): Located {
  const { rules, context, run } = scope
  const now = context.clock().getTime()
  const known = knownOf(scope, at)
  const { seen, ledger, edits: found } = afterRead(rules, known, values, now, hashOf)
  const next = { ...at, written: seen, ledger, unkeyed }
  edits.push(...editsOf(at.row.ref, found, nextWrite(rules, knownOf(scope, next), now)))
  if (found.length > 0) run.count('edits', found.length)
  return next
}
