import type { Model } from '../mapping/model.ts'
import { isCombination, type Signal } from '../mapping/model-signals.ts'
import type { Activity } from './features.ts'
import { LEAST_ACTIVE_ID } from './missing.ts'
import { isBookkeeping } from './points.ts'
import type { Contribution, ContributionChange, Missing, Score, Trend } from './score.ts'

/** Fewer uses than this in four weeks say nothing about a direction. */
const LEAST_USES_FOR_TREND = 6

/**
 * The last 14 days against the 14 before them: a change by half or more is a direction, below
 * `LEAST_USES_FOR_TREND` uses there is none.
 */
export function trendOf({ recent, earlier }: Pick<Activity, 'recent' | 'earlier'>): Trend {
  if (recent === 0) return 'quiet'
  if (recent + earlier < LEAST_USES_FOR_TREND) return 'steady'
  if (recent >= earlier * 1.5) return 'rising'
  return recent <= earlier * 0.5 ? 'falling' : 'steady'
}

/** The words of a model for what its scores consist of. */
export interface Explainer {
  /** `Invited colleagues (2 times, last on 2026-11-20)`: as one tells it. */
  behaviour(part: Contribution): string
  /** The same with its points: `+40 Invited colleagues (2 times, last on 2026-11-20)`. */
  reason(part: Contribution): string
  /** The reasons about behaviour, strongest first. */
  reasons(score: Pick<Score, 'contributions'>): string[]
  /** One line about the whole. */
  summary(score: Score): string
  /** One contribution as the table tells it: `limit` and `excluded` too. */
  line(part: Contribution, score: Score): string
  /** Everything, one line each, with points that sum to the score. */
  table(score: Score): string
  /** What changed with the last change of the score, one line; empty when nothing did. */
  changed(score: Pick<Score, 'changed' | 'change'>): string
  /** What would qualify, one line; empty for who is qualified or cannot be. */
  toQualify(score: Score): string
}

/** Explains scores of one model. */
export function createExplainer(model: Model): Explainer {
  const signals = new Map(model.signals.map((signal) => [signal.id, signal]))
  const label = (id: string) => signals.get(id)?.label ?? id
  const behaviour = (part: Contribution) => {
    const signal = signals.get(part.id)
    const evidence = signal ? evidenceOf(signal, part) : ''
    return `${label(part.id)}${evidence ? ` (${evidence})` : ''}`
  }
  const reason = (part: Contribution) => `${signed(part.points)} ${behaviour(part)}`
  const line = (part: Contribution, score: Score) =>
    isBookkeeping(part) ? `${signed(part.points)} ${bookkept(part, score)}` : reason(part)
  return {
    behaviour,
    reason,
    line,
    reasons: ({ contributions }) => byStrength(contributions).map(reason),
    summary: (score) => summaryOf(score, label),
    table: (score) => score.contributions.map((part) => line(part, score)).join('\n'),
    changed: ({ change, changed }) =>
      changed.length === 0 ? '' : `${signed(change)}: ${changed.map(told(label)).join(', ')}`,
    toQualify: (score) => toQualify(model, score, label),
  }
}

function byStrength(contributions: readonly Contribution[]): Contribution[] {
  return contributions
    .filter((part) => !isBookkeeping(part))
    .sort((a, b) => Math.abs(b.points) - Math.abs(a.points) || (a.id < b.id ? -1 : 1))
}

function bookkept({ id, points }: Contribution, { facts }: Score): string {
  if (id === 'excluded') return `Left out: ${facts.excludedBy ?? 'excluded'}`
  return points < 0 ? 'The score ends at 100' : 'The score ends at 0'
}

/** What is behind the points, in the customer's words: how many, since when, last. */
function evidenceOf(signal: Signal, part: Contribution): string {
  const many = amountIn(signal, part.amount)
  const last = part.last === null ? '' : dayText(part.last)
  if (many === '') return last === '' ? '' : `on ${last}`
  const first = part.since === null ? '' : dayText(part.since)
  if (last === '') return many
  return first === '' || first === last
    ? `${many}, last on ${last}`
    : `${many} since ${first}, last on ${last}`
}

/** How much, where that says more than "it happened". */
function amountIn(signal: Signal, amount: number): string {
  const n = numberText(amount)
  if (isCombination(signal)) return ''
  if ('trait' in signal) return signal.tiers ? n : ''
  if ('people' in signal) return peopleIn(signal.people, amount, n)
  if ('actions' in signal) return `${n} different ${amount === 1 ? 'one' : 'ones'}`
  if ('to' in signal) return `after ${plural(amount, 'day')}`
  switch (signal.measure) {
    case 'count':
      return amount === 1 ? '' : amount === 0 ? 'not once' : `${n} times`
    case 'active-days':
      return `on ${plural(amount, 'day')}`
    case 'distinct':
      return `${n} different ${amount === 1 ? 'value' : 'values'}`
    case 'first-ever':
      return 'for the first time'
    case 'streak':
      return `${plural(amount, 'day')} in a row`
    case 'week':
      return `${n} times in a week`
    case 'week-days':
      return `${plural(amount, 'day')} in a week`
    case 'velocity':
      return `${n} % of the pace before`
    case 'ratio':
      return `${n} % of the limit`
    case 'people':
      return amount === 1 ? '1 person' : `${n} people`
    case 'max':
      return `up to ${n}`
    case 'last':
    case 'sum':
      return n
  }
}

function peopleIn(kind: string, amount: number, n: string): string {
  if (kind === 'share-active') return `${n} %`
  if (kind === 'champion') return `best score ${n}`
  const people = Math.abs(amount) === 1 ? 'person' : 'people'
  return kind === 'growth' && amount > 0 ? `+${n} ${people}` : `${n} ${people}`
}

function summaryOf(score: Score, label: (id: string) => string): string {
  const { usageStatus, trend, contributions, facts } = score
  const head = `${usageStatus}, ${score.score} of 100, ${trend}`
  if (facts.excludedBy !== null) return `${head}: left out (${facts.excludedBy})`
  const best = contributions.filter((part) => part.points > 0 && !isBookkeeping(part)).slice(0, 3)
  const what = best.map((part) => lowerFirst(label(part.id)))
  return `${head}: ${what.length > 0 ? what.join(', ') : 'no signal within the window'}`
}

const told =
  (label: (id: string) => string) =>
  ({ id, from, to }: ContributionChange): string =>
    `${signed(to - from)} ${id === 'limit' ? 'limit' : id === 'excluded' ? 'left out' : lowerFirst(label(id))}`

function toQualify(model: Model, score: Score, label: (id: string) => string): string {
  const { missing } = score
  if (missing.length === 0) return ''
  const gap = model.status.enter - score.score
  const required = missing.filter((m) => m.isRequired)
  const others = missing.filter((m) => !m.isRequired)
  const words = (m: Missing) => {
    const points = m.points > 0 ? ` (+${m.points})` : ''
    const more = m.more > 1 ? ` ${numberText(m.more)} more` : ''
    const what = m.id === LEAST_ACTIVE_ID ? 'active people' : lowerFirst(label(m.id))
    return `${what}${more}${points}`
  }
  const parts: string[] = []
  if (required.length > 0) parts.push(`needs ${required.map(words).join(' and ')}`)
  if (gap > 0 && others.length > 0) {
    const isEach = others.every((m) => m.points >= gap)
    const list = others.map(words).join(isEach ? ' or ' : ' and ')
    parts.push(`${gap} ${gap === 1 ? 'point' : 'points'} to go: ${list}`)
  } else if (gap > 0) {
    parts.push(`${gap} ${gap === 1 ? 'point' : 'points'} to go`)
  }
  return parts.join('; ')
}

const signed = (points: number): string => (points > 0 ? `+${points}` : `${points}`)
const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
const plural = (n: number, unit: string): string =>
  `${numberText(n)} ${n === 1 ? unit : `${unit}s`}`

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const numberText = (n: number): string => NUMBER.format(n)
