import { LEAST_ACTIVE, type Model } from '../mapping/model.ts'
import { contributionsOf, differences, newestEvidence } from './contributions.ts'
import { changeAtOf } from './due.ts'
import { trendOf } from './explain.ts'
import type { Features } from './features.ts'
import { isoOf } from './instant.ts'
import { missingOf, stepsOf } from './missing.ts'
import { type Needs, needsOf } from './needs.ts'
import { championOf, type Reading } from './people-amounts.ts'
import type { Score, ScoreFacts } from './score.ts'
import { gradeOf, nextStatus } from './status.ts'
import { traitTest } from './traits.ts'
import { workOf } from './work.ts'

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
        evidenceAt: instant(newestEvidence(contributions)),
        nextChangeAt: instant(Math.min(changeAt(features, now), beyond(answer.nextAt, now))),
      }
    },
  }
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

const instant = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) ? null : isoOf(ms)

const beyond = (ms: number, now: number): number => (ms > now ? ms : Number.POSITIVE_INFINITY)
