import { z } from 'zod'
import { durationDays, durationMs } from './duration.ts'
import { checkModel } from './model-checks.ts'
import { modelId, signalSchema, traitCondition } from './model-signals.ts'

const label = z.string().min(1).max(120).describe('How people read it.')

const afterRejection = z.union(
  [
    z.literal('never'),
    z.strictObject({
      'cool-down': durationDays.describe('Days in which the subject cannot qualify again.'),
      gain: z
        .number()
        .int()
        .min(0)
        .max(100)
        .default(0)
        .describe('How much the score must then be above the one at the rejection.'),
    }),
  ],
  'write never, or { cool-down: 90d, gain: 10 }',
)

const status = z.strictObject({
  enter: z.number().int().min(1).max(100).describe('Qualified from this score on …'),
  exit: z.number().int().min(0).max(99).describe('… until it falls below this one.'),
  assist: z.number().int().min(1).max(100).describe('Worth help by sales from this score on.'),
  'new-for': durationDays.describe('How long after the first use somebody is new.'),
  'stale-after': durationDays.describe('Without any use for longer it is stale.'),
  /** In milliseconds. */
  'min-dwell': durationMs.describe('Every change of the status holds it so long.').optional(),
  'after-rejection': afterRejection
    .prefault({ 'cool-down': '90d', gain: 0 })
    .describe('When somebody whom sales rejected may qualify again.'),
})

const band = z.strictObject({
  grade: z.string().min(1).max(20).describe('Name of the grade.'),
  from: z.number().int().min(0).max(100).describe('It begins at this score; the first at 0.'),
})

const component = z.strictObject({
  id: modelId.describe('Its name; signals say it under component.'),
  label,
  max: z.number().int().min(1).max(100).describe('Most points of its signals.').optional(),
  weight: z
    .number()
    .int()
    .min(1)
    .max(100)
    .describe('Its share of the score; all weights add up to 100.')
    .optional(),
  full: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .describe('With weight: how many points its signals have to give; 100 when left out.')
    .optional(),
})

const exclusion = z.union(
  [
    z.strictObject({ label, ...traitCondition }),
    z.strictObject({ label, signal: modelId.describe('A signal of the model that holds.') }),
  ],
  'say who is left out by trait or by signal',
)

/** A scoring model (mappings/models/*.yaml): points for people or for accounts. See docs/models.md. */
export const modelSchema = z
  .strictObject({
    id: modelId.describe('Name of the model; unique in the folder.'),
    version: z.number().int().min(1).describe('Raise it when you change the model.'),
    subject: z.enum(['person', 'account']).describe('Whom it scores.'),
    kind: z
      .enum(['conversion', 'expansion', 'onboarding', 'retention'])
      .describe('What it is meant to find; for readers.'),
    predicts: z
      .string()
      .min(1)
      .describe('The one event that it predicts: an action of usage.yaml, opportunity or won.'),
    population: z
      .array(z.strictObject(traitCondition))
      .default([])
      .describe('Whom it applies to; all conditions must be met.'),
    exclude: z
      .array(exclusion)
      .default([])
      .describe('Who is left out: the score is 0, whatever else.'),
    window: durationDays.describe('How far back behaviour counts, in whole days such as 30d.'),
    'active-days': z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe('Days with core work within the window that make a person of the account active.'),
    'people-model': modelId
      .describe('For accounts: the model whose scores say which of their people are qualified.')
      .optional(),
    'least-active': z
      .number()
      .int()
      .min(1)
      .describe('For accounts: with fewer active people none is qualified; 2 when left out.')
      .optional(),
    components: z.array(component).default([]).describe('Groups of signals, bounded or weighed.'),
    signals: z.array(signalSchema).min(1).describe('What gives or takes points.'),
    requires: z.array(modelId).default([]).describe('Signals that must hold for qualified.'),
    'hand-raiser': z.array(modelId).default([]).describe('Signals that qualify by themselves.'),
    status: status.describe('When the usage status changes.'),
    bands: z.array(band).min(1).describe('Grades.'),
  })
  .superRefine(checkModel)

export type Model = z.output<typeof modelSchema>
export type StatusRules = Model['status']

/** Least active people of an account that may qualify, where a model does not say. */
export const LEAST_ACTIVE = 2
