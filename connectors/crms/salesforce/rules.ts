/** What a person without a record becomes, and how the org is to be treated. */
export interface SalesforceRules {
  /** What is created for a person who is neither a contact nor a lead. */
  readonly createAs: 'lead' | 'contact'
  /**
   * What happens to a new record that a duplicate rule of the org stops: `link` takes the record that is
   * there already, `save` creates it all the same where the rule only warns, `park` leaves it to a person.
   */
  readonly duplicates: 'link' | 'save' | 'park'
  /** Fields of accounts that hold a domain, best first. */
  readonly domainFields: readonly string[]
  /** Whether accounts are also found by the host name in their Website. */
  readonly matchWebsite: boolean
  /** The field of activities that holds the marker of a task. */
  readonly taskKeyField: string
  /** A write of at least so many records is a job of the Bulk API; null = never. */
  readonly bulkFrom: number | null
}

export const DEFAULT_RULES: SalesforceRules = {
  createAs: 'lead',
  duplicates: 'link',
  domainFields: ['PQA_Domain__c'],
  matchWebsite: true,
  taskKeyField: 'PQL_Key__c',
  bulkFrom: 2_000,
}
