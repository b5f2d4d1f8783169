import type { Value } from '../field-definition.ts'
import type { OrgState } from '../org-state.ts'
import { afterSave } from '../rules/derived-values.ts'
import { showDate } from '../salesforce-time.ts'
import type { StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'

/** How a person converts a lead. */
export interface ConvertOptions {
  /** Into this account and contact; new ones otherwise. */
  readonly accountId?: string
  readonly contactId?: string
  /** Name of the opportunity to open; none when absent. */
  readonly opportunityName?: string
  readonly status?: string
  readonly ownerId?: string
}

export interface ConvertedIds {
  readonly accountId: string
  readonly contactId: string
  readonly opportunityId: string | null
}

/** A custom field of a lead and the field that it becomes. */
export interface ConvertMapping {
  readonly lead: string
  readonly object: 'Contact' | 'Account' | 'Opportunity'
  readonly field: string
}

const TO_CONTACT = [
  'FirstName',
  'LastName',
  'Salutation',
  'Title',
  'Email',
  'Phone',
  'MobilePhone',
  'Fax',
  'LeadSource',
  'Description',
  'HasOptedOutOfEmail',
] as const
const TO_ACCOUNT = ['Industry', 'Website', 'AnnualRevenue', 'NumberOfEmployees', 'Phone'] as const
const ADDRESS = ['Street', 'City', 'State', 'PostalCode', 'Country'] as const

/** Converts a lead in one transaction, as Salesforce does for a person who presses the button. */
export function convertLead(
  state: OrgState,
  tx: Transaction,
  lead: StoredRow,
  options: ConvertOptions,
  mappings: readonly ConvertMapping[],
): ConvertedIds {
  const owner = options.ownerId ?? lead.values['OwnerId'] ?? null
  const mapped = (object: ConvertMapping['object']) => mappedValues(lead, mappings, object)
  const account = mergeInto(state, tx, 'Account', options.accountId, {
    Name: lead.values['Company'] ?? lead.values['Name'] ?? null,
    OwnerId: owner,
    ...picked(lead, TO_ACCOUNT),
    ...addressed(lead, 'Billing'),
    ...mapped('Account'),
  })
  const contact = mergeInto(state, tx, 'Contact', options.contactId, {
    ...picked(lead, TO_CONTACT),
    ...addressed(lead, 'Mailing'),
    Name: lead.values['Name'] ?? null,
    AccountId: account.id,
    OwnerId: owner,
    ...mapped('Contact'),
  })
  const opportunity =
    options.opportunityName === undefined
      ? null
      : openOpportunity(state, tx, options.opportunityName, {
          AccountId: account.id,
          ContactId: contact.id,
          OwnerId: owner,
          ...mapped('Opportunity'),
        })
  tx.update(
    lead,
    {
      Status: options.status ?? 'Closed - Converted',
      IsConverted: true,
      ConvertedDate: showDate(tx.at),
      ConvertedAccountId: account.id,
      ConvertedContactId: contact.id,
      ConvertedOpportunityId: opportunity?.id ?? null,
    },
    'convert',
  )
  moveActivities(state, tx, lead, { contact, about: opportunity ?? account })
  return {
    accountId: account.id,
    contactId: contact.id,
    opportunityId: opportunity?.id ?? null,
  }
}

/** A new record, or the empty fields of one that is there. */
function mergeInto(
  state: OrgState,
  tx: Transaction,
  object: string,
  id: string | undefined,
  values: Record<string, Value>,
): StoredRow {
  if (id === undefined) {
    const filled = Object.entries(values).filter(([, value]) => value !== null)
    const row = tx.create(object, Object.fromEntries(filled))
    afterSave(state, tx, row, null)
    return row
  }
  const row = state.record(id)
  if (row === undefined) throw new Error(`there is no ${object} ${id}`)
  const missing = Object.entries(values).filter(
    ([name, value]) => value !== null && (row.values[name] ?? null) === null,
  )
  tx.update(row, Object.fromEntries(missing))
  return row
}

function openOpportunity(
  state: OrgState,
  tx: Transaction,
  name: string,
  values: Record<string, Value>,
): StoredRow {
  const endOfQuarter = new Date(tx.at)
  endOfQuarter.setUTCMonth(Math.floor(endOfQuarter.getUTCMonth() / 3) * 3 + 3, 0)
  const row = tx.create('Opportunity', {
    Name: name,
    StageName: 'Prospecting',
    CloseDate: showDate(endOfQuarter.getTime()),
    IsClosed: false,
    IsWon: false,
    Probability: 10,
    ForecastCategory: 'Pipeline',
    ForecastCategoryName: 'Pipeline',
    ...values,
  })
  afterSave(state, tx, row, null)
  return row
}

function moveActivities(
  state: OrgState,
  tx: Transaction,
  lead: StoredRow,
  { contact, about }: { readonly contact: StoredRow; readonly about: StoredRow },
): void {
  for (const object of ['Task', 'Event']) {
    for (const row of [...state.table(object).find('WhoId', lead.id)]) {
      if (row.values['IsDeleted'] === true) continue
      tx.update(row, {
        WhoId: contact.id,
        WhatId: about.id,
        AccountId: contact.values['AccountId'] ?? null,
        WhatCount: 1,
      })
    }
  }
}

function picked(lead: StoredRow, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, lead.values[name] ?? null]))
}

function addressed(lead: StoredRow, prefix: string): Record<string, Value> {
  return Object.fromEntries(ADDRESS.map((name) => [prefix + name, lead.values[name] ?? null]))
}

function mappedValues(
  lead: StoredRow,
  mappings: readonly ConvertMapping[],
  object: ConvertMapping['object'],
): Record<string, Value> {
  return Object.fromEntries(
    mappings
      .filter((mapping) => mapping.object === object)
      .map(({ lead: from, field }) => [field, lead.values[from] ?? null]),
  )
}
