import { LEAST_ACTIVE, type Model } from '../mapping/model.ts'
import { isCombination, type Signal } from '../mapping/model-signals.ts'
import { changeAtOf } from './due.ts'
import { trendOf } from './explain.ts'
import type { Features } from './features.ts'
import { isoOf } from './instant.ts'
import { missingOf, stepsOf } from './missing.ts'
import { type Needs, needsOf } from './needs.ts'
import { championOf, NOTHING, type Reading } from './people-amounts.ts'
import { bookkeeping, holdsOf, rawPointsOf, weigh, wholePoints } from './points.ts'
import { combine, readerOf } from './readings.ts'
import type { Contribution, ContributionChange, Score, ScoreFacts } from './score.ts'
import { gradeOf, nextStatus } from './status.ts'
import { traitTest } from './traits.ts'

/** One model, compiled: the same for live scoring, previews, shadow runs and backtests. */
export interface ModelScorer {
  readonly model: Model
  /** What usage is asked; `Features.evidence` answers in this order. */
  readonly needs: Needs
  /** Lengths in days of the windows that `Member.core` must answer for; empty when nobody asks. */
  readonly memberWindows: readonly number[]
  /**
   * Scores one subject at `asOf`; `previous` carries the status on.
   * @returns null when the model does not apply to the subject.
   */
  score(features: Features, previous: Score | null, asOf: Date): Score | null
}

/** What is known of one subject on the way to its score. */
interface Work {
  readonly readings: readonly Reading[]
  readonly held: readonly boolean[]
  readonly raw: Float64Array
  /** Room for `wholePoints`. */
  readonly whole: Int32Array
  readonly rest: Float64Array
}

/**
 * Compiles a model.
 * @param coreActions what the word `core` stands for: the actions with `core: true`.
 */
export function createScorer(model: Model, coreActions: readonly string[]): ModelScorer {
  const needs = needsOf(model, coreActions)
  const work = workOf(model, needs)
  const population = model.population.map(traitTest)
  const exclusion = exclusionOf(model)
  const places = (ids: readonly string[]) =>
    ids.map((id) => model.signals.findIndex((s) => s.id === id))
  const required = places(model.requires)
  const raisers = places(model['hand-raiser'])
  const changeAt = changeAtOf(model, needs)
  const steps = stepsOf(model)
  return {
    model,
    needs,
    memberWindows: memberWindowsOf(model),
    score(features, previous, asOf) {
      if (!population.every((test) => test(features.traits))) return null
      const now = asOf.getTime()
      const at = work(features, now)
      const { readings, held, raw } = at
      const excludedBy = exclusion(features, held)
      const { score, contributions } = contributionsOf(model, at, excludedBy !== null)
      const facts = factsOf(model, features, excludedBy)
      const { activity } = features
      const isWide =
        model.subject === 'person' || facts.activeUsers >= (model['least-active'] ?? LEAST_ACTIVE)
      const answer = nextStatus(model.status, {
        score,
        previous: previous && {
          status: previous.usageStatus,
          heldUntil: previous.heldUntil === null ? null : Date.parse(previous.heldUntil),
          roseLast: previous.roseLast,
        },
        firstAt: activity.firstAt,
        lastAt: activity.lastAt,
        sales: features.sales,
        mayQualify: isWide && required.every((index) => held[index]),
        isExcluded: excludedBy !== null,
        raisedAt: raisedAt(raisers, held, readings),
        asOf: now,
      })
      const { status } = answer
      const moved = status !== previous?.usageStatus
      const isNews = previous === null || previous.score !== score
      const iso = isoOf(now)
      const isOut = status === 'qualified' || excludedBy !== null
      return {
        subjectId: features.subjectId,
        version: model.version,
        score,
        grade: gradeOf(model.bands, score),
        usageStatus: status,
        salesStatus: features.sales.status,
        statusSince: moved || previous === null ? iso : previous.statusSince,
        heldUntil: instant(answer.heldUntil),
        roseLast: answer.roseLast,
        qualifiedAt: moved && status === 'qualified' ? iso : (previous?.qualifiedAt ?? null),
        change: isNews && previous ? score - previous.score : (previous?.change ?? 0),
        changed:
          isNews && previous
            ? differences(previous.contributions, contributions)
            : (previous?.changed ?? []),
        trend: trendOf(activity),
        contributions,
        missing: isOut ? [] : missingOf(model, steps, { score, readings, held, raw, facts }),
        facts,
        evidenceAt: newest(contributions),
        nextChangeAt: instant(Math.min(changeAt(features, now), beyond(answer.nextAt, now))),
      }
    },
  }
}

function workOf(model: Model, needs: Needs): (features: Features, asOf: number) => Work {
  const { signals } = model
  const readers = signals.map((signal) => readerOf(model, signal, needs))
  const places = signals.map((signal) => needs.of.get(signal.id)?.[0] ?? -1)
  const tests = signals.map(holdsOf)
  const points = signals.map(rawPointsOf)
  const combinations = combinationsInOrder(signals)
  const weighed = weigh(model)
  // One for all subjects: what is told of one is written anew for the next.
  const readings: Reading[] = signals.map(() => NOTHING)
  const held: boolean[] = signals.map(() => false)
  const raw = new Float64Array(signals.length)
  const work = { readings, held, raw, whole: new Int32Array(raw), rest: new Float64Array(raw) }
  return (features, asOf) => {
    raw.fill(0)
    for (let i = 0; i < readers.length; i++) {
      const reading = readers[i]?.(features, asOf) ?? NOTHING
      readings[i] = reading
      held[i] = tests[i]?.(reading.amount) === true
    }
    for (const { index, signal, byId } of combinations) {
      readings[index] = combine(signal, (id) => held[byId.get(id) ?? -1] === true)
      held[index] = readings[index].amount === 1
    }
    for (let i = 0; i < points.length; i++) {
      if (!held[i]) continue
      const place = places[i] ?? -1
      const evidence = place < 0 ? undefined : features.evidence[place]
      raw[i] = points[i]?.(readings[i] ?? NOTHING, evidence, asOf) ?? 0
    }
    weighed(raw)
    return work
  }
}

/** Combinations, each behind those that it is made of. */
function combinationsInOrder(signals: readonly Signal[]) {
  const byId = new Map(signals.map((signal, index) => [signal.id, index]))
  const ordered: {
    readonly index: number
    readonly signal: Extract<Signal, { all?: unknown }>
    readonly byId: ReadonlyMap<string, number>
  }[] = []
  const seen = new Set<string>()
  const visit = (id: string) => {
    const index = byId.get(id) ?? -1
    const signal = signals[index]
    if (!signal || !isCombination(signal) || seen.has(id)) return
    seen.add(id)
    for (const other of [signal.all, signal.any, signal.none].flat()) if (other) visit(other)
    ordered.push({ index, signal, byId })
  }
  for (const { id } of signals) visit(id)
  return ordered
}

/** Label of the first exclusion that applies. */
function exclusionOf(
  model: Model,
): (features: Features, held: readonly boolean[]) => string | null {
  const tests = model.exclude.map((rule) => {
    if ('trait' in rule) {
      const test = traitTest(rule)
      return { label: rule.label, applies: ({ traits }: Features) => test(traits) }
    }
    const index = model.signals.findIndex((signal) => signal.id === rule.signal)
    return {
      label: rule.label,
      applies: (_: Features, held: readonly boolean[]) => held[index] === true,
    }
  })
  return (features, held) => tests.find((t) => t.applies(features, held))?.label ?? null
}

function contributionsOf(
  model: Model,
  { readings, raw, whole, rest }: Work,
  isExcluded: boolean,
): { score: number; contributions: Contribution[] } {
  const { sum, points } = wholePoints(raw, whole, rest)
  const parts: Contribution[] = []
  model.signals.forEach(({ id }, i) => {
    const given = points[i] ?? 0
    if (given === 0) return
    const { amount, since, last } = readings[i] ?? NOTHING
    parts.push({ id, points: given, amount: amount ?? 0, since, last })
  })
  parts.sort((a, b) => b.points - a.points || (a.id < b.id ? -1 : 1))
  const score = Math.min(100, Math.max(0, sum))
  if (score !== sum) parts.push(bookkeeping('limit', score - sum))
  if (isExcluded && score !== 0) parts.push(bookkeeping('excluded', -score))
  return { score: isExcluded ? 0 : score, contributions: parts }
}

function raisedAt(
  raisers: readonly number[],
  held: readonly boolean[],
  readings: readonly Reading[],
): number | null {
  let at: number | null = null
  for (const index of raisers) {
    if (!held[index]) continue
    // A hand that has no date is up, but was not raised after anything.
    const raised = readings[index]?.last ?? 1
    if (at === null || raised > at) at = raised
  }
  return at
}

function factsOf(model: Model, features: Features, excludedBy: string | null): ScoreFacts {
  const { activity, members } = features
  const told = {
    lastActive: isoOf(activity.lastAt),
    firstSeen: isoOf(activity.firstAt),
    activeDays30: activity.days30,
    excludedBy,
  }
  if (model.subject === 'person') {
    return { ...told, activeUsers: 0, qualifiedUsers: 0, championId: null, otherIds: [] }
  }
  const active = members.filter(
    (m) => (m.core.get(model.window)?.days ?? 0) >= model['active-days'],
  )
  const championId = championOf(members, model.window)?.personId ?? null
  return {
    ...told,
    activeUsers: active.length,
    qualifiedUsers: members.filter((m) => m.qualified).length,
    championId,
    otherIds: active
      .filter((m) => m.personId !== championId)
      .sort((a, b) => b.score - a.score || (a.personId < b.personId ? -1 : 1))
      .map((m) => m.personId),
  }
}

function memberWindowsOf(model: Model): number[] {
  const own = model.subject === 'account' ? [model.window] : []
  const asked = model.signals.flatMap((s) => ('people' in s ? [s.within ?? model.window] : []))
  return [...new Set([...own, ...asked])].sort((a, b) => a - b)
}

/** What each signal gives now against before; what did not change is left out. */
function differences(
  before: readonly Contribution[],
  now: readonly Contribution[],
): ContributionChange[] {
  const from = new Map(before.map(({ id, points }) => [id, points]))
  const to = new Map(now.map(({ id, points }) => [id, points]))
  return [...new Set([...to.keys(), ...from.keys()])]
    .map((id) => ({ id, from: from.get(id) ?? 0, to: to.get(id) ?? 0 }))
    .filter((change) => change.from !== change.to)
    .sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from) || (a.id < b.id ? -1 : 1))
}

function newest(contributions: readonly Contribution[]): string | null {
  let at: number | null = null
  for (const { points, last } of contributions) {
    if (points > 0 && last !== null && last > (at ?? 0)) at = last
  }
  return instant(at)
}

const instant = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) ? null : isoOf(ms)

const beyond = (ms: number, now: number): number => (ms > now ? ms : Number.POSITIVE_INFINITY)
