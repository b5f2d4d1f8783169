import { z } from 'zod'
import { FORMAT_1 } from './format.ts'
import { pattern } from './pattern.ts'

/** The name of an action or a trait. */
export const traitName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'use lower-case letters, digits and _, at most 64')

const scalar = z.union([z.string(), z.number(), z.boolean()])

/** A condition on one event property. All that are given must hold. */
const condition = z
  .strictObject({
    equals: scalar.describe('The value is this one.').optional(),
    in: z.array(scalar).min(1).describe('The value is one of these.').optional(),
    gte: z.number().describe('The value is a number and at least this.').optional(),
    lte: z.number().describe('The value is a number and at most this.').optional(),
    exists: z.boolean().describe('There is a value (true) or none (false).').optional(),
    matches: pattern
      .describe(
        'A regular expression (RE2) found anywhere in the text; ^ and $ tie it to the ends.',
      )
      .optional(),
  })
  .refine((c) => Object.keys(c).length > 0, 'give one of equals, in, gte, lte, exists, matches')
  .meta({ minProperties: 1 })

const match = z.strictObject({
  source: z.string().min(1).describe('Only events of this source; any when left out.').optional(),
  event: z.string().min(1).describe('Name of the event, as the vendor has it.'),
  where: z
    .record(z.string().min(1), condition)
    .describe('Conditions on properties of the event; all must be met.')
    .optional(),
})

const keep = z.enum(['sum', 'max', 'last', 'distinct'])

/** What is kept of a property of the events, besides how many there were. */
const value = z.strictObject({
  of: z
    .string()
    .regex(/^event\.[^"\\]{1,120}$/, 'write event.<property>')
    .describe('Where it stands: event.<property>.'),
  keep: z
    .union([keep, z.array(keep).min(1)])
    .transform((k) => (Array.isArray(k) ? k : [k]))
    .describe('What of it: the sum, the greatest, the last, how many different ones; or a list.'),
})

const action = z.strictObject({
  label: z.string().min(1).max(120).describe('How people read it.'),
  family: z
    .enum(['activation', 'usage', 'feature', 'collaboration', 'limit', 'intent', 'negative'])
    .describe('What kind of signal it is.'),
  core: z.boolean().default(false).describe('Counts as work in the product, not only as presence.'),
  value: value.describe('What is kept of a property of its events.').optional(),
  from: z.array(match).min(1).describe('Events that are this action; one of them is enough.'),
})

const place = z
  .string()
  .regex(
    /^(user|event|group)\.[^"\\]{1,120}$/,
    'write user.<property>, event.<property> or group.<type>: where the value stands in an event',
  )

/**
 * The tracking plan (mappings/usage.yaml): canonical actions from vendor events, and where e-mail
 * addresses and traits stand.
 */
export const usageMappingSchema = z.strictObject({
  version: FORMAT_1,
  email: z.array(place).min(1).describe('Where e-mail addresses stand in events, best first.'),
  traits: z
    .record(traitName, z.array(place).min(1))
    .default({})
    .describe('Traits of people, each with the places where it stands, best first.'),
  account: z
    .array(place)
    .default([])
    .describe("Where the analytics group stands that is the person's account, best first."),
  ignore: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of events that are no usage, besides those that vendors send by themselves.'),
  keep: z
    .enum(['mapped', 'all'])
    .default('mapped')
    .describe('Which properties are stored: those that this file looks at, or all.'),
  actions: z
    .record(traitName, action)
    .refine((a) => Object.keys(a).length > 0, 'name one action at least')
    .meta({ minProperties: 1 })
    .describe('The actions that models speak of, by name.'),
})

export type UsageMapping = z.output<typeof usageMappingSchema>
export type ActionValue = z.output<typeof value>
export type ActionMatch = z.output<typeof match>
export type Condition = z.output<typeof condition>
