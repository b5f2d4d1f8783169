import type { PeopleAtWork, Values } from './people-at-work.ts'

/** Records to fill an org with; places count from 0. */
export interface SeedData {
  readonly users?: readonly Values[]
  readonly accounts?: readonly Values[]
  readonly leads?: readonly Values[]
  readonly contacts?: readonly (Values & {
    /** Place of the account that the contact works at. */
    readonly account?: number
  })[]
}

/** Ids of what was put in, in the given order. */
export interface SeedIds {
  readonly users: readonly string[]
  readonly accounts: readonly string[]
  readonly leads: readonly string[]
  readonly contacts: readonly string[]
}

/** Puts records into the org, under the same rules as a person's work. */
export function seedOrg(people: PeopleAtWork, data: SeedData): SeedIds {
  const users = (data.users ?? []).map((values) => people.addUser(values))
  const accounts = (data.accounts ?? []).map((values) => people.create('Account', values))
  const leads = (data.leads ?? []).map((values) => people.create('Lead', values))
  const contacts = (data.contacts ?? []).map(({ account, ...values }) => {
    const id = account === undefined ? undefined : accounts[account]
    if (account !== undefined && id === undefined) throw new Error(`there is no account ${account}`)
    return people.create('Contact', { ...values, ...(id === undefined ? {} : { AccountId: id }) })
  })
  return { users, accounts, leads, contacts }
}
