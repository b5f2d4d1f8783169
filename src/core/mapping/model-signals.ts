import { z } from 'zod'
import { durationDays } from './duration.ts'
import { pattern } from './pattern.ts'

export const modelId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and -')

const label = z.string().min(1).max(120).describe('How people read it.')
const points = z.number().int().min(-100).max(100)
const scalar = z.union([z.string(), z.number(), z.boolean()], 'write text, a number, true or false')

const tier = z.strictObject({
  from: z.number().describe('The amount from which on these points are given.'),
  points: points.describe('Instead of those of the tier before.'),
})

/** What every signal has besides what it measures. */
const common = {
  id: modelId.describe('Unique in the model. CRM records and history name it.'),
  label,
  component: modelId
    .describe('The component that bounds its points; every signal names one when there are any.')
    .optional(),
  points: points
    .describe('Points when it holds, or for every `per` of the amount; negative ones are taken.')
    .optional(),
  tiers: z.array(tier).min(1).describe('Instead of `points`: points by amount, rising.').optional(),
}

/** Words of the language before: what to write now. */
const PER_BEFORE: Readonly<Record<string, string>> = {
  once: 'leave per out; flat points are given once',
  occurrence: 'write per: 1, points for each time',
  'active-day': 'write per: 1 and measure: active-days',
}

const within = durationDays
  .describe('Whole days, such as 14d; the window of the model when left out.')
  .optional()

/** What every signal with an amount has. */
const amount = {
  'at-least': z.number().describe('It holds from this amount on.').optional(),
  'at-most': z.number().describe('It holds up to this amount; also without any use.').optional(),
  per: z
    .number({
      error: ({ input }) =>
        PER_BEFORE[String(input)] ?? 'write a number, such as 1; for days add measure: active-days',
    })
    .positive()
    .describe('Points for every so many of the amount, in proportion; needs `max`.')
    .optional(),
  max: z
    .number()
    .int()
    .min(1)
    .max(100)
    .describe('Most points that the signal can give or take away.')
    .optional(),
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

const limit = z.union(
  [
    z.number().positive(),
    z.strictObject({ trait: z.string().describe('A trait that is a number.') }),
    z.strictObject({ action: z.string().describe('Its latest kept value ever; keep: last.') }),
  ],
  'write a number above 0, { trait: … } or { action: … }',
)

const actionSignal = z.strictObject({
  ...common,
  ...amount,
  action: z.string().describe('An action of usage.yaml.'),
  measure: z.enum(MEASURES).default('count').describe('What is measured of it.'),
  of: z
    .enum(['own', 'account'])
    .default('own')
    .describe('Whose: the own use, or that of everybody in the account of the person.'),
  within,
  'half-life': durationDays.describe('Points fade to a half in so many days.').optional(),
  against: durationDays
    .describe('For velocity: length of the period before; as long as the window when left out.')
    .optional(),
  volume: z
    .number()
    .int()
    .min(1)
    .describe('For velocity: least number of times in both periods together; 6 when left out.')
    .optional(),
  value: z
    .enum(['last', 'max', 'sum'])
    .describe('For ratio: which kept value; last when left out.')
    .optional(),
  limit: limit.describe('For ratio: what is 100 per cent.').optional(),
})

const breadthSignal = z.strictObject({
  ...common,
  ...amount,
  actions: z
    .union(
      [z.literal('core'), z.array(z.string()).min(2)],
      'write core or a list of two actions or more',
    )
    .describe('How many different ones of these actions; `core` stands for all with core: true.'),
  within,
})

const elapsedSignal = z.strictObject({
  ...common,
  ...amount,
  'time-from': z.string().describe('Days from the first use ever of this action …'),
  to: z.string().describe('… to the first use ever of this one.'),
  within,
})

/** Conditions on one trait; all that are given must be met. */
export const traitCondition = {
  trait: z.string().describe('A trait that a file of the folder declares.'),
  equals: scalar.describe('The value is this one, compared as text.').optional(),
  in: z.array(scalar).min(1).describe('The value is one of these, compared as text.').optional(),
  gte: z.number().describe('The value is a number and at least this.').optional(),
  lte: z.number().describe('The value is a number and at most this.').optional(),
  matches: pattern.describe('A regular expression (RE2) matches somewhere in it.').optional(),
  exists: z.boolean().describe('There is a value (true) or none (false).').optional(),
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
  people: z.enum(PEOPLE_AMOUNTS).describe('What is counted of the people of the account.'),
  within,
})

const LISTS = ['all', 'any', 'none'] as const

const someOf = (what: string) => z.array(modelId).min(1).describe(what).optional()

const combination = z
  .strictObject({
    ...common,
    all: someOf('Signals that must all hold.'),
    any: someOf('Signals of which one must hold.'),
    none: someOf('Signals of which none may hold.'),
  })
  // As a required field that is missing: without it another kind is meant.
  .refine((signal) => LISTS.some((list) => signal[list] !== undefined), {
    path: ['all'],
    message: 'missing; give one of all, any and none',
    abort: true,
    when: () => true,
  })
  .meta({ anyOf: LISTS.map((list) => ({ required: [list] })) })

/** What one line of a model measures, and its points. */
export const signalSchema = z.union(
  [actionSignal, breadthSignal, elapsedSignal, traitSignal, peopleSignal, combination],
  'say what it measures by one of action, actions, time-from with to, trait, people, or all, any and none',
)

export type Signal = z.output<typeof signalSchema>
export type ActionSignal = z.output<typeof actionSignal>
export type TraitSignal = z.output<typeof traitSignal>
export type PeopleSignal = z.output<typeof peopleSignal>
export type Combination = z.output<typeof combination>
export type TraitCondition = Omit<TraitSignal, keyof typeof common>

export const isCombination = (s: Signal): s is Combination =>
  'all' in s || 'any' in s || 'none' in s

/** Most points that one signal can give before its component; from 0. */
export function mostPoints(signal: Signal): number {
  const max = 'max' in signal ? signal.max : undefined
  if (signal.tiers) return Math.min(max ?? 100, Math.max(0, ...signal.tiers.map((t) => t.points)))
  const points = Math.max(0, signal.points ?? 0)
  if (points === 0) return 0
  const isCounted = 'per' in signal && signal.per !== undefined
  return isCounted ? (max ?? points) : Math.min(max ?? 100, points)
}
