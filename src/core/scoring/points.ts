import { type ActionSignal, type Model, mostPoints, type Signal } from '../mapping/model.ts'
import type { Evidence, Features } from './features.ts'

/** Whole points that one signal gave, and why. */
export interface Contribution {
  /** Signal id, or `limit` for the clamp to 0–100. */
  readonly id: string
  readonly label: string
  readonly points: number
  /** How many: occurrences, days, people, or 1 for a trait. */
  readonly count: number
  readonly unit: 'times' | 'days' | 'people'
  /** ISO 8601 UTC; null where the evidence has no date. */
  readonly since: string | null
  readonly last: string | null
}

export interface Points {
  /** 0–100; equals the sum of the contributions. */
  readonly score: number
  /** Largest first; zero points are left out. */
  readonly contributions: readonly Contribution[]
}

/**
 * Adds up a model's points for one subject. All points are whole, so the contributions sum exactly to
 * the score; where they pass 0 or 100, one contribution named `limit` carries the difference.
 */
export function addPoints(model: Model, features: Features): Points {
  const parts = model.signals
    .map((signal) => contribution(model, signal, features))
    .filter((part) => part.points !== 0)
    .sort((a, b) => b.points - a.points || (a.id < b.id ? -1 : 1))
  const sum = parts.reduce((total, part) => total + part.points, 0)
  const score = Math.min(100, Math.max(0, sum))
  if (score === sum) return { score, contributions: parts }
  const limit: Contribution = {
    id: 'limit',
    label: score === 100 ? 'Score ends at 100' : 'Score ends at 0',
    points: score - sum,
    count: 1,
    unit: 'times',
    since: null,
    last: null,
  }
  return { score, contributions: [...parts, limit] }
}

function contribution(model: Model, signal: Signal, features: Features): Contribution {
  const unit = unitOf(signal)
  const base = { id: signal.id, label: signal.label, unit, since: null, last: null }
  if ('trait' in signal) {
    const held = features.traits[signal.trait] ?? []
    const count = held.some((value) => signal.in.includes(value)) ? 1 : 0
    return { ...base, points: count * signal.points, count }
  }
  if ('people' in signal) {
    const members = features.members.filter((member) =>
      signal.people === 'qualified' ? member.qualified : member.coreDays >= model['active-days'],
    )
    const dates = members.flatMap((m) => (m.lastActiveAt ? [m.lastActiveAt.getTime()] : []))
    const last = dates.length > 0 ? new Date(Math.max(...dates)).toISOString() : null
    return { ...base, points: capped(signal, members.length), count: members.length, last }
  }
  const evidence = features.evidence.get(signal.id)
  if (!evidence) return { ...base, points: 0, count: 0 }
  const units = unitsOf(signal, evidence)
  return {
    ...base,
    points: capped(signal, units),
    count: signal.per === 'active-day' ? evidence.days : evidence.count,
    since: evidence.firstAt.toISOString(),
    last: evidence.lastAt.toISOString(),
  }
}

function unitOf(signal: Signal): Contribution['unit'] {
  if ('people' in signal) return 'people'
  return 'per' in signal && signal.per === 'active-day' ? 'days' : 'times'
}

function unitsOf(signal: ActionSignal, evidence: Evidence): number {
  const seen = signal.per === 'active-day' ? evidence.days : evidence.count
  if (seen < signal['at-least']) return 0
  return signal.per === 'once' ? 1 : seen
}

function capped(signal: Signal, units: number): number {
  const most = mostPoints(signal)
  return Math.min(most, Math.max(-most, units * signal.points))
}
