import type { Model } from '../mapping/model.ts'
import { isCombination, type Signal } from '../mapping/model-signals.ts'
import type { Features } from './features.ts'
import type { Needs } from './needs.ts'
import { NOTHING, type Reading } from './people-amounts.ts'
import { holdsOf, rawPointsOf, weigh } from './points.ts'
import { combine, readerOf } from './readings.ts'

/** What is known of one subject on the way to its score. */
export interface Work {
  readonly readings: readonly Reading[]
  readonly held: readonly boolean[]
  readonly raw: Float64Array
  /** Room for `wholePoints`. */
  readonly whole: Int32Array
  readonly rest: Float64Array
}

/** Compiles the signals of a model. What is told of one subject is written over by the next. */
export function workOf(model: Model, needs: Needs): (features: Features, asOf: number) => Work {
  const { signals } = model
  const readers = signals.map((signal) => readerOf(model, signal, needs))
  const places = signals.map((signal) => needs.of.get(signal.id)?.[0] ?? -1)
  const tests = signals.map(holdsOf)
  const points = signals.map(rawPointsOf)
  const combinations = combinationsInOrder(signals)
  const weighed = weigh(model)
  const readings: Reading[] = signals.map(() => NOTHING)
  const held: boolean[] = signals.map(() => false)
  const raw = new Float64Array(signals.length)
  const work = { readings, held, raw, whole: new Int32Array(raw), rest: new Float64Array(raw) }
  return (features, asOf) => {
    raw.fill(0)
    for (let i = 0; i < readers.length; i++) {
      const reading = readers[i]?.(features, asOf) ?? NOTHING
      readings[i] = reading
      held[i] = tests[i]?.(reading.amount) === true
    }
    for (const { index, signal, byId } of combinations) {
      readings[index] = combine(signal, (id) => held[byId.get(id) ?? -1] === true)
      held[index] = readings[index].amount === 1
    }
    for (let i = 0; i < points.length; i++) {
      if (!held[i]) continue
      const place = places[i] ?? -1
      const evidence = place < 0 ? undefined : features.evidence[place]
      raw[i] = points[i]?.(readings[i] ?? NOTHING, evidence, asOf) ?? 0
    }
    weighed(raw)
    return work
  }
}

/** Combinations, each behind those that it is made of. */
function combinationsInOrder(signals: readonly Signal[]) {
  const byId = new Map(signals.map((signal, index) => [signal.id, index]))
  const ordered: {
    readonly index: number
    readonly signal: Extract<Signal, { all?: unknown }>
    readonly byId: ReadonlyMap<string, number>
  }[] = []
  const seen = new Set<string>()
  const visit = (id: string) => {
    const index = byId.get(id) ?? -1
    const signal = signals[index]
    if (!signal || !isCombination(signal) || seen.has(id)) return
    seen.add(id)
    for (const other of [signal.all, signal.any, signal.none].flat()) if (other) visit(other)
    ordered.push({ index, signal, byId })
  }
  for (const { id } of signals) visit(id)
  return ordered
}
