import { amountOf, holds, timesOf, windowOf } from './amounts.ts'
import { daysOf, type ModelText, numberOf, type SignalText } from './model-file.ts'
import { lastDay, type Scene, type Subject, within } from './scene.ts'

/** What one signal gives, as whole points, and the amount that it measured. */
export interface GivenPoints {
  readonly id: string
  readonly points: number
  readonly amount: number
}

const MILLION = 1_000_000

/**
 * Whole points of every signal, 0 among them, in the order of the file. They add up to the score before
 * it is limited: see "From usage to a score" in docs/models.md.
 */
export function wholePoints(scene: Scene, model: ModelText, subject: Subject): GivenPoints[] {
  const points = model.signals.map((signal) =>
    holds(scene, model, subject, signal) ? pointsOf(scene, model, subject, signal) : 0,
  )
  const exact = inComponents(model, points).map((p) => Math.round(p * MILLION))
  const sum = exact.reduce((a, b) => a + b, 0)
  const score = Math.floor((sum + MILLION / 2) / MILLION)
  const whole = exact.map((p) => Math.floor(p / MILLION))
  let left = score - whole.reduce((a, b) => a + b, 0)
  const byFraction = exact
    .map((p, place) => ({ place, fraction: p - Math.floor(p / MILLION) * MILLION }))
    .sort((a, b) => b.fraction - a.fraction || a.place - b.place)
  for (const { place } of byFraction) {
    if (left-- <= 0) break
    whole[place] = (whole[place] ?? 0) + 1
  }
  return model.signals.map((signal, place) => ({
    id: signal.id,
    points: whole[place] ?? 0,
    amount: amountOf(scene, model, subject, signal) ?? 0,
  }))
}

/** The points of a signal that holds, before its component bounds them. */
function pointsOf(scene: Scene, model: ModelText, subject: Subject, signal: SignalText): number {
  const amount = amountOf(scene, model, subject, signal) ?? 0
  const most = signal.max ?? Infinity
  return Math.max(-most, Math.min(most, faded(scene, model, subject, signal, amount)))
}

function faded(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
  amount: number,
): number {
  const { per, tiers, points = 0, measure = 'count' } = signal
  const flat = tiers?.findLast(({ from }) => amount >= from)?.points ?? (tiers ? 0 : points)
  const plain = per === undefined ? flat : (points * amount) / per
  if (signal['half-life'] === undefined) return plain
  const halfLife = daysOf(signal['half-life'])
  const deeds = within(scene, timesOf(scene, subject, signal), windowOf(model, signal))
  const factor = (day: number) => 0.5 ** ((lastDay(scene.asOf) - day) / halfLife)
  const days = [...new Set(deeds.map(({ day }) => day))]
  if (per === undefined || !['count', 'active-days', 'sum'].includes(measure)) {
    return days.length === 0 ? plain : plain * factor(Math.max(...days))
  }
  const left = days.reduce((sum, day) => {
    const told = deeds.filter((deed) => deed.day === day)
    const part =
      measure === 'count'
        ? told.length
        : measure === 'active-days'
          ? 1
          : told.reduce(
              (all, { actions }) => all + (numberOf(actions.get(signal.action ?? '') ?? '') ?? 0),
              0,
            )
    return sum + Math.round(part * factor(day) * 1e9) / 1e9
  }, 0)
  return (points * left) / per
}

/** Points after weights and the bounds of components. */
function inComponents(model: ModelText, points: readonly number[]): number[] {
  const { components = [], signals } = model
  const bounded = [...points]
  for (const { id, max, weight, full = 100 } of components) {
    const places = signals.flatMap(({ component }, place) => (component === id ? [place] : []))
    for (const place of places) {
      if (weight !== undefined) bounded[place] = ((bounded[place] ?? 0) * weight) / full
    }
    const most = max ?? weight ?? Infinity
    const values = places.map((place) => bounded[place] ?? 0)
    const given = values.filter((p) => p > 0).reduce((a, b) => a + b, 0)
    const taken = values.filter((p) => p < 0).reduce((a, b) => a + b, 0)
    if (given + taken <= most) continue
    for (const place of places) {
      const value = bounded[place] ?? 0
      if (value > 0) bounded[place] = (value * (most - taken)) / given
    }
  }
  return bounded
}
