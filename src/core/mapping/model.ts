import { z } from 'zod'
import { durationDays, durationMs } from './duration.ts'
import { checkModel } from './model-checks.ts'
import { modelId, signalSchema, traitCondition } from './model-signals.ts'

const label = z.string().min(1).max(120)

const afterRejection = z.union([
  z.literal('never'),
  z.strictObject({
    'cool-down': durationDays,
    /** How much the score must be above the one at the rejection. */
    gain: z.number().int().min(0).max(100).default(0),
  }),
])

const status = z.strictObject({
  enter: z.number().int().min(1).max(100),
  exit: z.number().int().min(0).max(99),
  assist: z.number().int().min(1).max(100),
  'new-for': durationDays,
  'stale-after': durationDays,
  /** In milliseconds; every change of the status holds it for so long. */
  'min-dwell': durationMs.optional(),
  'after-rejection': afterRejection.default({ 'cool-down': 90, gain: 0 }),
})

const band = z.strictObject({
  grade: z.string().min(1).max(20),
  from: z.number().int().min(0).max(100),
})

const component = z.strictObject({
  id: modelId,
  label,
  max: z.number().int().min(1).max(100).optional(),
  weight: z.number().int().min(1).max(100).optional(),
  /** Only with `weight`: how many points its signals have to give among them. */
  full: z.number().int().min(1).max(1000).optional(),
})

/** Who is left out: by a trait, or by a signal of the model that holds. */
const exclusion = z.union([
  z.strictObject({ label, ...traitCondition }),
  z.strictObject({ label, signal: modelId }),
])

/** A scoring model (mappings/models/*.yaml): points for people or for accounts. See docs/models.md. */
export const modelSchema = z
  .strictObject({
    id: modelId,
    version: z.number().int().min(1),
    subject: z.enum(['person', 'account']),
    kind: z.enum(['conversion', 'expansion', 'onboarding', 'retention']),
    /** The one event that it predicts: an action, or `opportunity` or `won`. */
    predicts: z.string().min(1),
    /** Whom it applies to; all must be met. */
    population: z.array(z.strictObject(traitCondition)).default([]),
    exclude: z.array(exclusion).default([]),
    window: durationDays,
    /** Days with core work within the window that make a person of the account active. */
    'active-days': z.number().int().min(1).default(1),
    /** For accounts: the model whose scores say which of their people are qualified. */
    'people-model': modelId.optional(),
    /** For accounts: with fewer active people than this none is qualified. */
    'least-active': z.number().int().min(1).optional(),
    components: z.array(component).default([]),
    signals: z.array(signalSchema).min(1),
    /** Signals that must hold for `qualified`. */
    requires: z.array(modelId).default([]),
    /** Signals that qualify by themselves. */
    'hand-raiser': z.array(modelId).default([]),
    status,
    bands: z.array(band).min(1),
  })
  .superRefine(checkModel)

export type Model = z.output<typeof modelSchema>
export type Component = Model['components'][number]
export type StatusRules = Model['status']
export type Exclusion = Model['exclude'][number]

/** Least active people of an account that may qualify, where a model does not say. */
export const LEAST_ACTIVE = 2
