import type {
  SalesforceSandbox,
  SandboxRecord,
} from '../../sandbox/salesforce/salesforce-sandbox.ts'
import { type CallReport, reportCalls } from './calls.ts'
import type { OrgEvents } from './events.ts'
import {
  accountOf,
  accountReason,
  accountRef,
  domain,
  email,
  grade,
  isLead,
  isNewPerson,
  isPoison,
  personRef,
  range,
  reason,
  type Size,
  score,
} from './population.ts'
import type { Seeded } from './seed-org.ts'

/** What the org looks like after a sync, and which calls brought it about. */
export interface OrgReport {
  /** Records that do not say, field by field, what they should, or are not what they should be. */
  readonly wrongPeople: number
  readonly wrongAccounts: number
  /** Contacts that are under no account, or another one. */
  readonly misplaced: number
  /** Live records beyond those that there should be. */
  readonly surplus: number
  /** Keys, addresses or domains that two live records have. */
  readonly duplicates: number
  /** Leads whose owner is another than before. */
  readonly reowned: number
  /** Leads that people have converted so far. */
  readonly converted: number
  readonly calls: CallReport
}

type Live = readonly SandboxRecord[]

/** Looks at every record of the org, as it stands after a sync. */
export function reportOrg(
  org: SalesforceSandbox,
  size: Size,
  seeded: Seeded,
  { converted }: OrgEvents,
  sync: number,
): OrgReport {
  const live = (object: string): Live =>
    org.records(object).filter(({ values, deleted }) => !deleted && values['IsConverted'] !== true)
  const [contacts, leads, accounts] = [live('Contact'), live('Lead'), live('Account')]
  const people = [...contacts, ...leads]
  const byKey = new Map(people.map((one) => [one.values['PQL_Person_Id__c'], one]))
  const accountsByKey = new Map(accounts.map((one) => [one.values['PQA_Account_Id__c'], one]))
  const good = range(size.people).filter((i) => !isPoison(i))
  const isOne = (i: number) => isPersonRight(byKey.get(personRef(i)), i, size, converted, sync)
  const created = good.filter(isNewPerson).length
  return {
    wrongPeople: good.filter((i) => !isOne(i)).length,
    wrongAccounts: range(size.accounts).filter(
      (i) => !isAccountRight(accountsByKey.get(accountRef(i)), i, seeded, sync),
    ).length,
    misplaced: good.filter((i) => {
      const one = byKey.get(personRef(i))
      const account = accountsByKey.get(accountRef(accountOf(i, size)))
      return one?.id.startsWith('003') === true && one.values['AccountId'] !== account?.id
    }).length,
    surplus: people.length + accounts.length - seeded.people.size - created - size.accounts,
    duplicates:
      repeats(people, 'PQL_Person_Id__c') +
      repeats(people, 'Email') +
      repeats(accounts, 'PQA_Account_Id__c') +
      repeats(accounts, 'Website'),
    reowned: leads.filter(({ id, values: { OwnerId } }) => {
      const owner = seeded.owners.get(id)
      return owner === undefined ? OwnerId === seeded.assignee : OwnerId !== owner
    }).length,
    converted: converted.size,
    calls: reportCalls(org.calls()),
  }
}

function isPersonRight(
  record: SandboxRecord | undefined,
  i: number,
  size: Size,
  converted: ReadonlyMap<number, string>,
  sync: number,
): boolean {
  const isContact = !isNewPerson(i) && (!isLead(i) || converted.has(i))
  if (record?.id.startsWith(isContact ? '003' : '00Q') !== true) return false
  return says(record, {
    Email: email(i, size),
    PQL_Score__c: score(i, sync),
    PQL_Grade__c: grade(i, sync),
    PQL_Reason_1__c: reason(i),
  })
}

function isAccountRight(
  record: SandboxRecord | undefined,
  i: number,
  { accounts }: Seeded,
  sync: number,
): boolean {
  if (record === undefined || record.id !== (accounts.get(i) ?? record.id)) return false
  return says(record, {
    Name: `Company ${i}`,
    PQA_Score__c: score(i, sync),
    PQA_Grade__c: grade(i, sync),
    PQA_Reason_1__c: accountReason(i),
    PQA_Domain__c: domain(i),
  })
}

function says({ values }: SandboxRecord, wanted: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([field, value]) => values[field] === value)
}

function repeats(records: Live, field: string): number {
  const values = records.flatMap(({ values: { [field]: value } }) => value || [])
  return values.length - new Set(values).size
}
