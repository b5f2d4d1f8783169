import type { HubspotSandbox } from '../hubspot/hubspot-sandbox.ts'
import type { DirectoryEntry, SampleCompany } from './sample-company.ts'
import type { StoryTeam } from './stories.ts'

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
  const answers = Object.values(company.answers ?? {}).map((team: StoryTeam) => team.domain)
  const { team, expansion } = company.stories
  const stories = new Set([team.domain, expansion.domain, ...answers])
  const cast = castOf(company)
  company.directory.forEach((entry, position) => {
    const domain = entry.company?.domain
    if (domain && !companies.has(domain) && (stories.has(domain) || isKnown(hashOf(domain)))) {
      const owner = owners[companies.size % owners.length] ?? ''
      const isStory = stories.has(domain)
      const properties = { ...companyOf(entry, domain, isStory), hubspot_owner_id: owner }
      companies.set(domain, { properties, index: companies.size })
    }
    if (!isKnown(position)) return
    contacts.push(contactOf(entry, cast.has(entry.email) || stories.has(domain ?? '')))
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

/** Everybody whom a story is about: sales has said nothing of them yet. */
function castOf({ stories }: SampleCompany): ReadonlySet<string> {
  const teams = [stories.team, stories.expansion, ...stories.freshTeams]
  const solos = Object.values(stories).flatMap((story) => ('email' in story ? [story.email] : []))
  return new Set([...teams.flatMap((team) => team.members), ...solos])
}

/** What sales knows of a company: one in 30 is a competitor who has a look. */
function companyOf(
  { company }: DirectoryEntry,
  domain: string,
  isStory: boolean,
): Record<string, string> {
  const hash = hashOf(`${domain} company`)
  const type = hash % 30 === 0 ? 'COMPETITOR' : hash % 5 === 0 ? 'PARTNER' : 'PROSPECT'
  return {
    name: company?.name ?? domain,
    domain,
    numberofemployees: String(company?.employees ?? 0),
    industry: INDUSTRIES[hash % INDUSTRIES.length] ?? '',
    type: isStory ? 'PROSPECT' : type,
  }
}

const INDUSTRIES = [
  'COMPUTER_SOFTWARE',
  'FINANCIAL_SERVICES',
  'RETAIL',
  'MARKETING_AND_ADVERTISING',
  'LOGISTICS_AND_SUPPLY_CHAIN',
  'HIGHER_EDUCATION',
]

/** What sales did with some of the contacts so far: one in ten was turned down. */
const LEAD_STATUSES = [
  'UNQUALIFIED',
  'BAD_TIMING',
  'CONNECTED',
  'IN_PROGRESS',
  'OPEN_DEAL',
] as const

function contactOf(
  { email, name, role, company }: DirectoryEntry,
  isStory: boolean,
): Record<string, string> {
  const [firstname = '', ...rest] = name.split(' ')
  const known = { email, firstname, lastname: rest.join(' '), jobtitle: role }
  if (isStory) return known
  const hash = hashOf(`${email} contact`)
  const status = LEAD_STATUSES[hash % 20]
  const isStudent = company === null && hash % 4 === 0
  return {
    ...known,
    ...(isStudent ? { jobtitle: 'Student' } : {}),
    ...(status ? { hs_lead_status: status } : {}),
  }
}

function hashOf(text: string): number {
  let hash = 7
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  return hash
}
