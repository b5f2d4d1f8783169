import { z } from 'zod'
import { durationDays } from './duration.ts'

const id = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and -')
const points = z.number().int().min(-100).max(100)

/** Points for an action of the tracking plan: once, or for each occurrence up to `max`. */
const actionSignal = z
  .strictObject({
    id,
    label: z.string().min(1).max(120),
    action: z.string(),
    points,
    per: z.enum(['once', 'occurrence', 'active-day']).default('once'),
    /** Most points that the signal can give or take away; needed unless it counts once. */
    max: z.number().int().min(1).max(100).optional(),
    /** Least number of occurrences (or days) before it counts. */
    'at-least': z.number().int().min(1).default(1),
    within: durationDays.optional(),
  })
  .refine((s) => s.per === 'once' || s.max !== undefined, {
    path: ['max'],
    message: 'a signal that counts more than once needs max, the most points it can give',
  })

const traitSignal = z.strictObject({
  id,
  label: z.string().min(1).max(120),
  trait: z.string(),
  in: z.array(z.string()).min(1),
  points,
})

const peopleSignal = z.strictObject({
  id,
  label: z.string().min(1).max(120),
  /** Counts people of the account: who did core work on enough days, or who are qualified. */
  people: z.enum(['active', 'qualified']),
  points,
  max: z.number().int().min(1).max(100),
})

const signal = z.union([actionSignal, traitSignal, peopleSignal])

const status = z
  .strictObject({
    enter: z.number().int().min(1).max(100),
    exit: z.number().int().min(0).max(99),
    assist: z.number().int().min(1).max(100),
    'new-for': durationDays,
    'stale-after': durationDays,
  })
  .refine((s) => s.exit < s.enter, { path: ['exit'], message: 'exit must lie below enter' })
  .refine((s) => s.assist <= s.exit, {
    path: ['assist'],
    message: 'assist must not lie above exit, or a status would jump over it',
  })

const band = z.strictObject({
  grade: z.string().min(1).max(20),
  from: z.number().int().min(0).max(100),
})

/** A scoring model (mappings/models/*.yaml): points for people or for accounts. */
export const modelSchema = z
  .strictObject({
    id,
    version: z.number().int().min(1),
    subject: z.enum(['person', 'account']),
    kind: z.enum(['conversion', 'expansion']),
    predicts: z.string().min(1),
    window: durationDays,
    /** Days with core work that make a person of the account active; only for accounts. */
    'active-days': z.number().int().min(1).default(1),
    /** For accounts: the model whose scores say which of their people are qualified. */
    'people-model': id.optional(),
    signals: z.array(signal).min(1),
    status,
    bands: z.array(band).min(1),
  })
  .superRefine((model, context) => {
    checkUnique(model.signals, context)
    checkBands(model.bands, context)
    if (model.subject === 'person') checkPersonSignals(model.signals, context)
    else if (model['people-model'] === undefined) {
      const message = 'an account model names the model that scores its people'
      context.addIssue({ code: 'custom', path: ['people-model'], message })
    }
    const reach = model.signals.reduce((sum, s) => sum + (s.points > 0 ? mostPoints(s) : 0), 0)
    if (reach < model.status.enter) {
      context.addIssue({
        code: 'custom',
        path: ['status', 'enter'],
        message: `nobody can qualify: all signals together give ${reach} points, less than enter`,
      })
    }
  })

export type Model = z.output<typeof modelSchema>
export type Signal = z.output<typeof signal>
export type ActionSignal = z.output<typeof actionSignal>

/** Most points that one signal can give, or take away when its points are negative; from 0. */
export function mostPoints(s: Signal): number {
  const bound = 'max' in s && s.max !== undefined ? s.max : 100
  const counts = 'people' in s || ('action' in s && s.per !== 'once')
  return counts ? bound : Math.min(bound, Math.abs(s.points))
}

type Context = z.core.$RefinementCtx

function checkUnique(signals: readonly Signal[], context: Context): void {
  const seen = new Set<string>(['limit'])
  signals.forEach((s, index) => {
    if (seen.has(s.id)) {
      const message = s.id === 'limit' ? 'limit is a reserved id' : `signal ${s.id} is given twice`
      context.addIssue({ code: 'custom', path: ['signals', index, 'id'], message })
    }
    seen.add(s.id)
  })
}

function checkPersonSignals(signals: readonly Signal[], context: Context): void {
  signals.forEach((s, index) => {
    if (!('people' in s)) return
    const message = 'counts people, so it belongs in a model whose subject is account'
    context.addIssue({ code: 'custom', path: ['signals', index, 'people'], message })
  })
}

function checkBands(bands: readonly { from: number }[], context: Context): void {
  bands.forEach((b, index) => {
    const want = index === 0 ? b.from === 0 : b.from > (bands[index - 1]?.from ?? 0)
    if (want) return
    const message = index === 0 ? 'the first band starts at 0' : 'bands must rise'
    context.addIssue({ code: 'custom', path: ['bands', index, 'from'], message })
  })
}
