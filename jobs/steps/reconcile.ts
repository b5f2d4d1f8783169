import { ConfigError, RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { type CrmRecordRow, readRecords } from '../../src/infra/postgres/crm-record-store.ts'
import type { JobContext, StepHandler } from '../context.ts'
import { createPlannedTasks } from './create-tasks.ts'
import { linkCompanies } from './link-companies.ts'
import { provisionOnce } from './provision-once.ts'
import { readFields } from './read-fields.ts'
import { type ReconcileScope, reconcileBatch } from './reconcile-batch.ts'
import { seeCompanies } from './see-companies.ts'

/** Records that are looked up and settled together. */
const SLICE = 500
/** A record that was moved, or turned out to exist, is tried again at once, this often in all. */
const ROUNDS = 3

/** Makes the records and tasks of one CRM say what they should. */
export const reconcile: StepHandler = async (context, name, _params, signal, run) => {
  const connected = context.crms.get(name)
  if (!connected?.connect) {
    const variables = connected?.variables ?? 'its variables'
    throw new ConfigError(`${name} is not connected; set ${variables}`)
  }
  const { set } = await readEffective(context.db)
  const mapping = set.crms.get(name)
  if (!mapping) throw new ConfigError(`${name}.yaml is missing in the mapping folder`)
  const { contact, company } = mapping.objects
  const crm = connected.connect({
    contact: contact?.key.property ?? 'pql_person_id',
    company: company?.key.property ?? 'pqa_account_id',
  })
  await provisionOnce(context, crm, mapping, signal)
  let unknown = 0
  for (const [object, rules] of objectsOf(mapping)) {
    const scope = { context, crm, object, rules, signal, run }
    unknown += await reconcileObject(scope)
  }
  const unread = await readFields(context, crm, mapping, signal, run)
  if (company) await seeCompanies(context, crm, signal, run)
  await linkCompanies(context.db, crm, signal, run)
  await createPlannedTasks(context, connected, crm, mapping, signal, run)
  // Last: what cannot be read keeps nobody from being written.
  if (unread) throw unread
  if (unknown > 0) {
    throw new RetryableError(`${unknown} records have no certain outcome; they are read again`)
  }
  return {}
}

function objectsOf(mapping: CrmMapping): [CrmObject, ObjectMapping][] {
  const objects: CrmObject[] = ['company', 'contact']
  return objects.flatMap((object) => {
    const rules = mapping.objects[object]
    return rules ? [[object, rules] as [CrmObject, ObjectMapping]] : []
  })
}

/** @returns how many records are still in doubt. */
async function reconcileObject(scope: ReconcileScope): Promise<number> {
  const { context, crm, object } = scope
  let unknown = 0
  for (let round = 0; round < ROUNDS; round++) {
    const open = await readRecords(context.db, crm.name, ['pending', 'writing'], object)
    if (open.size === 0) return 0
    const rows = [...open.values()]
    unknown = 0
    for (let at = 0; at < rows.length; at += SLICE) {
      report(context, crm.name, at, rows)
      unknown += await reconcileBatch(scope, rows.slice(at, at + SLICE))
    }
    report(context, crm.name, rows.length, rows)
  }
  return unknown
}

function report(
  context: JobContext,
  key: string,
  done: number,
  rows: readonly CrmRecordRow[],
): void {
  const unit = rows[0]?.object === 'company' ? 'companies' : 'contacts'
  context.onProgress({ step: 'reconcile', key, done, total: rows.length, unit })
}
