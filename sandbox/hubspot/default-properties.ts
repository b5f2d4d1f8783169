import type { ObjectType } from './object-types.ts'
import type { PropertyDefinition, PropertyGroup, PropertyOption } from './property-definition.ts'

type Trait = 'read-only' | 'hidden' | 'unique' | 'owner' | 'external'
type Row = readonly [
  name: string,
  label: string,
  type: string,
  fieldType: string,
  traits?: readonly Trait[],
  options?: readonly string[],
]

const SINCE = '2019-08-06T02:41:10.293Z'

const lifecycleStages = [
  'subscriber',
  'lead',
  'marketingqualifiedlead',
  'salesqualifiedlead',
  'opportunity',
  'customer',
  'evangelist',
  'other',
]

const leadStatuses = [
  'NEW',
  'OPEN',
  'IN_PROGRESS',
  'OPEN_DEAL',
  'UNQUALIFIED',
  'ATTEMPTED_TO_CONTACT',
  'CONNECTED',
  'BAD_TIMING',
]

/** The last one is no default of HubSpot's: this account added it. */
const companyTypes = ['PROSPECT', 'PARTNER', 'RESELLER', 'VENDOR', 'OTHER', 'COMPETITOR']

const emailDirections = ['EMAIL', 'INCOMING_EMAIL', 'FORWARDED_EMAIL']

const everywhere: readonly Row[] = [
  ['hs_object_id', 'Record ID', 'number', 'number', ['read-only']],
  ['hs_lastmodifieddate', 'Object last modified date/time', 'datetime', 'date', ['read-only']],
  ['hs_object_source', 'Record creation source', 'string', 'text', ['read-only']],
  ['hs_merged_object_ids', 'Merged record IDs', 'enumeration', 'checkbox', ['read-only']],
  [
    'hs_unique_creation_key',
    'Unique creation key',
    'string',
    'text',
    ['read-only', 'hidden', 'unique'],
  ],
  ['hubspot_owner_id', 'Owner', 'enumeration', 'select', ['owner']],
]

const rows: Readonly<Record<ObjectType, readonly Row[]>> = {
  contacts: [
    ['email', 'Email', 'string', 'text'],
    ['firstname', 'First Name', 'string', 'text'],
    ['lastname', 'Last Name', 'string', 'text'],
    ['phone', 'Phone Number', 'string', 'phonenumber'],
    ['company', 'Company Name', 'string', 'text'],
    ['jobtitle', 'Job Title', 'string', 'text'],
    ['website', 'Website URL', 'string', 'text'],
    ['country', 'Country/Region', 'string', 'text'],
    ['city', 'City', 'string', 'text'],
    ['closedate', 'Close Date', 'datetime', 'date'],
    ['lifecyclestage', 'Lifecycle Stage', 'enumeration', 'radio', [], lifecycleStages],
    ['hs_lead_status', 'Lead Status', 'enumeration', 'radio', [], leadStatuses],
    ['hs_email_optout', 'Unsubscribed from all email', 'bool', 'booleancheckbox'],
    ['createdate', 'Create Date', 'datetime', 'date', ['read-only']],
    ['lastmodifieddate', 'Last Modified Date', 'datetime', 'date', ['read-only']],
    ['associatedcompanyid', 'Primary Associated Company ID', 'number', 'number', ['read-only']],
    ['hs_email_domain', 'Email Domain', 'string', 'text', ['read-only']],
    ['hs_is_contact', 'Is a contact', 'bool', 'booleancheckbox', ['read-only', 'hidden']],
    ['hs_is_unworked', 'Is unworked', 'bool', 'booleancheckbox', ['read-only', 'hidden']],
    ['hs_pipeline', 'Pipeline', 'string', 'text', ['read-only', 'hidden']],
    ['hubspotscore', 'HubSpot Score', 'number', 'calculation_score', ['read-only']],
    [
      'hs_additional_emails',
      'Additional email addresses',
      'enumeration',
      'select',
      ['read-only', 'hidden'],
    ],
    [
      'hs_all_contact_vids',
      'All vids for a contact',
      'enumeration',
      'select',
      ['read-only', 'hidden'],
    ],
    [
      'hs_calculated_merged_vids',
      'Merged vids with timestamps of a contact',
      'enumeration',
      'select',
      ['read-only', 'hidden'],
    ],
  ],
  companies: [
    ['name', 'Company name', 'string', 'text'],
    ['domain', 'Company Domain Name', 'string', 'text'],
    ['website', 'Website URL', 'string', 'text'],
    ['phone', 'Phone Number', 'string', 'phonenumber'],
    ['industry', 'Industry', 'string', 'text'],
    ['type', 'Type', 'enumeration', 'radio', [], companyTypes],
    ['description', 'Description', 'string', 'textarea'],
    ['numberofemployees', 'Number of Employees', 'number', 'number'],
    ['annualrevenue', 'Annual Revenue', 'number', 'number'],
    ['country', 'Country/Region', 'string', 'text'],
    ['city', 'City', 'string', 'text'],
    ['lifecyclestage', 'Lifecycle Stage', 'enumeration', 'radio', [], lifecycleStages],
    ['hs_lead_status', 'Lead Status', 'enumeration', 'radio', [], leadStatuses],
    ['createdate', 'Create Date', 'datetime', 'date', ['read-only']],
    ['hs_additional_domains', 'Additional Domains', 'enumeration', 'checkbox', ['read-only']],
    ['num_associated_contacts', 'Number of Associated Contacts', 'number', 'number', ['read-only']],
  ],
  deals: [
    ['dealname', 'Deal Name', 'string', 'text'],
    ['amount', 'Amount', 'number', 'number'],
    ['dealstage', 'Deal Stage', 'enumeration', 'radio', ['external']],
    ['pipeline', 'Pipeline', 'enumeration', 'select', ['external']],
    ['closedate', 'Close Date', 'datetime', 'date'],
    ['deal_currency_code', 'Currency', 'string', 'text'],
    ['hs_is_closed', 'Is Deal Closed?', 'bool', 'booleancheckbox', ['read-only']],
    ['hs_is_closed_won', 'Is Closed Won', 'bool', 'booleancheckbox', ['read-only']],
    ['hs_deal_stage_probability', 'Deal probability', 'number', 'number', ['read-only']],
    ['createdate', 'Create Date', 'datetime', 'date', ['read-only']],
  ],
  tasks: [
    ['hs_timestamp', 'Due date', 'datetime', 'date'],
    ['hs_task_subject', 'Task Title', 'string', 'text'],
    ['hs_task_body', 'Task Notes', 'string', 'html'],
    [
      'hs_task_status',
      'Task Status',
      'enumeration',
      'select',
      [],
      ['NOT_STARTED', 'IN_PROGRESS', 'WAITING', 'COMPLETED', 'DEFERRED'],
    ],
    ['hs_task_priority', 'Priority', 'enumeration', 'radio', [], ['NONE', 'LOW', 'MEDIUM', 'HIGH']],
    ['hs_task_type', 'Task Type', 'enumeration', 'select', [], ['EMAIL', 'CALL', 'TODO']],
    ['hs_task_reminders', 'Reminders', 'string', 'text'],
    ['hs_queue_membership_ids', 'Queue', 'enumeration', 'checkbox', ['external']],
    ['hs_task_completion_date', 'Completed at', 'datetime', 'date', ['read-only']],
    ['hs_createdate', 'Create Date', 'datetime', 'date', ['read-only']],
  ],
  calls: [
    ...activity('Call'),
    ['hs_call_title', 'Call title', 'string', 'text'],
    ['hs_call_body', 'Call notes', 'string', 'html'],
    ['hs_call_direction', 'Call direction', 'enumeration', 'select', [], ['INBOUND', 'OUTBOUND']],
  ],
  emails: [
    ...activity('E-mail'),
    ['hs_email_subject', 'Email subject', 'string', 'text'],
    ['hs_email_direction', 'Email direction', 'enumeration', 'select', [], emailDirections],
  ],
  meetings: [
    ...activity('Meeting'),
    ['hs_meeting_title', 'Meeting name', 'string', 'text'],
    ['hs_meeting_start_time', 'Meeting start time', 'datetime', 'date'],
  ],
  notes: [...activity('Note'), ['hs_note_body', 'Note body', 'string', 'html']],
}

function activity(name: string): readonly Row[] {
  return [
    ['hs_timestamp', `${name} date`, 'datetime', 'date'],
    ['hs_createdate', 'Create Date', 'datetime', 'date', ['read-only']],
  ]
}

/** The property groups of a new account. */
export const DEFAULT_GROUPS: Readonly<Record<ObjectType, readonly PropertyGroup[]>> = {
  contacts: groups(['contactinformation', 'Contact information'], ['sales_properties', 'Sales']),
  companies: groups(['companyinformation', 'Company information']),
  deals: groups(['dealinformation', 'Deal information']),
  tasks: groups(['task', 'Task information']),
  calls: groups(['call', 'Call information']),
  emails: groups(['email', 'Email information']),
  meetings: groups(['engagement', 'Meeting information']),
  notes: groups(['note', 'Note information']),
}

/** The properties of a new account. */
export function defaultProperties(type: ObjectType): PropertyDefinition[] {
  const groupName = DEFAULT_GROUPS[type][0]?.name ?? ''
  return [...rows[type], ...everywhere].map((row) => define(row, groupName))
}

/** Lifecycle stages in their order; a stage only moves forward. */
export function lifecycleRank(stage: string): number {
  return lifecycleStages.indexOf(stage)
}

function groups(...pairs: readonly (readonly [string, string])[]): PropertyGroup[] {
  return pairs.map(([name, label], displayOrder) => ({
    name,
    label,
    displayOrder,
    archived: false,
  }))
}

function define(row: Row, groupName: string): PropertyDefinition {
  const [name, label, type, fieldType, traits = [], values = []] = row
  const readOnly = traits.includes('read-only')
  return {
    name,
    label,
    type,
    fieldType,
    description: '',
    groupName,
    options: values.map(option),
    displayOrder: -1,
    calculated: fieldType === 'calculation_score',
    externalOptions: traits.includes('owner') || traits.includes('external'),
    archived: false,
    hasUniqueValue: traits.includes('unique'),
    hidden: traits.includes('hidden'),
    hubspotDefined: true,
    ...(traits.includes('owner') ? { referencedObjectType: 'OWNER' } : {}),
    modificationMetadata: {
      archivable: !readOnly,
      readOnlyDefinition: true,
      readOnlyValue: readOnly,
    },
    formField: !readOnly,
    createdAt: SINCE,
    updatedAt: SINCE,
  }
}

function option(value: string, displayOrder: number): PropertyOption {
  const words = value.toLowerCase().split('_').join(' ')
  const label = words.charAt(0).toUpperCase() + words.slice(1)
  return { label, value, description: '', displayOrder, hidden: false }
}
