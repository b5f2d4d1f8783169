import fc from 'fast-check'
import { type Model, modelSchema } from '../../../src/core/mapping/model.ts'
import { growingSignal, plainSignal, traitRule } from './arbitrary-signals.ts'
import type { ModelText, SignalText } from './model-file.ts'

/** A valid model: as somebody would write it, and as the product reads it. */
export interface GeneratedModel {
  readonly text: ModelText
  readonly model: Model
}

type Part = Partial<SignalText>
type Components = NonNullable<ModelText['components']>

/** Any valid model of this subject. */
export function anyModel(subject: 'person' | 'account'): fc.Arbitrary<GeneratedModel> {
  return modelOf(
    subject,
    fc
      .tuple(
        fc.array(plainSignal(subject), { minLength: 1, maxLength: 7 }),
        fc.array(combination, { maxLength: 2 }),
      )
      .map(([plain, combined]) => [...plain, ...combined]),
  )
}

/** A model for persons that knows only what more use can help: counts and first uses. */
export const growingModel = (): fc.Arbitrary<GeneratedModel> =>
  modelOf('person', fc.array(growingSignal, { minLength: 1, maxLength: 7 }))

const places = fc.array(fc.nat(20), { minLength: 1, maxLength: 2 })

/** Parts are places among the signals before it, until they get their names. */
const combination: fc.Arbitrary<Part> = fc
  .tuple(
    fc.record({ points: fc.integer({ min: -20, max: 40 }) }),
    fc.record({ all: places, any: places, none: places }, { requiredKeys: [] }),
  )
  .filter(([, lists]) => Object.keys(lists).length > 0)
  .map(([given, lists]) => ({ ...given, ...lists }) as unknown as Part)

function named(
  parts: readonly Part[],
  components: Components,
  into: readonly number[],
): SignalText[] {
  const nameOf = (place: number, before: number) => `s${before === 0 ? 0 : place % before}`
  return parts.map((part, place) => {
    const lists = (['all', 'any', 'none'] as const).flatMap((list) => {
      const some = part[list] as unknown as readonly number[] | undefined
      return some === undefined ? [] : [[list, some.map((other) => nameOf(other, place))] as const]
    })
    // Every component has a signal, then as it falls.
    const component =
      components[
        place < components.length ? place : (into[place] ?? 0) % Math.max(1, components.length)
      ]
    return {
      id: `s${place}`,
      label: `Signal ${place}`,
      ...part,
      ...Object.fromEntries(lists),
      ...(component === undefined ? {} : { component: component.id }),
    }
  })
}

const components: fc.Arbitrary<Components> = fc.oneof(
  fc.constant<Components>([]),
  fc
    .array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 })
    .map((maxes) => maxes.map((max, place) => ({ id: `c${place}`, max }))),
  fc
    .tuple(fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 200 }))
    .map(([weight, full]) => [
      { id: 'c0', weight, full },
      { id: 'c1', weight: 100 - weight },
    ]),
)

const status = fc
  .tuple(
    fc.integer({ min: 2, max: 60 }),
    fc.integer({ min: 1, max: 30 }),
    fc.nat(40),
    fc.constantFrom(undefined, '6h', '1d', '3d'),
  )
  .map(([enter, gap, below, dwell]) => {
    const exit = Math.max(1, enter - gap)
    const assist = Math.max(1, exit - below)
    const lengths = { 'new-for': '7d', 'stale-after': '30d' }
    return { enter, exit, assist, ...lengths, ...(dwell ? { 'min-dwell': dwell } : {}) }
  })

function modelOf(
  subject: 'person' | 'account',
  signals: fc.Arbitrary<readonly Part[]>,
): fc.Arbitrary<GeneratedModel> {
  const some = fc.array(fc.nat(20), { maxLength: 1 })
  return fc
    .record({
      parts: signals,
      components,
      into: fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }),
      status,
      window: fc.integer({ min: 1, max: 45 }),
      activeDays: fc.integer({ min: 1, max: 3 }),
      leastActive: fc.integer({ min: 1, max: 3 }),
      population: fc.array(traitRule, { maxLength: 1 }),
      excludedTrait: fc.array(traitRule, { maxLength: 1 }),
      excludedBy: some,
      requires: some,
      raised: some,
      scarce: fc.nat(5),
    })
    .map((all) => {
      const used = all.components.length <= all.parts.length ? all.components : []
      const list = named(all.parts, used, all.into)
      const idOf = (place: number) => `s${place % list.length}`
      const rarely = all.scarce === 0
      const text = {
        id: 'generated',
        version: 1,
        subject,
        kind: 'conversion',
        predicts: 'paid',
        window: `${all.window}d`,
        'active-days': all.activeDays,
        ...(subject === 'account'
          ? { 'people-model': 'people', 'least-active': all.leastActive }
          : {}),
        population: rarely ? all.population : [],
        exclude: [
          ...(rarely ? all.excludedTrait.map((rule) => ({ label: 'Left out', ...rule })) : []),
          ...(all.scarce === 1
            ? all.excludedBy.map((place) => ({ label: 'Left out', signal: idOf(place) }))
            : []),
        ],
        components: used,
        signals: list,
        requires: all.scarce < 4 ? all.requires.map(idOf) : [],
        'hand-raiser': all.scarce > 3 ? all.raised.map(idOf) : [],
        status: all.status,
        bands: [
          { grade: 'D', from: 0 },
          { grade: 'B', from: 25 },
          { grade: 'A', from: 50 },
        ],
      }
      return { text: text as ModelText, parsed: modelSchema.safeParse(text) }
    })
    .filter(({ parsed }) => parsed.success)
    .map(({ text, parsed }) => ({ text, model: parsed.data as Model }))
}
