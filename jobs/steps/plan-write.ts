import { valueProblem } from '../../src/core/sync/check-values.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { type NextWrite, nextWrite, type RecordKnown } from '../../src/core/sync/next-write.ts'
import { withParked } from '../../src/core/sync/seen-record.ts'
import type { RecordUpdate } from '../../src/infra/postgres/crm-record-store.ts'
import { tellParked } from './field-edits.ts'
import { type Located, park } from './locate.ts'
import { type ReconcileScope, recordUpdate } from './reconcile-scope.ts'

/** A record that is to be written, with what is. */
export interface PlannedWrite {
  readonly at: Located
  readonly properties: Properties
  readonly next: NextWrite
}

/** What is to be done with one record. */
export type Next = { readonly update: RecordUpdate } | PlannedWrite | { readonly leaves: Located }

/** What is known of a record, for the rules to decide by. It should say what it can hold. */
export function knownOf(
  { fitted }: Pick<ReconcileScope, 'fitted'>,
  { row, crmId, written, ledger }: Located,
): RecordKnown {
  if (crmId === null) {
    const desired = fitted(null, { ...row.onCreate, ...row.desired })
    return { desired, seen: null, ledger: {} }
  }
  return { desired: fitted(crmId, row.desired), seen: written, ledger }
}

/** Decides what is to be done with one record, of which is known what it says. */
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
  const next = nextWrite(scope.rules, knownOf(scope, at), scope.context.clock().getTime())
  tellParked(scope, row.ref, at.ledger, next)
  const properties = next.properties ?? (at.unkeyed ? {} : null)
  if (!properties) return settled(at, next)
  const problem = valueProblem(scope.rules, asAsked(at, properties))
  if (problem !== null) return parked(scope, at, problem, 'NO_VALUE')
  if (scope.doubts.batchSize(row.ref) === 0) {
    const reason = 'the CRM gave no certain answer whenever it was sent, even alone'
    return parked(scope, at, reason, 'NO_ANSWER')
  }
  return { at, properties, next }
}

/** The values as the mapping gives them, before they were fitted. */
function asAsked({ row, crmId }: Located, properties: Properties): Properties {
  const asked = crmId === null ? { ...row.onCreate, ...row.desired } : row.desired
  return Object.fromEntries(Object.keys(properties).map((name) => [name, asked[name] ?? null]))
}

/** Nothing is to be written now. */
function settled(at: Located, next: NextWrite): Next {
  const same = { ...at, ledger: withParked(at.ledger, next.fields) }
  if (at.row.onLeave === 'archive') return { leaves: same }
  const dueAt = next.wakeAt === null ? null : new Date(next.wakeAt)
  return { update: recordUpdate(same, 'in-sync', { dueAt }) }
}

function parked(scope: ReconcileScope, at: Located, reason: string, code: string): Next {
  park(scope, at.row.ref, reason)
  scope.doubts.dropped(at.row.ref)
  return { update: recordUpdate(at, 'parked', { reason, code }) }
}
