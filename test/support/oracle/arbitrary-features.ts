import fc from 'fast-check'
import { type Evidence, type Features, NO_SALES } from '../../../src/core/scoring/features.ts'
import type { ModelScorer } from '../../../src/core/scoring/scorer.ts'
import { TODAY } from './arbitrary-scenes.ts'

const times = fc.oneof(fc.nat(12), fc.integer({ min: 0, max: 10_000_000 }))
const value = fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true }))

/** Instants are not what this is about: all evidence is of yesterday. */
const AT = TODAY - 3_600_000

/** Any answer of usage, whether it makes sense or not. */
const anyEvidence: fc.Arbitrary<Evidence> = fc
  .record({
    count: times,
    days: times,
    streak: times,
    week: times,
    weekDays: times,
    earlier: times,
    people: times,
    faded: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    value: fc.record({ sum: value, max: value, last: value, distinct: fc.option(times) }),
    everAt: fc.constantFrom(AT, AT - 86_400_000 * 60),
  })
  .map((one) => ({
    ...one,
    firstAt: AT,
    lastAt: AT,
    earlierFirstAt: AT - 86_400_000 * 50,
    value: { ...one.value, lastAt: AT, isCapped: false },
  }))

/** Anything at all that a scorer may be fed about a subject without colleagues. */
export function anyFeatures(scorer: ModelScorer): fc.Arbitrary<Features> {
  return fc
    .record({
      evidence: fc.tuple(
        ...scorer.needs.list.map(() => fc.option(anyEvidence, { nil: undefined })),
      ),
      plan: fc.constantFrom('free', 'pro', '10', '1e300'),
    })
    .map(({ evidence, plan }) => ({
      subjectId: 'p0',
      activity: {
        firstAt: AT,
        lastAt: AT,
        days30: 1,
        first30At: AT,
        recent: 1,
        recentFirstAt: AT,
        earlier: 0,
        earlierFirstAt: null,
      },
      evidence,
      traits: { plan: [plan], email_kind: ['business'] },
      members: [],
      sales: NO_SALES,
    }))
}
