import type { Value } from '../field-definition.ts'
import type { OrgState } from '../org-state.ts'
import { RowError } from '../salesforce-error.ts'
import type { RowValues } from '../stored-row.ts'

const DEFAULT_STATUS = 'Sent'
const RESPONDED = 'Responded'

/** A member is one contact or one lead, and once in a campaign. */
export function memberValues(
  state: OrgState,
  next: RowValues,
  isNew: boolean,
): Record<string, Value> {
  const end = next['ContactId'] ? 'ContactId' : 'LeadId'
  const who = next[end]
  if (!who) {
    const message = 'Required fields are missing: [LeadId, ContactId]'
    throw new RowError('REQUIRED_FIELD_MISSING', message, ['LeadId', 'ContactId'])
  }
  const others = [...state.table('CampaignMember').find(end, who)].filter(
    ({ values }) => values['IsDeleted'] !== true && values['CampaignId'] === next['CampaignId'],
  )
  if (isNew && others.length > 0)
    throw new RowError('DUPLICATE_VALUE', 'Already a campaign member.')
  const status = next['Status'] ?? DEFAULT_STATUS
  return { Status: status, HasResponded: status === RESPONDED }
}
