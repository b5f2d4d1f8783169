import { z } from 'zod'
import { pattern } from './pattern.ts'

/** The name of an action or a trait. */
export const traitName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'use lower-case letters, digits and _, at most 64')

const scalar = z.union([z.string(), z.number(), z.boolean()])

/** A condition on one event property. All that are given must hold. */
const condition = z
  .strictObject({
    equals: scalar.optional(),
    in: z.array(scalar).min(1).optional(),
    gte: z.number().optional(),
    lte: z.number().optional(),
    exists: z.boolean().optional(),
    /** Found anywhere in the text; `^` and `$` tie it to the ends. */
    matches: pattern.optional(),
  })
  .refine((c) => Object.keys(c).length > 0, 'give one of equals, in, gte, lte, exists, matches')

const match = z.strictObject({
  source: z.string().min(1).optional(),
  event: z.string().min(1),
  where: z.record(z.string().min(1), condition).optional(),
})

const keep = z.enum(['sum', 'max', 'last', 'distinct'])

/** What is kept of a property of the events, besides how many there were. */
const value = z.strictObject({
  of: z.string().regex(/^event\.[^"\\]{1,120}$/, 'write event.<property>'),
  keep: z.union([keep, z.array(keep).min(1)]).transform((k) => (Array.isArray(k) ? k : [k])),
})

const action = z.strictObject({
  label: z.string().min(1).max(120),
  family: z.enum([
    'activation',
    'usage',
    'feature',
    'collaboration',
    'limit',
    'intent',
    'negative',
  ]),
  /** Counts as work in the product, not only as presence. */
  core: z.boolean().default(false),
  value: value.optional(),
  from: z.array(match).min(1),
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
  version: z.literal(1),
  email: z.array(place).min(1),
  traits: z.record(traitName, z.array(place).min(1)).default({}),
  /** Where the analytics group stands that is the person's account. */
  account: z.array(place).default([]),
  /** Vendor event names that are no usage, besides the reserved ones. */
  ignore: z.array(z.string().min(1)).default([]),
  /** Which properties are stored: those that this file looks at, or all that the vendor sends. */
  keep: z.enum(['mapped', 'all']).default('mapped'),
  actions: z
    .record(traitName, action)
    .refine((a) => Object.keys(a).length > 0, 'name one action at least'),
})

export type UsageMapping = z.output<typeof usageMappingSchema>
export type ActionValue = z.output<typeof value>
export type ActionMatch = z.output<typeof match>
export type Condition = z.output<typeof condition>
