import { storeOutcomes } from '../../src/infra/postgres/crm-record-store.ts'
import { type Located, park } from './locate.ts'
import { type ReconcileScope, recordUpdate } from './reconcile-scope.ts'

/**
 * Puts the cleared records of those who left the model away in the CRM, as the mapping says. What we did
 * not make ourselves stays where it is.
 */
export async function putAway(scope: ReconcileScope, leaving: readonly Located[]): Promise<void> {
  const ours = leaving.flatMap((at) => (at.created && at.crmId !== null ? [at.crmId] : []))
  const reasons = ours.length > 0 ? await scope.crm.archive(scope.object, ours, scope.signal) : []
  const refusals = new Map(ours.map((crmId, index) => [crmId, reasons[index] ?? null]))
  const updates = leaving.map((at) => {
    const refusal = refusals.get(at.crmId ?? '')
    if (refusal === undefined) {
      const reason = 'left the model; cleared and not put away, since Ripen did not make it'
      scope.run.note({ ref: at.row.ref, outcome: 'cleared', reason, correlationId: null })
      scope.run.count('cleared')
      return recordUpdate(at, 'in-sync')
    }
    if (refusal !== null) {
      park(scope, at.row.ref, refusal)
      return recordUpdate(at, 'parked', { reason: refusal })
    }
    scope.run.count('archived')
    const gone = { ...at, crmId: null, written: null, created: false, candidates: null, ledger: {} }
    return recordUpdate(gone, 'unlinked', { reason: 'left the model, and was put away in the CRM' })
  })
  await storeOutcomes(scope.context.db, scope.crm.name, updates)
}
