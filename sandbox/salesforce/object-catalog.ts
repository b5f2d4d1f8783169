import type { ObjectDefinition } from './field-definition.ts'
import { ACCOUNT_FIELDS, PERSON_ACCOUNT_FIELDS } from './fields/account-fields.ts'
import {
  EMAIL_MESSAGE_FIELDS,
  EVENT_FIELDS,
  STATUS_FIELDS,
  TASK_FIELDS,
} from './fields/activity-fields.ts'
import { CAMPAIGN_FIELDS, CAMPAIGN_MEMBER_FIELDS } from './fields/campaign-fields.ts'
import { CONTACT_FIELDS } from './fields/contact-fields.ts'
import { readFieldList } from './fields/field-list.ts'
import { LEAD_FIELDS } from './fields/lead-fields.ts'
import {
  CONTACT_ROLE_FIELDS,
  FIELD_HISTORY_FIELDS,
  OPPORTUNITY_FIELDS,
  OPPORTUNITY_HISTORY_FIELDS,
  OPPORTUNITY_STAGE_FIELDS,
} from './fields/opportunity-fields.ts'
import {
  GROUP_FIELDS,
  ORGANIZATION_FIELDS,
  QUEUE_SOBJECT_FIELDS,
  RECORD_TYPE_FIELDS,
  USER_FIELDS,
} from './fields/user-fields.ts'

/**
 * What can be done to an object: `c`reate, `u`pdate, `d`elete and undelete, `m`erge, `r`eplicate
 * (getUpdated and getDeleted).
 */
type Abilities = string

const OBJECTS: readonly (readonly [
  name: string,
  plural: string,
  keyPrefix: string,
  can: Abilities,
  fields: string,
])[] = [
  ['Account', 'Accounts', '001', 'cudmr', ACCOUNT_FIELDS],
  ['Campaign', 'Campaigns', '701', 'cudr', CAMPAIGN_FIELDS],
  ['CampaignMember', 'Campaign Members', '00v', 'cudr', CAMPAIGN_MEMBER_FIELDS],
  ['Contact', 'Contacts', '003', 'cudmr', CONTACT_FIELDS],
  ['EmailMessage', 'Email Messages', '02s', 'cudr', EMAIL_MESSAGE_FIELDS],
  ['Event', 'Events', '00U', 'cudr', EVENT_FIELDS],
  ['Group', 'Groups', '00G', 'cur', GROUP_FIELDS],
  ['Lead', 'Leads', '00Q', 'cudmr', LEAD_FIELDS],
  [
    'LeadStatus',
    'Lead Status Values',
    '01J',
    'r',
    `${STATUS_FIELDS.trim()}\nIsConverted boolean D`,
  ],
  ['Opportunity', 'Opportunities', '006', 'cudr', OPPORTUNITY_FIELDS],
  ['OpportunityContactRole', 'Opportunity Contact Roles', '00K', 'cudr', CONTACT_ROLE_FIELDS],
  ['OpportunityFieldHistory', 'Opportunity Field History', '017', '', FIELD_HISTORY_FIELDS],
  ['OpportunityHistory', 'Opportunity History', '008', 'r', OPPORTUNITY_HISTORY_FIELDS],
  ['OpportunityStage', 'Opportunity Stages', '01J', 'r', OPPORTUNITY_STAGE_FIELDS],
  ['Organization', 'Organizations', '00D', '', ORGANIZATION_FIELDS],
  ['QueueSobject', 'Queue sObjects', '03g', 'c', QUEUE_SOBJECT_FIELDS],
  ['RecordType', 'Record Types', '012', 'r', RECORD_TYPE_FIELDS],
  ['Task', 'Tasks', '00T', 'cudr', TASK_FIELDS],
  ['TaskStatus', 'Task Status Values', '01J', 'r', `${STATUS_FIELDS.trim()}\nIsClosed boolean D`],
  ['User', 'Users', '005', 'cur', USER_FIELDS],
]

/** The objects of an org, by name. */
export function standardObjects(personAccounts: boolean): Map<string, ObjectDefinition> {
  const objects = new Map<string, ObjectDefinition>()
  for (const [name, plural, keyPrefix, can, text] of OBJECTS) {
    const isPersonal = personAccounts && name === 'Account'
    const list = isPersonal ? text + PERSON_ACCOUNT_FIELDS.trimStart() : text
    const fields = readFieldList(name, list)
      .filter((field) => personAccounts || !isPersonField(name, field.name))
      // Only a lead that can become a person account does without a company.
      .map((field) => (field.name === 'Company' ? { ...field, nillable: personAccounts } : field))
    objects.set(name, {
      name,
      label: name.replace(/([a-z])([A-Z])/g, '$1 $2'),
      plural,
      keyPrefix,
      custom: false,
      createable: can.includes('c'),
      updateable: can.includes('u'),
      deletable: can.includes('d'),
      undeletable: can.includes('d'),
      mergeable: can.includes('m'),
      replicateable: can.includes('r'),
      queryable: true,
      fields: new Map(fields.map((field) => [field.name, field])),
    })
  }
  return objects
}

function isPersonField(object: string, name: string): boolean {
  if (name === 'IsPersonAccount') return true
  return object === 'Account' && ['Salutation', 'PersonIndividualId'].includes(name)
}
