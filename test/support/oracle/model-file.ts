import { parse } from 'yaml'

/** Conditions on one trait, as a model file writes them. */
export interface TraitRule {
  readonly trait?: string
  readonly equals?: string | number | boolean
  readonly in?: readonly (string | number | boolean)[]
  readonly gte?: number
  readonly lte?: number
  readonly matches?: string
  readonly exists?: boolean
}

/** One signal as it stands in the file; which fields it has says what it measures. */
export interface SignalText extends TraitRule {
  readonly id: string
  readonly label: string
  readonly component?: string
  readonly points?: number
  readonly tiers?: readonly { readonly from: number; readonly points: number }[]
  readonly 'at-least'?: number
  readonly 'at-most'?: number
  readonly per?: number
  readonly max?: number
  readonly within?: string
  readonly action?: string
  readonly measure?: string
  readonly of?: 'own' | 'account'
  readonly 'half-life'?: string
  readonly against?: string
  readonly volume?: number
  readonly value?: 'last' | 'max' | 'sum'
  readonly limit?: number | { readonly trait?: string; readonly action?: string }
  readonly actions?: 'core' | readonly string[]
  readonly 'time-from'?: string
  readonly to?: string
  readonly people?: string
  readonly all?: readonly string[]
  readonly any?: readonly string[]
  readonly none?: readonly string[]
}

/** A model file as it is written; `docs/models.md` says what it means. */
export interface ModelText {
  readonly id: string
  readonly subject: 'person' | 'account'
  readonly population?: readonly TraitRule[]
  readonly exclude?: readonly (TraitRule & { readonly label: string; readonly signal?: string })[]
  readonly window: string
  readonly 'active-days'?: number
  readonly 'people-model'?: string
  readonly 'least-active'?: number
  readonly components?: readonly {
    readonly id: string
    readonly max?: number
    readonly weight?: number
    readonly full?: number
  }[]
  readonly signals: readonly SignalText[]
  readonly requires?: readonly string[]
  readonly 'hand-raiser'?: readonly string[]
  readonly status: {
    readonly enter: number
    readonly assist: number
    readonly 'new-for': string
    readonly 'stale-after': string
  }
  readonly bands: readonly { readonly grade: string; readonly from: number }[]
}

/** Reads a model with nothing checked or filled in: that is the product's. */
export const readModel = (text: string): ModelText => parse(text) as ModelText

/** Days of a length such as `30d`. */
export function daysOf(length: string): number {
  const days = /^(\d+)d$/.exec(length)?.[1]
  if (days === undefined) throw new Error(`${length} is no length in days`)
  return Number(days)
}

/** Text as a decimal number; null when it is none. */
export function numberOf(text: string): number | null {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : null
}

/** A pattern that may begin with `(?i)`. */
export const patternOf = (pattern: string): RegExp =>
  pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'iu') : new RegExp(pattern, 'u')
