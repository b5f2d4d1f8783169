import { isPublished, readEffective } from '../src/infra/mappings/published.ts'
import { hasBusy } from '../src/infra/postgres/crm-record-store.ts'
import { hasDueHolds } from '../src/infra/postgres/parked-store.ts'
import { readWork, requestTouched, requestWork, type WorkRow } from '../src/infra/postgres/work.ts'
import type { JobContext } from './context.ts'
import { hasDueOutcomes } from './steps/due-outcomes.ts'
import { hasToListen } from './steps/listen.ts'
import { hasDueReads } from './steps/read-fields.ts'

/** A look at a CRM that needed a person is made again after this: she may have mended it there, where nobody tells us. */
const LOOK_AGAIN_AFTER_MS = 5 * 60_000

/** Asks to look at a CRM again when records of it are due to be read, or were held by somebody when they were sent. */
export async function requestDueReads({ db, crms, clock }: JobContext): Promise<void> {
  const connected = [...crms].filter(([, crm]) => crm.connect !== null).map(([name]) => name)
  if (connected.length === 0 || !(await isPublished(db))) return
  const { set } = await readEffective(db)
  const rows = await readWork(db, 'reconcile')
  for (const name of connected) {
    const mapping = set.crms.get(name)
    if (!mapping || isAskedFor(rows, name)) continue
    const isDue =
      (await hasBusy(db, name)) ||
      (await hasDueHolds(db, name, clock())) ||
      (await hasDueReads(db, name, mapping, clock())) ||
      (await hasDueOutcomes(db, name, set, mapping, clock()))
    if (isDue) await requestWork(db, 'reconcile', name)
  }
}

/** Asks for what a CRM told, and for another look at what changed there. */
export async function requestDueListening(context: JobContext): Promise<void> {
  const { db, crms } = context
  const connected = [...crms].filter(([, crm]) => crm.connect !== null).map(([name]) => name)
  if (connected.length === 0 || !(await isPublished(db))) return
  const { set } = await readEffective(db)
  const rows = await readWork(db, 'listen')
  for (const name of connected) {
    const mapping = set.crms.get(name)
    if (!mapping || isAskedFor(rows, name)) continue
    if (await hasToListen(context, name, mapping)) await requestTouched(db, 'listen', name)
  }
}

/** True when somebody will look without being asked again, or has failed only just now. */
function isAskedFor(rows: readonly WorkRow[], crm: string): boolean {
  return rows.some(({ key, requested, done, failed, changedAt }) => {
    if (key !== crm || requested <= done) return false
    return failed < requested || Date.now() - changedAt.getTime() < LOOK_AGAIN_AFTER_MS
  })
}
