import type { HubspotSandbox } from '../hubspot/hubspot-sandbox.ts'
import type { DirectoryEntry, SampleCompany } from './sample-company.ts'

/** Every third company and person is new to sales; the rest is in the CRM already. */
const KNOWN_OF_THREE = 2

/**
 * Fills a CRM as the company's sales team would have: two thirds of the companies, with owners, and
 * two thirds of the people. Everybody of the stories' teams is known but for the newest colleagues.
 */
export function seedCrm(hubspot: HubspotSandbox, company: SampleCompany): void {
  const owners = ownerIds
  const companies = new Map<string, { properties: Record<string, string>; index: number }>()
  const contacts: Record<string, string>[] = []
  const employments: { contact: number; company: number }[] = []
  const stories = new Set([company.stories.team.domain, company.stories.expansion.domain])
  company.directory.forEach((entry, position) => {
    const domain = entry.company?.domain
    if (domain && !companies.has(domain) && (stories.has(domain) || isKnown(hashOf(domain)))) {
      const owner = owners[companies.size % owners.length] ?? ''
      const properties = { name: entry.company?.name ?? domain, domain, hubspot_owner_id: owner }
      companies.set(domain, { properties, index: companies.size })
    }
    if (!isKnown(position)) return
    contacts.push(contactOf(entry))
    const employer = domain ? companies.get(domain) : undefined
    if (employer) employments.push({ contact: contacts.length - 1, company: employer.index })
  })
  hubspot.seed({
    companies: [...companies.values()].map((one) => one.properties),
    contacts,
    employments,
  })
}

/** The default owners of the stand-in that are active. */
const ownerIds = ['41000001', '41000002', '41000003', '41000004', '41000005']

function isKnown(position: number): boolean {
  return position % 3 < KNOWN_OF_THREE
}

function contactOf({ email, name, role }: DirectoryEntry): Record<string, string> {
  const [firstname = '', ...rest] = name.split(' ')
  return { email, firstname, lastname: rest.join(' '), jobtitle: role }
}

function hashOf(text: string): number {
  let hash = 7
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  return hash
}
