import type { SalesforceSandbox } from '../salesforce/salesforce-sandbox.ts'
import type { DirectoryEntry, SampleCompany } from './sample-company.ts'

/** Of three people one is new to sales, one is a lead and one is a contact under her company. */
const KINDS = ['contact', 'lead', 'nobody'] as const

/** Fills an org as the company's sales team would have. */
export function seedSalesforce({ people }: SalesforceSandbox, company: SampleCompany): void {
  const accounts = new Map<string, string>()
  const accountOf = ({ company: employer }: DirectoryEntry): string | null => {
    if (!employer) return null
    const { domain, name, employees } = employer
    const known = accounts.get(domain)
    if (known !== undefined) return known
    const values = { Name: name, Website: `https://www.${domain}`, NumberOfEmployees: employees }
    const id = people.create('Account', values)
    accounts.set(domain, id)
    return id
  }
  company.directory.forEach((entry, position) => {
    const kind = KINDS[position % KINDS.length]
    const { email, name, role } = entry
    const [first = '', ...rest] = name.split(' ')
    const person = {
      FirstName: first,
      LastName: rest.join(' ') || first,
      Email: email,
      Title: role,
    }
    if (kind === 'lead') {
      people.create('Lead', { ...person, Company: entry.company?.name ?? 'Private' })
    }
    if (kind === 'contact') {
      const accountId = accountOf(entry)
      people.create('Contact', {
        ...person,
        ...(accountId === null ? {} : { AccountId: accountId }),
      })
    }
  })
}
