import { z } from 'zod'
import { USAGE_STATUSES } from '../scoring/status.ts'
import { CRM_MAPPING_SCHEMAS, OPEN_DEAL } from './crm-mapping.ts'
import { durationMs } from './duration.ts'
import { modelId, traitCondition } from './model-signals.ts'
import { taskAssignment, workingHours } from './playbook-assignment.ts'
import { traitName } from './usage-mapping.ts'

const points = z.number().int().min(1).max(100)

const trigger = z.union(
  [
    z.strictObject({
      'status-entered': z.enum(USAGE_STATUSES).describe('The usage status becomes this one.'),
    }),
    z.strictObject({
      'score-crossed': points.describe('The score was below this and is at least this now.'),
    }),
    z.strictObject({
      'score-fallen': points.describe(
        'The score is so many points below its best since the subject was qualified.',
      ),
    }),
    z.strictObject({
      'action-first': z
        .string()
        .describe('An action of usage.yaml is done for the first time within the model’s window.'),
    }),
    z.strictObject({
      'limit-reached': modelId.describe('A signal of the model that measures a ratio.'),
      percent: z.number().min(1).max(1000).default(80).describe('From this share of the limit on.'),
    }),
    z.strictObject({
      'people-active': z
        .number()
        .int()
        .min(1)
        .describe('So many people of the account are active.'),
    }),
  ],
  'say what starts it by one of status-entered, score-crossed, score-fallen, action-first, limit-reached and people-active',
)

const bounds = {
  gte: z.number().describe('At least this.').optional(),
  lte: z.number().describe('At most this.').optional(),
}

const condition = z.union(
  [
    z.strictObject(traitCondition),
    z.strictObject({ value: z.enum(['score', 'active-people', 'qualified-people']), ...bounds }),
    z.strictObject({
      'usage-status': z.array(z.enum(USAGE_STATUSES)).min(1).describe('It is one of these.'),
    }),
    z.strictObject({
      'sales-status': z
        .array(z.enum(['none', 'accepted', 'rejected', 'opportunity', 'won', 'lost']))
        .min(1)
        .describe('It is one of these.'),
    }),
    z.strictObject({
      trend: z.array(z.enum(['rising', 'steady', 'falling', 'quiet'])).min(1),
    }),
  ],
  'say what must be so by one of trait, value, usage-status, sales-status and trend',
)

const template = (most: number) => z.string().min(1).max(most)

/** A task as a playbook asks for it; `tasks:` of a CRM's mapping says the same in short. */
const task = z.strictObject({
  subject: template(500).describe('Liquid; one line.'),
  body: template(20_000).describe('Liquid; what the owner reads.'),
  priority: z.enum(['low', 'medium', 'high']).default('medium'),
  type: z.enum(['to-do', 'call', 'email']).default('to-do'),
  queue: z
    .string('write the id of the queue as a text, in quotation marks')
    .regex(/^\w{1,64}$/, 'write the id of the queue: letters and digits')
    .optional(),
  'due-in': durationMs.describe('The time that its owner has, in working hours where there are.'),
  'remind-before': durationMs.optional(),
  'working-hours': workingHours.optional(),
  assign: z
    .array(taskAssignment)
    .min(1)
    .default(['account-owner'])
    .describe('Whose task it is: the first of these that names somebody who is there.'),
  'fallback-owner': z.email().describe('Whose it is when nobody else is named.').optional(),
  'daily-cap': z.number().int().min(1).describe('Most new tasks of one owner a day.').optional(),
  'one-open': z
    .boolean()
    .default(true)
    .describe('While a task is open for the account and owner, what is new goes into it.'),
  'when-gone': z.enum(['close', 'leave']).default('close'),
  'open-deal': z
    .enum(OPEN_DEAL)
    .default('note')
    .describe('What there is in its place while the account has an open deal.'),
  escalate: z
    .strictObject({
      after: durationMs.describe('So long after it was due and nobody has touched it.').default(0),
      to: z.email().describe('Who gets it then; it stays whose it is when left out.').optional(),
      priority: z.enum(['low', 'medium', 'high']).default('high'),
    })
    .optional(),
})

const variable = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]{2,63}$/,
    'name an environment variable such as SALES_WEBHOOK_URL; the address itself stays out of the file',
  )

const membershipAct = z
  .enum(['add', 'remove'])
  .default('add')
  .describe('Whether they come into it or leave it.')

const action = z.union(
  [
    z.strictObject({ task }),
    z.strictObject({
      set: z
        .record(traitName, z.string().min(1))
        .refine((values) => Object.keys(values).length > 0, 'name one trait at least')
        .describe('Traits of the subject; properties with from: trait.<name> write them.'),
    }),
    z.strictObject({
      slack: variable.describe('The variable that holds the address of the incoming webhook.'),
      text: template(4_000).describe('Liquid.'),
    }),
    z.strictObject({
      webhook: variable.describe('The variable that holds the address.'),
      secret: variable.describe('The variable that holds what messages are signed with.'),
    }),
    z.strictObject({
      list: z
        .string('write the id of the list as a text, in quotation marks')
        .regex(
          /^\d{1,18}$/,
          'write the id of a static list, as the address of its page in HubSpot has it',
        )
        .describe('HubSpot: id of a static list.'),
      act: membershipAct,
      who: z
        .enum(['subject', 'people'])
        .default('subject')
        .describe('The person or account itself, or the people whom the texts name.'),
    }),
    z.strictObject({
      campaign: z
        .string()
        .regex(
          /^701[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/,
          'write the id of a campaign: 701 and what follows',
        )
        .describe('Salesforce: id of a campaign; the people whom the texts name become members.'),
      act: membershipAct,
      status: z.string().min(1).max(40).describe('How a new member stands.').optional(),
    }),
    z.strictObject({
      event: z
        .string()
        .regex(
          /^pe\d+_[a-z0-9_]{1,90}$/,
          'write the full name of the event: pe, the number of the account, _ and its name',
        )
        .describe('HubSpot: a custom event (Enterprise), on the timeline of the subject.'),
      properties: z
        .record(z.string().regex(/^[a-z][a-z0-9_]{0,99}$/), template(4_000))
        .default({})
        .describe('Liquid, by the names of the properties of the event.'),
    }),
  ],
  'say what is done by one of task, set, slack, webhook, list, campaign and event',
)

const segment = z.strictObject({
  name: z.string().min(1).max(120),
  when: z.array(condition).default([]).describe('All must be met; the first segment that fits.'),
  motion: z.enum(['nudge', 'nurture', 'sales', 'account-executive']),
  actions: z.array(action).min(1),
})

/** The trait by which the mappings that ship tell who opted out. */
export const OPTED_OUT = 'opted_out'

const guards = z.strictObject({
  /** In milliseconds. */
  'evidence-within': durationMs
    .default(86_400_000)
    .describe('Older behaviour starts nothing: a backfill, a first sync, a changed model.'),
  'cool-down': durationMs
    .default(14 * 86_400_000)
    .describe('So long after it was started for a subject it is not started again.'),
  'after-rejection': durationMs
    .default(90 * 86_400_000)
    .describe('So long after sales said no nothing is started.'),
  'opted-out': z
    .array(z.strictObject(traitCondition))
    .default([{ trait: OPTED_OUT, equals: 'true' }])
    .describe('Whoever meets one of these is left alone; nobody is, with an empty list.'),
  suppress: z
    .strictObject({
      domains: z.array(z.string().min(1)).default([]),
      emails: z.array(z.email()).default([]),
    })
    .default({ domains: [], emails: [] })
    .describe('Who is left alone, by name.'),
})

/** The guards of a playbook that says nothing of them. */
export const DEFAULT_GUARDS = guards.parse({})

/** What happens when, for whom and by whom (mappings/playbooks/*.yaml). See docs/mappings.md. */
export const playbookSchema = z.strictObject({
  id: modelId.describe('Name of the playbook; unique in the folder.'),
  enabled: z.boolean().default(true),
  label: z.string().min(1).max(120).describe('How people read it.'),
  crm: z
    .enum(Object.keys(CRM_MAPPING_SCHEMAS) as [keyof typeof CRM_MAPPING_SCHEMAS])
    .describe('The one CRM that gets its tasks.'),
  subject: z.enum(['person', 'account']).describe('Whom it is about.'),
  trigger,
  conditions: z.array(condition).default([]).describe('All must be met.'),
  guards: guards.default(DEFAULT_GUARDS),
  segments: z.array(segment).min(1),
})

export type Playbook = z.output<typeof playbookSchema>
export type PlaybookTrigger = Playbook['trigger']
export type PlaybookCondition = z.output<typeof condition>
export type PlaybookSegment = z.output<typeof segment>
export type PlaybookAction = z.output<typeof action>
export type PlaybookTask = z.output<typeof task>
export type PlaybookGuards = z.output<typeof guards>
