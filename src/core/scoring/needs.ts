import type { Model } from '../mapping/model.ts'
import { type ActionSignal, isCombination } from '../mapping/model-signals.ts'

/** One question to the daily rollups: an action within a window, and what is asked of it. */
export interface Need {
  readonly action: string
  /** Of the subject itself, or of everybody in the person's account. */
  readonly of: 'own' | 'account'
  /** Length of the window in whole UTC days; it ends with the day of `asOf`. */
  readonly days: number
  /** The values that the tracking plan keeps. */
  readonly value: boolean
  /** What fades, and its half-life in days. */
  readonly fade: { readonly of: 'count' | 'active-days' | 'sum'; readonly halfLife: number } | null
  readonly streak: boolean
  readonly week: boolean
  /** Length of the period before the window, in days; 0 when it is not asked for. */
  readonly against: number
  /** The first use ever. */
  readonly ever: boolean
  /** Distinct people. */
  readonly people: boolean
}

/** A window that is longer than any history: for values whose last telling counts whenever it was. */
export const EVER_DAYS = 36_500

const PLAIN = {
  value: false,
  fade: null,
  streak: false,
  week: false,
  against: 0,
  ever: false,
  people: false,
} as const

/** What a model asks of usage, and which of its answers each signal reads. */
export interface Needs {
  readonly list: readonly Need[]
  /** By signal id, indexes into `list`: one for most signals, several for `actions`, two for others. */
  readonly of: ReadonlyMap<string, readonly number[]>
}

/**
 * Every question of a model, each once, in the order of its signals.
 * @param coreActions what the word `core` stands for: the actions of the tracking plan with `core: true`.
 */
export function needsOf(model: Model, coreActions: readonly string[]): Needs {
  const list: Need[] = []
  const places = new Map<string, number>()
  const of = new Map<string, readonly number[]>()
  const place = (need: Need): number => {
    const name = JSON.stringify(need)
    const known = places.get(name)
    if (known !== undefined) return known
    places.set(name, list.length)
    return list.push(need) - 1
  }
  for (const signal of model.signals) {
    if (isCombination(signal) || 'trait' in signal || 'people' in signal) continue
    const days = signal.within ?? model.window
    if ('actions' in signal) {
      const actions = signal.actions === 'core' ? coreActions : signal.actions
      const wanted = actions.map((action) => place({ ...PLAIN, action, of: 'own', days }))
      of.set(signal.id, wanted)
    } else if ('to' in signal) {
      const wanted = [signal['time-from'], signal.to].map((action) =>
        place({ ...PLAIN, action, of: 'own', days, ever: true }),
      )
      of.set(signal.id, wanted)
    } else {
      of.set(signal.id, actionNeeds(signal, days).map(place))
    }
  }
  return { list, of }
}

function actionNeeds(signal: ActionSignal, days: number): Need[] {
  const { measure, action, of } = signal
  const need: Need = {
    action,
    of,
    days,
    value: ['distinct', 'max', 'last', 'sum', 'ratio'].includes(measure),
    fade: fadeOf(signal),
    streak: measure === 'streak',
    week: measure === 'week' || measure === 'week-days',
    against: measure === 'velocity' ? (signal.against ?? days) : 0,
    ever: measure === 'first-ever',
    people: measure === 'people',
  }
  const { limit } = signal
  if (typeof limit !== 'object' || !('action' in limit)) return [need]
  return [need, { ...PLAIN, action: limit.action, of, days: EVER_DAYS, value: true }]
}

/** Additive amounts fade day by day; all else by the last use, which needs no question of its own. */
function fadeOf(signal: ActionSignal): Need['fade'] {
  const halfLife = signal['half-life']
  const { measure, per } = signal
  if (halfLife === undefined || per === undefined) return null
  if (measure !== 'count' && measure !== 'active-days' && measure !== 'sum') return null
  return { of: measure, halfLife }
}
