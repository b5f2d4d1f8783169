import { z } from 'zod'
import type { CrmObject } from '../ports/crm.ts'
import { WINNERS } from '../scoring/winner.ts'
import { durationMs } from './duration.ts'
import { policyShape, refusePolicies, TRAIT_FIELD } from './field-policy.ts'
import { traitName } from './usage-mapping.ts'

const SCORE_FIELDS = [
  'score',
  'grade',
  'usage_status',
  'sales_status',
  'status_since',
  'qualified_at',
  'change',
  'trend',
  'reason_1',
  'reason_2',
  'reason_3',
  'summary',
  'explanation',
  'what_changed',
  'to_qualify',
  'last_active',
  'active_days_30',
  'signals',
  'model',
] as const

/** What a property of a person can be filled with. */
export const PERSON_FIELDS = [...SCORE_FIELDS, 'email', 'last_name', 'company_name'] as const

/** What a property of an account can be filled with. */
export const ACCOUNT_FIELDS = [
  ...SCORE_FIELDS,
  'active_users',
  'qualified_users',
  'champion',
  'others',
  'domain',
  'name',
] as const

const hubspotName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, 'use a HubSpot property name: lower-case letters, digits and _')
/** Custom ones end in `__c`; those of a package begin with its namespace. */
const salesforceName = z
  .string()
  .regex(/^[A-Za-z]\w{0,79}$/, 'use the API name of a Salesforce field: letters, digits and _')
type Names = typeof hubspotName

const label = z.string().min(1).max(120)
const hubspotGroup = z.strictObject({ name: hubspotName, label })
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

const property = <F extends readonly [string, ...string[]]>(fields: F) =>
  z
    .strictObject({
      from: z.union(
        [z.enum(fields), z.string().regex(TRAIT_FIELD, fromWords(fields))],
        fromWords(fields),
      ),
      type: z.enum(PROPERTY_TYPES),
      label: z.string().min(1).max(120),
      description: z.string().max(500).optional(),
      options: z
        .array(z.strictObject({ value: z.string().min(1), label: z.string().min(1) }))
        .min(1)
        .optional(),
      /** What happens to the value in the CRM when there is none to write. */
      'when-empty': z.enum(['clear', 'keep']).default('clear'),
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

const salesValue = z.array(z.string().min(1)).min(1).optional()

const salesStatus = (propertyName: Names) =>
  z.strictObject({
    /** The property that says how it stands with sales. */
    property: propertyName,
    /** Which of its values mean which status; all others mean `none`. */
    values: z
      .strictObject({
        accepted: salesValue,
        rejected: salesValue,
        opportunity: salesValue,
        won: salesValue,
        lost: salesValue,
      })
      .superRefine(refuseTwice),
    /** The property that says why, in the CRM's own words. */
    reason: propertyName.optional(),
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

/** Which record is meant when several could be; `ask` leaves it to a person. */
export const SEVERAL = ['oldest', 'newest', 'with-owner', 'ask'] as const

const match = z.strictObject({ several: z.enum(SEVERAL) })

const LEAVINGS = ['keep', 'clear', 'archive'] as const

const object = <F extends readonly [string, ...string[]]>(
  fields: F,
  subject: string,
  { propertyName, group }: Terms,
) =>
  z.strictObject({
    subject: z.literal(subject),
    /** The model whose score is written, or several: then `winner` says which one speaks. */
    model: z
      .union([z.string(), z.array(z.string()).min(1)], 'write the id of a model, or a list of them')
      .transform((model) => (typeof model === 'string' ? [model] : model)),
    winner: z.enum(WINNERS).default('first'),
    /** Our own unique property; created, and set on every record that we write. */
    key: z.strictObject({ property: propertyName, label: z.string().min(1).max(120) }),
    /** When a record that the CRM lacks is created. */
    create: z.enum(['never', 'qualified', 'always']),
    match: match.default({ several: 'oldest' }),
    /** What happens to the record of a subject that has no score any more. */
    'on-leave': z.enum(LEAVINGS).default('clear'),
    /** What happens when somebody has deleted the record in the CRM. */
    'on-delete': z.enum(['keep-away', 'recreate']).default('keep-away'),
    /** Properties of the CRM's own that are set only when we create the record. */
    'on-create': z.record(propertyName, z.enum(fields)).default({}),
    /** Where our properties lie, for CRMs that have groups of them. */
    group: group ?? NO_GROUP,
    properties: z.record(propertyName, property(fields)),
    /** The CRM's own properties that models may read, by the name of the trait. */
    read: z.record(traitName, propertyName).default({}),
    'sales-status': salesStatus(propertyName).optional(),
  })

const tasks = z.strictObject({
  /** One task for each account that enters `qualified`. */
  on: z.literal('account-qualified'),
  /** Older behaviour starts no task (a backfill, a first sync, a changed model). */
  'evidence-within': durationMs,
  'due-in': durationMs,
  priority: z.enum(['low', 'medium', 'high']),
  /** E-mail address of the owner of tasks whose company has no active owner. */
  'fallback-owner': z.email().optional(),
  type: z.enum(['to-do', 'call', 'email']).default('to-do'),
  /** Id of the queue that tasks go into, as the CRM has it. */
  queue: z
    .string('write the id of the queue as a text, in quotation marks')
    .regex(/^\w{1,64}$/, 'write the id of the queue: letters and digits')
    .optional(),
  /** The owner is reminded this long before the task is due. */
  'remind-before': durationMs.optional(),
  /** What becomes of an untouched task when its reason is gone. */
  'when-gone': z.enum(['close', 'leave']).default('leave'),
  subject: z.string().min(1).max(500),
  body: z.string().min(1).max(20_000),
})

const deals = z.strictObject({
  /** Ids of the pipelines that count; all of them when left out. */
  pipelines: z.array(z.string().min(1)).min(1).optional(),
  /** Which one stands where deals and the property of `sales-status` say different things. */
  wins: z.enum(['latest', 'deals', 'property']).default('latest'),
})

const firstContact = z.strictObject({
  /** What counts as a contact. */
  kinds: z
    .array(z.enum(['call', 'email', 'meeting']))
    .min(1)
    .default(['call', 'email', 'meeting']),
  /** How long after somebody was qualified it is looked for. */
  within: durationMs.default(30 * 86_400_000),
})

const crmShape = (terms: Terms) => ({
  version: z.literal(1),
  objects: z.strictObject({
    contact: object(PERSON_FIELDS, 'person', terms).optional(),
    company: object(ACCOUNT_FIELDS, 'account', terms).optional(),
  }),
  /** How often what is read of a record is read again whether it changed or not, in milliseconds. */
  'read-every': durationMs.default(3_600_000),
  /** How often records of which nothing is read are held against what they should say, in milliseconds. */
  'compare-every': z.union([z.literal('never'), durationMs]).default(86_400_000),
  /** Most calls of a day for that. */
  'compare-calls': z.number().int().min(1).max(1_000_000).default(2_000),
  /** How often the CRM is asked what changed, in milliseconds. */
  'poll-every': z.union([z.literal('never'), durationMs]).default(60_000),
  /** So much later the CRM may show a change than it happened, in milliseconds. */
  'poll-overlap': durationMs.default(120_000),
  tasks: tasks.optional(),
  /** Deals are read only with it. */
  deals: deals.optional(),
  /** Calls, e-mails and meetings are read only with it. */
  'first-contact': firstContact.optional(),
})

/** What RevOps decides about one HubSpot portal (mappings/hubspot.yaml). */
export const crmMappingSchema = z.strictObject(
  crmShape({ propertyName: hubspotName, group: hubspotGroup }),
)

const salesforceRules = z.strictObject({
  /** What is created for a person who is neither a contact nor a lead. */
  'create-as': z.enum(['lead', 'contact']).default('lead'),
  /** What happens to a new record that a duplicate rule of the org stops. */
  duplicates: z.enum(['link', 'save', 'park']).default('link'),
  /** Fields of accounts that hold a domain, best first. */
  'domain-fields': z.array(salesforceName).default(['PQA_Domain__c']),
  /** Whether accounts are also found by the host name in their Website. */
  'match-website': z.boolean().default(true),
  /** The field of activities that holds the marker of a task. */
  'task-key': salesforceName.default('PQL_Key__c'),
  /** A write of at least so many records is a job of the Bulk API. */
  'bulk-from': z.union([z.literal('never'), z.number().int().min(200)]).default(2_000),
})

/** What RevOps decides about one Salesforce org (mappings/salesforce.yaml). */
export const salesforceMappingSchema = z.strictObject({
  ...crmShape({ propertyName: salesforceName, group: null }),
  /** What only Salesforce has. */
  salesforce: salesforceRules.default(salesforceRules.parse({})),
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
export type DealMapping = z.output<typeof deals>
export type FirstContactMapping = z.output<typeof firstContact>
export type TaskMapping = z.output<typeof tasks>
