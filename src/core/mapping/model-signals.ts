import { z } from 'zod'
import { durationDays } from './duration.ts'
import { pattern } from './pattern.ts'

export const modelId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and -')

const label = z.string().min(1).max(120)
const points = z.number().int().min(-100).max(100)
const max = z.number().int().min(1).max(100)
const scalar = z.union([z.string(), z.number(), z.boolean()])

const tier = z.strictObject({ from: z.number(), points })

/** What every signal has besides what it measures. */
const common = {
  id: modelId,
  label,
  /** The component whose points these are; every signal names one when the model has components. */
  component: modelId.optional(),
  points: points.optional(),
  tiers: z.array(tier).min(1).optional(),
}

/** What every signal with an amount has. */
const amount = {
  'at-least': z.number().optional(),
  'at-most': z.number().optional(),
  /** Points for every so many of the amount, in proportion. */
  per: z
    .number('write a number, such as 1; for days add measure: active-days')
    .positive()
    .optional(),
  /** Most points that the signal can give or take away. */
  max: max.optional(),
}

export const MEASURES = [
  'count',
  'active-days',
  'distinct',
  'max',
  'last',
  'sum',
  'first-ever',
  'streak',
  'week',
  'week-days',
  'velocity',
  'ratio',
  'people',
] as const
export type Measure = (typeof MEASURES)[number]

const limit = z.union([
  z.number().positive(),
  z.strictObject({ trait: z.string() }),
  z.strictObject({ action: z.string() }),
])

const actionSignal = z.strictObject({
  ...common,
  ...amount,
  action: z.string(),
  measure: z.enum(MEASURES).default('count'),
  /** Whose: the subject's own, or of everybody in the person's account. */
  of: z.enum(['own', 'account']).default('own'),
  within: durationDays.optional(),
  'half-life': durationDays.optional(),
  /** For `velocity`: length of the period before, in days. */
  against: durationDays.optional(),
  /** For `velocity`: least number of times in both periods together. */
  volume: z.number().int().min(1).optional(),
  /** For `ratio`. */
  value: z.enum(['last', 'max', 'sum']).optional(),
  limit: limit.optional(),
})

const breadthSignal = z.strictObject({
  ...common,
  ...amount,
  actions: z.union([z.literal('core'), z.array(z.string()).min(2)]),
  within: durationDays.optional(),
})

const elapsedSignal = z.strictObject({
  ...common,
  ...amount,
  'time-from': z.string(),
  to: z.string(),
  within: durationDays.optional(),
})

/** Conditions on one trait; all that are given must be met. */
export const traitCondition = {
  trait: z.string(),
  equals: scalar.optional(),
  in: z.array(scalar).min(1).optional(),
  gte: z.number().optional(),
  lte: z.number().optional(),
  matches: pattern.optional(),
  exists: z.boolean().optional(),
}

const traitSignal = z.strictObject({ ...common, ...traitCondition })

export const PEOPLE_AMOUNTS = [
  'known',
  'active',
  'new',
  'qualified',
  'share-active',
  'growth',
  'champion',
] as const

const peopleSignal = z.strictObject({
  ...common,
  ...amount,
  people: z.enum(PEOPLE_AMOUNTS),
  within: durationDays.optional(),
})

const combination = z.strictObject({
  ...common,
  all: z.array(modelId).min(1).optional(),
  any: z.array(modelId).min(1).optional(),
  none: z.array(modelId).min(1).optional(),
})

export const signalSchema = z.union([
  actionSignal,
  breadthSignal,
  elapsedSignal,
  traitSignal,
  peopleSignal,
  combination,
])

export type Signal = z.output<typeof signalSchema>
export type ActionSignal = z.output<typeof actionSignal>
export type BreadthSignal = z.output<typeof breadthSignal>
export type ElapsedSignal = z.output<typeof elapsedSignal>
export type TraitSignal = z.output<typeof traitSignal>
export type PeopleSignal = z.output<typeof peopleSignal>
export type Combination = z.output<typeof combination>
export type TraitCondition = Omit<TraitSignal, keyof typeof common>

export const isCombination = (s: Signal): s is Combination =>
  'all' in s || 'any' in s || 'none' in s

/** Most points that one signal can give before its component; from 0. */
export function mostPoints(signal: Signal): number {
  if (signal.tiers) return Math.max(0, ...signal.tiers.map((tier) => tier.points))
  const points = Math.max(0, signal.points ?? 0)
  const isCounted = 'per' in signal && signal.per !== undefined && points > 0
  return isCounted ? (signal.max ?? points) : points
}
