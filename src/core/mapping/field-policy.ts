import { z } from 'zod'
import { kindOfField } from './crm-fields.ts'
import { durationMs } from './duration.ts'

/** Who may change a property, and when. */
export const POLICIES = ['push', 'pull', 'two-way', 'fill-empty', 'increase-only'] as const

/** Of a `two-way` property that both sides changed: whose value stands. */
export const POLICY_WINNERS = ['latest', 'crm', 'ripen'] as const

/** The fields of a property that say when it is written. */
export const policyShape = {
  policy: z.enum(POLICIES).default('push').describe('Who may change it, and when.'),
  winner: z
    .enum(POLICY_WINNERS)
    .describe('Of a two-way property that both sides changed: whose value stands.')
    .optional(),
  'respect-edit': durationMs
    .describe('So long a value that somebody else put there is left alone.')
    .optional(),
  'min-delta': z
    .number()
    .positive()
    .describe('A number that changed by less is not written.')
    .optional(),
  'at-most-every': z
    .union([z.literal('always'), durationMs])
    .describe('Two writes of it are so far apart.')
    .optional(),
}

interface Policed {
  readonly from: string
  readonly type: string
  readonly policy: (typeof POLICIES)[number]
  readonly winner?: (typeof POLICY_WINNERS)[number] | undefined
  readonly 'respect-edit'?: number | undefined
  readonly 'min-delta'?: number | undefined
  readonly 'at-most-every'?: number | 'always' | undefined
}

/** A trait as what fills a property: `trait.plan`. */
export const TRAIT_FIELD = /^trait\.([a-z][a-z0-9_]*)$/

/** The trait that a property is filled with, or fills; null for any other field. */
export function traitOf({ from }: Pick<Policed, 'from'>): string | null {
  return TRAIT_FIELD.exec(from)?.[1] ?? null
}

/** Policies that do not go together. */
export function refusePolicies(p: Policed, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) =>
    void context.addIssue({ code: 'custom', path: [path], message })
  const isRead = p.policy === 'pull' || p.policy === 'two-way'
  if (isRead && traitOf(p) === null) {
    refuse(
      'from',
      `a property that is read (policy: ${p.policy}) is a trait; write from: trait.<name>`,
    )
  }
  if (p.winner !== undefined && p.policy !== 'two-way') {
    refuse('winner', 'only policy: two-way has a winner')
  }
  if (p['respect-edit'] !== undefined && p.policy !== 'push' && p.policy !== 'increase-only') {
    refuse(
      'respect-edit',
      `policy: ${p.policy} says already what happens to what somebody else wrote`,
    )
  }
  if (p['min-delta'] !== undefined && p.type !== 'number') {
    refuse('min-delta', 'only a property of type number changes by an amount')
  }
  if (p.policy === 'increase-only' && !['number', 'date', 'datetime'].includes(p.type)) {
    refuse('policy', 'only numbers, days and dates with a time can increase')
  }
}

const DAY = 86_400_000
/** A score that changed by less is no news. */
const SCORE_DELTA = 5

/** The least change of a number that is written; 0 when every change is. */
export function minDelta(p: Pick<Policed, 'from' | 'min-delta'>): number {
  return p['min-delta'] ?? (kindOfField(p.from) === 'score' ? SCORE_DELTA : 0)
}

/** How far apart two writes of the property are, in milliseconds; 0 when it is written at once. */
export function mostOften(p: Pick<Policed, 'from' | 'at-most-every'>): number {
  const every = p['at-most-every'] ?? (kindOfField(p.from) === 'daily' ? DAY : 'always')
  return every === 'always' ? 0 : every
}

/** True when the property is written together with the score, and never without it. */
export function ridesWithScore(p: Policed): boolean {
  return (
    kindOfField(p.from) === 'explains-score' &&
    p.policy === 'push' &&
    p['min-delta'] === undefined &&
    p['at-most-every'] === undefined
  )
}

/** True when a change of the property has the score written, however little that changed. */
export function isNews({ from }: Pick<Policed, 'from'>): boolean {
  return kindOfField(from) === 'news'
}

/** True when what somebody else wrote may stand: it is looked at before it is written over. */
export function protectsEdits(p: Policed): boolean {
  return p.policy !== 'push' || p['respect-edit'] !== undefined
}
