import { daysOf, type ModelText, numberOf, type SignalText } from './model-file.ts'
import { peopleAmount } from './people-amounts.ts'
import {
  deedsUpTo,
  different,
  greatest,
  inWindow,
  meetsTrait,
  type Scene,
  type Subject,
  traitValues,
  within,
} from './scene.ts'
import type { Deed } from './tracking-plan.ts'

const DAY_MS = 86_400_000

/** What a signal measures, null when it has no amount; see "What signals measure" in docs/models.md. */
export function amountOf(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): number | null {
  const known = subject.amounts.get(signal.id)
  if (known !== undefined) return known
  const amount = measure(scene, model, subject, signal)
  subject.amounts.set(signal.id, amount)
  return amount
}

function measure(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): number | null {
  if (signal.action !== undefined) return actionAmount(scene, model, subject, signal)
  if (signal.actions !== undefined) {
    const actions = signal.actions === 'core' ? scene.coreActions : signal.actions
    const deeds = within(scene, deedsUpTo(scene, subject.own), windowOf(model, signal))
    return actions.filter((action) => deeds.some((deed) => deed.actions.has(action))).length
  }
  if (signal.to !== undefined) return elapsed(scene, model, subject, signal)
  if (signal.trait !== undefined) {
    if (signal.tiers === undefined) return meetsTrait(subject, signal) ? 1 : 0
    return meetsTrait(subject, signal) ? greatest(traitValues(subject, signal.trait)) : null
  }
  if (signal.people !== undefined) return peopleAmount(scene, model, subject, signal)
  const test = (id: string) => holds(scene, model, subject, signalNamed(model, id))
  const isMet =
    (signal.all ?? []).every(test) &&
    (signal.any === undefined || signal.any.some(test)) &&
    !(signal.none ?? []).some(test)
  return isMet ? 1 : 0
}

/** Whether a signal gives its points. */
export function holds(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): boolean {
  const amount = amountOf(scene, model, subject, signal)
  if (amount === null) return false
  const { 'at-least': least, 'at-most': most } = signal
  if (least === undefined && most === undefined) return amount > 0
  return amount >= (least ?? Number.NEGATIVE_INFINITY) && amount <= (most ?? Infinity)
}

export function signalNamed(model: ModelText, id: string): SignalText {
  const signal = model.signals.find((one) => one.id === id)
  if (signal === undefined) throw new Error(`${model.id} has no signal ${id}`)
  return signal
}

/** Length of a signal's window in days. */
export const windowOf = (model: ModelText, signal: SignalText): number =>
  daysOf(signal.within ?? model.window)

/** Every time ever that somebody whom the signal is about did this. */
export function timesOf(
  scene: Scene,
  subject: Subject,
  signal: SignalText,
  action: string | undefined = signal.action,
): Deed[] {
  const people = signal.of === 'account' ? subject.colleagues : subject.own
  return deedsUpTo(scene, people).filter(({ actions }) => actions.has(action ?? ''))
}

function actionAmount(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): number | null {
  // "Without an account there is no evidence", so nothing is measured, not even 0.
  if (signal.of === 'account' && subject.colleagues.length === 0) return null
  const window = windowOf(model, signal)
  const ever = timesOf(scene, subject, signal)
  const deeds = within(scene, ever, window)
  const days = deeds.map(({ day }) => day)
  switch (signal.measure ?? 'count') {
    case 'count':
      return deeds.length
    case 'active-days':
      return different(days)
    case 'people':
      return different(deeds.map(({ person }) => person))
    case 'first-ever':
      return deeds.length > 0 && deeds.length === ever.length ? 1 : 0
    case 'streak':
      return Math.max(0, ...days.map((day) => daysInARow(days, day)))
    case 'week':
      return Math.max(0, ...days.map((day) => weekFrom(days, day).length))
    case 'week-days':
      return Math.max(0, ...days.map((day) => different(weekFrom(days, day))))
    case 'velocity':
      return velocity(scene, ever, window, signal)
    case 'ratio':
      return ratio(scene, subject, signal, deeds)
    default:
      return kept(deeds, signal.measure ?? '', signal.action ?? '')
  }
}

function daysInARow(days: readonly number[], from: number): number {
  let length = 0
  while (days.includes(from + length)) length++
  return length
}

/** Of seven days in a row one that begins with a use has the most; where the window ends it holds no less. */
const weekFrom = (days: readonly number[], from: number): number[] =>
  days.filter((day) => day >= from && day < from + 7)

const FASTEST = 1000

function velocity(
  scene: Scene,
  ever: readonly Deed[],
  window: number,
  signal: SignalText,
): number | null {
  const against = signal.against === undefined ? window : daysOf(signal.against)
  const recent = within(scene, ever, window).length
  const earlier = within(scene, ever, against, window).length
  if (recent + earlier < (signal.volume ?? 6)) return null
  if (earlier === 0) return FASTEST
  return Math.min(FASTEST, (100 * recent * against) / (window * earlier))
}

function ratio(
  scene: Scene,
  subject: Subject,
  signal: SignalText,
  deeds: readonly Deed[],
): number | null {
  const value = kept(deeds, signal.value ?? 'last', signal.action ?? '')
  const { limit } = signal
  let most: number | null = null
  if (typeof limit === 'number') most = limit
  else if (limit?.trait !== undefined) most = greatest(traitValues(subject, limit.trait))
  else if (limit?.action !== undefined) {
    most = kept(timesOf(scene, subject, signal, limit.action), 'last', limit.action)
  }
  return value === null || most === null || most <= 0 ? null : (100 * value) / most
}

/** A value over some deeds; numbers have six digits after the point. */
function kept(deeds: readonly Deed[], how: string, action: string): number | null {
  const told = deeds.flatMap(({ at, actions }) => {
    const text = actions.get(action) ?? null
    return text === null ? [] : [{ at, text }]
  })
  if (how === 'distinct') {
    return told.length === 0 ? null : different(told.map(({ text }) => text.slice(0, 200)))
  }
  const numbers = told.flatMap(({ at, text }) => {
    const n = numberOf(text)
    return n === null ? [] : [{ at, n: Math.round(n * 1e6) / 1e6 }]
  })
  if (numbers.length === 0) return null
  const values = numbers.map(({ n }) => n)
  if (how === 'sum') return values.reduce((sum, n) => sum + Math.round(n * 1e6), 0) / 1e6
  if (how === 'max') return Math.max(...values)
  const last = Math.max(...numbers.map(({ at }) => at))
  return Math.max(...numbers.filter(({ at }) => at === last).map(({ n }) => n))
}

function elapsed(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): number | null {
  const first = (action: string | undefined) =>
    timesOf(scene, subject, signal, action).reduce((min, { at }) => Math.min(min, at), Infinity)
  const [from, to] = [first(signal['time-from']), first(signal.to)]
  if (from === Infinity || to === Infinity) return null
  const isWithin = inWindow(scene, Math.floor(to / DAY_MS), windowOf(model, signal))
  return isWithin ? Math.max(0, (to - from) / DAY_MS) : null
}
