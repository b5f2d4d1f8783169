import { z } from 'zod'
import type { CrmObject } from '../ports/crm.ts'
import { WINNERS } from '../scoring/winner.ts'
import { ACCOUNT_FIELDS, PERSON_FIELDS } from './crm-fields.ts'
import { durationMs } from './duration.ts'
import { policyShape, refusePolicies, TRAIT_FIELD } from './field-policy.ts'
import { FORMAT_1 } from './format.ts'
import { traitName } from './usage-mapping.ts'

const hubspotName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, 'use a HubSpot property name: lower-case letters, digits and _')
/** Custom ones end in `__c`; those of a package begin with its namespace. */
const salesforceName = z
  .string()
  .regex(/^[A-Za-z]\w{0,79}$/, 'use the API name of a Salesforce field: letters, digits and _')
type Names = typeof hubspotName

const label = z.string().min(1).max(120).describe('How people read it in the CRM.')
const hubspotGroup = z.strictObject({
  name: hubspotName.describe('Name of the group; it is created.'),
  label,
})
/** For CRMs without groups: nothing is written in the mapping. */
const NO_GROUP = z
  .never()
  .optional()
  .transform(() => ({ name: 'ripen', label: 'Ripen' }))

/** How a CRM names its properties, and what it keeps them in. */
interface Terms {
  readonly propertyName: Names
  readonly group: typeof hubspotGroup | null
}

const PROPERTY_TYPES = [
  'string',
  'text',
  'number',
  'bool',
  'date',
  'datetime',
  'enumeration',
  'multi-enumeration',
  'phone',
] as const

const fromWords = (fields: readonly string[]): string =>
  `use trait.<name>, or one of ${fields.map((field) => `"${field}"`).join('|')}`

const choices = z
  .array(
    z.strictObject({
      value: z.string().min(1).describe('What is written.'),
      label: z.string().min(1).describe('What people read.'),
    }),
  )
  .min(1)

const property = <F extends readonly [string, ...string[]]>(fields: F) =>
  z
    .strictObject({
      from: z
        .union(
          [z.enum(fields), z.string().regex(TRAIT_FIELD, fromWords(fields))],
          fromWords(fields),
        )
        .describe('What fills it: a field, or trait.NAME.'),
      type: z.enum(PROPERTY_TYPES).describe('Its type in the CRM.'),
      label,
      description: z.string().max(500).describe('A text that the CRM shows beside it.').optional(),
      options: choices
        .describe('For enumerations: the values that may be written, in the order of display.')
        .optional(),
      'when-empty': z
        .enum(['clear', 'keep'])
        .default('clear')
        .describe('What happens to the value in the CRM when there is none to write.'),
      ...policyShape,
    })
    .superRefine(refusePolicies)
    .refine((p) => !p.type.endsWith('enumeration') || p.options !== undefined, {
      path: ['options'],
      message: 'a property of type enumeration needs options, the values that may be written',
    })
    .refine((p) => p.from !== 'signals' || p.type === 'multi-enumeration', {
      path: ['type'],
      message: 'signals are a list: the type must be multi-enumeration',
    })
    .meta({
      allOf: [
        {
          if: { properties: { type: { enum: ['enumeration', 'multi-enumeration'] } } },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
          then: { required: ['options'] },
        },
        {
          if: { properties: { from: { const: 'signals' } } },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
          then: { properties: { type: { const: 'multi-enumeration' } } },
        },
      ],
    })

const salesValue = (status: string) =>
  z.array(z.string().min(1)).min(1).describe(`Values that mean ${status}.`).optional()

const salesStatus = (propertyName: Names) =>
  z.strictObject({
    property: propertyName.describe('The property that says how it stands with sales.'),
    values: z
      .strictObject({
        accepted: salesValue('accepted'),
        rejected: salesValue('rejected'),
        opportunity: salesValue('opportunity'),
        won: salesValue('won'),
        lost: salesValue('lost'),
      })
      .superRefine(refuseTwice)
      .describe('Which of its values mean which status; all others mean none.'),
    reason: propertyName.describe("The property that says why, in the CRM's own words.").optional(),
  })

function refuseTwice(
  values: Readonly<Record<string, readonly string[] | undefined>>,
  context: z.RefinementCtx,
): void {
  const seen = new Map<string, string>()
  for (const [status, list = []] of Object.entries(values)) {
    list.forEach((value, index) => {
      const other = seen.get(value)
      if (other !== undefined) {
        const message = `${value} means ${other} already; a value has one meaning`
        context.addIssue({ code: 'custom', path: [status, index], message })
      }
      seen.set(value, status)
    })
  }
}

/** What a rep answers in the CRM, in properties of our own: they are created, and never written. */
const disposition = (propertyName: Names) =>
  z.strictObject({
    property: propertyName.describe('Holds accepted, rejected, or nothing; it is created.'),
    label,
    description: z.string().max(500).describe('A text that the CRM shows beside it.').optional(),
    labels: z
      .strictObject({
        accepted: label.describe('How the answer yes is shown.'),
        rejected: label.describe('How the answer no is shown.'),
      })
      .default({ accepted: 'Accepted', rejected: 'Rejected' })
      .describe('How the two answers are shown.'),
    reason: z
      .strictObject({
        property: propertyName.describe('Name of the property; it is created.'),
        label,
        description: z
          .string()
          .max(500)
          .describe('A text that the CRM shows beside it.')
          .optional(),
        options: choices.describe('The reasons to choose from, in the order of display.'),
      })
      .describe('Why it was rejected, as one of a list.')
      .optional(),
  })

/** Which record is meant when several could be. */
export const SEVERAL = ['oldest', 'newest', 'with-owner', 'ask'] as const

const match = z.strictObject({
  several: z
    .enum(SEVERAL)
    .describe('Which record is meant when several could be; ask leaves it to a person.'),
})

const LEAVINGS = ['keep', 'clear', 'archive'] as const

const object = <F extends readonly [string, ...string[]]>(
  fields: F,
  subject: string,
  { propertyName, group }: Terms,
) =>
  z.strictObject({
    subject: z.literal(subject).describe('Whom the record is about.'),
    model: z
      .union([z.string(), z.array(z.string()).min(1)], 'write the id of a model, or a list of them')
      .transform((model) => (typeof model === 'string' ? [model] : model))
      .describe('The model whose score is written, or several: winner says which one speaks.'),
    winner: z
      .enum(WINNERS)
      .default('first')
      .describe('Which of several models speaks of a subject that more than one scores.'),
    key: z
      .strictObject({
        property: propertyName.describe('Name of the property; it is created.'),
        label,
      })
      .describe('Our own unique property, set on every record that we write.'),
    create: z
      .enum(['never', 'qualified', 'always'])
      .describe('When a record that the CRM lacks is created.'),
    match: match
      .default({ several: 'oldest' })
      .describe('How a record is recognised, besides by our own key.'),
    'on-leave': z
      .enum(LEAVINGS)
      .default('clear')
      .describe('What happens to the record of a subject that has no score any more.'),
    'on-delete': z
      .enum(['keep-away', 'recreate'])
      .default('keep-away')
      .describe('What happens when somebody has deleted the record in the CRM.'),
    'on-create': z
      .record(propertyName, z.enum(fields))
      .default({})
      .describe("Properties of the CRM's own, set only when the record is created."),
    group: (group ?? NO_GROUP).describe('Where our properties lie in HubSpot.'),
    properties: z
      .record(propertyName, property(fields))
      .describe('Our properties by name: what fills each, and its type.'),
    read: z
      .record(traitName, propertyName)
      .default({})
      .describe("The CRM's own properties that models may read, by the name of the trait."),
    'sales-status': salesStatus(propertyName)
      .describe("Where the CRM's users say how it stands with sales.")
      .optional(),
    disposition: disposition(propertyName)
      .describe('Where reps answer in the CRM, in properties that Ripen makes and never writes.')
      .optional(),
  })

/** What becomes of a task whose account has an open deal. */
export const OPEN_DEAL = ['note', 'task', 'nothing'] as const

const tasks = z.strictObject({
  on: z
    .literal('account-qualified')
    .describe('One task for each account whose usage status becomes qualified.'),
  'evidence-within': durationMs.describe(
    'Older behaviour starts no task: a backfill, a first sync, a changed model.',
  ),
  'due-in': durationMs.describe('How long after that the task is due.'),
  priority: z.enum(['low', 'medium', 'high']).describe('Priority of the task.'),
  'fallback-owner': z
    .email()
    .describe('E-mail address of the owner of tasks whose company has no active owner.')
    .optional(),
  type: z.enum(['to-do', 'call', 'email']).default('to-do').describe('What the task asks for.'),
  queue: z
    .string('write the id of the queue as a text, in quotation marks')
    .regex(/^\w{1,64}$/, 'write the id of the queue: letters and digits')
    .describe('Id of the queue that tasks go into, as the CRM has it.')
    .optional(),
  'remind-before': durationMs
    .describe('The owner is reminded this long before the task is due.')
    .optional(),
  'when-gone': z
    .enum(['close', 'leave'])
    .default('leave')
    .describe('What becomes of an untouched task when its reason is gone.'),
  'open-deal': z
    .enum(OPEN_DEAL)
    .default('note')
    .describe('What there is in its place while the account has an open deal.'),
  subject: z.string().min(1).max(500).describe('A Liquid template.'),
  body: z.string().min(1).max(20_000).describe('A Liquid template.'),
})

const deals = z.strictObject({
  pipelines: z
    .array(z.string().min(1))
    .min(1)
    .describe('Ids of the pipelines that count; all of them when left out.')
    .optional(),
  wins: z
    .enum(['latest', 'deals', 'property'])
    .default('latest')
    .describe('Which one stands where deals and the property of sales-status differ.'),
})

const firstContact = z.strictObject({
  kinds: z
    .array(z.enum(['call', 'email', 'meeting']))
    .min(1)
    .default(['call', 'email', 'meeting'])
    .describe('What counts as a contact.'),
  within: durationMs
    .prefault('30d')
    .describe('How long after somebody was qualified it is looked for.'),
})

const crmShape = (terms: Terms) => ({
  version: FORMAT_1,
  objects: z
    .strictObject({
      contact: object(PERSON_FIELDS, 'person', terms).describe('Records of people.').optional(),
      company: object(ACCOUNT_FIELDS, 'account', terms).describe('Records of accounts.').optional(),
    })
    .describe('What is written on which records.'),
  'read-every': durationMs
    .prefault('1h')
    .describe('How often what is read of a record is read again whether it changed or not.'),
  'compare-every': z
    .union([z.literal('never'), durationMs])
    .prefault('1d')
    .describe('How often records of which nothing is read are held against what they should say.'),
  'compare-calls': z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(2_000)
    .describe('Most calls of a day for that.'),
  'poll-every': z
    .union([z.literal('never'), durationMs])
    .prefault('1m')
    .describe('How often the CRM is asked what changed; or never.'),
  'poll-overlap': durationMs
    .prefault('2m')
    .describe('So much later the CRM may show a change than it happened.'),
  tasks: tasks.describe('Tasks for accounts that become qualified; none when left out.').optional(),
  deals: deals.describe('Deals are read only with it.').optional(),
  'first-contact': firstContact
    .describe('Calls, e-mails and meetings are read only with it.')
    .optional(),
})

/** What RevOps decides about one HubSpot portal (mappings/hubspot.yaml). */
export const crmMappingSchema = z.strictObject(
  crmShape({ propertyName: hubspotName, group: hubspotGroup }),
)

const salesforceRules = z.strictObject({
  'create-as': z
    .enum(['lead', 'contact'])
    .default('lead')
    .describe('What is created for a person who is neither a contact nor a lead.'),
  duplicates: z
    .enum(['link', 'save', 'park'])
    .default('link')
    .describe('What happens to a new record that a duplicate rule of the org stops.'),
  'domain-fields': z
    .array(salesforceName)
    .default(['PQA_Domain__c'])
    .describe('Fields of accounts that hold a domain, best first.'),
  'match-website': z
    .boolean()
    .default(true)
    .describe('Whether accounts are also found by the host name in their Website.'),
  'task-key': salesforceName
    .default('PQL_Key__c')
    .describe('The field of activities that holds the marker of a task.'),
  'bulk-from': z
    .union([z.literal('never'), z.number().int().min(200)])
    .default(2_000)
    .describe('A write of at least so many records is a job of the Bulk API; or never.'),
})

/** What RevOps decides about one Salesforce org (mappings/salesforce.yaml). */
export const salesforceMappingSchema = z.strictObject({
  ...crmShape({ propertyName: salesforceName, group: null }),
  salesforce: salesforceRules
    .default(salesforceRules.parse({}))
    .describe('What only Salesforce has.'),
})

/** The schema of each CRM's mapping file, by the name of the CRM. */
export const CRM_MAPPING_SCHEMAS = {
  hubspot: crmMappingSchema,
  salesforce: salesforceMappingSchema,
} as const

export type SalesforceMapping = z.output<typeof salesforceRules>
export type CrmMapping = z.output<typeof crmMappingSchema> & {
  readonly salesforce?: SalesforceMapping
}
export type ObjectMapping = NonNullable<CrmMapping['objects'][CrmObject]>
/** One property of ours: what fills it, and its type in the CRM. */
export type PropertyMapping = Readonly<
  z.output<ReturnType<typeof property<readonly [string, ...string[]]>>>
>
export type Several = (typeof SEVERAL)[number]
export type SalesStatusMapping = z.output<ReturnType<typeof salesStatus>>
export type DispositionMapping = z.output<ReturnType<typeof disposition>>
export type DealMapping = z.output<typeof deals>
export type FirstContactMapping = z.output<typeof firstContact>
export type TaskMapping = z.output<typeof tasks>
