import type { CrmContactCompany } from '../../../src/core/ports/crm.ts'
import { readAssociations } from './read-associations.ts'
import { readRecords } from './records.ts'
import type { Session } from './session.ts'

/** HubSpot's own type of the association of a contact with its primary company. */
const PRIMARY = 1
const DOMAIN = 'domain'

/** The primary company of each contact, or the only one, with its domain. */
export async function readCompaniesOf(
  session: Session,
  contactIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CrmContactCompany>> {
  const companyOf = new Map<string, string>()
  const several = new Set<string>()
  const primary = new Set<string>()
  const found = await readAssociations(session, 'contacts', 'companies', contactIds, signal)
  for (const { fromId, toId, typeIds } of found) {
    if (primary.has(fromId)) continue
    if (typeIds.includes(PRIMARY)) primary.add(fromId)
    else if (companyOf.has(fromId) && companyOf.get(fromId) !== toId) several.add(fromId)
    companyOf.set(fromId, toId)
  }
  // Without a primary one among several, nobody says which it is.
  for (const id of several) if (!primary.has(id)) companyOf.delete(id)
  const read = { object: 'company', ids: [...companyOf.values()], properties: [DOMAIN] } as const
  const companies = await readRecords(session, read, signal)
  const domains = new Map(companies.map(({ id, properties }) => [id, properties[DOMAIN] || null]))
  return new Map(
    [...companyOf].map(([contactId, companyId]) => [
      contactId,
      { companyId, domain: domains.get(companyId)?.trim().toLowerCase() ?? null },
    ]),
  )
}
