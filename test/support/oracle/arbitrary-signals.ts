import fc from 'fast-check'
import type { SignalText } from './model-file.ts'

/** The tracking plan that generated models speak of. */
export const ACTIONS = ['read', 'wrote', 'shared', 'paid', 'seat_limit'] as const
export const CORE_ACTIONS = ['wrote', 'shared']
export const TRAITS = {
  plan: ['free', 'pro', '10', '25.5'],
  seats: ['0', '3', '7', '40', 'many'],
  email_kind: ['business', 'free', 'none'],
} as const

type Part = Partial<SignalText>

const action = fc.constantFrom(...ACTIONS)
const points = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: -50, max: 0 }) },
)
const days = (max: number) => fc.integer({ min: 1, max }).map((n) => `${n}d`)
const optional = (part: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc.oneof(fc.constant<Part>({}), part)

/** Points flat, for every so many with a bound, or in tiers up to `top`. */
const gives = (top: number): fc.Arbitrary<Part> =>
  fc.oneof(
    fc.record({ points }),
    fc.record({
      points,
      per: fc.constantFrom(1, 2, 0.5, 3, 7.5),
      max: fc.integer({ min: 1, max: 60 }),
    }),
    tiersTo(top),
  )

const tiersTo = (top: number): fc.Arbitrary<Part> =>
  fc.uniqueArray(fc.integer({ min: 0, max: top }), { minLength: 1, maxLength: 3 }).chain((from) =>
    fc.array(points, { minLength: from.length, maxLength: from.length }).map((given) => ({
      tiers: from
        .sort((a, b) => a - b)
        .map((start, place) => ({ from: start, points: given[place] ?? 1 })),
    })),
  )

const bounds = (top: number): fc.Arbitrary<Part> =>
  fc.oneof(
    fc.constant<Part>({}),
    fc.integer({ min: 0, max: top }).map((least) => ({ 'at-least': least })),
    fc.integer({ min: 0, max: top }).map((most) => ({ 'at-most': most })),
    fc.tuple(fc.integer({ min: 0, max: top }), fc.integer({ min: 0, max: top })).map(([a, b]) => ({
      'at-least': Math.min(a, b),
      'at-most': Math.max(a, b),
    })),
  )

const merged = (...parts: fc.Arbitrary<Part>[]): fc.Arbitrary<Part> =>
  fc.tuple(...parts).map((some) => Object.assign({}, ...some) as Part)

const whose = (subject: string): fc.Arbitrary<Part> =>
  subject === 'account' ? fc.constant({}) : fc.constantFrom({}, {}, { of: 'account' as const })

/** How much a measure can be at most, as far as bounds are checked. */
const TOPS = {
  count: 5,
  'active-days': 1,
  distinct: 3,
  max: 20,
  last: 20,
  sum: 30,
  'first-ever': 1,
  streak: 1,
  week: 4,
  'week-days': 1,
} as const

function measured(subject: string): fc.Arbitrary<Part> {
  const plain = fc
    .constantFrom(...(Object.keys(TOPS) as (keyof typeof TOPS)[]))
    .chain((measure) =>
      merged(
        fc.record({ action, measure: fc.constant(measure) }),
        gives(TOPS[measure]),
        bounds(TOPS[measure]),
        whose(subject),
        optional(fc.record({ within: days(45) })),
        optional(fc.record({ 'half-life': days(20) })),
      ),
    )
  const people = merged(
    fc.record({ action, measure: fc.constant('people') }),
    gives(4),
    bounds(4),
    fc.constant<Part>(subject === 'account' ? {} : { of: 'account' }),
    optional(fc.record({ 'half-life': days(20) })),
  )
  return fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: people })
}

const velocity = (subject: string): fc.Arbitrary<Part> =>
  merged(
    fc.record({ action, measure: fc.constant('velocity'), within: fc.oneof(days(4), days(20)) }),
    optional(fc.record({ against: fc.oneof(days(5), days(30)) })),
    optional(fc.record({ volume: fc.integer({ min: 1, max: 8 }) })),
    gives(400),
    bounds(300),
    whose(subject),
  )

const ratio = (subject: string): fc.Arbitrary<Part> =>
  merged(
    fc.record({
      action,
      measure: fc.constant('ratio'),
      limit: fc.constantFrom(20, { trait: 'seats' }, { action: 'seat_limit' }),
    }),
    optional(fc.record({ value: fc.constantFrom('last', 'max', 'sum') })),
    gives(150),
    bounds(150),
    whose(subject),
  )

const breadth: fc.Arbitrary<Part> = merged(
  fc.record({
    actions: fc.constantFrom('core' as const, ['read', 'paid'], ['wrote', 'paid', 'read']),
  }),
  gives(2),
  bounds(2),
  optional(fc.record({ within: days(45) })),
)

const elapsed: fc.Arbitrary<Part> = merged(
  fc.record({ 'time-from': action, to: action }),
  gives(10),
  bounds(10),
  optional(fc.record({ within: days(45) })),
)

const scalar = fc.constantFrom('free', 'pro', 10, 3, 'business')

/** Conditions on a trait. */
export const traitRule: fc.Arbitrary<Part & { trait: string }> = fc
  .tuple(
    fc.constantFrom(...Object.keys(TRAITS), 'unheard'),
    fc.oneof(
      scalar.map((equals) => ({ equals })),
      fc.record({ in: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
      fc.integer({ min: 0, max: 30 }).map((gte) => ({ gte })),
      fc.record({ lte: fc.integer({ min: 0, max: 30 }), exists: fc.constant(true) }),
      fc.record({ matches: fc.constantFrom('^f', '(?i)PRO', '[0-9]') }),
      fc.record({ exists: fc.boolean() }),
    ),
  )
  .map(([trait, rule]) => ({ trait, ...rule }))

const trait: fc.Arbitrary<Part> = fc.oneof(
  merged(traitRule, fc.record({ points })),
  merged(fc.record({ trait: fc.constantFrom('plan', 'seats') }), tiersTo(30)),
)

function people(subject: string): fc.Arbitrary<Part> {
  const counts = ['known', 'active', 'new', ...(subject === 'account' ? ['qualified'] : [])]
  const rates = ['share-active', 'growth', ...(subject === 'account' ? ['champion'] : [])]
  return fc.oneof(
    merged(
      fc.record({ people: fc.constantFrom(...counts) }),
      fc.record({ points, per: fc.constant(1), max: fc.integer({ min: 1, max: 60 }) }),
      bounds(3),
      optional(fc.record({ within: days(45) })),
    ),
    merged(
      fc.record({ people: fc.constantFrom(...rates) }),
      gives(60),
      bounds(60),
      optional(fc.record({ within: days(45) })),
    ),
  )
}

/** Everything that a signal can be, but a combination. */
export const plainSignal = (subject: 'person' | 'account'): fc.Arbitrary<Part> =>
  fc.oneof(
    { weight: 6, arbitrary: measured(subject) },
    { weight: 1, arbitrary: velocity(subject) },
    { weight: 1, arbitrary: ratio(subject) },
    { weight: 1, arbitrary: breadth },
    { weight: 1, arbitrary: elapsed },
    { weight: 1, arbitrary: trait },
    { weight: 2, arbitrary: people(subject) },
  )

/** Flat points for counts and first uses: what an event more can only help. */
export const growingSignal: fc.Arbitrary<Part> = fc.oneof(
  merged(
    fc.record({ action, measure: fc.constantFrom('count', 'active-days', 'first-ever') }),
    fc.oneof(
      fc.record({ points: fc.integer({ min: 1, max: 40 }) }),
      fc.record({
        points: fc.integer({ min: 1, max: 40 }),
        per: fc.constantFrom(1, 2, 3, 7.5),
        max: fc.integer({ min: 1, max: 60 }),
      }),
    ),
    optional(fc.record({ within: days(45) })),
    optional(fc.record({ 'half-life': days(20) })),
    optional(fc.record({ 'at-least': fc.constant(1) })),
  ),
  merged(breadth, fc.record({ points: fc.integer({ min: 1, max: 40 }) })).map(
    ({ tiers: _, 'at-most': __, per: ___, max: ____, ...rest }) => rest,
  ),
)
