import type { Value } from '../field-definition.ts'
import { PERSON_MIRROR } from '../fields/account-fields.ts'
import type { OrgState } from '../org-state.ts'
import type { RowValues, StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'
import { activityValues } from './activity-rules.ts'
import { memberValues } from './campaign-rules.ts'
import { afterOpportunitySave, afterRoleSave, opportunityValues } from './opportunity-rules.ts'

/** What is known of a save that is under way. */
export interface SaveMoment {
  /** Null for a new record. */
  readonly before: RowValues | null
  /** Names of the fields that the caller gave. */
  readonly given: ReadonlySet<string>
  readonly at: number
}

/** The fields that Salesforce fills by itself before a record is stored. */
export function derivedValues(
  state: OrgState,
  object: string,
  next: RowValues,
  moment: SaveMoment,
): Record<string, Value> {
  switch (object) {
    case 'Lead':
    case 'Contact':
    case 'User':
      return { Name: fullName(next) }
    case 'Account':
      return personAccountValues(state, next)
    case 'Task':
    case 'Event':
      return activityValues(state, object, next, moment)
    case 'CampaignMember':
      return memberValues(state, next, moment.before === null)
    case 'Opportunity':
      return opportunityValues(state, next, moment)
    default:
      return {}
  }
}

/** What other records follow from one that was stored. */
export function afterSave(
  state: OrgState,
  tx: Transaction,
  row: StoredRow,
  before: RowValues | null,
): void {
  if (row.object === 'Opportunity') afterOpportunitySave(state, tx, row, before)
  if (row.object === 'OpportunityContactRole') afterRoleSave(state, tx, row)
  if (!state.personAccounts) return
  if (row.object === 'Account' && row.values['IsPersonAccount'] === true)
    keepContact(state, tx, row)
  if (row.object === 'Contact' && row.values['IsPersonAccount'] === true)
    keepAccount(state, tx, row)
}

function fullName(values: RowValues): string {
  return [values['FirstName'], values['LastName']].filter(Boolean).join(' ')
}

/** An account with a last name of its own is a person. */
function personAccountValues(state: OrgState, next: RowValues): Record<string, Value> {
  if (!state.personAccounts || !next['LastName']) return {}
  return { IsPersonAccount: true, Name: fullName(next) }
}

function keepContact(state: OrgState, tx: Transaction, account: StoredRow): void {
  const mirrored: Record<string, Value> = {}
  for (const [theirs, ours] of PERSON_MIRROR) mirrored[ours] = account.values[theirs] ?? null
  mirrored['HasOptedOutOfEmail'] ??= false
  const contact = state.record(account.values['PersonContactId'])
  const values = { ...mirrored, Name: account.values['Name'] ?? null }
  if (contact !== undefined) {
    if (differs(contact, values)) tx.update(contact, values)
    return
  }
  const made = tx.create('Contact', {
    ...values,
    AccountId: account.id,
    OwnerId: account.values['OwnerId'] ?? null,
    IsPersonAccount: true,
  })
  tx.update(account, { PersonContactId: made.id })
}

function keepAccount(state: OrgState, tx: Transaction, contact: StoredRow): void {
  const account = state.record(contact.values['AccountId'])
  if (account === undefined) return
  const values: Record<string, Value> = { Name: contact.values['Name'] ?? null }
  for (const [theirs, ours] of PERSON_MIRROR) values[theirs] = contact.values[ours] ?? null
  if (differs(account, values)) tx.update(account, values)
}

function differs(row: StoredRow, values: RowValues): boolean {
  return Object.entries(values).some(([name, value]) => (row.values[name] ?? null) !== value)
}
