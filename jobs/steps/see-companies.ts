import type { Crm } from '../../src/core/ports/crm.ts'
import { storeSeenCompanies, unseenCompanies } from '../../src/infra/postgres/crm-company-store.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, RunNotes } from '../context.ts'

/** Sales may move a contact to another company at any time; it is looked at so often. */
const LOOK_AGAIN_MS = 86_400_000

/**
 * Looks under which companies the CRM itself has our contacts, before we put any there, and asks for
 * new accounts where that says something new.
 */
export async function seeCompanies(
  { db, clock }: Pick<JobContext, 'db' | 'clock'>,
  crm: Crm,
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
  const now = clock()
  const contacts = await unseenCompanies(db, crm.name, new Date(now.getTime() - LOOK_AGAIN_MS))
  if (contacts.size === 0) return
  const companies = await crm.companiesOf([...contacts.values()], signal)
  const seen = [...contacts].map(([ref, contactId]) => {
    const company = companies.get(contactId)
    return { ref, companyId: company?.companyId ?? null, domain: company?.domain ?? null }
  })
  const news = await db.transaction().execute(async (tx) => {
    const changed = await storeSeenCompanies(tx, crm.name, seen, now)
    if (changed > 0) await requestWork(tx, 'identity', 'all')
    return changed
  })
  run.count('companiesSeen', seen.length)
  run.count('companiesChanged', news)
}
