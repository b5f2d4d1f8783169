import type { z } from 'zod'
import { type Fault, faultsOfSignals } from './model-signal-checks.ts'
import { isCombination, mostPoints, type Signal } from './model-signals.ts'

/** What the checks look at; the schema itself says more. */
interface CheckedModel {
  readonly subject: 'person' | 'account'
  readonly window: number
  readonly 'people-model'?: string | undefined
  readonly 'least-active'?: number | undefined
  readonly population: readonly object[]
  readonly exclude: readonly object[]
  readonly components: readonly {
    readonly id: string
    readonly max?: number | undefined
    readonly weight?: number | undefined
    readonly full?: number | undefined
  }[]
  readonly signals: readonly Signal[]
  readonly requires: readonly string[]
  readonly 'hand-raiser': readonly string[]
  readonly status: { readonly enter: number; readonly exit: number; readonly assist: number }
  readonly bands: readonly { readonly from: number }[]
}

/** Everything about one model that its fields alone do not say; each fault names its place and the mend. */
export function checkModel(model: CheckedModel, context: z.core.$RefinementCtx): void {
  // What follows from a mistyped field would only hide it.
  if (context.issues.length > 0) return
  const faults = [
    ...idFaults(model),
    ...subjectFaults(model),
    ...conditionFaults(model),
    ...componentFaults(model),
    ...faultsOfSignals(model),
    ...referenceFaults(model),
    ...cycleFaults(model),
    ...statusFaults(model),
    ...bandFaults(model),
  ]
  for (const { path, message } of faults) {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
}

const RESERVED = ['limit', 'excluded', 'least-active']

function idFaults({ signals, components }: CheckedModel): Fault[] {
  const twice = (list: 'signals' | 'components', ids: readonly string[], what: string) =>
    ids.flatMap((id, index): Fault[] => {
      if (RESERVED.includes(id)) {
        return [{ path: [list, index, 'id'], message: `${id} is a reserved id; choose another` }]
      }
      if (ids.indexOf(id) === index) return []
      const message = `${what} ${id} is given twice; give each an id of its own`
      return [{ path: [list, index, 'id'], message }]
    })
  return [
    ...twice(
      'signals',
      signals.map((s) => s.id),
      'signal',
    ),
    ...twice(
      'components',
      components.map((c) => c.id),
      'component',
    ),
  ]
}

function subjectFaults(model: CheckedModel): Fault[] {
  const people = model['people-model']
  if (model.subject === 'account') {
    if (people !== undefined) return []
    return [
      {
        path: ['people-model'],
        message: 'an account model names the model that scores its people',
      },
    ]
  }
  return (['people-model', 'least-active'] as const)
    .filter((field) => model[field] !== undefined)
    .map((field) => ({
      path: [field],
      message: 'only models whose subject is account have this; remove it',
    }))
}

const CONDITIONS = ['equals', 'in', 'gte', 'lte', 'matches', 'exists']

function conditionFaults({ population, exclude }: CheckedModel): Fault[] {
  const empty = (list: 'population' | 'exclude', rules: readonly object[]) =>
    rules.flatMap((rule, index): Fault[] =>
      'signal' in rule || CONDITIONS.some((name) => name in rule)
        ? []
        : [{ path: [list, index], message: `give one of ${CONDITIONS.join(', ')}` }],
    )
  return [...empty('population', population), ...empty('exclude', exclude)]
}

function componentFaults({ components, signals }: CheckedModel): Fault[] {
  const known = components.map((c) => c.id)
  const faults = signals.flatMap(({ component }, index): Fault[] => {
    if (component === undefined ? known.length === 0 : known.includes(component)) return []
    const list = known.length === 0 ? 'the model has none' : `known are ${known.join(', ')}`
    const message =
      component === undefined
        ? `names no component, and the model has ${list.replace('known are ', '')}; name one`
        : `${component} is no component; ${list}`
    return [{ path: ['signals', index, component === undefined ? 'id' : 'component'], message }]
  })
  components.forEach(({ id, full, weight }, index) => {
    if (!signals.some((s) => s.component === id)) {
      faults.push({
        path: ['components', index, 'id'],
        message: `no signal belongs to ${id}; remove it`,
      })
    }
    if (full !== undefined && weight === undefined) {
      faults.push({
        path: ['components', index, 'full'],
        message: 'goes with weight only; remove it',
      })
    }
  })
  return [...faults, ...weightFaults(components)]
}

function weightFaults(components: CheckedModel['components']): Fault[] {
  const weighted = components.filter((c) => c.weight !== undefined)
  if (weighted.length === 0) {
    return components.flatMap(({ max }, index) =>
      max === undefined
        ? [{ path: ['components', index], message: 'give max, or weight for every component' }]
        : [],
    )
  }
  const mixed = components.flatMap(({ weight, max }, index): Fault[] =>
    weight === undefined || max !== undefined
      ? [
          {
            path: ['components', index],
            message: 'components have either max or weight, all alike',
          },
        ]
      : [],
  )
  const sum = weighted.reduce((total, { weight = 0 }) => total + weight, 0)
  if (mixed.length > 0 || sum === 100) return mixed
  const by = sum > 100 ? `take ${sum - 100} away` : `add ${100 - sum}`
  return [{ path: ['components'], message: `the weights add up to ${sum}, not to 100; ${by}` }]
}

function referenceFaults(model: CheckedModel): Fault[] {
  const ids = model.signals.map((s) => s.id)
  const missing = (path: readonly PropertyKey[], id: string): Fault[] =>
    ids.includes(id)
      ? []
      : [{ path, message: `${id} is no signal of this model; known are ${ids.join(', ')}` }]
  return [
    ...model.requires.flatMap((id, i) => missing(['requires', i], id)),
    ...model['hand-raiser'].flatMap((id, i) => missing(['hand-raiser', i], id)),
    ...model.exclude.flatMap((rule, i) =>
      'signal' in rule ? missing(['exclude', i, 'signal'], String(rule.signal)) : [],
    ),
    ...model.signals.flatMap((signal, index) =>
      isCombination(signal)
        ? (['all', 'any', 'none'] as const).flatMap((list) =>
            (signal[list] ?? []).flatMap((id, i) => missing(['signals', index, list, i], id)),
          )
        : [],
    ),
  ]
}

function cycleFaults({ signals }: CheckedModel): Fault[] {
  const parts = new Map(
    signals.map((s) => [
      s.id,
      isCombination(s) ? [...(s.all ?? []), ...(s.any ?? []), ...(s.none ?? [])] : [],
    ]),
  )
  const done = new Set<string>()
  const faults: Fault[] = []
  const visit = (id: string, trail: readonly string[]) => {
    if (done.has(id)) return
    const start = trail.indexOf(id)
    if (start >= 0) {
      const message = `goes round in a circle: ${[...trail.slice(start), id].join(' → ')}; take one out`
      const first = trail[start] ?? id
      faults.push({ path: ['signals', signals.findIndex((s) => s.id === first)], message })
      return
    }
    for (const part of parts.get(id) ?? []) visit(part, [...trail, id])
    done.add(id)
  }
  for (const { id } of signals) visit(id, [])
  return faults
}

function statusFaults(model: CheckedModel): Fault[] {
  const { enter, exit, assist } = model.status
  const faults: Fault[] = []
  if (exit >= enter) faults.push({ path: ['status', 'exit'], message: 'exit must lie below enter' })
  if (assist > exit) {
    const message = 'assist must not lie above exit, or a status would jump over it'
    faults.push({ path: ['status', 'assist'], message })
  }
  const reach = reachOf(model)
  if (reach < enter && model['hand-raiser'].length === 0) {
    const message = `nobody can qualify: all signals together give ${reach} points, less than enter`
    faults.push({ path: ['status', 'enter'], message })
  }
  return faults
}

/** Most points that a model can give. */
function reachOf({ signals, components }: CheckedModel): number {
  const given = (component: string | undefined) =>
    signals.filter((s) => s.component === component).reduce((sum, s) => sum + mostPoints(s), 0)
  if (components.length === 0) return Math.min(100, given(undefined))
  const parts = components.map(({ id, weight, full, max }) =>
    weight === undefined
      ? Math.min(max ?? 100, given(id))
      : Math.min(weight, (given(id) * weight) / (full ?? 100)),
  )
  return Math.floor(
    Math.min(
      100,
      parts.reduce((sum, part) => sum + part, 0),
    ),
  )
}

function bandFaults({ bands }: CheckedModel): Fault[] {
  return bands.flatMap((band, index): Fault[] => {
    const isRight = index === 0 ? band.from === 0 : band.from > (bands[index - 1]?.from ?? 0)
    if (isRight) return []
    const message = index === 0 ? 'the first band starts at 0' : 'bands must rise'
    return [{ path: ['bands', index, 'from'], message }]
  })
}
