import { LEAST_ACTIVE, type Model } from '../mapping/model.ts'
import { isCombination, mostPoints, type Signal } from '../mapping/model-signals.ts'
import type { Reading } from './people-amounts.ts'
import type { Missing, ScoreFacts } from './score.ts'

/** Names the missing active people of an account; no signal has this id. */
export const LEAST_ACTIVE_ID = 'least-active'

/** Most that is told. */
const MOST_TOLD = 3

/** A signal that somebody can bring about, with the share of its points that its component lets through. */
interface Step {
  readonly index: number
  readonly signal: Signal
  readonly factor: number
}

/** The signals that doing more can bring about: not traits, combinations, and times that have passed. */
export function stepsOf(model: Model): readonly Step[] {
  const factors = new Map(
    model.components.map((c) => [c.id, c.weight === undefined ? 1 : c.weight / (c.full ?? 100)]),
  )
  return model.signals.flatMap((signal, index) => {
    if ('trait' in signal || 'to' in signal || isCombination(signal)) return []
    if ('action' in signal && (signal.measure === 'velocity' || signal.measure === 'ratio'))
      return []
    if (signal['at-most'] !== undefined || mostPoints(signal) <= 0) return []
    return [{ index, signal, factor: factors.get(signal.component ?? '') ?? 1 }]
  })
}

/** Where a subject stands. */
interface Standing {
  readonly score: number
  readonly readings: readonly Reading[]
  readonly held: readonly boolean[]
  readonly raw: Float64Array
  readonly facts: ScoreFacts
}

/**
 * What would qualify a subject: what is required first; then signals each of which would be enough,
 * those that take least first; or, when none is, the fewest that are enough together.
 */
export function missingOf(model: Model, steps: readonly Step[], at: Standing): Missing[] {
  const required = requiredOf(model, at)
  const gap = model.status.enter - at.score
  if (gap <= 0) return required
  const told = new Set(required.map(({ id }) => id))
  const options: Missing[] = []
  for (const step of steps) {
    if (told.has(step.signal.id)) continue
    const option = optionOf(step, at, gap)
    if (option) options.push(option)
  }
  const enough = options.filter(({ points }) => points >= gap)
  if (enough.length > 0) {
    enough.sort((a, b) => a.more - b.more || a.points - b.points || (a.id < b.id ? -1 : 1))
    return [...required, ...enough.slice(0, MOST_TOLD)]
  }
  options.sort((a, b) => b.points - a.points || a.more - b.more || (a.id < b.id ? -1 : 1))
  const together: Missing[] = []
  let left = gap
  for (const option of options) {
    if (left <= 0 || together.length === MOST_TOLD) break
    together.push(option)
    left -= option.points
  }
  return [...required, ...together]
}

function requiredOf(model: Model, { held, readings, facts }: Standing): Missing[] {
  const missing: Missing[] = []
  const least = model['least-active'] ?? LEAST_ACTIVE
  if (model.subject === 'account' && facts.activeUsers < least) {
    const more = least - facts.activeUsers
    missing.push({ id: LEAST_ACTIVE_ID, points: 0, more, isRequired: true })
  }
  for (const id of model.requires) {
    const index = model.signals.findIndex((signal) => signal.id === id)
    const signal = model.signals[index]
    if (!signal || held[index]) continue
    const more = Math.max(0, leastOf(signal) - (readings[index]?.amount ?? 0))
    missing.push({ id, points: 0, more, isRequired: true })
  }
  return missing
}

/** The least amount with which a signal holds. */
function leastOf(signal: Signal): number {
  return ('at-least' in signal ? signal['at-least'] : undefined) ?? 1
}

/** What a signal could still add: of what counts by number, no more than closes the gap. */
function optionOf({ index, signal, factor }: Step, at: Standing, gap: number): Missing | null {
  const amount = at.readings[index]?.amount ?? 0
  const now = (at.raw[index] ?? 0) / factor
  const wanted = gap / factor
  const reach = reachOf(signal, amount, now, wanted)
  if (reach === null) return null
  const points = Math.round((reach.points - now) * factor)
  const more = Math.ceil(reach.amount - amount)
  return points > 0 && more > 0 ? { id: signal.id, points, more, isRequired: false } : null
}

/** The amount to reach, and the points that it gives. */
function reachOf(signal: Signal, amount: number, now: number, wanted: number) {
  if (signal.tiers) {
    const next =
      signal.tiers.find((tier) => tier.from > amount && tier.points - now >= wanted) ??
      signal.tiers.findLast((tier) => tier.from > amount && tier.points > now)
    return next ? { amount: next.from, points: next.points } : null
  }
  const least = leastOf(signal)
  const per = 'per' in signal ? signal.per : undefined
  if (per === undefined) return now > 0 ? null : { amount: least, points: signal.points ?? 0 }
  const each = (signal.points ?? 0) / per
  const most = mostPoints(signal)
  const goal = Math.min(most, now + wanted)
  const reached = Math.max(least, Math.ceil(goal / each - 1e-9))
  return reached > amount ? { amount: reached, points: Math.min(most, reached * each) } : null
}
