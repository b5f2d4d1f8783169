import type { Model } from '../mapping/model.ts'
import {
  type ActionSignal,
  type Combination,
  isCombination,
  type Signal,
} from '../mapping/model-signals.ts'
import { DAY_MS, dayOf, endDay } from './day.ts'
import type { Evidence, Features } from './features.ts'
import type { Needs } from './needs.ts'
import { NOTHING, peopleReading, type Reading } from './people-amounts.ts'
import { traitNumber, traitTest } from './traits.ts'

/** Reads what one signal measures at `asOf` (milliseconds since 1970 UTC). */
export type Reader = (features: Features, asOf: number) => Reading

const YES: Reading = { amount: 1, since: null, last: null }
const NO: Reading = { amount: 0, since: null, last: null }
/** Most per cent that a velocity is; also when there was nothing before. */
const MOST_VELOCITY = 1000
/** Fewer times than this in both periods say nothing about a velocity, unless a model says otherwise. */
const LEAST_VOLUME = 6

/** Compiles what a signal measures; combinations are read from the others, see `combine`. */
export function readerOf(model: Model, signal: Signal, needs: Needs): Reader {
  if (isCombination(signal)) return () => NOTHING
  const days = ('within' in signal ? signal.within : undefined) ?? model.window
  if ('people' in signal) {
    return ({ members }, asOf) =>
      members.length === 0
        ? NOTHING
        : peopleReading(signal, days, model['active-days'], members, asOf)
  }
  if ('trait' in signal) {
    if (signal.tiers) {
      const number = traitNumber(signal)
      return ({ traits }) => ({ ...NOTHING, amount: number(traits) })
    }
    const test = traitTest(signal)
    return ({ traits }) => (test(traits) ? YES : NO)
  }
  const places = needs.of.get(signal.id) ?? []
  if ('actions' in signal) return breadthReader(places)
  if ('to' in signal) return elapsedReader(places, days)
  return actionReader(signal, places, days)
}

/** Whether a combination holds, from which others do. */
export function combine(signal: Combination, holds: (id: string) => boolean): Reading {
  const { all = [], any, none = [] } = signal
  const met = all.every(holds) && (any?.some(holds) ?? true) && !none.some(holds)
  return met ? YES : NO
}

function breadthReader(places: readonly number[]): Reader {
  return ({ evidence }) => {
    let amount = 0
    let since: number | null = null
    let last: number | null = null
    for (const place of places) {
      const one = evidence[place]
      if (!one || one.count === 0) continue
      amount++
      if (since === null || (one.firstAt ?? since) < since) since = one.firstAt
      if (last === null || (one.lastAt ?? last) > last) last = one.lastAt
    }
    return { amount, since, last }
  }
}

function elapsedReader([from, to]: readonly number[], days: number): Reader {
  return ({ evidence }, asOf) => {
    const start = evidence[from ?? -1]?.everAt ?? null
    const end = evidence[to ?? -1]?.everAt ?? null
    if (start === null || end === null || dayOf(end) < endDay(asOf) - days) return NOTHING
    return { amount: Math.max(0, end - start) / DAY_MS, since: null, last: end }
  }
}

function actionReader(signal: ActionSignal, places: readonly number[], days: number): Reader {
  const place = places[0] ?? -1
  const amount = measureOf(signal, days)
  const limit = limitOf(signal, places[1])
  return (features) => {
    const evidence = features.evidence[place]
    // Of an account that she does not have there is no evidence, not even of nothing.
    if (signal.of === 'account' && features.members.length === 0) return NOTHING
    const a = limit === null ? amount(evidence) : ratio(signal, evidence, limit(features))
    return { amount: a, since: evidence?.firstAt ?? null, last: evidence?.lastAt ?? null }
  }
}

function measureOf(
  signal: ActionSignal,
  days: number,
): (evidence: Evidence | undefined) => number | null {
  switch (signal.measure) {
    case 'count':
      return (e) => e?.count ?? 0
    case 'active-days':
      return (e) => e?.days ?? 0
    case 'people':
      return (e) => e?.people ?? 0
    case 'streak':
      return (e) => e?.streak ?? 0
    case 'week':
      return (e) => e?.week ?? 0
    case 'week-days':
      return (e) => e?.weekDays ?? 0
    case 'first-ever':
      // What lies within the window is no later than the first in it; so they are the same, or it lies before.
      return (e) => (e && e.count > 0 && e.everAt === e.firstAt ? 1 : 0)
    case 'distinct':
      return (e) => (e?.value?.distinct ? e.value.distinct : null)
    case 'max':
      return (e) => e?.value?.max ?? null
    case 'last':
      return (e) => e?.value?.last ?? null
    case 'sum':
      return (e) => e?.value?.sum ?? null
    case 'velocity':
      return (e) => velocity(e, days, signal.against ?? days, signal.volume ?? LEAST_VOLUME)
    case 'ratio':
      return () => null
  }
}

function velocity(e: Evidence | undefined, days: number, against: number, volume: number) {
  const recent = e?.count ?? 0
  const earlier = e?.earlier ?? 0
  if (recent + earlier < volume) return null
  if (earlier === 0) return MOST_VELOCITY
  return Math.min(MOST_VELOCITY, (100 * recent * against) / (days * earlier))
}

function limitOf(
  { measure, limit }: ActionSignal,
  place: number | undefined,
): ((features: Features) => number | null) | null {
  if (measure !== 'ratio') return null
  if (typeof limit === 'number') return () => limit
  if (limit && 'trait' in limit) {
    const number = traitNumber({ trait: limit.trait })
    return ({ traits }) => number(traits)
  }
  return ({ evidence }) => evidence[place ?? -1]?.value?.last ?? null
}

function ratio(signal: ActionSignal, e: Evidence | undefined, limit: number | null) {
  const value = e?.value?.[signal.value ?? 'last'] ?? null
  return value === null || limit === null || limit <= 0 ? null : (100 * value) / limit
}
