import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { modelSchema } from '../../src/core/mapping/model.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer, type ModelScorer } from '../../src/core/scoring/scorer.ts'
import { anyFeatures } from '../support/oracle/arbitrary-features.ts'
import { anyModel, growingModel } from '../support/oracle/arbitrary-models.ts'
import { anyDeed, anyScene, anyScores, TODAY } from '../support/oracle/arbitrary-scenes.ts'
import { CORE_ACTIONS } from '../support/oracle/arbitrary-signals.ts'
import { featuresOf } from '../support/oracle/features-of.ts'
import type { ModelText } from '../support/oracle/model-file.ts'
import { type PersonScore, type Scene, subjectsOf } from '../support/oracle/scene.ts'
import { type Step, statusesOver, statusModel } from '../support/oracle/statuses.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const SEED = Number(process.env['RIPEN_TEST_SEED'] ?? 17)
const RUNS = Number(process.env['RIPEN_TEST_RUNS'] ?? 150)
const OPTIONS = { seed: SEED, numRuns: RUNS }

const anyModelOfAll = fc.oneof(anyModel('person'), anyModel('account'))

/** Scores of everybody in a scene, carried on from earlier ones. */
function scoreAll(
  scorer: ModelScorer,
  scene: Scene,
  text: ModelText,
  scores: ReadonlyMap<string, PersonScore>,
  previous: ReadonlyMap<string, Score> = new Map(),
): Map<string, Score> {
  const all = new Map<string, Score>()
  for (const subject of subjectsOf(scene, text, scores)) {
    const features = featuresOf(scorer, scene, subject)
    const score =
      features && scorer.score(features, previous.get(subject.id) ?? null, new Date(scene.asOf))
    if (score) all.set(subject.id, score)
  }
  return all
}

const sumOf = (score: Score): number => score.contributions.reduce((sum, c) => sum + c.points, 0)

function expectWhole(score: Score): void {
  expect(sumOf(score)).toBe(score.score)
  expect(score.score).toBeGreaterThanOrEqual(0)
  expect(score.score).toBeLessThanOrEqual(100)
  for (const { points } of score.contributions) {
    expect(Number.isInteger(points)).toBe(true)
    expect(points).not.toBe(0)
  }
}

describe('contributions', () => {
  it('are whole numbers that add up to a score of 0 to 100 for any history', () => {
    fc.assert(
      fc.property(anyModelOfAll, anyScene, anyScores, ({ text, model }, scene, scores) => {
        const scorer = createScorer(model, CORE_ACTIONS)
        for (const score of scoreAll(scorer, scene, text, scores).values()) expectWhole(score)
      }),
      OPTIONS,
    )
  })

  it('add up whatever usage answers, however large or odd', () => {
    const fed = anyModel('person').chain(({ model }) => {
      const scorer = createScorer(model, CORE_ACTIONS)
      return fc.record({ model: fc.constant(model), features: anyFeatures(scorer) })
    })
    fc.assert(
      fc.property(fed, ({ model, features }) => {
        const score = createScorer(model, CORE_ACTIONS).score(features, null, new Date(TODAY))
        if (score) expectWhole(score)
      }),
      OPTIONS,
    )
  })
})

describe('a score', () => {
  it('does not depend on the order of events', () => {
    fc.assert(
      fc.property(anyModelOfAll, anyScene, anyScores, ({ text, model }, scene, scores) => {
        const scorer = createScorer(model, CORE_ACTIONS)
        const deeds = new Map([...scene.deeds].map(([id, list]) => [id, [...list].reverse()]))
        const turned = { ...scene, people: [...scene.people].reverse(), deeds }
        const sorted = (all: Map<string, Score>) => [...all].sort(([a], [b]) => (a < b ? -1 : 1))
        expect(sorted(scoreAll(scorer, turned, text, scores))).toEqual(
          sorted(scoreAll(scorer, scene, text, scores)),
        )
      }),
      OPTIONS,
    )
  })

  it('is never lowered by one more count or first use at the same instant', () => {
    const helped = growingModel().filter(({ model }) => model.exclude.length === 0)
    fc.assert(
      fc.property(helped, anyScene, anyDeed('p0'), ({ text, model }, scene, drawn) => {
        const scorer = createScorer(model, CORE_ACTIONS)
        const at = scene.asOf - 1
        const deed = { ...drawn, at, day: Math.floor(at / DAY_MS) }
        const deeds = new Map(scene.deeds).set('p0', [...(scene.deeds.get('p0') ?? []), deed])
        const before = scoreAll(scorer, scene, text, new Map()).get('p0')
        const after = scoreAll(scorer, { ...scene, deeds }, text, new Map()).get('p0')
        expect(after?.score ?? 0).toBeGreaterThanOrEqual(before?.score ?? 0)
      }),
      OPTIONS,
    )
  })

  it('does not see what happens at its instant or later', () => {
    fc.assert(
      fc.property(anyModelOfAll, anyScene, anyScores, ({ text, model }, scene, scores) => {
        const scorer = createScorer(model, CORE_ACTIONS)
        const past = new Map(
          [...scene.deeds].map(([id, list]) => [id, list.filter(({ at }) => at < scene.asOf)]),
        )
        expect(scoreAll(scorer, { ...scene, deeds: past }, text, scores)).toEqual(
          scoreAll(scorer, scene, text, scores),
        )
      }),
      OPTIONS,
    )
  })

  it('worked out again at the same instant is the same', () => {
    fc.assert(
      fc.property(anyModelOfAll, anyScene, anyScores, ({ text, model }, scene, scores) => {
        const scorer = createScorer(model, CORE_ACTIONS)
        const { first, last } = inSteps(scorer, scene, text, scores)
        expect(scoreAll(scorer, scene, text, scores, last)).toEqual(last)
        expect(scoreAll(scorer, scene, text, scores, first)).toEqual(last)
      }),
      OPTIONS,
    )
  })

  it('does not change before it says when nothing new happens', () => {
    const waits = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 3,
      maxLength: 3,
    })
    fc.assert(
      fc.property(
        anyModelOfAll,
        anyScene,
        anyScores,
        waits,
        ({ text, model }, scene, scores, at) => {
          const scorer = createScorer(model, CORE_ACTIONS)
          const past = new Map(
            [...scene.deeds].map(([id, list]) => [id, list.filter((deed) => deed.at < scene.asOf)]),
          )
          const quiet = { ...scene, deeds: past }
          const { last } = inSteps(scorer, quiet, text, scores)
          for (const [id, score] of last) {
            const until =
              score.nextChangeAt === null
                ? scene.asOf + 500 * DAY_MS
                : Date.parse(score.nextChangeAt)
            expect(until).toBeGreaterThan(scene.asOf)
            for (const part of [...at, 1]) {
              const asOf = Math.min(until - 1, Math.floor(scene.asOf + part * (until - scene.asOf)))
              const later = scoreAll(scorer, { ...quiet, asOf }, text, scores, last).get(id)
              expect([asOf, later && toldOf(later)]).toEqual([asOf, toldOf(score)])
            }
          }
        },
      ),
      OPTIONS,
    )
  })
})

/** The last of three scores on the way to `asOf`, and the one before it. */
function inSteps(
  scorer: ModelScorer,
  scene: Scene,
  text: ModelText,
  scores: ReadonlyMap<string, PersonScore>,
): { readonly first: Map<string, Score>; readonly last: Map<string, Score> } {
  let [first, last] = [new Map<string, Score>(), new Map<string, Score>()]
  for (const before of [9 * DAY_MS, 5 * HOUR_MS, 0]) {
    first = last
    last = scoreAll(scorer, { ...scene, asOf: scene.asOf - before }, text, scores, last)
  }
  return { first, last }
}

/** What the CRM is told of a score. */
const toldOf = ({ score, grade, usageStatus, trend, contributions, facts }: Score) => ({
  score,
  grade,
  usageStatus,
  trend,
  points: contributions.map(({ id, points, amount }) => [id, points, amount]),
  facts,
})

describe('the usage status over 90 days', () => {
  const steps = (
    score: fc.Arbitrary<number>,
    rest: Partial<Record<'isActive' | 'isMet', fc.Arbitrary<boolean>>> = {},
  ) =>
    fc.array(
      fc.record({
        hours: fc.integer({ min: 1, max: 40 }),
        score,
        isActive: rest.isActive ?? fc.constant(true),
        isMet: rest.isMet ?? fc.constant(true),
      }),
      { minLength: 90, maxLength: 300, size: 'max' },
    )
  const rules = fc
    .tuple(fc.integer({ min: 2, max: 100 }), fc.integer({ min: 1, max: 40 }), fc.nat(60))
    .map(([enter, gap, below]) => {
      const exit = Math.max(1, enter - gap)
      return { enter, exit, assist: Math.max(1, exit - below) }
    })
  const within90Days = (all: readonly Step[]) => {
    let hours = 0
    return all.filter((step) => {
      hours += step.hours
      return hours <= 90 * 24
    })
  }
  const changesOf = (statuses: readonly string[]) =>
    statuses.filter((status, place) => place > 0 && status !== statuses[place - 1]).length

  it('changes at most twice while the score swings by less than lies between exit and enter', () => {
    const swings = rules.chain((status) =>
      fc.nat(100).chain((from) => {
        const to = Math.min(100, from + status.enter - status.exit - 1)
        return fc.record({
          status: fc.constant(status),
          dwell: fc.constantFrom(undefined, '12h', '3d'),
          all: steps(fc.integer({ min: Math.min(from, to), max: to })),
        })
      }),
    )
    fc.assert(
      fc.property(swings, ({ status, dwell, all }) => {
        const model = modelSchema.parse(
          statusModel({ ...status, ...(dwell ? { 'min-dwell': dwell } : {}) }),
        )
        expect(changesOf(statusesOver(model, within90Days(all)))).toBeLessThanOrEqual(2)
      }),
      OPTIONS,
    )
  })

  it('changes at most once for each minimum dwell, whatever the score does', () => {
    const noise = fc.record({
      status: rules,
      dwellHours: fc.constantFrom(6, 24, 72, 240),
      all: steps(fc.oneof(fc.constantFrom(0, 100), fc.integer({ min: 0, max: 100 })), {
        isActive: fc.boolean(),
        isMet: fc.boolean(),
      }),
    })
    fc.assert(
      fc.property(noise, ({ status, dwellHours, all }) => {
        const model = modelSchema.parse(statusModel({ ...status, 'min-dwell': `${dwellHours}h` }))
        const taken = within90Days(all)
        const hours = taken.reduce((sum, step) => sum + step.hours, 0)
        // What rises rises at most from `stale` to `qualified` without waiting, on account of what comes after.
        const most = Math.floor(hours / dwellHours) + 1 + 4
        expect(changesOf(statusesOver(model, taken))).toBeLessThanOrEqual(most)
      }),
      OPTIONS,
    )
  })
})
