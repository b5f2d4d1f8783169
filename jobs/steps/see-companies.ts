import type { Crm } from '../../src/core/ports/crm.ts'
import {
  type SeenCompany,
  storeSeenCompanies,
  unseenCompanies,
} from '../../src/infra/postgres/crm-company-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'

/** Sales may move a contact to another company at any time; it is looked at so often. */
const LOOK_AGAIN_MS = 86_400_000

/** Contacts that are looked at and noted together: one call of HubSpot for associations. */
const SLICE = 1_000
const SLICES_AT_ONCE = 3

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
  const before = new Date(now.getTime() - LOOK_AGAIN_MS)
  await eachInFlight(slices(db, crm, before), SLICES_AT_ONCE, async (contacts) => {
    const companies = await crm.companiesOf([...contacts.values()], signal)
    const seen = [...contacts].map(([ref, contactId]) => {
      const company = companies.get(contactId)
      return { ref, companyId: company?.companyId ?? null, domain: company?.domain ?? null }
    })
    await noteCompanies(db, crm.name, seen, now, run)
  })
}

/** Notes the companies of contacts, and asks for new accounts where that says something new. */
export async function noteCompanies(
  db: Db,
  crm: string,
  seen: readonly SeenCompany[],
  now: Date,
  run: RunNotes,
): Promise<void> {
  const news = await db.transaction().execute(async (tx) => {
    const changed = await storeSeenCompanies(tx, crm, seen, now)
    if (changed > 0) await requestWork(tx, 'identity', 'all')
    return changed
  })
  run.count('companiesSeen', seen.length)
  run.count('companiesChanged', news)
}

async function* slices(
  db: Db,
  crm: Crm,
  before: Date,
): AsyncGenerator<ReadonlyMap<string, string>> {
  const limit = crm.readsAtOnce ?? SLICE
  let after = ''
  for (;;) {
    const contacts = await unseenCompanies(db, crm.name, before, { after, limit })
    const last = [...contacts.keys()].at(-1)
    if (last === undefined) return
    yield contacts
    if (contacts.size < limit) return
    after = last
  }
}
