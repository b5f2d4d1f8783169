import type { CrmMapping, SalesforceMapping } from '../mapping/crm-mapping.ts'
import type { CrmObject } from '../ports/crm.ts'

/** What a connector must know of a mapping before its first call. */
export interface CrmSetup {
  readonly keyProperty: Readonly<Record<CrmObject, string>>
  /** What only Salesforce has; absent for every other CRM, and for the defaults. */
  readonly salesforce?: SalesforceMapping
}

/** Null stands for a mapping that nobody needs yet, such as for a look at the credentials. */
export function crmSetup(mapping: CrmMapping | null): CrmSetup {
  const { contact, company } = mapping?.objects ?? {}
  return {
    keyProperty: {
      contact: contact?.key.property ?? 'pql_person_id',
      company: company?.key.property ?? 'pqa_account_id',
    },
    ...(mapping?.salesforce ? { salesforce: mapping.salesforce } : {}),
  }
}
