import {
  type ActionSignal,
  isCombination,
  type PeopleSignal,
  type Signal,
} from './model-signals.ts'

/** One thing wrong with a model: where, and what would be right. */
export interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

interface Of {
  readonly subject: 'person' | 'account'
  readonly window: number
  readonly signals: readonly Signal[]
}

/** What is wrong with signals, each for itself. */
export function faultsOfSignals(model: Of): Fault[] {
  return model.signals.flatMap((signal, index) => {
    const at = (field: string, message: string): Fault => ({
      path: ['signals', index, field],
      message,
    })
    return [
      ...pointsFaults(signal, at),
      ...boundFaults(signal, model, at),
      ...(!isCombination(signal) && 'action' in signal ? actionFaults(signal, model, at) : []),
      ...('people' in signal ? peopleFaults(signal, model, at) : []),
      ...('trait' in signal ? traitFaults(signal, at) : []),
    ]
  })
}

type At = (field: string, message: string) => Fault

function pointsFaults(signal: Signal, at: At): Fault[] {
  const faults: Fault[] = []
  if ((signal.points === undefined) === (signal.tiers === undefined)) {
    faults.push(at('id', 'give points or tiers, one of them'))
  }
  const tiers = signal.tiers ?? []
  if (tiers.some((tier, i) => i > 0 && tier.from <= (tiers[i - 1]?.from ?? 0))) {
    faults.push(at('tiers', 'tiers must rise'))
  }
  if (!('per' in signal) || signal.per === undefined) return faults
  if (signal.tiers) faults.push(at('per', 'goes with points, not with tiers; remove one'))
  if (signal.max === undefined) {
    faults.push(
      at('max', 'a signal that counts more than once needs max, the most points it can give'),
    )
  }
  return faults
}

/** Bounds that nothing can meet. */
function boundFaults(signal: Signal, model: Of, at: At): Fault[] {
  const faults: Fault[] = []
  const least = 'at-least' in signal ? signal['at-least'] : undefined
  const most = 'at-most' in signal ? signal['at-most'] : undefined
  if (least !== undefined && most !== undefined && least > most) {
    faults.push(at('at-least', 'lies above at-most, so it never holds; swap them'))
  }
  const [lowest, highest] = rangeOf(signal, model)
  if (most !== undefined && most < lowest) {
    faults.push(at('at-most', `the amount is never below ${lowest}, so it never holds; raise it`))
  }
  if (least !== undefined && least > highest) {
    faults.push(at('at-least', `the amount is never above ${highest}, so it never holds; lower it`))
  }
  const far = signal.tiers?.find((tier) => tier.from > highest)
  if (far && !('trait' in signal)) {
    faults.push(
      at('tiers', `the amount is never above ${highest}, so nobody reaches ${far.from}; lower it`),
    )
  }
  return faults
}

/** The least and the greatest amount that a signal can measure. */
function rangeOf(signal: Signal, model: Of): readonly [number, number] {
  const any = Number.POSITIVE_INFINITY
  if (isCombination(signal) || 'trait' in signal) return [-any, any]
  const days = signal.within ?? model.window
  if ('people' in signal) {
    if (signal.people === 'growth') return [-any, any]
    return [0, signal.people === 'share-active' || signal.people === 'champion' ? 100 : any]
  }
  if ('actions' in signal) return [0, signal.actions === 'core' ? any : signal.actions.length]
  if ('to' in signal) return [0, any]
  switch (signal.measure) {
    case 'active-days':
    case 'streak':
      return [0, days]
    case 'week-days':
      return [0, Math.min(7, days)]
    case 'first-ever':
      return [0, 1]
    case 'velocity':
      return [0, 1000]
    case 'max':
    case 'last':
    case 'sum':
    case 'ratio':
      return [-any, any]
    default:
      return [0, any]
  }
}

function actionFaults(signal: ActionSignal, { subject }: Of, at: At): Fault[] {
  const { measure } = signal
  const faults: Fault[] = []
  for (const field of ['against', 'volume'] as const) {
    if (signal[field] !== undefined && measure !== 'velocity') {
      faults.push(at(field, 'goes with measure: velocity only; remove it'))
    }
  }
  for (const field of ['limit', 'value'] as const) {
    if (signal[field] !== undefined && measure !== 'ratio') {
      faults.push(at(field, 'goes with measure: ratio only; remove it'))
    }
  }
  if (measure === 'ratio' && signal.limit === undefined) {
    faults.push(
      at('limit', 'missing; a ratio needs a limit: a number, { trait: … } or { action: … }'),
    )
  }
  if (signal['half-life'] !== undefined && (measure === 'velocity' || measure === 'ratio')) {
    faults.push(at('half-life', `does not go with measure: ${measure}; remove it`))
  }
  if (signal.of === 'account' && subject === 'account') {
    faults.push(at('of', 'an account model looks at the account anyway; remove it'))
  }
  if (measure === 'people' && subject === 'person' && signal.of !== 'account') {
    faults.push(at('measure', 'of one person there is one; add of: account'))
  }
  return faults
}

function peopleFaults(signal: PeopleSignal, { subject }: Of, at: At): Fault[] {
  const faults: Fault[] = []
  const { people } = signal
  if (subject === 'person' && (people === 'qualified' || people === 'champion')) {
    const message = `${people} asks for scores of people, so it belongs in a model whose subject is account`
    faults.push(at('people', message))
  }
  const counts = people !== 'growth' && people !== 'share-active' && people !== 'champion'
  const says = ['per', 'at-least', 'at-most'] as const
  if (counts && !signal.tiers && says.every((field) => signal[field] === undefined)) {
    faults.push(
      at(
        'people',
        'say how it counts: per: 1 for points for each, at-least for a threshold, or tiers',
      ),
    )
  }
  return faults
}

function traitFaults(signal: Extract<Signal, { trait: string }>, at: At): Fault[] {
  const says = ['equals', 'in', 'gte', 'lte', 'matches', 'exists'] as const
  if (signal.tiers || says.some((field) => signal[field] !== undefined)) return []
  return [at('trait', `give one of ${says.join(', ')}, or tiers`)]
}
