import { crmSetup } from '../../src/core/sync/crm-setup.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { anyLeases, anyOpen } from '../../src/infra/postgres/record-leases.ts'
import type { StepHandler } from '../context.ts'
import { objectsOf } from './reconcile.ts'
import { reconcileObject } from './reconcile-object.ts'
import { isShared } from './reconcile-scope.ts'

/**
 * Writes a part of the records of a CRM beside the worker who reconciles it: whoever finds that one at work takes what nobody has taken
 * yet. All else that a run does is the other's, and so is a record that comes to nothing here.
 */
export const assistReconcile: StepHandler = async (context, name, _params, signal, run) => {
  const { db, crms } = context
  const { set } = await readEffective(db)
  const [connected, mapping] = [crms.get(name), set.crms.get(name)]
  if (!connected?.connect || !mapping) return {}
  const crm = connected.connect(crmSetup(mapping))
  // Before that one writes, it is not known whether the account is as the mapping needs it.
  if (!isShared(crm) || !(await anyLeases(db, name))) return {}
  for (const [object, rules] of objectsOf(mapping)) {
    // A contact that comes before its company has the CRM make another one.
    if (object === 'contact' && (await anyOpen(db, name, 'company'))) return {}
    await reconcileObject({ context, crm, object, rules, signal, run }, 'leave')
  }
  return {}
}
