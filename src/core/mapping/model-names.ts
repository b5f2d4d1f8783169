import type { Model } from './model.ts'
import type { Fault } from './model-signal-checks.ts'
import { type ActionSignal, isCombination, type Signal } from './model-signals.ts'
import type { UsageMapping } from './usage-mapping.ts'

/** What the other files of a mapping folder declare. */
interface Known {
  readonly actions: UsageMapping['actions']
  readonly traits: readonly string[]
  /** Null when not all of them are known. */
  readonly models: ReadonlyMap<string, Model> | null
}

/** What the CRM tells besides actions; a model may predict it. */
const OUTCOMES = ['opportunity', 'won']

/** Names in a model that no file declares, and values that the tracking plan does not keep. */
export function modelNameFaults(model: Model, known: Known): Fault[] {
  return [
    ...predictsFaults(model, known),
    ...peopleModelFaults(model, known),
    ...traitFaults(model, known),
    ...model.signals.flatMap((signal, index) => signalFaults(signal, index, known)),
  ]
}

function predictsFaults({ predicts }: Model, { actions }: Known): Fault[] {
  if (OUTCOMES.includes(predicts) || Object.hasOwn(actions, predicts)) return []
  const message = `${predicts} is no action of usage.yaml, nor ${OUTCOMES.join(' or ')}; known are ${listed(Object.keys(actions))}`
  return [{ path: ['predicts'], message }]
}

function peopleModelFaults({ 'people-model': id }: Model, { models }: Known): Fault[] {
  if (id === undefined || models === null || models.get(id)?.subject === 'person') return []
  return [{ path: ['people-model'], message: noModel(id, 'person', [...models.values()]) }]
}

function traitFaults({ population, exclude, signals }: Model, { traits }: Known): Fault[] {
  const places: { path: readonly PropertyKey[]; name: string }[] = []
  const look = (list: string, rules: readonly object[]) => {
    rules.forEach((rule, index) => {
      const name = 'trait' in rule ? String(rule.trait) : null
      if (name !== null) places.push({ path: [list, index, 'trait'], name })
    })
  }
  look('population', population)
  look('exclude', exclude)
  look('signals', signals)
  signals.forEach((signal, index) => {
    const limit = 'limit' in signal ? signal.limit : undefined
    if (typeof limit === 'object' && 'trait' in limit) {
      places.push({ path: ['signals', index, 'limit', 'trait'], name: limit.trait })
    }
  })
  return places
    .filter(({ name }) => !traits.includes(name))
    .map(({ path, name }) => ({
      path,
      message: `no file declares the trait ${name}; known are ${listed(traits)}`,
    }))
}

function signalFaults(signal: Signal, index: number, { actions }: Known): Fault[] {
  const at = (...path: PropertyKey[]) => ['signals', index, ...path]
  const named = (path: readonly PropertyKey[], action: string): Fault[] =>
    Object.hasOwn(actions, action)
      ? []
      : [
          {
            path,
            message: `${action} is not declared in usage.yaml; known are ${listed(Object.keys(actions))}`,
          },
        ]
  if (isCombination(signal) || 'trait' in signal || 'people' in signal) return []
  if ('to' in signal) {
    return [...named(at('time-from'), signal['time-from']), ...named(at('to'), signal.to)]
  }
  if ('actions' in signal) {
    if (signal.actions !== 'core') {
      return signal.actions.flatMap((action, i) => named(at('actions', i), action))
    }
    const none = !Object.values(actions).some((action) => action.core)
    return none ? [{ path: at('actions'), message: 'no action of usage.yaml is core: true' }] : []
  }
  const { limit } = signal
  const limits =
    typeof limit === 'object' && 'action' in limit
      ? [
          ...named(at('limit', 'action'), limit.action),
          ...keptFaults(at('limit', 'action'), limit.action, 'last', actions),
        ]
      : []
  const keep = keptOf(signal)
  const kept = keep === null ? [] : keptFaults(at('action'), signal.action, keep, actions)
  return [...named(at('action'), signal.action), ...kept, ...limits]
}

type Keep = 'sum' | 'max' | 'last' | 'distinct'

/** What the tracking plan must keep of the action. */
function keptOf({ measure, value }: ActionSignal): Keep | null {
  if (measure === 'ratio') return value ?? 'last'
  return measure === 'sum' || measure === 'max' || measure === 'last' || measure === 'distinct'
    ? measure
    : null
}

function keptFaults(
  path: readonly PropertyKey[],
  action: string,
  keep: Keep,
  actions: Known['actions'],
): Fault[] {
  const declared = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!declared || declared.value?.keep.includes(keep)) return []
  const message = `usage.yaml keeps no ${keep} of ${action}; add value: { of: event.<property>, keep: [${keep}] } there`
  return [{ path, message }]
}

/** Says that a name is no model of persons (or accounts), and which there are. */
export function noModel(id: string, subject: string, models: readonly Model[]): string {
  const known = models.filter((model) => model.subject === subject).map((model) => model.id)
  return `${id} is no model of ${subject}s; known are ${listed(known)}`
}

const listed = (names: readonly string[]): string => [...names].sort().join(', ') || 'none'
