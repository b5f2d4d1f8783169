import type { SalesforceSandbox } from '../../sandbox/salesforce/salesforce-sandbox.ts'
import {
  accountOf,
  domain,
  email,
  isLead,
  isNewAccount,
  isNewPerson,
  range,
  type Size,
} from './population.ts'

/** What was in the org before anybody synced. */
export interface Seeded {
  /** Ids by place in the population; absent for who is not there. */
  readonly accounts: ReadonlyMap<number, string>
  readonly people: ReadonlyMap<number, string>
  /** Owner by id of a lead. */
  readonly owners: ReadonlyMap<string, string>
  /** To whom the org's assignment rule gives every lead that is saved without a word against it. */
  readonly assignee: string
}

const OWNERS = 7

/** Accounts with their contacts, and leads of several owners. */
export function seedOrg(org: SalesforceSandbox, size: Size): Seeded {
  const { people: hands } = org
  const user = (name: string) => hands.addUser({ LastName: name, Username: `${name}@org.example` })
  const reps = range(OWNERS).map((n) => user(`rep-${n}`))
  const assignee = user('assignee')
  org.rules.assignment.set('Lead', assignee)
  const accounts = new Map<number, string>()
  for (const i of range(size.accounts)) {
    if (isNewAccount(i)) continue
    const values = { Name: `Company ${i}`, Website: `https://www.${domain(i)}` }
    accounts.set(i, hands.create('Account', values))
  }
  const people = new Map<number, string>()
  const owners = new Map<string, string>()
  for (const i of range(size.people)) {
    if (isNewPerson(i)) continue
    const values = { LastName: `Person ${i}`, Email: email(i, size) }
    const owner = reps[i % OWNERS] ?? ''
    if (isLead(i)) {
      const lead = { ...values, Company: `Company ${accountOf(i, size)}`, OwnerId: owner }
      const id = hands.create('Lead', lead)
      people.set(i, id)
      owners.set(id, owner)
    } else {
      const account = accounts.get(accountOf(i, size))
      const under = account === undefined ? {} : { AccountId: account }
      people.set(i, hands.create('Contact', { ...values, ...under }))
    }
  }
  return { accounts, people, owners, assignee }
}
