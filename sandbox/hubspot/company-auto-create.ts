import { OBJECT_TYPES } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { link } from './record-linking.ts'

const freeMailDomains: ReadonlySet<string> = new Set([
  'aol.com',
  'fastmail.com',
  'gmail.com',
  'gmx.com',
  'gmx.de',
  'gmx.net',
  'googlemail.com',
  'hotmail.com',
  'icloud.com',
  'live.com',
  'mail.com',
  'mail.ru',
  'me.com',
  'msn.com',
  'outlook.com',
  'proton.me',
  'protonmail.com',
  'qq.com',
  'web.de',
  'yahoo.com',
  'yandex.ru',
  'zoho.com',
])

/**
 * HubSpot's own setting "create and associate companies with contacts": the company with the
 * domain of the contact's address is found, or made.
 */
export function createCompanyOf(state: PortalState, contactId: string): void {
  const email = state.table('contacts').live(contactId)?.properties['email'] ?? ''
  const domain = email.slice(email.indexOf('@') + 1)
  if (domain === '' || freeMailDomains.has(domain)) return
  const companies = state.table('companies')
  const id =
    companies.byValue('domain', domain)[0] ??
    withAdditionalDomain(state, domain) ??
    companies.reserveId()
  if (companies.live(id) === undefined) {
    const word = domain.split('.')[0] ?? domain
    const name = word.charAt(0).toUpperCase() + word.slice(1)
    state.apply({
      op: 'write',
      object: 'companies',
      write: {
        id,
        set: { domain, name, website: domain },
        system: { hs_object_source: 'COMPANIES' },
        source: `${OBJECT_TYPES.companies.singular}-insights`,
      },
    })
  }
  link(state, { type: 'contacts', id: contactId }, { type: 'companies', id }, 279)
}

/** The company that got the domain from a merge. */
function withAdditionalDomain(state: PortalState, domain: string): string | undefined {
  for (const { id, archivedAt, properties } of state.table('companies').records.values()) {
    const additional = properties['hs_additional_domains'] ?? ''
    if (archivedAt === null && additional.split(';').includes(domain)) return id
  }
  return undefined
}
