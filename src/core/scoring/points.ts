import type { Model } from '../mapping/model.ts'
import type { Signal } from '../mapping/model-signals.ts'
import { dayOf, endDay } from './day.ts'
import type { Evidence } from './features.ts'
import type { Reading } from './people-amounts.ts'
import type { Contribution } from './score.ts'

/** Points are added up exactly, in millionths. */
const MICRO = 1_000_000

/** Compiles whether an amount is within the bounds that the signal sets; see docs/models.md. */
export function holdsOf(signal: Signal): (amount: number | null) => boolean {
  const least = 'at-least' in signal ? signal['at-least'] : undefined
  const most = 'at-most' in signal ? signal['at-most'] : undefined
  if (least === undefined && most === undefined) return (amount) => amount !== null && amount > 0
  const from = least ?? Number.NEGATIVE_INFINITY
  const to = most ?? Number.POSITIVE_INFINITY
  return (amount) => amount !== null && amount >= from && amount <= to
}

/**
 * Points of a signal that holds, faded and bounded, before its component.
 * `evidence` is what its amount came from, for amounts that fade day by day.
 */
export type RawPoints = (reading: Reading, evidence: Evidence | undefined, asOf: number) => number

/** Compiles the points of a signal. */
export function rawPointsOf(signal: Signal): RawPoints {
  const halfLife = 'half-life' in signal ? signal['half-life'] : undefined
  const per = 'per' in signal ? signal.per : undefined
  const points = signal.points ?? 0
  const most = 'max' in signal && signal.max !== undefined ? signal.max : Number.POSITIVE_INFINITY
  const bounded = (raw: number) => Math.min(most, Math.max(-most, raw))
  if (per === undefined) {
    const flat = flatOf(signal, points)
    if (halfLife === undefined) return ({ amount }) => bounded(flat(amount ?? 0))
    return (reading, _, asOf) =>
      bounded(flat(reading.amount ?? 0) * fading(halfLife, reading, asOf))
  }
  if (halfLife === undefined) return ({ amount }) => bounded((points * (amount ?? 0)) / per)
  return (reading, evidence, asOf) => {
    const faded = evidence?.faded
    if (faded !== undefined) return bounded((points * faded) / per)
    return bounded(((points * (reading.amount ?? 0)) / per) * fading(halfLife, reading, asOf))
  }
}

function flatOf({ tiers }: Signal, points: number): (amount: number) => number {
  if (!tiers) return () => points
  return (amount) => {
    let given = 0
    for (const tier of tiers) if (amount >= tier.from) given = tier.points
    return given
  }
}

function fading(halfLife: number, { last }: Reading, asOf: number): number {
  if (last === null) return 1
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
 * @param points and `rest` are overwritten: who scores by the million gives the same ones again.
 */
export function wholePoints(
  raw: Float64Array,
  points: Int32Array = new Int32Array(raw.length),
  rest: Float64Array = new Float64Array(raw.length),
): Whole {
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
  for (let left = sum - whole; left > 0; left--) {
    const largest = indexOfLargest(rest)
    points[largest] = (points[largest] ?? 0) + 1
    rest[largest] = -1
  }
  return { sum, points }
}

/** The first of the largest. */
function indexOfLargest(values: Float64Array): number {
  let largest = 0
  for (let i = 1; i < values.length; i++) {
    if ((values[i] ?? 0) > (values[largest] ?? 0)) largest = i
  }
  return largest
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
