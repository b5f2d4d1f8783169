import { sql } from 'kysely'
import type { CrmFound, CrmLookup } from '../../src/core/ports/crm.ts'
import type { CrmRecordRow } from '../../src/infra/postgres/crm-record-store.ts'
import type { ReconcileScope } from './reconcile-scope.ts'

/** People of an account whose CRM contacts are asked for their company. */
const PEOPLE = 3

/**
 * A last look before companies are created. A CRM makes the company of a contact by itself, from the
 * address, and its search finds that only a while later; but the contact itself says at once which
 * company it is under.
 * @returns by our id: the company that the account's contacts are under, if its domain is the account's.
 */
export async function recheckCompanies(
  scope: ReconcileScope,
  accounts: readonly CrmRecordRow[],
): Promise<ReadonlyMap<string, CrmFound>> {
  if (scope.object !== 'company' || accounts.length === 0) return new Map()
  const people = await peopleOf(scope, accounts)
  const contactIds = await contactIdsOf(scope, people)
  if (contactIds.size === 0) return new Map()
  const companies = await scope.crm.companiesOf([...contactIds.values()], scope.signal)
  const domains = new Map(accounts.map((row) => [row.ref, new Set(row.lookup.domains)]))
  const found = new Map<string, CrmFound>()
  for (const { ref, company_ref } of people) {
    const company = companies.get(contactIds.get(ref) ?? '')
    const isTheirs = company?.domain && domains.get(company_ref)?.has(company.domain)
    if (!company || !isTheirs || found.has(company_ref)) continue
    const createdAt = new Date(0).toISOString()
    // Whose key is on it is read before anything is written.
    const facts = { by: 'domain', key: null, ownerId: null, createdAt } as const
    found.set(company_ref, { crmId: company.companyId, ...facts })
  }
  scope.run.count('adopted', found.size)
  return found
}

interface Colleague {
  readonly ref: string
  readonly company_ref: string
  readonly crm_id: string | null
  readonly lookup: Pick<CrmLookup, 'emails'>
}

async function peopleOf(
  { context, crm }: ReconcileScope,
  accounts: readonly CrmRecordRow[],
): Promise<readonly Colleague[]> {
  const refs = accounts.map((row) => row.ref)
  const { rows } = await sql<Colleague>`
    select ref, company_ref, crm_id, lookup from (
      select ref, company_ref, crm_id, lookup, row_number() over
        (partition by company_ref order by crm_id is null, ref) as n
      from crm_record where crm = ${crm.name} and object = 'contact'
        and company_ref = any(${refs}::text[])) p
    where n <= ${PEOPLE} order by company_ref, n`.execute(context.db)
  return rows
}

/** Contacts by the person's id: those we know, and those with the address, read directly. */
async function contactIdsOf(
  { crm, signal }: ReconcileScope,
  people: readonly Colleague[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map(people.flatMap(({ ref, crm_id }) => (crm_id === null ? [] : [[ref, crm_id]])))
  const unknown = people.filter(({ crm_id, lookup }) => crm_id === null && lookup.emails.length > 0)
  if (unknown.length === 0) return ids
  const lookups = unknown.map(({ ref, lookup }) => ({
    ...{ ref, key: ref, emails: lookup.emails, domains: [] },
    thorough: false,
  }))
  const found = await crm.find('contact', lookups, signal)
  for (const [index, { ref }] of unknown.entries()) {
    const crmId = found[index]?.[0]?.crmId
    if (crmId !== undefined) ids.set(ref, crmId)
  }
  return ids
}
