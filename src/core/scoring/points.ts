import type { Model } from '../mapping/model.ts'
import type { Signal } from '../mapping/model-signals.ts'
import { dayOf, endDay } from './day.ts'
import type { Evidence } from './features.ts'
import type { Reading } from './people-amounts.ts'
import type { Contribution } from './score.ts'

/** Points are added up exactly, in millionths. */
const MICRO = 1_000_000

/** True when the amount is within the bounds that the signal sets; see docs/models.md. */
export function holds(signal: Signal, amount: number | null): boolean {
  if (amount === null) return false
  const least = 'at-least' in signal ? signal['at-least'] : undefined
  const most = 'at-most' in signal ? signal['at-most'] : undefined
  if (least === undefined && most === undefined) return amount > 0
  return (least === undefined || amount >= least) && (most === undefined || amount <= most)
}

/**
 * Points of a signal that holds, faded and bounded, before its component.
 * @param evidence what its amount came from, for amounts that fade day by day.
 */
export function rawPoints(
  signal: Signal,
  reading: Reading,
  evidence: Evidence | undefined,
  asOf: number,
): number {
  const { amount } = reading
  if (amount === null) return 0
  const halfLife = 'half-life' in signal ? signal['half-life'] : undefined
  const per = 'per' in signal ? signal.per : undefined
  if (per === undefined) return flat(signal, amount) * fading(halfLife, reading, asOf)
  const daily = halfLife !== undefined && evidence?.faded !== undefined
  const raw = ((signal.points ?? 0) * (daily ? evidence.faded : amount)) / per
  const most = 'max' in signal && signal.max !== undefined ? signal.max : Number.POSITIVE_INFINITY
  const bounded = (points: number) => Math.min(most, Math.max(-most, points))
  return bounded(daily ? raw : raw * fading(halfLife, reading, asOf))
}

function flat(signal: Signal, amount: number): number {
  if (!signal.tiers) return signal.points ?? 0
  let points = 0
  for (const tier of signal.tiers) if (amount >= tier.from) points = tier.points
  return points
}

function fading(halfLife: number | undefined, { last }: Reading, asOf: number): number {
  if (halfLife === undefined || last === null) return 1
  return 0.5 ** ((endDay(asOf) - 1 - dayOf(last)) / halfLife)
}

/** Weighs and bounds the points of the signals, in the order of the model, component by component. */
export function weigh(model: Model): (raw: Float64Array) => void {
  const parts = model.components.map(({ id, weight, full, max }) => ({
    factor: weight === undefined ? 1 : weight / (full ?? 100),
    most: weight ?? max ?? 100,
    signals: model.signals.flatMap((signal, index) => (signal.component === id ? [index] : [])),
  }))
  return (raw) => {
    for (const { factor, most, signals } of parts) {
      let given = 0
      let taken = 0
      for (const index of signals) {
        const points = (raw[index] ?? 0) * factor
        raw[index] = points
        if (points > 0) given += points
        else taken += points
      }
      if (given + taken <= most) continue
      const scale = (most - taken) / given
      for (const index of signals) {
        const points = raw[index] ?? 0
        if (points > 0) raw[index] = points * scale
      }
    }
  }
}

/** The score before it is brought to 0–100, and the whole points of every signal that sum to it. */
export interface Whole {
  readonly sum: number
  readonly points: Int32Array
}

/**
 * Whole points by the largest remainder: everybody gets the whole part, rounded down, and the largest
 * fractions get one more each, the first of equal ones. The sum is rounded half up.
 */
export function wholePoints(raw: Float64Array): Whole {
  const points = new Int32Array(raw.length)
  const rest = new Int32Array(raw.length)
  let total = 0
  let whole = 0
  let hasFractions = false
  for (let i = 0; i < raw.length; i++) {
    const micro = Math.round((raw[i] ?? 0) * MICRO)
    const down = Math.floor(micro / MICRO)
    points[i] = down
    rest[i] = micro - down * MICRO
    hasFractions ||= rest[i] !== 0
    total += micro
    whole += down
  }
  const sum = Math.floor((total + MICRO / 2) / MICRO)
  if (!hasFractions) return { sum, points }
  const order = Array.from(rest.keys()).sort((a, b) => (rest[b] ?? 0) - (rest[a] ?? 0) || a - b)
  for (const index of order.slice(0, sum - whole)) points[index] = (points[index] ?? 0) + 1
  return { sum, points }
}

/** A contribution that says something about the sum and not about behaviour. */
export const bookkeeping = (id: 'limit' | 'excluded', points: number): Contribution => ({
  id,
  points,
  amount: 1,
  since: null,
  last: null,
})

export const isBookkeeping = ({ id }: { readonly id: string }): boolean =>
  id === 'limit' || id === 'excluded'
